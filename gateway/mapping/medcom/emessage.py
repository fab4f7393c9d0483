"""The Emessage around MedCom letters: read into letters with their faults, written around a letter with new ids.

A schema error belongs to the letter element that contains it; outside any letter it refuses all (design §2).
"""

from datetime import datetime

from lxml import etree

from gateway.errors import Fault
from gateway.mapping.medcom.elements import Children, ImpossibleValueError, below, children, group, tag, text_of
from gateway.mapping.medcom.latin1 import latin1
from gateway.mapping.medcom.letter_types import LETTER_TYPES, NAMESPACE_OF, LetterType, known_elements
from gateway.mapping.medcom.parties import read_moment, write_moment
from gateway.mapping.medcom.schema import SCHEMA_FILES, violations
from gateway.referral.letters import Arrival, Outgoing
from gateway.referral.reading import Reading, ReadLetter, content_digest

ROOT = "Emessage"
#: types whose receivers expect ISO-8859-1 (facts §9); the others are sent as UTF-8
_LATIN1_TYPES = frozenset({"XDIS91", "XCTL02", "XCTL03"})


def read(root: etree._Element, digest: str) -> Reading:
    """Read a well-formed Emessage: envelope, then every letter by itself."""
    namespace = root.tag[1:].partition("}")[0] if root.tag.startswith("{") else ""
    letters = [child for child in root if _name(child) not in {"Envelope", "Local_Elements"}]
    arrival = read_arrival(root)
    if namespace not in SCHEMA_FILES:
        return Reading(arrival=arrival, letters=_unread(letters), fault=Fault(id="GW-110"), digest=digest)
    unknown = [child for child in letters if _name(child) not in known_elements(namespace)]
    if not unknown and not violations(root, namespace):
        read_letters = tuple(_read_valid(child, namespace) for child in letters)
        return Reading(arrival=arrival, letters=read_letters, digest=digest)
    envelope_fault = _envelope_fault(root, namespace)
    if envelope_fault is not None:
        return Reading(arrival=arrival, letters=_unread(letters), fault=envelope_fault, digest=digest)
    return Reading(arrival=arrival, letters=tuple(_read_checked(child, namespace) for child in letters), digest=digest)


def read_ids(root: etree._Element) -> Reading:
    """Ids of a message that cannot be read as a whole."""
    letters = [child for child in root if _name(child) not in {"Envelope", "Local_Elements"}]
    return Reading(arrival=read_arrival(root), letters=_unread(letters))


def read_arrival(root: etree._Element) -> Arrival:
    """Envelope ids and end points, as far as they can be read; for receipts, even of faulty messages."""
    found = children(root)
    envelope = below(found, "Envelope")
    letter = next((child for child in root if _name(child) not in {"Envelope", "Local_Elements"}), None)
    parties = children(letter) if letter is not None else {}
    return Arrival(
        sender_gln=_short(text_of(below(parties, "Sender"), "EANIdentifier"), 35),
        receiver_gln=_short(text_of(below(parties, "Receiver"), "EANIdentifier"), 35),
        envelope_id=_short(text_of(envelope, "Identifier"), 14),
        positive_wanted=text_of(envelope, "AcknowledgementCode") == "pluspositivkvitt",
        sent_at=_sent(below(envelope, "Sent")),
    )


def _short(value: str | None, limit: int) -> str | None:
    """An identifier that could stand in a receipt; anything longer is no identifier."""
    value = value.strip() if value else None
    return value if value and len(value) <= limit else None


def _sent(found: Children) -> datetime | None:
    try:
        return read_moment(found) if "Date" in found and "Time" in found else None
    except ImpossibleValueError:
        return None


def _name(element: etree._Element) -> str:
    return element.tag.rpartition("}")[2]


def _ids(element: etree._Element) -> tuple[str, str]:
    letter = below(children(element), "Letter")
    return _short(text_of(letter, "Identifier"), 14) or "", _short(text_of(letter, "VersionCode"), 35) or ""


def _unread(letters: list[etree._Element]) -> tuple[ReadLetter, ...]:
    """Letters of an envelope that is refused as a whole: their ids only."""
    return tuple(_faulty(child, None) for child in letters)


def _faulty(element: etree._Element, fault: Fault | None) -> ReadLetter:
    letter_id, version = _ids(element)
    raw = etree.tostring(element, with_tail=False)
    return ReadLetter(
        type=type_name(element), version=version, letter_id=letter_id, fault=fault, digest=content_digest(raw)
    )


def type_name(element: etree._Element) -> str:
    """The letter's type as its element tells it, else the element's own name."""
    letter = below(children(element), "Letter")
    names = {t.element: t.type for t in LETTER_TYPES}
    return names.get(_name(element)) or _short(text_of(letter, "TypeCode"), 8) or _name(element)[:35]


def _envelope_fault(root: etree._Element, namespace: str) -> Fault | None:
    """What is wrong outside the letters: a missing or invalid Envelope, no letter, stray elements."""
    envelope = children(root).get("Envelope")
    if envelope is None or root[0] is not envelope:
        return Fault(id="GW-120", detail="Envelope mangler")
    if len(root) == 1:
        return Fault(id="GW-120", detail="ingen breve i kuverten")
    found = violations(envelope, namespace)
    return Fault(id="GW-120", detail=found[0].text) if found else None


def _read_checked(element: etree._Element, namespace: str) -> ReadLetter:
    """One letter of an envelope in which something is wrong."""
    known = known_elements(namespace).get(_name(element))
    if known is None:
        return _faulty(element, Fault(id="GW-110", detail=_name(element)[:35]))
    version = _ids(element)[1]
    if version and version not in {t.version for t in known}:
        return _faulty(element, Fault(id="GW-111", detail=version))
    found = violations(element, namespace)
    return _faulty(element, Fault(id="GW-120", detail=found[0].text)) if found else _read_valid(element, namespace)


def _read_valid(element: etree._Element, namespace: str) -> ReadLetter:
    letter_type = _letter_type(element, namespace)
    try:
        content = letter_type.decode(element)
    except ImpossibleValueError as error:
        return _faulty(element, Fault(id="GW-120", detail=f"{error}: en tid, der ikke findes"))
    letter_id, version = _ids(element)
    return ReadLetter(
        type=letter_type.type, version=version, letter_id=letter_id, content=content, digest=content_digest(content)
    )


def _letter_type(element: etree._Element, namespace: str) -> LetterType:
    """The catalogue's row by (namespace, element, version); the schema fixes the version."""
    version = _ids(element)[1]
    return next(t for t in known_elements(namespace)[_name(element)] if t.version == version)


def wrap(letter: Outgoing, envelope_id: str, sent_at: datetime) -> bytes:
    """The whole Emessage around a letter: new envelope id (1 to 14 characters), encoding by the letter's type."""
    acknowledgement = "pluspositivkvitt" if letter.wants_receipt else "minuspositivkvitt"
    envelope = group(
        "Envelope",
        write_moment("Sent", sent_at),
        tag("Identifier", envelope_id),
        tag("AcknowledgementCode", acknowledgement),
    )
    namespace = NAMESPACE_OF[letter.kind, letter.version]
    root = f'<{ROOT} xmlns="{namespace}">{envelope}{letter.content.decode()}</{ROOT}>\n'
    if letter.kind in _LATIN1_TYPES:
        return f'<?xml version="1.0" encoding="ISO-8859-1"?>\n{latin1(root)}'.encode("iso-8859-1")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{root}'.encode()
