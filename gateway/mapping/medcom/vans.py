"""VANSEnvelope 1.0.4: the transport envelope of the VANS network, read and written (facts §7.2).

A message inside keeps its MessageIdentifier over resends; every transmission gets a new EnvelopeIdentifier. The
schema's UUID pattern is sloppy, so ids are checked with a real UUID parser.
"""

import base64
from datetime import datetime
from html import escape

import msgspec
from lxml import etree

from gateway.errors import Fault, RefuseCode
from gateway.mapping.medcom.elements import (
    ImpossibleValueError,
    below,
    children,
    cut,
    group,
    needed,
    real_uuid,
    tag,
    text_of,
)
from gateway.mapping.medcom.parties import read_timestamp
from gateway.mapping.refusal import refuse_text
from gateway.referral.letters import Outgoing, Receipt, ReceivedReceipt, VansArrival
from gateway.referral.workdays import COPENHAGEN

NAMESPACE = "urn:oio:medcom:vans-envelope:1.0.4"
RECEIPT_KIND, RECEIPT_VERSION = "VANSReceipt", "1.0.4"
_DESCRIPTION_LENGTH = 512


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """What a VANSEnvelope says of its payload."""

    #: ``XML``, ``EDIFACT`` or ``HL7``
    format: str = "XML"
    name: str
    version: str
    #: ServiceTag ``MCM:MIME``: the form of a FHIR message
    mime: str | None = None


class VansMessage(msgspec.Struct, frozen=True, kw_only=True):
    """An opened VANSEnvelope: exactly one of payload and receipt."""

    arrival: VansArrival
    sent_at: datetime
    payload: bytes | None = None
    #: ``XML``, ``EDIFACT``, ``HL7``, ``Binary`` or ``Other``
    payload_format: str = ""
    receipt: ReceivedReceipt | None = None
    #: SizeInBytes differs from the payload's length: a warning, no fault
    size_differs: bool = False


def quotable(root: etree._Element) -> VansArrival | None:
    """How a faulty envelope arrived, as written in it; None where a part is missing that a Receipt must quote."""
    found = children(root)
    meta = below(found, "Message").get("MetaInformation")
    if meta is None or not found.keys() >= {"SenderID", "ReceiverID", "EnvelopeIdentifier"}:
        return None
    written = needed(found, "EnvelopeIdentifier"), text_of(children(meta), "Identifier") or ""
    envelope_id, message_id = (real_uuid(text) or text for text in written)
    return _arrival(root, envelope_id, message_id, meta)


def decode(root: etree._Element) -> VansMessage | Fault:
    """Open a schema-valid envelope; GW-121 for impossible ids, GW-122 where the data cannot be unpacked."""
    found = children(root)
    envelope_id = real_uuid(needed(found, "EnvelopeIdentifier"))
    if envelope_id is None:
        return Fault(id="GW-121", detail="EnvelopeIdentifier er ikke et UUID")
    if "Receipt" in found:
        return _open_receipt(found["Receipt"], _arrival(root, envelope_id, "", meta=None), _sent(root))
    message = children(found["Message"])
    meta = message["MetaInformation"]
    message_id = real_uuid(needed(children(meta), "Identifier"))
    if message_id is None:
        return Fault(id="GW-121", detail="MetaInformation/Identifier er ikke et UUID")
    arrival = _arrival(root, envelope_id, message_id, meta=meta)
    document = below(children(meta), "Document")
    try:
        payload = base64.b64decode("".join((message["Data"].text or "").split()), validate=True)
    except ValueError:
        return Fault(id="GW-122", detail="Data er ikke base64")
    return VansMessage(
        arrival=arrival,
        sent_at=_sent(root),
        payload=payload,
        payload_format=needed(document, "Format"),
        size_differs=int(needed(document, "SizeInBytes")) != len(payload),
    )


def _sent(root: etree._Element) -> datetime:
    moment = read_timestamp(needed(children(root), "SentDateTime"))
    if moment is None:
        raise ImpossibleValueError("SentDateTime")
    return moment


def _arrival(root: etree._Element, envelope_id: str, message_id: str, meta: etree._Element | None) -> VansArrival:
    found = children(root)
    sender, receiver = found["SenderID"], found["ReceiverID"]
    transport = below(children(meta), "Transport") if meta is not None else {}
    return VansArrival(
        sender=" ".join((sender.text or "").split()),
        sender_type=sender.get("EndPointType", "EAN"),
        receiver=" ".join((receiver.text or "").split()),
        receiver_type=receiver.get("EndPointType", "EAN"),
        envelope_id=envelope_id,
        message_id=message_id,
        reliable=text_of(transport, "Type") != "unreliable",
        meta=_inner(meta) if meta is not None else "",
    )


