"""Builders with defaults: a test states only what matters to it. Persons, practices and numbers are invented."""

import json
from base64 import encodebytes
from datetime import datetime
from typing import Any

from gateway.mapping.team_event import decode
from gateway.municipality.model import Municipality, load
from gateway.receive import Entrance, read, receive
from gateway.referral.case import Case
from gateway.referral.events import TeamEvent
from gateway.referral.inbox import Known, Outcome, SentLetter
from gateway.referral.letters import Outgoing
from gateway.referral.model import Referral
from gateway.referral.workdays import COPENHAGEN

OUR_GLN, SENDER_GLN, OTHER_GLN = "5790009999997", "5790009992011", "5790009992028"
EPISODE = "4b7c1f0a9d2e4c6f8a1b3c5d7e9f0a1b"
VANS_ENVELOPE, VANS_MESSAGE = "0d3f5a6b-1c2d-4e3f-8a9b-0c1d2e3f4a5b", "7f6e5d4c-3b2a-4190-8f7e-6d5c4b3a2910"
CONSULTANTS, BACK_TEAM = "sundhedskonsulenter", "genoptraening-ishoej"
#: a Monday; the default messages were sent five minutes before
RECEIVED = datetime(2026, 11, 16, 9, 20, tzinfo=COPENHAGEN)
#: stands in every default letter as name and text: nothing of it may leave in a receipt or a log line
NAME, WORDS, CPR = "Markørsen", "Henvises til markørforløb", "1203659901"

_REP = "http://rep.oio.dk/medcom.dk/xml/schemas/"
NAMESPACES = {"XH1530R": f"{_REP}2016/12/01/", "XH1531R": f"{_REP}2020/05/06/"}
SUNDCOM_2005 = "http://rep.oio.dk/sundcom.dk/medcom.dk/xml/schemas/2005/08/07/"
VANS_NAMESPACE = "urn:oio:medcom:vans-envelope:1.0.4"


def tag(name: str, text: str | None) -> str:
    """``<name>text</name>`` or nothing; the text is XML already."""
    return "" if text is None else f"<{name}>{text}</{name}>"


def moment(written: str) -> str:
    """``2026-11-16T09:15`` → Date and Time."""
    day, _, clock = written.partition("T")
    return tag("Date", day) + tag("Time", clock)


# ------------------------------------------------------------------ MedCom letters
def diagnosis(code: str | None, system: str = "SKSdiagnosekode", text: str = "Diagnose") -> tuple[str | None, str, str]:
    """A diagnosis for ``xref15``; the first of several is the main one."""
    return code, system, text


def sks(*codes: str) -> tuple[tuple[str | None, str, str], ...]:
    """SKS diagnoses."""
    return tuple(diagnosis(code) for code in codes)


def icpc(*codes: str) -> tuple[tuple[str | None, str, str], ...]:
    """ICPC-2 diagnoses."""
    return tuple(diagnosis(code, "ICPCkode") for code in codes)


def _diagnoses(given: tuple[tuple[str | None, str, str], ...]) -> str:
    written = []
    for number, (code, system, text) in enumerate(given):
        parts = tag("DiagnoseCode", code) + tag("DiagnoseTypeCode", system) + tag("DiagnoseText", text)
        role = tag("DiagnoseDescriptionCode", "bidiagnose")
        written.append(tag("ReferralAdditional", role + parts) if number else tag("Refer", parts))
    return tag("Referral", "".join(written)) if written else ""


