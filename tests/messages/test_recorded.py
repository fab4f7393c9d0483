"""Every recorded message against its expected outcome. Dropping a pair into the folder adds a test.

::

    <standard>/<type>/<case>.xml|edi|json   the message as received, to the byte
    <standard>/<type>/<case>.before.xml|…   what came before it, where that matters
    <standard>/<type>/<case>.expected.json  what ``gateway explain`` says of it, what goes out, what is parked

``GATEWAY_WRITE_EXPECTED=1 pytest tests/messages`` writes the expectations anew. Read every line of the difference
before you keep it: the expectation is the contract (decision.md), not what the program happens to print. A file that
holds the key ``referrals`` or ``correspondence`` (an empty list will do) gets what was decoded too. With something
before it, the expectation tells how the case stands afterwards, in the place of ``explain``, which knows no history.
All are read with the SBDH switched on (``GATEWAY_SBDH``).
"""

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fhir.resources.R4B.bundle import Bundle
from lxml import etree

from gateway.commands.explain import explain
from gateway.mapping.encoding import wrap
from gateway.municipality.model import Municipality
from gateway.receive import read, receive
from gateway.referral.case import Case
from gateway.referral.correspondence import Correspondence
from gateway.referral.inbox import Known, Outcome
from gateway.referral.letters import Carrier, Channel, Outgoing, Payload
from gateway.referral.model import Referral
from tests.builders import RECEIVED
from tests.reference import check_with_medcom, own_violations, payloads_in

FOLDER = Path(__file__).parent
EXPECTED, BEFORE = ".expected.json", ".before."
MESSAGES = sorted(
    path
    for path in FOLDER.rglob("*.*")
    if path.suffix in {".xml", ".edi", ".json"} and not path.name.endswith(EXPECTED) and BEFORE not in path.name
)
NAMES = [str(path.relative_to(FOLDER).with_suffix("")) for path in MESSAGES]
#: key of an expectation → what was decoded
DECODED = {"referrals": Referral, "correspondence": Correspondence}
every_message = pytest.mark.parametrize("path", MESSAGES, ids=NAMES)
ENVELOPE_IDS = {Carrier.BARE: "GLDUDGAAENDE01", Carrier.VANS: "5d7c9b1a-2e3f-4a4b-8c5d-6e7f8a9b0c1d"}
ENVELOPE_IDS[Carrier.SBDH] = ENVELOPE_IDS[Carrier.VANS]


def outcome_of(path: Path, municipality: Municipality) -> Outcome:
    known = Known()
    for before in came_before(path):
        known = known.fold(handled(before, known, municipality))
    return handled(path, known, municipality)


def came_before(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.stem}{BEFORE}*"))


def handled(path: Path, known: Known, municipality: Municipality) -> Outcome:
    reading = read(path.read_bytes(), sbdh=True)
    return receive(reading, known, municipality, reading.sent_at or RECEIVED)


def transmitted(letter: Outgoing) -> bytes:
    """The bytes as they would leave."""
    return wrap(letter, ENVELOPE_IDS[letter.carrier], letter.at)


def actual(path: Path, municipality: Municipality, decoded: set[str]) -> dict[str, Any]:
    data = path.read_bytes()
    outcome = outcome_of(path, municipality)
    told = {"cases": [standing(case) for case in outcome.cases]} if came_before(path) else {}
    found: dict[str, Any] = (told or {"lines": explain(path.name, data, municipality, sbdh=True).lines}) | {
        "outgoing": [{"kind": o.kind, "receiver": o.receiver, "draft": o.draft} for o in outcome.outgoing],
        "parked": [{"id": p.fault.id, "detail": p.fault.detail} for p in outcome.parked],
        "warnings": list(outcome.message.warnings),
    }
    contents = [letter.content for letter in read(data, sbdh=True).letters]
    for key in decoded & DECODED.keys():
        found[key] = [msgspec.to_builtins(c) for c in contents if isinstance(c, DECODED[key])]
    return json.loads(msgspec.json.encode(found))


