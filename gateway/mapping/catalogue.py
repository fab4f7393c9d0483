"""The message types we know, and how bytes are identified: root element and namespace first, then letter and version.

A new MedCom letter type is one module and one row in ``medcom/letter_types.py`` or ``edifact/interchange.py``; a new
outer XML format is one row here.
"""

from collections.abc import Callable

import msgspec
from lxml import etree

from gateway.errors import Disposition, Fault
from gateway.mapping.bounds import MOST_TEXT
from gateway.mapping.edifact import interchange
from gateway.mapping.edifact.segments import is_interchange
from gateway.mapping.fhir import reader as fhir
from gateway.mapping.fhir.forms import NAMESPACE as FHIR_NAMESPACE
from gateway.mapping.medcom import emessage, sbdh, vans
from gateway.mapping.medcom.elements import ImpossibleValueError, children
from gateway.mapping.medcom.other_types import OTHER_MESSAGES, read_other_message
from gateway.mapping.medcom.parsing import parse, salvage
from gateway.mapping.medcom.schema import violations
from gateway.referral.letters import FHIR, Arrival, Carrier, VansArrival
from gateway.referral.model import Referral
from gateway.referral.reading import Reading, ReadLetter, content_digest

_replace = msgspec.structs.replace


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """An outer format: the root element that tells it, and its reader."""

    #: None: any root of the namespace
    root: str | None
    #: None: any namespace (the reader refuses those it does not know)
    namespace: str | None
    read: Callable[[etree._Element, str], Reading]
    #: who sent a message that cannot be read, and its ids
    read_ids: Callable[[etree._Element], Reading]


def _read_vans(root: etree._Element, digest: str) -> Reading:
    """Open a VANSEnvelope and read what is inside; faults of the envelope are answered where it can be quoted."""
    found = violations(root, vans.NAMESPACE)
    try:
        opened = Fault(id="GW-121", detail=found[0].text) if found else vans.decode(root)
    except ImpossibleValueError as error:
        opened = Fault(id="GW-141", detail=str(error))
    if isinstance(opened, Fault):
        if "Receipt" in children(root):
            return Reading(fault=Fault(id="GW-164", detail=opened.detail), digest=digest)
        return _replace(_read_vans_ids(root), fault=opened, digest=digest)
    if opened.receipt is not None:
        ends = opened.arrival
        arrival = Arrival(carrier=Carrier.VANS, vans=ends, sender_gln=ends.sender, sent_at=opened.sent_at)
        letter = ReadLetter(type=opened.receipt.kind, content=opened.receipt, digest=content_digest(opened.receipt))
        return Reading(arrival=arrival, letters=(letter,), digest=digest)
    inner = _read_payload(opened, digest)
    arrival = _replace(inner.arrival, carrier=Carrier.VANS, vans=opened.arrival, sent_at=opened.sent_at)
    if arrival.sender_gln is None:
        arrival = _replace(arrival, sender_gln=opened.arrival.sender, receiver_gln=opened.arrival.receiver)
    warnings = ("SizeInBytes passer ikke til indholdets længde",) if opened.size_differs else ()
    return _replace(inner, arrival=arrival, warnings=(*inner.warnings, *warnings))


def _read_payload(opened: vans.VansMessage, digest: str) -> Reading:
    payload = opened.payload or b""
    if opened.payload_format in {"XML", "EDIFACT"}:
        # the bytes decide, Format is a hint
        return interchange.read(payload, digest) if is_interchange(payload) else read_xml(payload, digest, _PAYLOADS)
    if opened.payload_format == "HL7":
        return fhir.read_json(payload, digest) if _is_json(payload) else read_xml(payload, digest, _FHIR)
    return Reading(fault=Fault(id="GW-110", detail=f"Format {opened.payload_format}"), digest=digest)


def _read_vans_ids(root: etree._Element) -> Reading:
    """The ids of a faulty VANSEnvelope, if a receipt could quote them and still be valid."""
    quoted = vans.quotable(root)
    if quoted is None or not _answerable(quoted):
        return Reading()
    arrival = Arrival(carrier=Carrier.VANS, vans=quoted, sender_gln=quoted.sender, receiver_gln=quoted.receiver)
    return Reading(arrival=arrival)


def _answerable(arrival: VansArrival) -> bool:
    probe = vans.receipt_document(arrival)
    parsed = parse(probe)
    return not isinstance(parsed, Fault) and not violations(parsed, vans.NAMESPACE)