def xref15(
    *,
    letter_id: str = "BRV00000000001",
    version: str = "XH1530R",
    status: str = "nytbrev",
    episode: str = EPISODE,
    authorised: str = "2026-11-16T09:10",
    sender: str | None = SENDER_GLN,
    sender_id: str = "079741",
    sender_code: str = "ydernummer",
    sender_name: str = "Lægehuset Prøvely",
    receiver: str = OUR_GLN,
    receiver_id: str = "183",
    receiver_code: str = "kommunenummer",
    answer_cc: str | None = None,
    cpr: str | None = CPR,
    replacement_cpr: str | None = None,
    surname: str = NAME,
    postcode: str | None = "2635",
    diagnoses: tuple[tuple[str | None, str, str], ...] = sks("DE119"),
    text: str | None = WORDS,
    references: str = "",
) -> str:
    """A MunicipalityReferral element without namespace."""
    letter = (
        tag("Identifier", letter_id)
        + tag("VersionCode", version)
        + tag("StatisticalCode", "XREF15")
        + tag("Authorisation", moment(authorised))
        + tag("TypeCode", "XREF15")
        + tag("StatusCode", status)
        + tag("EpisodeOfCareIdentifier", episode)
    )
    referring = (
        tag("EANIdentifier", sender)
        + tag("Identifier", sender_id)
        + tag("IdentifierCode", sender_code)
        + tag("OrganisationName", sender_name)
        + tag("Referrer", tag("PersonName", "Mona Prøvelæge"))
    )
    ours = tag("EANIdentifier", receiver) + tag("Identifier", receiver_id) + tag("IdentifierCode", receiver_code)
    if version == "XH1531R":
        ours += tag("DepartmentName", "Forebyggelse")
    copy = tag("AnswerCCReceiver", tag("Identifier", answer_cc) + tag("IdentifierCode", "ydernummer"))
    citizen = (
        tag("CivilRegistrationNumber", cpr)
        + tag("AlternativeIdentifier", replacement_cpr)
        + tag("PersonSurnameName", surname)
        + tag("PersonGivenName", "Kai")
        + tag("PostCodeIdentifier", postcode)
    )
    category = tag("CategoryCode", "sundhedspleje") if version == "XH1531R" else ""
    return tag(
        "MunicipalityReferral",
        tag("Letter", letter)
        + tag("Sender", referring)
        + tag("Receiver", ours)
        + (copy if answer_cc else "")
        + tag("Patient", citizen)
        + _diagnoses(diagnoses)
        + (tag("RelevantClinicalInformation", category + tag("Anamnesis", text)) if text else "")
        + references,
    )


def emessage(
    *letters: str,
    version: str = "XH1530R",
    namespace: str | None = None,
    envelope_id: str = "KUV00000000001",
    sent: str = "2026-11-16T09:15",
    positive: bool = True,
    declaration: str = '<?xml version="1.0" encoding="UTF-8"?>\n',
    encoding: str = "utf-8",
) -> bytes:
    """A whole Emessage; without letters around one default XREF15."""
    envelope = (
        tag("Sent", moment(sent))
        + tag("Identifier", envelope_id)
        + tag("AcknowledgementCode", "pluspositivkvitt" if positive else "minuspositivkvitt")
    )
    body = "".join(letters) or xref15(version=version)
    root = f'<Emessage xmlns="{namespace or NAMESPACES[version]}">{tag("Envelope", envelope)}{body}</Emessage>'
    return f"{declaration}{root}".encode(encoding)


def vans(
    payload: bytes | None = None,
    *,
    envelope_id: str = VANS_ENVELOPE,
    message_id: str = VANS_MESSAGE,
    sender: str = SENDER_GLN,
    receiver: str = OUR_GLN,
    sent: str = "2026-11-16T09:16:11",
    payload_format: str = "XML",
    transport: str | None = "reliable",
    size: int | None = None,
) -> bytes:
    """A VANSEnvelope around a payload (the default message), its base64 broken into lines."""
    payload = emessage() if payload is None else payload
    document = (
        tag("Format", payload_format)
        + tag("Name", "MCM:XREF15")
        + tag("Version", "XH1530R")
        + tag("SizeInBytes", str(len(payload) if size is None else size))
    )
    kind = tag("Transport", tag("Type", transport) + tag("TransformMessage", "false")) if transport else ""
    meta = tag("MetaInformation", tag("Identifier", message_id) + tag("Document", document) + kind)
    message = tag("Message", meta + tag("Data", encodebytes(payload).decode()))
    return _vans_document(message, envelope_id=envelope_id, sender=sender, receiver=receiver, sent=sent)


