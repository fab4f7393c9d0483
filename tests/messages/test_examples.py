"""Every example of the reference data, read as the municipality that it was sent to: read, matched or refused.

The table is printed (``pytest -rP``). What each type demands stands in ``EXPECTED``; a new file must find its row.
"""

import sys
from functools import cache
from pathlib import Path

import msgspec
import pytest

from gateway.mapping.edifact.interchange import MESSAGE_TYPES
from gateway.mapping.medcom.letter_types import LETTER_TYPES, NAMESPACE_OF
from gateway.municipality.model import Municipality, load
from gateway.receive import read, receive
from gateway.referral.correspondence import Correspondence
from gateway.referral.inbox import Known, Outcome, SentLetter
from gateway.referral.letters import ReceivedReceipt
from gateway.referral.model import Referral
from gateway.referral.reading import Reading
from tests.builders import RECEIVED, faults, kinds
from tests.mapping.medcom.specimens import TYPES

#: file → type, what becomes of it, what is parked, what is sent back; the recorded letters ask for no positive receipt,
#: and the recorded referral names a copy receiver whose GLN nobody told us (GW-171)
EXPECTED = {
    "recorded/CTL01_1.edi": ("CTL01", "matched: refused", ["GW-172"], []),
    "recorded/CTL01_1.xml": ("XCTL01", "matched: refused", ["GW-172"], []),
    "recorded/CTL02_1.edi": ("CTL02", "matched: refused", ["GW-172"], []),
    "recorded/CTL02_1.xml": ("XCTL02", "matched: refused", ["GW-172"], []),
    "recorded/CTL03_1.edi": ("CTL03", "matched: delivered", [], []),
    "recorded/CTL03_1.xml": ("XCTL03", "matched: delivered", [], []),
    "recorded/DIS91_1.edi": ("DIS91", "read: for review", ["GW-165"], []),
    "recorded/DIS91_1.xml": ("XDIS91", "read: for review", ["GW-165"], []),
    "recorded/REF01_1.edi": ("REF01", "read: case", ["GW-171"], []),
    "recorded/REF01_1.xml": ("XREF01", "read: case", ["GW-171"], []),
    "recorded/escaped_formatted_text.xml": ("XDIS91", "read: for review", ["GW-165"], []),
    "recorded/formattet_text.xml": ("XDIS91", "read: for review", ["GW-165"], []),
    "recorded/negative_receipt.xml": ("XCTL02", "matched: refused", ["GW-172"], []),
    "recorded/special_characters.xml": ("XDIS91", "read: for review", ["GW-165"], []),
    "synthetic/vans_message_xref15.xml": ("XREF15", "read: case", [], ["VANSReceipt"]),
    "synthetic/vans_receipt_negative.xml": ("VANS NegativeMessage", "matched: refused", ["GW-172"], []),
    "synthetic/vans_receipt_negative_vans.xml": ("VANS NegativeVans", "matched: refused", ["GW-172"], []),
    "synthetic/vans_receipt_positive.xml": ("VANS PositiveMessage", "matched: delivered", [], []),
    "synthetic/xctl01_negative_vans.xml": ("XCTL01", "matched: refused", ["GW-172"], []),
    "synthetic/xctl02_negative.xml": ("XCTL02", "matched: refused", ["GW-172"], []),
    "synthetic/xctl03_positive.xml": ("XCTL03", "matched: delivered", [], []),
    "synthetic/xdis15_XD1530L.xml": ("XDIS15", "refused", ["GW-110"], ["XCTL02"]),
    "synthetic/xdis15_XD1531L.xml": ("XDIS15", "refused", ["GW-110"], ["XCTL02"]),
    "synthetic/xdis91_status_XD9134L.xml": ("XDIS91", "read: for review", ["GW-165"], ["XCTL03"]),
    "synthetic/xref15_XH1530R.xml": ("XREF15", "read: case", [], ["XCTL03"]),
    "synthetic/xref15_XH1531R.xml": ("XREF15", "read: case", [], ["XCTL03"]),
}
RECEIPTS = {"XCTL02", "XCTL03", "CTL02", "CTL03", "VANSReceipt"}


