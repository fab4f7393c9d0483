"""The Emessage around MedCom letters: read into letters with their faults, written around a letter with new ids.

A schema error belongs to the letter element that contains it; outside any letter it refuses all (design §2).
"""

from copy import deepcopy
from datetime import datetime

from lxml import etree

from gateway.errors import Fault
from gateway.mapping.latin1 import latin1
from gateway.mapping.medcom.elements import Children, ImpossibleValueError, below, children, group, tag, text_of
from gateway.mapping.medcom.letter_types import LETTER_TYPES, NAMESPACE_OF, LetterType, known_elements
from gateway.mapping.medcom.other_types import OTHER_LETTERS, OTHER_NAMESPACES, read_other_letter
from gateway.mapping.medcom.parties import read_moment, write_moment
from gateway.mapping.medcom.schema import SCHEMA_FILES, Violation, violations
from gateway.referral.correspondence import OtherLetter
from gateway.referral.letters import Arrival, Outgoing
from gateway.referral.reading import Reading, ReadLetter, content_digest

ROOT = "Emessage"
#: a namespace whose envelope stands for every other
_ANY = NAMESPACE_OF["XDIS15", "XD1530L"]
#: types whose receivers expect ISO-8859-1 (facts §9); the others are sent as UTF-8
_LATIN1_TYPES = frozenset({"XDIS91", "XCTL02", "XCTL03"})
LATIN1 = "ISO-8859-1"


def read(root: etree._Element, digest: str) -> Reading:
    """Read a well-formed Emessage: envelope, then every letter by itself."""
    namespace = root.tag[1:].partition("}")[0] if root.tag.startswith("{") else ""
    elements = _letters(root)
    arrival = read_arrival(root)
    if namespace not in SCHEMA_FILES and namespace not in OTHER_NAMESPACES:
        return Reading(arrival=arrival, letters=_unread(elements), fault=Fault(id="GW-110"), digest=digest)
    letters, fault = _read_letters(root, elements, namespace)
    if fault is None and arrival.sent_at is None:
        fault = Fault(id="GW-141", detail="Sent")
    return Reading(arrival=arrival, letters=_unread(elements) if fault else letters, fault=fault, digest=digest)


def _letters(root: etree._Element) -> list[etree._Element]:
    return [child for child in root if _name(child) not in {"Envelope", "Local_Elements"}]


def _read_letters(
    root: etree._Element, elements: list[etree._Element], namespace: str
) -> tuple[tuple[ReadLetter, ...], Fault | None]:
    """The letters, and what is wrong outside them: that refuses all."""
    if namespace not in SCHEMA_FILES:
        letters = tuple(_read_checked(child, namespace) for child in elements)
        return letters, _fault_outside(root, namespace, elements, elements)
    unknown = [child for child in elements if _name(child) not in known_elements(namespace)]
    if not unknown and not violations(root, namespace):
        return tuple(_read_valid(child, namespace) for child in elements), None
    letters = tuple(_read_checked(child, namespace) for child in elements)
    refused = [x for x, letter in zip(elements, letters, strict=True) if letter.fault or _is_unread(letter)]
    return letters, _fault_outside(root, namespace, elements, refused)


def _is_unread(letter: ReadLetter) -> bool:
    return isinstance(letter.content, OtherLetter)


def read_ids(root: etree._Element) -> Reading:
    """Ids of a message that cannot be read as a whole."""
    return Reading(arrival=read_arrival(root), letters=_unread(_letters(root)))


def read_arrival(root: etree._Element) -> Arrival:
    """Envelope ids and end points, as far as they can be read; for receipts, even of faulty messages."""
    envelope = below(children(root), "Envelope")
    letters = [children(letter) for letter in _letters(root)]
    senders = (_short(text_of(below(letter, "Sender"), "EANIdentifier"), 35) for letter in letters)
    receivers = (_short(text_of(below(letter, "Receiver"), "EANIdentifier"), 35) for letter in letters)
    return Arrival(
        sender_gln=next(filter(None, senders), None),
        receiver_gln=next(filter(None, receivers), None),
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
    kind = type_name(element)
    if fault is not None and kind.startswith("XCTL"):
        fault = Fault(id="GW-164", detail=fault.detail)
    raw = etree.tostring(element, with_tail=False)
    return ReadLetter(type=kind, version=version, letter_id=letter_id, fault=fault, digest=content_digest(raw))


def type_name(element: etree._Element) -> str:
    """The letter's type as its element tells it, else the element's own name."""
    letter = below(children(element), "Letter")
    names = {t.element: t.type for t in LETTER_TYPES}
    return names.get(_name(element)) or _short(text_of(letter, "TypeCode"), 8) or _name(element)[:35]


def _fault_outside(
    root: etree._Element, namespace: str, elements: list[etree._Element], refused: list[etree._Element]
) -> Fault | None:
    """What is wrong outside the letters: a missing or invalid Envelope, no letter, stray elements or text."""
    envelope = children(root).get("Envelope")
    if envelope is None:
        return Fault(id="GW-121", detail="Envelope mangler")
    if not elements:
        return Fault(id="GW-121", detail="ingen breve i kuverten")
    found = _violations_of_envelope(envelope, namespace)
    if not found and len(refused) < len(elements):
        found = violations(_with_valid_letters(root, elements, refused), namespace)
    return Fault(id="GW-121", detail=found[0].text) if found else None


def _violations_of_envelope(envelope: etree._Element, namespace: str) -> tuple[Violation, ...]:
    """The envelope is the same in every namespace (facts §2.1); where we have no schema, another one's checks it."""
    if namespace in SCHEMA_FILES:
        return violations(envelope, namespace)
    moved = deepcopy(envelope)
    for element in moved.iter("*"):
        if element.tag.startswith(f"{{{namespace}}}"):
            element.tag = f"{{{_ANY}}}{_name(element)}"
    return violations(moved, _ANY)


def _with_valid_letters(
    root: etree._Element, elements: list[etree._Element], refused: list[etree._Element]
) -> etree._Element:
    """The message with a valid letter in the place of every faulty one: what is wrong now is wrong outside them."""
    valid = next(child for child in elements if child not in refused)
    for child in refused:
        stand_in = deepcopy(valid)
        stand_in.tail = child.tail
        root.replace(child, stand_in)
    return root


def _read_checked(element: etree._Element, namespace: str) -> ReadLetter:
    """One letter of an envelope in which something is wrong."""
    known = known_elements(namespace).get(_name(element))
    if known is None:
        other = OTHER_LETTERS.get((namespace, _name(element)))
        if other is not None:
            return read_other_letter(element, other, _ids(element))
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
        return _faulty(element, Fault(id=error.fault_id, detail=str(error)))
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
    if encoding_of(letter) == LATIN1:
        return f'<?xml version="1.0" encoding="{LATIN1}"?>\n{latin1(root)}'.encode("iso-8859-1")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{root}'.encode()


def encoding_of(letter: Outgoing) -> str:
    """The character set in which a letter is sent."""
    return LATIN1 if letter.kind in _LATIN1_TYPES else "UTF-8"
