"""Types we know and do not read, unknown types and unknown versions: refused or forwarded, each with its code."""

import base64
import json

import msgspec
import pytest
from fhir.resources.R4B.bundle import Bundle

from gateway.inbound.pipeline import _TYPES
from gateway.mapping.interpretation import interpretation
from gateway.mapping.medcom.other_types import OTHER_LETTERS, OTHER_MESSAGES, OTHER_TYPES
from gateway.municipality.model import Municipality, load
from gateway.proof import problems
from gateway.receive import read
from gateway.referral.inbox import Known, Outcome
from gateway.referral.letters import Outgoing
from tests.attachment_builders import xbin, xbin_message
from tests.builders import (
    BACK_TEAM,
    CPR,
    NAME,
    OTHER_GLN,
    OUR_GLN,
    SENDER_GLN,
    emessage,
    faults,
    handle,
    kinds,
    moment,
    only,
    tag,
    vans,
    xref15,
)
from tests.correspondence_builders import xdis91, xdis91_message
from tests.edifact_builders import interchange, ref01

REP = "http://rep.oio.dk/medcom.dk/xml/schemas/"
WORDS = f"Borgeren {NAME} har været indlagt"
FORWARDING = msgspec.structs.replace(load(), forwards=dict.fromkeys(OTHER_TYPES, BACK_TEAM))


def other(element: str, kind: str, *, version: str = "XH0000R", letter_id: str = "AND00000000001", **ends: str) -> str:
    """A letter of a type whose schema we do not have: its head is like any other's, the rest is its own."""
    head = (
        tag("Identifier", letter_id)
        + tag("VersionCode", version)
        + tag("StatisticalCode", kind)
        + tag("Authorisation", moment("2026-11-16T09:10"))
        + tag("TypeCode", kind)
    )
    ours = ends.get("receiver", OUR_GLN)
    return tag(
        element,
        tag("Letter", head)
        + tag("Sender", tag("EANIdentifier", ends.get("sender", SENDER_GLN)))
        + tag("Receiver", tag("EANIdentifier", ours))
        + tag("Patient", tag("CivilRegistrationNumber", CPR) + tag("PersonSurnameName", NAME))
        + tag("Acute", WORDS),
    )


def message(kind: str, namespace: str, element: str, **changes: str) -> bytes:
    return emessage(other(element, kind, **changes), namespace=namespace)


KNOWN = {
    f"{kind} {namespace[-11:-1]}": (kind, namespace, element) for (namespace, element), kind in OTHER_LETTERS.items()
}
every_known = pytest.mark.parametrize(("kind", "namespace", "element"), KNOWN.values(), ids=KNOWN)
GGOP = f'<GGOP xmlns="ggop:ggop100"><Borger>{CPR}</Borger><Tekst>{WORDS}</Tekst></GGOP>'.encode()
DGOP = f'<Plan xmlns="dgop:d1gop1.0"><Borger>{CPR}</Borger></Plan>'.encode()


def discreet(outcome: Outcome) -> bool:
    """No receipt quotes the letter."""
    told = b"".join(o.content for o in outcome.outgoing if o.channel.value == "medcom").decode()
    return CPR not in told and NAME not in told and "indlagt" not in told


# ------------------------------------------------------------------ known types
@every_known
def test_refused_where_the_file_says_nothing(kind: str, namespace: str, element: str) -> None:
    outcome = handle(message(kind, namespace, element))
    assert (kinds(outcome), faults(outcome)) == (["XCTL02"], ["GW-110"])
    assert outcome.parked[0].fault.detail == kind
    receipt = only(outcome, "XCTL02").content.decode()
    assert "<RefuseCode>problem_med_version</RefuseCode>" in receipt
    assert "<OriginalLetterIdentifier>AND00000000001<" in receipt
    assert discreet(outcome)


@every_known
def test_forwarded_unread_where_the_file_names_a_team(kind: str, namespace: str, element: str) -> None:
    outcome = handle(message(kind, namespace, element), municipality=FORWARDING)
    assert (kinds(outcome), faults(outcome)) == (["XCTL03", "DocumentReference"], [])
    assert outcome.letters[0].key == (SENDER_GLN, "AND00000000001")
    assert discreet(outcome)
    letter = only(outcome, "DocumentReference")
    assert (letter.receiver, letter.case_id) == (BACK_TEAM, None)
    document = document_of(letter)
    assert document["description"] == kind
    file = document["content"][0]["attachment"]
    assert file["contentType"] == "application/xml"
    assert WORDS in base64.b64decode(file["data"]).decode()


def document_of(letter: Outgoing) -> dict[str, object]:
    assert Bundle.model_validate_json(letter.content).entry
    entries = [entry["resource"] for entry in json.loads(letter.content)["entry"]]
    assert [r["resourceType"] for r in entries] == ["Organization", "DocumentReference", "Task"]
    assert entries[2]["businessStatus"]["text"] == "for-review"
    assert "læser ikke denne beskedtype" in entries[2]["description"]
    document: dict[str, object] = entries[1]
    return document


@pytest.mark.parametrize(("payload", "kind"), [(GGOP, "GGOP"), (DGOP, "DGOP")])
def test_a_rehabilitation_plan_in_a_vans_envelope(payload: bytes, kind: str) -> None:
    refused = handle(vans(payload))
    assert (kinds(refused), faults(refused)) == (["VANSReceipt"], ["GW-110"])
    assert b"<Description>problem_med_version: Brev uden id" in refused.outgoing[0].content
    assert discreet(refused)
    taken = handle(vans(payload), municipality=FORWARDING)
    assert (kinds(taken), faults(taken)) == (["VANSReceipt", "DocumentReference"], [])
    assert b"<PositiveMessage>" in taken.outgoing[0].content
    assert document_of(only(taken, "DocumentReference"))["description"] == kind