def _vans_document(body: str, *, envelope_id: str, sender: str, receiver: str, sent: str) -> bytes:
    ends = f'<SenderID EndPointType="EAN">{sender}</SenderID><ReceiverID EndPointType="EAN">{receiver}</ReceiverID>'
    head = ends + tag("EnvelopeIdentifier", envelope_id) + tag("SentDateTime", sent)
    root = f'<VANSEnvelope xmlns="{VANS_NAMESPACE}">{head}{body}</VANSEnvelope>'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{root}'.encode()


# ------------------------------------------------------------------ receipts for what we sent
_XCTL = {
    "XCTL01": ("NegativeVansReceipt", "XC0130Q"),
    "XCTL02": ("NegativeReceipt", "XC0230Q"),
    "XCTL03": ("PositiveReceipt", "XC0330Q"),
}


def xctl(
    kind: str,
    *letters: str,
    envelope_id: str = "KVITTERING0001",
    answers: str = "UDGAAENDE00001",
    code: str | None = None,
    letter_code: str | None = None,
) -> bytes:
    """An XCTL of a receiver of ours; ``letters`` are the ids of our letters that it names."""
    name, version = _XCTL[kind]
    head = tag("Identifier", "KVITBREV000001") + tag("VersionCode", version) + tag("StatisticalCode", kind)
    refusal = tag("RefuseCode", code) + tag("RefuseText", "Kan<Break/>ikke modtages") if code else ""
    named = [
        tag("OriginalLetterIdentifier", letter) + tag("OriginalVersionCode", "XD9134L") + tag("RefuseCode", letter_code)
        for letter in letters
    ]
    original = (
        tag("OriginalEnvelopeIdentifier", answers)
        + tag("OriginalSender", tag("EANIdentifier", OUR_GLN))
        + tag("OriginalReceiver", tag("EANIdentifier", SENDER_GLN))
        + refusal
        + "".join(tag("OriginalLetter", one) for one in named)
    )
    ends = tag("Sender", tag("EANIdentifier", SENDER_GLN)) + tag("Receiver", tag("EANIdentifier", OUR_GLN))
    letter = tag(name, tag("Letter", head) + ends + tag("OriginalEmessage", original))
    return emessage(letter, namespace=SUNDCOM_2005, envelope_id=envelope_id, positive=False)


def vans_receipt(kind: str, *, answers: str = VANS_ENVELOPE, message_id: str | None = VANS_MESSAGE) -> bytes:
    """A Receipt of the VANS network or a receiver: PositiveMessage, NegativeMessage or NegativeVans."""
    error = "" if kind == "PositiveMessage" else tag("Error", tag("Description", "syntaksfejl: kan ikke modtages"))
    document = tag("Format", "XML") + tag("Name", "MCM:XDIS91") + tag("SizeInBytes", "1")
    original = tag("OriginalMessage", tag("Identifier", message_id) + tag("Document", document)) if message_id else ""
    verdict = tag(kind, error + tag("OriginalEnvelopeIdentifier", answers) + original)
    envelope_id = "1e4f6a7b-2c3d-4f5e-9b0a-1c2d3e4f5a6b"
    return _vans_document(
        tag("Receipt", verdict),
        envelope_id=envelope_id,
        sender=SENDER_GLN,
        receiver=OUR_GLN,
        sent="2026-11-16T10:00:00",
    )


def sent_letter(**changes: object) -> SentLetter:
    """A letter of ours that a receipt may speak of."""
    defaults = {
        "letter_id": "UDBREV00000001",
        "message_id": VANS_MESSAGE,
        "envelopes": frozenset({"UDGAAENDE00001", VANS_ENVELOPE}),
        "case_id": "case",
    }
    return SentLetter(**(defaults | changes))


