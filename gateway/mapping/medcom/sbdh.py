"""StandardBusinessDocument (SBDH) as EHMI profiles it: the envelope of MedCom's eDelivery, read and written (ADR 0022).

Two parts: a header, and ``BinaryContent`` with the message in base64. Of the header only what is used here is demanded:
one location number for sender and receiver, the envelope's UUID, the time. The bytes of the content decide what the
message is; ``mimeType`` and ``encoding`` are hints (a sample of MedCom's own declares FHIR XML and holds an Emessage).
The citizen's number in the header (scope PATIENTID) is not read.

Envelope receipts (ebBP signals, scope EHMI-ReceiptAcknowledgement) belong to the message handler at the access point:
they are neither asked for nor written.
"""

import base64
import re
from collections.abc import Mapping
from datetime import datetime
from html import escape

import msgspec
from lxml import etree
from stdnum import ean

from gateway.errors import Fault
from gateway.mapping.medcom.elements import all_named, below, children, group, real_uuid, tag, text_of
from gateway.mapping.medcom.parties import read_timestamp
from gateway.mapping.outgoing import Cover
from gateway.referral.ids import MEDCOM_ID_LENGTH
from gateway.referral.letters import Arrival, FhirArrival, FhirParty, Outgoing, Payload, SbdhArrival
from gateway.referral.workdays import COPENHAGEN

ROOT = "StandardBusinessDocument"
NAMESPACE = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"
#: of ebBP signals: receipts for an envelope, between message handlers
SIGNALS = "http://docs.oasis-open.org/ebxml-bp/ebbp-signals-2.0"
#: MedCom's samples have the content in the header's namespace, Peppol's original in its own
_CONTENT = frozenset({f"{{{NAMESPACE}}}BinaryContent", "{http://peppol.eu/xsd/ticc/envelope/1.0}BinaryContent"})
_AUTHORITY, _SCHEME = "iso6523-actorid-upis", "0088"
_GLN = re.compile(rf"{_SCHEME}:([0-9]{{13}})")
_IDENTIFIER = "dk-medcom-messaging"
#: PROCESSID of a message that begins on Sundhedsdatanettet
_PROCESS = "sdn-emergence"
_PROCESS_FORM = re.compile(r"[A-Za-z0-9:._-]{1,100}")
#: scope → what its value may look like; all others are passed over
_SCOPES: Mapping[str, re.Pattern[str]] = {
    "DOCUMENTID": re.compile(r"[!-~]{1,300}"),
    "PROCESSID": _PROCESS_FORM,
    "SENDERID": re.compile(r"[0-9]{1,20}"),
    "RECEIVERID": re.compile(r"[0-9]{1,20}"),
    "MESSAGEIDENTIFIER": re.compile(r"[A-Za-z0-9.-]{1,64}"),
    "MESSAGEENVELOPEIDENTIFIER": re.compile(r"[A-Za-z0-9.-]{1,64}"),
}
#: mimeType → the standard in which to answer
_PAYLOADS: Mapping[str, Payload] = {
    "application/xml": Payload.MEDCOM_XML,
    "text/xml": Payload.MEDCOM_XML,
    "application/fhir+xml": Payload.FHIR_XML,
    "application/fhir+json": Payload.FHIR_JSON,
}
#: how DOCUMENTID, Standard or Type name a receipt
_RECEIPT = re.compile(r"contrl|ctl0|acknowledgement|exception|ebbp", re.IGNORECASE)


class SbdhMessage(msgspec.Struct, frozen=True, kw_only=True):
    """An envelope, opened as far as it goes; ``fault`` says what is wrong with it first."""

    arrival: SbdhArrival
    sent_at: datetime | None = None
    #: None where there is none, or more than one, or it is not base64
    payload: bytes | None = None
    #: in lower case, without parameters
    mime: str = ""
    #: DOCUMENTID, Standard and Type: what the message is said to be
    declared: str = ""
    #: the scopes that are used here, by type
    scopes: Mapping[str, str] = {}
    fault: Fault | None = None

    @property
    def is_receipt(self) -> bool:
        """Whether the header calls its content a receipt, which is never answered."""
        return bool(_RECEIPT.search(self.declared))

    def fits(self, payload: Payload) -> bool:
        """Whether ``mimeType`` names the standard that the bytes turned out to be."""
        return _PAYLOADS.get(self.mime) is payload


# ------------------------------------------------------------------ reading
def decode(root: etree._Element) -> SbdhMessage:
    """Open an envelope. GW-121 for a header that cannot be used or a content that is not one, GW-122 for its base64."""
    header = children(root).get(f"{ROOT}Header")
    document = below(children(header), "DocumentIdentification") if header is not None else {}
    scopes = _scopes(header)
    arrival = SbdhArrival(
        sender=_gln(header, "Sender"),
        receiver=_gln(header, "Receiver"),
        envelope_id=real_uuid(text_of(document, "InstanceIdentifier")) or "",
        message_id=real_uuid(scopes.get("MESSAGEIDENTIFIER")) or "",
        process=scopes.get("PROCESSID", ""),
    )
    sent_at = read_timestamp(text_of(document, "CreationDateAndTime") or "")
    contents = [child for child in root if child.tag in _CONTENT]
    payload = _unpacked(contents[0]) if contents else None
    return SbdhMessage(
        arrival=arrival,
        sent_at=sent_at,
        payload=payload if len(contents) == 1 else None,
        mime=contents[0].get("mimeType", "").partition(";")[0].strip().lower() if contents else "",
        declared=" ".join((scopes.get("DOCUMENTID", ""), *(text_of(document, n) or "" for n in ("Standard", "Type")))),
        scopes=scopes,
        fault=_fault(arrival, sent_at, len(contents), payload),
    )