def _read_sbdh(root: etree._Element, digest: str) -> Reading:
    """Open a StandardBusinessDocument and read what is inside; a refusal is told in the standard of the content.

    A fault of the envelope refuses every letter in it. Where the content names nobody, the header does.
    """
    opened = sbdh.decode(root)
    inner = _read_sbdh_content(opened, digest)
    if inner.letters or inner.arrival.sender_gln:
        reading, opened = _held_against_header(inner, opened)
    elif inner.fault is not None and inner.fault.row.disposition is Disposition.PARK:
        reading = Reading()
    else:
        reading = _named_by_header(opened, digest)
    letters = reading.letters
    if opened.fault is not None:
        letters = tuple(_replace(letter, content=None, fault=None) for letter in letters)
    return _in_sbdh(_replace(reading, letters=letters, fault=opened.fault or inner.fault, digest=digest), opened)


def _read_sbdh_content(opened: sbdh.SbdhMessage, digest: str) -> Reading:
    """The bytes decide what it is: an Emessage, FHIR, or nothing that may stand in an SBDH."""
    payload = opened.payload
    if payload is None:
        return Reading(fault=opened.fault, digest=digest)
    if is_interchange(payload):
        return Reading(fault=Fault(id="GW-110", detail="EDIFACT"), digest=digest)
    return fhir.read_json(payload, digest) if _is_json(payload) else read_xml(payload, digest, _IN_SBDH)


def _read_sbdh_ids(root: etree._Element) -> Reading:
    opened = sbdh.decode(root)
    return _in_sbdh(_named_by_header(opened, content_digest(etree.tostring(root))), opened)


def _read_signal(_root: etree._Element, digest: str) -> Reading:
    """A receipt for an envelope: the access point's affair, and never answered."""
    return Reading(fault=Fault(id="GW-164", detail="(kuvertkvittering)"), digest=digest)


def _held_against_header(inner: Reading, opened: sbdh.SbdhMessage) -> tuple[Reading, sbdh.SbdhMessage]:
    """Content wins over header, visibly; the header names the sender where the content does not."""
    arrival, ends, warnings = inner.arrival, opened.arrival, inner.warnings
    if arrival.sender_gln is None:
        arrival = _replace(arrival, sender_gln=ends.sender or None, receiver_gln=ends.receiver or None)
    if not opened.fits(arrival.payload):
        warnings = (*warnings, "mimeType passer ikke til indholdet")
    own = arrival.fhir.message_id if arrival.fhir else ""
    if own and opened.scopes.get("MESSAGEIDENTIFIER", own) != own:
        warnings = (*warnings, "MESSAGEIDENTIFIER passer ikke til beskedens id")
        opened = _replace(opened, arrival=_replace(ends, message_id=""))
    return _replace(inner, arrival=arrival, warnings=warnings), opened


def _named_by_header(opened: sbdh.SbdhMessage, digest: str) -> Reading:
    """A message whose content tells nothing, as its header names it; a FHIR message is one letter."""
    arrival = sbdh.told_by_header(opened)
    letter_id = arrival.fhir.message_id if arrival and arrival.fhir else ""
    letters = (ReadLetter(type="unknown", letter_id=letter_id, digest=digest),) if letter_id else ()
    return Reading(arrival=arrival or Arrival(), letters=letters)


def _in_sbdh(reading: Reading, opened: sbdh.SbdhMessage) -> Reading:
    sent_at = opened.sent_at or reading.arrival.sent_at
    arrival = _replace(reading.arrival, carrier=Carrier.SBDH, sbdh=opened.arrival, sent_at=sent_at)
    return _replace(reading, arrival=arrival)