# ------------------------------------------------------------------ team events
TALK = "6eddbaf7-2a73-49d4-91e7-6138d419f58c"
TRAINING = "ab87c0b5-40be-4e0a-b749-d9f833bfed2d"
SELF_CARE = "e71b7d85-5c78-49c2-8624-8499d162317b"
_PERIOD = {"start": "2026-11-20T10:00:00+01:00", "end": "2026-11-20T10:45:00+01:00"}
_NEEDED: dict[str, dict[str, Any]] = {
    "review_decided": {
        "programmes": ["diabetes_2"],
        "assignments": [{"team": CONSULTANTS, "intervention": TALK}],
    },
    "returned": {"note": "Svar til henviser."},
    "info_requested": {"note": "Hvilket forløb ønskes?"},
    "talk_booked": {"booked_for": "2026-11-20T10:00:00+01:00"},
    "talk_held": {"period": _PERIOD, "contact_class": "AMB"},
    "course_started": {"interventions": [SELF_CARE], "delivery": "group", "started": "2026-11-23"},
    "session_held": {"period": _PERIOD, "contact_class": "AMB"},
    "no_show": {"period": _PERIOD, "contact_class": "AMB"},
    "referred_on": {"to_team": BACK_TEAM, "interventions": [TRAINING]},
    "course_completed": {"ended": "2027-01-25", "note": "Gennemført med godt udbytte."},
    "stopped": {"stop_reason": "3a5a72b7-addf-4857-b80c-04e4246e3072", "note": "Borgeren stoppede."},
    "reassigned": {"to_team": BACK_TEAM},
    "withdrawn": {"withdraws": "E-0"},
}


def event_json(kind: str, **changes: object) -> dict[str, Any]:
    """A team event with everything its type needs; a change of None leaves the field out."""
    event: dict[str, Any] = {
        "event_id": f"E-{kind}",
        "episode_of_care_id": EPISODE,
        "team": CONSULTANTS,
        "type": kind,
        "occurred": "2026-11-20T11:00:00+01:00",
        "author": {"name": "Karen Prøvekonsulent", "title": "Sundhedskonsulent"},
    }
    event |= _NEEDED.get(kind, {}) | changes
    return {field: value for field, value in event.items() if value is not None}


def event(kind: str, **changes: object) -> bytes:
    """The same as it comes in."""
    return json.dumps(event_json(kind, **changes)).encode()


def team_event(kind: str, **changes: object) -> TeamEvent:
    """The same as the core sees it."""
    decoded = decode(event(kind, **changes))
    assert isinstance(decoded, TeamEvent), decoded
    return decoded


# ------------------------------------------------------------------ through the core
def handle(
    data: bytes,
    known: Known | None = None,
    *,
    at: datetime = RECEIVED,
    municipality: Municipality | None = None,
    entrance: Entrance = Entrance.MEDCOM,
) -> Outcome:
    """What one message leads to."""
    return receive(read(data, entrance), known or Known(), municipality or load(), at)


def tell(case: Case, kind: str, *, municipality: Municipality | None = None, **changes: object) -> Outcome:
    """What a team event leads to in a case."""
    known = Known(cases={case.case_id: case})
    return handle(event(kind, **changes), known, municipality=municipality, entrance=Entrance.TEAM)


def opened(**changes: object) -> Case:
    """The case that an XREF15 opens."""
    outcome = handle(emessage(xref15(**changes), version=changes.get("version", "XH1530R")))
    assert len(outcome.cases) == 1, outcome.parked
    return outcome.cases[0]


def referral(**changes: object) -> Referral:
    """A decoded referral."""
    return opened(**changes).referral


def kinds(outcome: Outcome) -> list[str]:
    """What goes out, in order."""
    return [letter.kind for letter in outcome.outgoing]


def faults(outcome: Outcome) -> list[str]:
    """Why something was parked, in order."""
    return [parked.fault.id for parked in outcome.parked]


def only(outcome: Outcome, kind: str) -> Outgoing:
    """The one letter of that kind."""
    (letter,) = [letter for letter in outcome.outgoing if letter.kind == kind]
    return letter