def _fault(arrival: SbdhArrival, sent_at: datetime | None, contents: int, payload: bytes | None) -> Fault | None:
    """The first thing that is wrong with the envelope."""
    checks = (
        (arrival.sender, "GW-121", "Sender er ikke ét lokationsnummer"),
        (arrival.receiver, "GW-121", "Receiver er ikke ét lokationsnummer"),
        (arrival.envelope_id, "GW-121", "InstanceIdentifier er ikke et UUID"),
        (sent_at, "GW-121", "CreationDateAndTime er ikke et tidspunkt"),
        (contents == 1, "GW-121", "BinaryContent mangler eller står flere gange"),
        (payload is not None, "GW-122", "BinaryContent er ikke base64"),
    )
    return next((Fault(id=fault, detail=detail) for is_sound, fault, detail in checks if not is_sound), None)


def _gln(header: etree._Element | None, name: str) -> str:
    """The location number of the one Sender or Receiver; empty where there is not exactly one with a right number."""
    partners = all_named(header, name) if header is not None else []
    identifiers = [one for partner in partners for one in all_named(partner, "Identifier")]
    if len(identifiers) != 1 or identifiers[0].get("Authority", _AUTHORITY) != _AUTHORITY:
        return ""
    found = _GLN.fullmatch("".join((identifiers[0].text or "").split()))
    return found[1] if found and ean.is_valid(found[1]) else ""


def _scopes(header: etree._Element | None) -> dict[str, str]:
    """The scopes that are used here, by type; of repeated ones the first."""
    scopes = children(header).get("BusinessScope") if header is not None else None
    found: dict[str, str] = {}
    for scope in all_named(scopes, "Scope") if scopes is not None else []:
        parts = children(scope)
        kind, value = ((text_of(parts, name) or "").strip() for name in ("Type", "InstanceIdentifier"))
        if kind in _SCOPES and _SCOPES[kind].fullmatch(value):
            found.setdefault(kind, value)
    return found


def _unpacked(content: etree._Element) -> bytes | None:
    try:
        return base64.b64decode("".join((content.text or "").split()), validate=True)
    except ValueError:
        return None


def told_by_header(opened: SbdhMessage) -> Arrival | None:
    """How a message arrived whose content tells nothing; None where nobody is answered.

    A receipt never is, and the standard in which to answer is not guessed: ``mimeType`` must name it.
    """
    ends, payload = opened.arrival, _PAYLOADS.get(opened.mime)
    if payload is None or opened.is_receipt:
        return None
    envelope_id = opened.scopes.get("MESSAGEENVELOPEIDENTIFIER", "")
    arrival = Arrival(payload=payload, sender_gln=ends.sender or None, receiver_gln=ends.receiver or None)
    if payload is Payload.MEDCOM_XML:
        known = envelope_id if len(envelope_id) <= MEDCOM_ID_LENGTH else ""
        return msgspec.structs.replace(arrival, envelope_id=known or None)
    fhir = FhirArrival(
        message_id=opened.scopes.get("MESSAGEIDENTIFIER", ""),
        sender=FhirParty(gln=ends.sender, sor=opened.scopes.get("SENDERID", "")),
        receiver=FhirParty(gln=ends.receiver, sor=opened.scopes.get("RECEIVERID", "")),
    )
    return msgspec.structs.replace(arrival, envelope_id=envelope_id or None, fhir=fhir)


# ------------------------------------------------------------------ writing
def wrap(letter: Outgoing, payload: bytes, cover: Cover, envelope_id: str, sent_at: datetime) -> bytes:
    """The envelope of one transmission: ``envelope_id`` and time are new at each, the letter inside is the same."""
    document = group(
        "DocumentIdentification",
        tag("Standard", cover.standard),
        tag("TypeVersion", cover.version),
        tag("InstanceIdentifier", envelope_id),
        tag("Type", cover.root),
        tag("MultipleType", "false"),
        tag("CreationDateAndTime", sent_at.astimezone(COPENHAGEN).isoformat(timespec="seconds")),
    )
    header = group(
        f"{ROOT}Header",
        tag("HeaderVersion", "1.0"),
        _partner("Sender", letter.sender),
        _partner("Receiver", letter.network_receiver or letter.receiver),
        document,
        group("BusinessScope", *(_scope(kind, value) for kind, value in _told(letter, cover))),
    )
    data = base64.b64encode(payload).decode()
    content = f'<BinaryContent mimeType="{cover.mime}" encoding="{cover.encoding}">{data}</BinaryContent>'
    root = f'<{ROOT} xmlns="{NAMESPACE}">{header}{content}</{ROOT}>'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{root}\n'.encode()


def _partner(name: str, gln: str) -> str:
    return f'<{name}><Identifier Authority="{_AUTHORITY}">{_SCHEME}:{escape(gln)}</Identifier></{name}>'


def _told(letter: Outgoing, cover: Cover) -> tuple[tuple[str, str], ...]:
    """The scopes in the order of MedCom's samples; what is not known is left out."""
    return (
        ("DOCUMENTID", cover.document_id),
        ("PROCESSID", letter.process or _PROCESS),
        ("PATIENTID", cover.cpr),
        ("SENDERID", cover.sender_sor),
        ("RECEIVERID", cover.receiver_sor),
        ("MESSAGEIDENTIFIER", letter.letter_id),
        ("MESSAGEENVELOPEIDENTIFIER", cover.envelope_id),
        ("StatisticalInformation", f"MCM:{cover.statistics}"),
    )


def _scope(kind: str, value: str) -> str:
    if not value:
        return ""
    return group("Scope", tag("Type", kind), tag("InstanceIdentifier", value), tag("Identifier", _IDENTIFIER))