def test_a_plan_in_no_envelope_tells_no_sender() -> None:
    refused = handle(GGOP)
    assert (kinds(refused), faults(refused)) == ([], ["GW-110"])
    taken = handle(GGOP, municipality=FORWARDING)
    assert (kinds(taken), faults(taken)) == (["DocumentReference"], [])
    assert read(GGOP, limit=10).fault is not None


# ------------------------------------------------------------------ unknown types and versions
MISPLACED = message("XREF22", f"{REP}2018/08/06/", "EmergencyMunicipalityReferral")
UNKNOWN = {
    "a type of a namespace we have": (message("XDIS16", f"{REP}2016/12/01/", "HospitalReport"), "GW-110", "XCTL02"),
    "XREF12, whose namespace is unknown": (message("XREF12", f"{REP}2011/01/01/", "TeddyReferral"), "GW-110", "XCTL02"),
    "XDIS20, whose namespace is unknown": (message("XDIS20", f"{REP}2014/01/01/", "Notice"), "GW-110", "XCTL02"),
    "a known letter in another namespace": (MISPLACED, "GW-110", "XCTL02"),
    "XREF15 of another version": (emessage(xref15(version="XH1529R")), "GW-111", "XCTL02"),
    "XREF15 of the other namespace": (emessage(xref15(version="XH1531R")), "GW-111", "XCTL02"),
    "XDIS91 of another version": (xdis91_message(xdis91(version="XD9133L")), "GW-111", "XCTL02"),
    "XBIN02 of another version": (xbin_message(xbin(version="XB0200X")), "GW-111", "XCTL02"),
    "EDIFACT REF07": (interchange(ref01(name="REF07", version="H0732R")), "GW-110", "CTL02"),
    "EDIFACT REF01 of another version": (interchange(ref01(version="H0129R")), "GW-111", "CTL02"),
    "EDIFACT attachments": (interchange(ref01(message="MEDBIN", name="BIN01", version="B0131X")), "GW-110", "CTL02"),
    "a binary payload": (vans(b"%PDF-1.7", payload_format="Binary"), "GW-110", "VANSReceipt"),
    "an envelope in an envelope": (vans(vans()), "GW-110", "VANSReceipt"),
    "XML of nobody's": (vans(b"<Henvisning xmlns='urn:x'/>"), "GW-110", "VANSReceipt"),
}  # fmt: skip


@pytest.mark.parametrize("municipality", [load(), FORWARDING], ids=["refusing", "forwarding"])
@pytest.mark.parametrize(("data", "fault", "receipt"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_is_unknown_is_refused(data: bytes, fault: str, receipt: str, municipality: Municipality) -> None:
    outcome = handle(data, municipality=municipality)
    assert (kinds(outcome), faults(outcome)) == ([receipt], [fault])
    assert outcome.parked[0].fault.row.medcom.value == "problem_med_version"
    assert discreet(outcome)


# ------------------------------------------------------------------ as any letter
def forwarded(*letters: str, known: Known | None = None, **envelope: str) -> Outcome:
    data = emessage(*letters, namespace=f"{REP}2019/03/31/", **envelope)
    return handle(data, known, municipality=FORWARDING)


ACUTE = ("EmergencyMunicipalityReferral", "XREF22")


def test_a_known_letter_gets_its_stored_receipt() -> None:
    first = forwarded(other(*ACUTE))
    again = forwarded(other(*ACUTE), known=Known().fold(first), envelope_id="KUV00000000002")
    assert (again.resend, again.outgoing) == ((first.outgoing[0].letter_id,), ())


def test_several_letters_of_which_one_is_for_another() -> None:
    outcome = forwarded(other(*ACUTE), other(*ACUTE, letter_id="AND00000000002", receiver=OTHER_GLN))
    assert (kinds(outcome), faults(outcome)) == (["XCTL02", "XCTL03", "DocumentReference"], ["GW-130"])


def test_beside_a_letter_that_we_read() -> None:
    data = emessage(xref15(), other("MunicipalityLetter", "XDIS15", version="XD1530L"))
    outcome = handle(data)
    assert faults(outcome) == ["GW-110"]
    assert kinds(outcome)[:2] == ["XCTL02", "XCTL03"]
    both = handle(data, municipality=FORWARDING)
    assert faults(both) == []
    assert {"Task", "DocumentReference", "XCTL03"} <= set(kinds(both))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<Time>09:15</Time>", "<Time>09:15:00</Time>"),
        ("<Identifier>KUV00000000001</Identifier>", ""),
        ("pluspositivkvitt", "ja"),
        ("</Envelope>", "<Fremmed xmlns='urn:x'/></Envelope>"),
    ],
)
def test_a_faulty_envelope_refuses_all(old: str, new: str) -> None:
    data = emessage(other(*ACUTE), namespace=f"{REP}2019/03/31/").replace(old.encode(), new.encode(), 1)
    outcome = handle(data, municipality=FORWARDING)
    assert faults(outcome) == ["GW-121"]
    assert "DocumentReference" not in kinds(outcome)


# ------------------------------------------------------------------ the file
def test_every_known_type_can_be_forwarded_and_is_counted_by_its_name() -> None:
    assert {*OTHER_LETTERS.values(), *OTHER_MESSAGES.values()} == OTHER_TYPES
    assert OTHER_TYPES <= _TYPES
    assert problems(FORWARDING, interpretation()) == []


def test_only_those_can_be_forwarded(municipality: Municipality) -> None:
    changed = msgspec.structs.replace(municipality, forwards={"XREF15": BACK_TEAM})
    (problem,) = problems(changed, interpretation())
    assert problem.startswith("forwards.XREF15: no type that can be forwarded; one of DGOP, GGOP, XDIS01")
