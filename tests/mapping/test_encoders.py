"""Whatever we are told, what we write is valid: by our own schemas, by MedCom's, and as FHIR R4."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from fhir.resources.R4B.bundle import Bundle
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.mapping.encoding import encode, wrap
from gateway.mapping.fhir.team_bundle import bundle
from gateway.mapping.medcom import xctl
from gateway.mapping.medcom.emessage import read
from gateway.municipality.model import inconsistencies, load
from gateway.referral.admission import admit
from gateway.referral.decide import Running, decide
from gateway.referral.ids import Cause, base36, fhir_id, letter_id
from gateway.referral.letters import Arrival, Carrier, DischargeNote, Outgoing, Receipt, StatusLetter, TeamMessage
from gateway.referral.needs import Needs
from gateway.referral.reply import Reply
from tests.builders import OUR_GLN, RECEIVED, SENDER_GLN, emessage, handle, icpc, kinds, only, sks, vans, xref15
from tests.mapping.values import DISCHARGE_NOTES, RECEIPTS, REFERRALS, STATUS_LETTERS
from tests.reference import check_with_medcom, own_violations

MUNICIPALITY = load()
CAUSE = Cause(sender=SENDER_GLN, id="BRV00000000001")
VANS_ARRIVAL = handle(vans()).message.arrival
ENVELOPE_IDS = {Carrier.BARE: "NYKUVERT000001", Carrier.VANS: "9c8b7a69-5847-4362-8514-03f2e1d0c9b8"}


def document(content: StatusLetter | DischargeNote | Receipt, arrival: Arrival, version: str = "") -> bytes:
    """The bytes of one transmission."""
    letter = encode(Reply(content=content, cause=CAUSE, arrival=arrival, referral_version=version), MUNICIPALITY)
    return wrap(letter, ENVELOPE_IDS[letter.carrier], RECEIVED)


def status_letter(data: st.DataObject) -> bytes:
    return document(data.draw(STATUS_LETTERS), data.draw(st.sampled_from([Arrival(), VANS_ARRIVAL])))


def discharge_note(data: st.DataObject) -> bytes:
    version = data.draw(st.sampled_from(["XH1530R", "XH1531R", ""]))
    return document(data.draw(DISCHARGE_NOTES), data.draw(st.sampled_from([Arrival(), VANS_ARRIVAL])), version)


def receipt(data: st.DataObject) -> bytes:
    content = data.draw(RECEIPTS)
    return document(content, content.arrival)


MAKERS = {"XDIS91": status_letter, "XDIS15": discharge_note, "receipts": receipt}


@pytest.mark.parametrize("name", MAKERS)
def test_valid_by_our_own_schemas(name: str) -> None:
    collected = examples(MAKERS[name], 150)
    assert [problem for one in collected for problem in own_violations(one)] == []


@pytest.mark.parametrize("name", MAKERS)
def test_valid_by_medcoms_schemas(name: str, shared: Path, tmp_path: Path) -> None:
    check_with_medcom(shared, tmp_path, examples(MAKERS[name], 60))


def examples(make: Callable[[st.DataObject], bytes], count: int) -> list[bytes]:
    """That many documents, the same on every run."""
    collected: list[bytes] = []

    @settings(max_examples=count)
    @given(st.data())
    def run(data: st.DataObject) -> None:
        collected.append(make(data))

    run()
    assert len(collected) >= count // 2
    return collected


@settings(max_examples=100)
@given(RECEIPTS.filter(lambda content: not content.by_vans))
def test_a_receipt_is_read_as_it_was_meant(content: Receipt) -> None:
    written = document(content, content.arrival)
    (letter,) = read(etree.fromstring(written), "").letters
    assert isinstance(letter.content, xctl.ReceivedReceipt)
    assert letter.content.positive == content.positive
    assert len(letter.content.letters) == len(content.letters)
    if content.fault is not None:
        assert letter.content.refuse_code == content.fault.row.medcom
        assert f"({content.fault.id})" in letter.content.text


@settings(max_examples=60)
@given(REFERRALS, st.sampled_from([(), sks("DE119"), icpc("T82")]))
def test_a_teams_bundle_is_fhir(referral, coded) -> None:  # noqa: ANN001
    (letter,) = handle(emessage(xref15(diagnoses=coded))).letters
    assert letter.decision is not None
    handled = admit(referral, Arrival(), letter.decision, MUNICIPALITY, RECEIVED)
    messages = [reply.content for reply in handled.replies if isinstance(reply.content, TeamMessage)]
    assert messages
    for message in messages:
        checked = Bundle.model_validate_json(encode_bundle(message))
        kinds = [entry.resource.get_resource_type() for entry in checked.entry]
        assert kinds.count("Task") == len(message.tasks) > 0
        assert kinds.count("Condition") == len(referral.diagnoses)
        assert {"Patient", "ServiceRequest", "Organization"} <= set(kinds)


def encode_bundle(message: TeamMessage) -> bytes:
    return msgspec.json.encode(bundle(message, MUNICIPALITY))


def test_the_bundle_says_what_design_5_asks_for() -> None:
    outcome = handle(emessage(xref15(diagnoses=(*sks("DE119", "DM545"), *icpc("P17")), text="Færdigudredt.")))
    (case,) = outcome.cases
    letters = {x.receiver: x for x in outcome.outgoing if x.kind == "Task"}
    sent = json.loads(letters["sundhedskonsulenter"].content)
    by_kind: dict[str, list[dict[str, object]]] = {}
    for entry in sent["entry"]:
        assert entry["fullUrl"] == f"urn:uuid:{entry['resource']['id']}"
        by_kind.setdefault(entry["resource"]["resourceType"], []).append(entry["resource"])
    assert (sent["type"], sent["id"]) == ("collection", letters["sundhedskonsulenter"].letter_id)
    (request,) = by_kind["ServiceRequest"]
    assert request["identifier"][0]["value"] == case.referral.episode_id
    assert len(request["reasonReference"]) == len(by_kind["Condition"]) == 3
    assert len(by_kind["Task"]) == 2
    for task, assignment in zip(by_kind["Task"], case.assignments[1:], strict=True):
        assert task["identifier"][0]["value"] == assignment.id
        assert task["groupIdentifier"]["value"] == case.case_id
        assert task["focus"]["reference"] == f"urn:uuid:{request['id']}"
        assert task["owner"]["identifier"]["value"] == "sundhedskonsulenter"
        assert (task["intent"], task["status"]) == ("order", "requested")
        assert task["code"]["coding"][0]["code"] == assignment.intervention.code
        (given_,) = task["input"]
        assert given_["type"]["text"] == "decision"
        assert json.loads(given_["valueString"])["outcome"] == "accepted"


@pytest.mark.parametrize(
    ("replacement", "system"),
    [
        (None, "urn:oid:1.2.208.176.1.2"),
        ("1203651AK1", "urn:oid:1.2.208.176.1.6.1.1"),
        ("1203650AK1", "urn:oid:1.2.208.176.1.6.1.3"),
        ("120365UAK1", None),
    ],
)
def test_the_citizens_identifier(replacement: str | None, system: str | None) -> None:
    letter = xref15(replacement_cpr=replacement, cpr=None if replacement else "1203659901")
    outcome = handle(emessage(letter))
    patient = json.loads(outcome.outgoing[-1].content)["entry"][0]["resource"]
    (identifier,) = patient["identifier"]
    assert (identifier.get("system"), identifier["value"]) == (system, replacement or "1203659901")


@pytest.mark.parametrize(("code", "count"), [("ydernummer", 2), ("sorkode", 2), ("kommunenummer", 1)])
def test_the_referrers_identifiers(code: str, count: int) -> None:
    outcome = handle(emessage(xref15(sender_code=code)))
    resources = [e["resource"] for e in json.loads(outcome.outgoing[-1].content)["entry"]]
    (organisation,) = (r for r in resources if r["resourceType"] == "Organization")
    assert len(organisation["identifier"]) == count


def test_a_referral_without_numbers_still_makes_a_bundle() -> None:
    case = handle(emessage()).cases[0]
    sender = msgspec.structs.replace(case.referral.sender, gln=None, identifier=None, organisation=None)
    bare = msgspec.structs.replace(case.referral, sender=sender, episode_id=None, diagnoses=())
    decision = decide(bare, Needs(), MUNICIPALITY, RECEIVED, Running())
    (reply,) = (
        r
        for r in admit(bare, Arrival(), decision, MUNICIPALITY, RECEIVED).replies
        if r.content.__class__ is TeamMessage
    )
    assert Bundle.model_validate_json(encode(reply, MUNICIPALITY).content).entry


# ------------------------------------------------------------------ ids
def test_ids_are_derived_and_told_apart() -> None:
    first = letter_id(CAUSE, "XDIS91", SENDER_GLN)
    assert first == letter_id(Cause(sender=SENDER_GLN, id="BRV00000000001"), "XDIS91", SENDER_GLN)
    others = {
        letter_id(CAUSE, "XDIS15", SENDER_GLN),
        letter_id(CAUSE, "XDIS91", OUR_GLN),
        letter_id(CAUSE, "XDIS91", SENDER_GLN, 1),
        letter_id(Cause(sender=OUR_GLN, id=CAUSE.id), "XDIS91", SENDER_GLN),
    }
    assert len(others | {first}) == 5
    assert fhir_id(CAUSE, "case", "") == fhir_id(CAUSE, "case", "")
    assert base36(0) == "0" * 14
    assert base36(35) == "Z".rjust(14, "0")
    assert len(base36(2**256 - 1)) == 14


def test_a_resend_in_a_vans_envelope_keeps_its_content_to_the_byte() -> None:
    letter: Outgoing = handle(vans()).outgoing[1]
    later = datetime(2026, 11, 18, tzinfo=UTC)
    first, again = (wrap(letter, i, at) for i, at in ((ENVELOPE_IDS[Carrier.VANS], RECEIVED), ("x", later)))
    assert first != again
    assert first.split(b"<Data>")[1] == again.split(b"<Data>")[1]
    assert first.split(b"<Message>")[1] == again.split(b"<Message>")[1]


def test_a_receiver_may_choose_edifact_for_what_came_in_xml() -> None:
    chosen = msgspec.structs.replace(MUNICIPALITY, formats={SENDER_GLN: "edifact"})
    assert inconsistencies(chosen) == []
    outcome = handle(emessage(), municipality=chosen)
    assert kinds(outcome) == ["XCTL03", "DIS91", "Task"]
    assert own_violations(wrap(only(outcome, "DIS91"), "GLDUDGAAENDE01", RECEIVED)) == []
