"""A message in a StandardBusinessDocument: off it is parked, on it is a message like any other, answered in the same.

The cache's rows are those of the VANS cache (``test_vans_cache``): an id of the message or the letter that is known is
never handled again, an envelope id is used once.
"""

import json
from typing import NamedTuple

import pytest

from gateway.municipality.model import load
from gateway.receive import Entrance, read, receive
from gateway.referral.inbox import Known
from gateway.referral.letters import Carrier, Payload
from tests.builders import (
    OTHER_GLN,
    RECEIVED,
    SENDER_GLN,
    emessage,
    faults,
    handle,
    kinds,
    sks,
    vans,
    xref15,
)
from tests.edifact_builders import interchange, ref01
from tests.fhir_messages import BUNDLE_ID, HEADER_ID, as_json, as_xml, referral
from tests.reference import own_violations
from tests.sbdh_builders import (
    FHIR_XML,
    JSON,
    NEW_ENVELOPE,
    NEW_MESSAGE,
    OTHER_BUNDLE,
    PAYLOADS,
    SBDH_ENVELOPE,
    fhir,
    partner,
    sbdh,
    taken,
    transmitted,
)

RECEIPTS = {"XCTL02", "XCTL03", "Acknowledgement"}


# ------------------------------------------------------------------ the setting
def test_off_it_is_refused_unread_and_nobody_is_told() -> None:
    outcome = handle(sbdh())
    assert (faults(outcome), outcome.outgoing, outcome.cases) == (["GW-110"], (), ())
    assert outcome.parked[0].fault.detail == "StandardBusinessDocument"


def test_on_it_opens_the_same_case_as_bare() -> None:
    outcome, bare = taken(sbdh()), handle(emessage())
    assert (kinds(outcome), faults(outcome)) == (kinds(bare), [])
    assert outcome.cases[0].referral == bare.cases[0].referral
    assert outcome.cases[0].decision.programmes == bare.cases[0].decision.programmes


@pytest.mark.parametrize("switched_on", [True, False])
def test_what_is_no_sbdh_is_read_the_same_with_it_on(*, switched_on: bool) -> None:
    for data in (emessage(), vans(), as_json(referral()), as_xml(referral()), interchange(ref01()), b"", b"<x/>"):
        assert read(data, sbdh=switched_on) == read(data)


def test_the_entrance_for_fhir_takes_no_envelope() -> None:
    data = sbdh(as_json(fhir()), mime=JSON, message_id=HEADER_ID)
    outcome = receive(read(data, Entrance.FHIR, sbdh=True), Known(), load(), RECEIVED)
    assert (faults(outcome), outcome.cases) == (["GW-110"], ())


# ------------------------------------------------------------------ the cache
class Row(NamedTuple):
    message_is_new: bool
    envelope: str
    handled: bool
    #: the first receipt is sent again
    again: bool
    parked: tuple[str, ...]


ROWS = {
    "both new": Row(True, NEW_ENVELOPE, True, False, ()),
    "both known": Row(False, SBDH_ENVELOPE, False, True, ()),
    "message known, envelope new": Row(False, NEW_ENVELOPE, False, True, ()),
    "envelope known, message new": Row(True, SBDH_ENVELOPE, False, False, ("GW-150",)),
}


@pytest.mark.parametrize("told", [True, False], ids=["with MESSAGEIDENTIFIER", "without"])
@pytest.mark.parametrize("name", PAYLOADS)
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_the_four_rows(row: Row, name: str, *, told: bool) -> None:
    sent = PAYLOADS[name]
    known_id = sent.message if told else None
    before = taken(sbdh(sent.payload(sent.message, BUNDLE_ID), mime=sent.mime, message_id=known_id))
    message, inner = (NEW_MESSAGE, OTHER_BUNDLE) if row.message_is_new else (sent.message, BUNDLE_ID)
    data = sbdh(
        sent.payload(message, inner), mime=sent.mime, message_id=message if told else None, envelope_id=row.envelope
    )
    now = taken(data, Known().fold(before))
    receipts = [x.letter_id for x in before.outgoing if x.kind in RECEIPTS]
    assert len(receipts) == 1
    assert now.resend == (tuple(receipts) if row.again else ())
    if row.handled:
        assert (kinds(now), faults(now), len(now.cases)) == (kinds(before), faults(before), len(before.cases))
    else:
        assert (now.cases, faults(now)) == ((), list(row.parked))
    if row.parked:
        (receipt,) = now.outgoing
        assert receipt.carrier is Carrier.SBDH
        assert "GW-150" in receipt.content.decode()


def test_other_content_under_a_known_message_id_is_put_aside_visibly() -> None:
    known = Known().fold(taken(sbdh()))
    other = sbdh(emessage(xref15(letter_id="BRV2", diagnoses=sks("DM545"))), envelope_id=NEW_ENVELOPE)
    outcome = taken(other, known)
    assert (faults(outcome), outcome.cases, len(outcome.resend)) == (["GW-151"], (), 1)


def test_a_message_that_came_bare_is_known_in_an_envelope() -> None:
    known = Known().fold(handle(emessage()))
    outcome = taken(sbdh(), known)
    assert (kinds(outcome), outcome.cases, len(outcome.resend)) == ([], (), 1)