def _inner(element: etree._Element) -> str:
    """The element's children as XML text in no namespace prefix, ready to stand in another envelope."""
    parts = []
    for child in element:
        etree.cleanup_namespaces(child)
        text = etree.tostring(child, encoding="unicode", with_tail=False)
        parts.append(text.replace(f' xmlns="{NAMESPACE}"', ""))
    return "".join(parts)


def _open_receipt(element: etree._Element, arrival: VansArrival, sent_at: datetime) -> VansMessage:
    verdict = element[0]
    kind = verdict.tag.rpartition("}")[2]
    found = children(verdict)
    original = below(found, "OriginalMessage")
    receipt = ReceivedReceipt(
        kind=f"VANS {kind}",
        positive=kind == "PositiveMessage",
        envelope_id=needed(found, "OriginalEnvelopeIdentifier").lower(),
        message_id=(text_of(original, "Identifier") or "").lower() or None,
        refuse_code=None if kind == "PositiveMessage" else RefuseCode.UNSPECIFIED,
        text=text_of(below(found, "Error"), "Description") or "",
    )
    return VansMessage(arrival=arrival, sent_at=sent_at, receipt=receipt)


def encode_receipt(receipt: Receipt) -> str:
    """The Receipt element: PositiveMessage, or NegativeMessage whose Description begins with the refuse code."""
    vans = receipt.arrival.vans
    if vans is None:
        raise ValueError("a VANS receipt answers a VANSEnvelope")
    answered = _answered(vans)
    if receipt.positive:
        return group("Receipt", group("PositiveMessage", answered))
    fault, letter_id = _first_fault(receipt)
    description = f"{fault.row.medcom}: {refuse_text(fault, receipt, letter_id)}".replace("\n", " ")
    error = group("Error", tag("Description", cut(description, _DESCRIPTION_LENGTH)))
    return group("Receipt", group("NegativeMessage", error, answered))


def receipt_document(arrival: VansArrival) -> bytes:
    """A positive receipt for that arrival as a document of its own, to prove that its parts can be quoted."""
    body = group("Receipt", group("PositiveMessage", _answered(arrival)))
    return _document(_end_points(arrival), arrival.envelope_id, "2026-01-01T00:00:00", body)


def _answered(arrival: VansArrival) -> str:
    envelope_id = tag("OriginalEnvelopeIdentifier", arrival.envelope_id)
    return f"{envelope_id}<OriginalMessage>{arrival.meta}</OriginalMessage>"


def _end_points(arrival: VansArrival) -> str:
    """SenderID and ReceiverID of an answer: the arrival's, swapped."""
    return _end_point("SenderID", arrival.receiver_type, arrival.receiver) + _end_point(
        "ReceiverID", arrival.sender_type, arrival.sender
    )


def _end_point(name: str, kind: str, value: str) -> str:
    return f'<{name} EndPointType="{escape(kind)}">{escape(value)}</{name}>'


def _document(end_points: str, envelope_id: str, sent: str, body: str) -> bytes:
    head = tag("EnvelopeIdentifier", envelope_id) + tag("SentDateTime", sent)
    root = f'<VANSEnvelope xmlns="{NAMESPACE}">{end_points}{head}{body}</VANSEnvelope>'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{root}\n'.encode()


def _first_fault(receipt: Receipt) -> tuple[Fault, str | None]:
    if receipt.fault is not None:
        return receipt.fault, None
    return next((letter.fault, letter.letter_id) for letter in receipt.letters if letter.fault is not None)


def wrap(letter: Outgoing, message: tuple[bytes, Document] | None, envelope_id: str, sent_at: datetime) -> bytes:
    """The VANSEnvelope around a payload, or around a Receipt element (``message`` None)."""
    body = letter.content.decode() if message is None else _message(letter, *message)
    receiver = _end_point(
        "ReceiverID", letter.network_receiver_type or "EAN", letter.network_receiver or letter.receiver
    )
    end_points = _end_point("SenderID", "EAN", letter.sender) + receiver
    return _document(end_points, envelope_id, f"{sent_at.astimezone(COPENHAGEN):%Y-%m-%dT%H:%M:%S}", body)


def _message(letter: Outgoing, payload: bytes, document: Document) -> str:
    described = group(
        "Document",
        tag("Format", document.format),
        tag("Name", document.name),
        tag("Version", document.version),
        tag("SizeInBytes", str(len(payload))),
    )
    mime = f'<ServiceTag name="MCM:MIME">{escape(document.mime)}</ServiceTag>' if document.mime else ""
    transport = group("Transport", tag("Type", "reliable"), tag("TransformMessage", "false"), mime)
    meta = group("MetaInformation", tag("Identifier", letter.message_id), described, transport)
    return group("Message", meta, tag("Data", base64.b64encode(payload).decode()))
