"""What others answer in FHIR: a CareCommunication about a case, and the Acknowledgement of something we sent."""

from datetime import datetime

from gateway.errors import RefuseCode
from gateway.mapping.fhir import persons
from gateway.mapping.fhir.moments import instant
from gateway.mapping.fhir.opened import Head, Opened, Resource, UnusableError
from gateway.mapping.fhir.referral import episode_of
from gateway.mapping.fhir.resources import (
    Communication,
    OperationOutcome,
    Patient,
    Payload,
    Practitioner,
    PractitionerRole,
    Reference,
    view,
)
from gateway.referral.correspondence import Correspondence
from gateway.referral.letters import ReceivedReceipt
from gateway.referral.model import Attachment

CARE_COMMUNICATION, ACKNOWLEDGEMENT = "CareCommunication", "Acknowledgement"
_DATE = "http://medcomfhir.dk/ig/core/StructureDefinition/medcom-core-datetime-extension"
_AUTHOR = "http://medcomfhir.dk/ig/core/StructureDefinition/medcom-core-practitioner-extension"
_ACCEPTED = "ok"


# ------------------------------------------------------------------ CareCommunication
def correspondence(opened: Opened, head: Head) -> Correspondence:
    """The message's one Communication, all its words in order.

    Raises:
        UnusableError: what the structure allows and a CareCommunication does not.
    """
    found = opened.of("Communication")
    if len(found) != 1:
        raise UnusableError("GW-144" if found else "GW-145", "én Communication")
    own = found[0]
    communication = view(own.body, Communication)
    patient = persons.the_patient(opened)
    opened.follow(communication.subject, own.scope, "Patient")
    category = next((c.words for c in communication.category), "")
    return Correspondence(
        message_type=CARE_COMMUNICATION,
        version=(head.header.definition or "").rpartition("|")[2],
        letter_id=head.header.id or "",
        episode_id=episode_of(opened, communication.encounter, own.scope),
        sender=persons.party(head.sender),
        receiver=persons.party(head.receiver),
        citizen=persons.citizen(view(patient.body, Patient)),
        subject=communication.topic.words or category,
        text="\n\n".join(p.content_string for p in communication.payload if p.content_string),
        author=_author(opened, own, communication.payload),
        at=_written(opened, communication.payload),
        attachments=tuple(_attachments(communication.payload)),
    )


def _extended(payload: tuple[Payload, ...], url: str) -> list[object]:
    return [e.value_reference or e.value_date_time for part in payload for e in part.extension if e.url == url]


def _author(opened: Opened, own: Resource, payload: tuple[Payload, ...]) -> str | None:
    """Who wrote the last part: name and role, as far as the message tells."""
    told = [r for r in _extended(payload, _AUTHOR) if isinstance(r, Reference)]
    found = opened.find(told[-1], own.scope) if told else None
    if found is None or found.kind != "PractitionerRole":
        return None
    role = view(found.body, PractitionerRole)
    person = opened.find(role.practitioner, found.scope)
    names = view(person.body, Practitioner).name if person is not None and person.kind == "Practitioner" else ()
    parts = [next((n.whole for n in names), None), next((c.words for c in role.code), None)]
    return ", ".join(filter(None, parts)) or None


def _written(opened: Opened, payload: tuple[Payload, ...]) -> datetime:
    """When its last part was written, else when the message was put together."""
    told = [moment for text in _extended(payload, _DATE) if isinstance(text, str) and (moment := instant(text))]
    moment = max(told, default=None) or instant(opened.value["timestamp"])
    if moment is None:
        raise UnusableError("GW-141", "Bundle.timestamp")
    return moment


def _attachments(payload: tuple[Payload, ...]) -> list[Attachment]:
    """What is attached: its title and where it is; the data stay in the stored message."""
    attached = [part.content_attachment for part in payload if part.content_attachment is not None]
    return [Attachment(description=a.title or a.content_type or "bilag", url=a.url) for a in attached]


# ------------------------------------------------------------------ Acknowledgement
def receipt(opened: Opened, head: Head) -> ReceivedReceipt:
    """The receipt for the message of ours whose MessageHeader.id it quotes.

    Raises:
        UnusableError: GW-145 when it quotes none, or gives no verdict.
    """
    response = head.header.response
    if response is None or not response.identifier or not response.code:
        raise UnusableError("GW-145", "MessageHeader.response")
    positive = response.code == _ACCEPTED
    return ReceivedReceipt(
        kind=ACKNOWLEDGEMENT,
        positive=positive,
        envelope_id="",
        message_id=response.identifier.lower(),
        refuse_code=None if positive else RefuseCode.UNSPECIFIED,
        text="" if positive else _why(opened, response.code),
    )


def _why(opened: Opened, code: str) -> str:
    """The verdict, and the issues as the receiver words them."""
    issues = [i for r in opened.of("OperationOutcome") for i in view(r.body, OperationOutcome).issue]
    told = [i.details.words or i.diagnostics or i.code or "" for i in issues]
    return ": ".join(filter(None, [code, "; ".join(dict.fromkeys(filter(None, told)))]))