def test_an_envelope_id_is_used_once_by_anyone() -> None:
    known = Known().fold(taken(sbdh()))
    other = emessage(xref15(sender=OTHER_GLN))
    sender = partner("Sender", f"0088:{OTHER_GLN}")
    assert faults(taken(sbdh(other, message_id=NEW_MESSAGE, sender=sender), known)) == ["GW-150"]


def test_a_header_that_names_another_message_is_not_trusted() -> None:
    """Else the id of one message would hide the next one."""
    data = sbdh(as_json(fhir()), mime=JSON, message_id=NEW_MESSAGE)
    reading = read(data, sbdh=True)
    assert reading.warnings == ("MESSAGEIDENTIFIER passer ikke til beskedens id",)
    assert reading.arrival.sbdh is not None
    assert reading.arrival.sbdh.message_id == ""
    assert faults(taken(data)) == []


# ------------------------------------------------------------------ what is inside
def test_the_bytes_decide_and_a_wrong_declaration_is_a_warning() -> None:
    for payload, mime in ((emessage(), FHIR_XML), (as_json(fhir()), FHIR_XML), (as_xml(fhir()), JSON)):
        outcome = taken(sbdh(payload, mime=mime, message_id=None))
        assert (faults(outcome), len(outcome.cases)) == ([], 1)
        assert outcome.message.warnings == ("mimeType passer ikke til indholdet",)
    assert taken(sbdh(mime="Application/XML; charset=UTF-8")).message.warnings == ()


NOT_INSIDE = {
    "an SBDH": (sbdh(), "GW-110"),
    "a VANSEnvelope": (vans(), "GW-110"),
    "EDIFACT": (interchange(ref01()), "GW-110"),
    "an unknown root": (b"<Henvisning xmlns='urn:x'/>", "GW-110"),
    "JSON that is no FHIR": (b'{"hej": 1}', "GW-110"),
    "nothing": (b"", "GW-101"),
    "a picture": (b"\x89PNG\r\n\x1a\n", "GW-101"),
    "XML that is cut off": (b"<Emessage><Envelope>", "GW-102"),
}


@pytest.mark.parametrize("mime", ["application/xml", JSON, FHIR_XML, "application/pdf"])
@pytest.mark.parametrize("name", NOT_INSIDE)
def test_what_may_not_stand_in_it_is_refused_in_the_standard_that_the_header_names(name: str, mime: str) -> None:
    payload, fault = NOT_INSIDE[name]
    outcome = taken(sbdh(payload, mime=mime, message_id=NEW_MESSAGE))
    assert (faults(outcome), outcome.cases) == ([fault], ())
    answer = {"application/xml": ["XCTL02"], "application/pdf": []}.get(mime, ["Acknowledgement"])
    assert kinds(outcome) == answer
    for receipt in outcome.outgoing:
        assert (receipt.carrier, receipt.receiver) == (Carrier.SBDH, SENDER_GLN)
        assert f"({fault})" in receipt.content.decode() or fault in receipt.content.decode()
        assert own_violations(transmitted(receipt)) == []
        assert receipt.payload is {JSON: Payload.FHIR_JSON, FHIR_XML: Payload.FHIR_XML}.get(mime, Payload.MEDCOM_XML)


def test_an_acknowledgement_by_the_header_alone_names_the_message() -> None:
    outcome = taken(sbdh(b"{", mime=JSON, message_id=HEADER_ID, message_envelope_id=BUNDLE_ID))
    (receipt,) = outcome.outgoing
    head = json.loads(receipt.content)["entry"][0]["resource"]
    assert head["response"]["identifier"] == HEADER_ID
    assert head["destination"][0]["endpoint"] == "https://sor2.sum.dsdn.dk/#id=1144561000016002"
    assert outcome.message.arrival.envelope_id == BUNDLE_ID
    assert outcome.letters[0].key == (SENDER_GLN, HEADER_ID)


def test_a_refusal_by_the_header_never_turns_into_an_acceptance() -> None:
    """An Acknowledgement does not change its mind (ADR 0018): the message is known by its id."""
    known = Known().fold(taken(sbdh(b"{", mime=JSON, message_id=HEADER_ID)))
    mended = taken(sbdh(as_json(fhir()), mime=JSON, message_id=HEADER_ID, envelope_id=NEW_ENVELOPE), known)
    assert (mended.cases, len(mended.resend), kinds(mended)) == ((), 1, [])


def test_without_a_message_id_no_acknowledgement_can_be_written() -> None:
    outcome = taken(sbdh(b"{", mime=JSON, message_id=None))
    assert (faults(outcome), outcome.outgoing) == (["GW-102"], ())


@pytest.mark.parametrize(("inner", "quoted"), [("KUV00000000009", "KUV00000000009"), (BUNDLE_ID, "ukendt")])
def test_an_xctl_by_the_header_alone_quotes_the_emessage(inner: str, quoted: str) -> None:
    (receipt,) = taken(sbdh(b"<x", message_envelope_id=inner)).outgoing
    assert f"<OriginalEnvelopeIdentifier>{quoted}<" in receipt.content.decode()