@cache
def examples(shared: Path) -> dict[str, bytes]:
    folder = shared / "data" / "medcom" / "examples"
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.suffix in {".xml", ".edi"}
    }


def addressed(reading: Reading) -> Municipality:
    """The municipality that the message was sent to."""
    built_in = load()
    receiver = reading.arrival.receiver_gln or built_in.letterhead.gln
    receivers = [x.content.receiver for x in reading.letters if isinstance(x.content, Referral | Correspondence)]
    codes = [party.identifier or "" for party in receivers if party.identifier_code == "kommunenummer"]
    return msgspec.structs.replace(built_in, glns=(receiver,), code=codes[0] if codes else built_in.code)


def sent_before(reading: Reading) -> Known:
    """What was sent, where the message is a receipt for it."""
    (content,) = [letter.content for letter in reading.letters]
    if not isinstance(content, ReceivedReceipt):
        return Known()
    named = [letter.letter_id for letter in content.letters] or ["BREVET"]
    ours = [
        SentLetter(letter_id=own, message_id=content.message_id or own, envelopes=frozenset({content.envelope_id}))
        for own in named
    ]
    return Known(sent=tuple(ours))


def outcome_of(data: bytes) -> Outcome:
    reading = read(data)
    return receive(reading, sent_before(reading), addressed(reading), reading.sent_at or RECEIVED)


def verdict(outcome: Outcome) -> str:
    if outcome.settled:
        return f"matched: {', '.join(sorted({s.verdict for s in outcome.settled}))}"
    if any(letter.fault for letter in outcome.letters) or outcome.message.fault:
        return "refused"
    return "read: case" if outcome.cases else "read: for review"


def test_every_example_is_read_matched_or_refused_as_its_type_demands(shared: Path) -> None:
    found = {}
    for name, data in examples(shared).items():
        outcome = outcome_of(data)
        receipts = [kind for kind in kinds(outcome) if kind in RECEIPTS]
        row = (outcome.message.type, verdict(outcome), faults(outcome), receipts)
        found[name] = row
        sys.stdout.write(f"{name:45} {row[0]:21} {row[1]:18} {' '.join(row[2]) or '-':7} {' '.join(receipts) or '-'}\n")
    assert found == EXPECTED


@pytest.mark.parametrize("name", ["CTL01_1", "CTL02_1", "CTL03_1", "DIS91_1", "REF01_1"])
def test_a_pair_is_the_same_in_both_forms(name: str, shared: Path) -> None:
    edifact, xml = (outcome_of(examples(shared)[f"recorded/{name}.{ending}"]) for ending in ("edi", "xml"))
    assert verdict(edifact) == verdict(xml)
    assert faults(edifact) == faults(xml)
    assert [s.verdict for s in edifact.settled] == [s.verdict for s in xml.settled]
    assert [x.key for x in edifact.letters] == [x.key for x in xml.letters]
    assert [x.decision for x in edifact.letters] == [x.decision for x in xml.letters]
    assert [kind.removeprefix("X") for kind in kinds(xml)] == kinds(edifact)


def test_every_type_of_the_catalogue_is_compared_with_medcoms_schemas() -> None:
    """``tests/mapping/medcom/test_schemas.py`` takes its types from there: examples, sweeps and 1000 mutants each."""
    read_and_written = {f"{t.type} {t.version}" for t in LETTER_TYPES} | {f"{k} {v}" for k, v in NAMESPACE_OF}
    assert set(TYPES) == {*read_and_written, "VANSEnvelope 1.0.4"}
    assert {f"X{t.type}" for t in MESSAGE_TYPES} <= {t.type for t in LETTER_TYPES}
