"""FHIR bytes → reading: JSON and XML, messages and bare ServiceRequests; faults are in the reading, never raised.

First the form, then the structure (``structure``), then MedCom's rules for messages (``opened``), then the content.
Every refused message is read once more, loosely, for its sender and its ids, so that it can be answered.
"""

import re
from collections.abc import Callable

import msgspec
from lxml import etree

from gateway.errors import Fault
from gateway.mapping.fhir import referral as service_request
from gateway.mapping.fhir import replies
from gateway.mapping.fhir.arrival import arrival_of, id_of, request_in
from gateway.mapping.fhir.forms import from_json, from_xml, salvaged_json, salvaged_xml
from gateway.mapping.fhir.opened import Head, Opened, UnusableError, check_ids, check_message
from gateway.mapping.fhir.resources import Json
from gateway.mapping.fhir.structure import structure_fault
from gateway.referral.correspondence import Correspondence
from gateway.referral.ids import Cause, fhir_id
from gateway.referral.letters import Arrival, Payload, ReceivedReceipt
from gateway.referral.model import Referral
from gateway.referral.reading import Content, Reading, ReadLetter, content_digest

Decode = Callable[[Opened, Head], Content]
#: event code → the type of letter, and its reader; every other event is a referral's, if the municipality knows it
_EVENTS: dict[str, tuple[str, Decode]] = {
    "acknowledgement-message": (replies.ACKNOWLEDGEMENT, replies.receipt),
    "care-communication-message": (replies.CARE_COMMUNICATION, replies.correspondence),
}
_REFERRAL: tuple[str, Decode] = (service_request.TYPE, service_request.decode)
#: what may be read: everything else in FHIR is another matter than ours
_ROOTS = frozenset({"Bundle", service_request.TYPE})
_BUNDLES = frozenset({"message", "collection"})
#: a code that can be told without telling anything about a citizen
_PLAIN_CODE = re.compile(r"[a-z-]{1,40}")


def read_json(data: bytes, digest: str) -> Reading:
    """A FHIR message in JSON."""
    value = from_json(data)
    if isinstance(value, Fault):
        return read_json_ids(data, value, digest)
    if not isinstance(value, dict) or "resourceType" not in value:
        return Reading(fault=Fault(id="GW-110", detail="JSON"), digest=digest)
    return _read(value, Payload.FHIR_JSON, digest)


def read_xml(root: etree._Element, digest: str) -> Reading:
    """A FHIR message in XML, parsed."""
    value = from_xml(root)
    if isinstance(value, Fault):
        return _refused(salvaged_xml(root), value, Payload.FHIR_XML, digest)
    return _read(value, Payload.FHIR_XML, digest)


def read_json_ids(data: bytes, fault: Fault, digest: str) -> Reading:
    """A JSON message that is refused unread, with whatever ids it still tells."""
    return _refused(salvaged_json(data), fault, Payload.FHIR_JSON, digest)


def read_xml_ids(root: etree._Element) -> Reading:
    """Ids of an XML message that cannot be read as a whole."""
    value = salvaged_xml(root)
    return _unread(value, arrival_of(value, Payload.FHIR_XML), content_digest(etree.tostring(root)))


def _read(value: Json, payload: Payload, digest: str) -> Reading:
    fault = structure_fault(value)
    if fault is not None:
        return _refused(value, fault, payload, digest)
    arrival = arrival_of(value, payload, is_sound=True)
    try:
        letter = _letter(value, arrival)
    except UnusableError as error:
        return _refused(value, error.fault, payload, digest)
    return Reading(arrival=arrival, letters=(letter,), digest=digest)


def _letter(value: Json, arrival: Arrival) -> ReadLetter:
    """The one letter of a message.

    Raises:
        UnusableError: a rule is broken.
    """
    if value["resourceType"] not in _ROOTS or value.get("type", "collection") not in _BUNDLES:
        raise UnusableError("GW-110", f"{value['resourceType']} {value.get('type', '')}".strip())
    opened = Opened(value)
    check_ids(opened)
    if not opened.is_message:
        return _as_letter(_bare(service_request.decode(opened, None)))
    event = _event(arrival)
    if event not in _EVENTS and not opened.of(service_request.TYPE):
        raise UnusableError("GW-110", event if _PLAIN_CODE.fullmatch(event) else "eventCoding")
    head = check_message(opened)
    _, decode = _EVENTS.get(event, _REFERRAL)
    content = decode(opened, head)
    letter = _as_letter(content)
    return msgspec.structs.replace(letter, letter_id=head.header.id or "")


def _event(arrival: Arrival) -> str:
    return arrival.fhir.event if arrival.fhir else ""


def _bare(referral: Referral) -> Referral:
    """A ServiceRequest without an id of its own is known by its content."""
    if referral.letter_id:
        return referral
    cause = Cause(sender=referral.sender_gln, id=content_digest(referral))
    return msgspec.structs.replace(referral, letter_id=fhir_id(cause, service_request.TYPE, ""))


def _as_letter(content: Content) -> ReadLetter:
    if isinstance(content, ReceivedReceipt):
        return ReadLetter(type=content.kind, content=content, digest=content_digest(content))
    assert isinstance(content, Referral | Correspondence)  # noqa: S101  (what the decoders make)
    return ReadLetter(
        type=content.message_type,
        version=content.version,
        letter_id=content.letter_id,
        content=content,
        digest=content_digest(content),
    )


# ------------------------------------------------------------------ refused
def _refused(value: object, fault: Fault, payload: Payload, digest: str) -> Reading:
    """The fault belongs to the letter where one can be named, else to the message; Acknowledgements go unanswered."""
    arrival = arrival_of(value, payload)
    if _event(arrival) == "acknowledgement-message":
        return Reading(fault=Fault(id="GW-164", detail=f"({fault.id})"), digest=digest)
    unread = _unread(value, arrival, digest)
    if not unread.letters:
        return msgspec.structs.replace(unread, fault=fault, digest=digest)
    letters = tuple(msgspec.structs.replace(letter, fault=fault) for letter in unread.letters)
    return msgspec.structs.replace(unread, letters=letters, digest=digest)


def _unread(value: object, arrival: Arrival, digest: str) -> Reading:
    """The letter's type and id, as far as they can be read."""
    letter_id = arrival.fhir.message_id if arrival.fhir else ""
    if not letter_id:
        request = request_in(value)
        letter_id = (request is not None and id_of(request)) or ""
    if not letter_id:
        return Reading(arrival=arrival)
    kind, _ = _EVENTS.get(_event(arrival), _REFERRAL)
    return Reading(arrival=arrival, letters=(ReadLetter(type=kind, letter_id=letter_id, digest=digest),))