def standing(case: Case) -> dict[str, Any]:
    """Where the case stands after the message."""
    return {
        "number": case.number,
        "state": case.state,
        "programmes": list(case.programmes),
        "assignments": [{"team": a.team, "state": a.state} for a in case.assignments],
        "letters": [{"type": x.message_type, "linked_by": x.linked_by} for x in case.letters],
    }


@every_message
def test_expected_outcome(path: Path, municipality: Municipality) -> None:
    stored = path.with_suffix(EXPECTED)
    expected = json.loads(stored.read_text(encoding="utf-8")) if stored.is_file() else {}
    found = actual(path, municipality, set(expected))
    if os.environ.get("GATEWAY_WRITE_EXPECTED"):
        stored.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        pytest.skip("written: read it before you keep it")
    assert expected, f"{stored.name} is missing: write it with GATEWAY_WRITE_EXPECTED=1"
    assert found == expected


def test_every_expectation_has_its_message() -> None:
    assert {path.with_suffix("").with_suffix("") for path in FOLDER.rglob(f"*{EXPECTED}")} == {
        path.with_suffix("") for path in MESSAGES
    }
    assert len(MESSAGES) >= 20


@every_message
def test_twice_the_same(path: Path, municipality: Municipality) -> None:
    assert outcome_of(path, municipality) == outcome_of(path, municipality)


@every_message
def test_everything_we_decided_has_its_why(path: Path, municipality: Municipality) -> None:
    decisions = [letter.decision for letter in outcome_of(path, municipality).letters if letter.decision]
    for decision in decisions:
        explained = {why.name for why in decision.why}
        teams = {assignment.team for assignment in decision.assignments}
        assert {*decision.programmes, *decision.reasons, *decision.flags, *teams} == explained
        assert all(why.rule and why.evidence and why.source for why in decision.why)
        assert "bevilg" not in str(decision).lower()


def test_what_goes_out_is_valid(municipality: Municipality) -> None:
    letters = [letter for path in MESSAGES for letter in outcome_of(path, municipality).outgoing]
    medcom = {"XCTL02", "XCTL03", "VANSReceipt", "XDIS91", "CTL02", "CTL03", "DIS91"}
    assert {letter.kind for letter in letters} == {
        *medcom,
        "Acknowledgement",
        "CareCommunication",
        "Task",
        "Communication",
        "DocumentReference",
    }
    for letter in letters:
        if letter.channel is Channel.TEAM:
            assert Bundle.model_validate_json(transmitted(letter)).entry
        else:
            assert own_violations(transmitted(letter)) == []


def test_medcom_finds_what_goes_out_valid(shared: Path, tmp_path: Path, municipality: Municipality) -> None:
    letters = [letter for path in MESSAGES for letter in outcome_of(path, municipality).outgoing]
    xml = [o for o in letters if o.channel is Channel.MEDCOM and o.payload is Payload.MEDCOM_XML]
    sent = [transmitted(o) for o in xml if o.carrier is not Carrier.SBDH]
    in_sbdh = [payload for o in xml if o.carrier is Carrier.SBDH for payload in payloads_in(parsed(transmitted(o)))]
    assert in_sbdh
    check_with_medcom(shared, tmp_path, [*sent, *in_sbdh])


def parsed(document: bytes) -> etree._Element:
    return etree.fromstring(document)


def test_medcom_finds_what_we_accept_valid(shared: Path, tmp_path: Path, municipality: Municipality) -> None:
    medcom = [path for path in MESSAGES if path.suffix == ".xml" and path.relative_to(FOLDER).parts[0] == "medcom"]
    accepted = [path for path in medcom if outcome_of(path, municipality).letters]
    good = [path for path in accepted if all(x.fault is None for x in outcome_of(path, municipality).letters)]
    check_with_medcom(shared, tmp_path, [path.read_bytes() for path in good])