_FHIR = tuple(
    Format(root=root, namespace=FHIR_NAMESPACE, read=fhir.read_xml, read_ids=fhir.read_xml_ids)
    for root in ("Bundle", "ServiceRequest")
)
#: standards of their own, which we know and do not read; nothing of them tells a sender
_OTHERS = tuple(
    Format(root=None, namespace=namespace, read=read_other_message, read_ids=lambda _: Reading())
    for namespace in OTHER_MESSAGES
)
#: the outer formats, in the order they are tried
FORMATS: tuple[Format, ...] = (
    Format(root="Emessage", namespace=None, read=emessage.read, read_ids=emessage.read_ids),
    *_OTHERS,
    Format(root="VANSEnvelope", namespace=vans.NAMESPACE, read=_read_vans, read_ids=_read_vans_ids),
    *_FHIR,
)
#: what may stand in a VANSEnvelope as XML: not another one
_PAYLOADS = (FORMATS[0], *_OTHERS)
#: what may stand in an SBDH as XML: no envelope either
_IN_SBDH = (
    *_PAYLOADS,
    *_FHIR,
    Format(root=None, namespace=sbdh.SIGNALS, read=_read_signal, read_ids=lambda _: Reading()),
)
#: the outer formats where the SBDH is switched on
_AND_SBDH = (
    *FORMATS,
    Format(root=sbdh.ROOT, namespace=sbdh.NAMESPACE, read=_read_sbdh, read_ids=_read_sbdh_ids),
)
#: of a message beyond the limit, this much is looked at for its sender
_HEAD = 100_000


def read_message(data: bytes, digest: str, *, fhir_only: bool = False, with_sbdh: bool = False) -> Reading:
    """Read a message of any known format; faults are in the reading, never raised.

    ``fhir_only``: of FHIR by HTTP, which is answered at once and therefore stands in no other envelope.
    ``with_sbdh``: a StandardBusinessDocument is opened too, not refused.
    """
    formats = _AND_SBDH if with_sbdh else FORMATS
    if not data.strip():
        return Reading(fault=Fault(id="GW-101"), digest=digest)
    if is_interchange(data):
        reading = interchange.read(data, digest)
    else:
        reading = fhir.read_json(data, digest) if _is_json(data) else read_xml(data, digest, formats)
    if sum(map(_text_length, reading.letters)) > MOST_TEXT:
        reading = read_ids(data, Fault(id="GW-104", detail=f"(højst {MOST_TEXT} tegn tekst)"), digest, formats)
    return _only_fhir(reading) if fhir_only else reading


def _text_length(letter: ReadLetter) -> int:
    if not isinstance(letter.content, Referral):
        return 0
    return sum(len(text.text) for text in letter.content.texts) + sum(len(d.text) for d in letter.content.diagnoses)


def read_head(data: bytes, fault: Fault, digest: str, *, with_sbdh: bool = False) -> Reading:
    """A message that is too large to be read: whose it is, from its beginning alone."""
    return read_ids(data, fault, digest, _AND_SBDH if with_sbdh else FORMATS)


def _is_json(data: bytes) -> bool:
    return data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in {b"{", b"["}


def _only_fhir(reading: Reading) -> Reading:
    """The same message if it is FHIR in no other envelope; else a fault, for an entrance that takes nothing else."""
    arrival = reading.arrival
    if arrival.payload in FHIR and arrival.carrier is Carrier.BARE:
        return reading
    return Reading(fault=reading.fault or Fault(id="GW-110", detail="(FHIR)"), digest=reading.digest)


def read_xml(data: bytes, digest: str, formats: tuple[Format, ...] = FORMATS) -> Reading:
    """Read an XML message of one of these formats; faults are in the reading, never raised."""
    parsed = parse(data)
    if isinstance(parsed, Fault):
        return read_ids(data, parsed, digest, formats)
    chosen = identify(parsed, formats)
    if chosen is None:
        return Reading(fault=Fault(id="GW-110", detail=parsed.tag.rpartition("}")[2][:35]), digest=digest)
    return chosen.read(parsed, digest)


def identify(root: etree._Element, formats: tuple[Format, ...] = FORMATS) -> Format | None:
    """The outer format of a root element; None for an unknown one."""
    namespace, _, name = root.tag.rpartition("}")
    for candidate in formats:
        if candidate.root in {None, name} and candidate.namespace in {None, namespace[1:]}:
            return candidate
    return None


def read_ids(data: bytes, fault: Fault, digest: str, formats: tuple[Format, ...] = FORMATS) -> Reading:
    """A message that is refused unread, with whatever ids it still tells, so that its sender can be answered."""
    if is_interchange(data):
        return _replace(interchange.read_ids(data[:_HEAD]), fault=fault, digest=digest)
    if _is_json(data):
        return fhir.read_json_ids(data[:_HEAD], fault, digest)
    root = salvage(data[:_HEAD])
    chosen = identify(root, formats) if root is not None else None
    if root is None or chosen is None:
        return Reading(fault=fault, digest=digest)
    return _replace(chosen.read_ids(root), fault=fault, digest=digest)
