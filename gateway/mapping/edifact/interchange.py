"""The interchange around EDIFACT messages: UNB, UNH … UNT for each message, UNZ. Read with faults, written anew.

A fault inside a message is that letter's own; a fault of the interchange refuses all (design §2). What UNT and UNZ
count must be there: a message that lost a segment on its way is refused, never half read (GW-124).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType

import msgspec

from gateway.errors import Fault
from gateway.mapping.edifact import contrl, meddis, medref
from gateway.mapping.edifact.message import Message, UnreadableLetterError, groups_of, parse_time
from gateway.mapping.edifact.segments import Segment, read_segments, render, salvage, segment
from gateway.referral.ids import MEDCOM_ID_LENGTH
from gateway.referral.letters import Arrival, Outgoing, Payload
from gateway.referral.reading import Content, Reading, ReadLetter, content_digest
from gateway.referral.workdays import COPENHAGEN

_replace = msgspec.structs.replace
_GLN, _TYPE, _VERSION = 35, 8, 35
#: all are read as ISO-8859-1: MedCom's senders write UNOC, old ones UNOA and UNOB
_CHARSETS = frozenset({"UNOA", "UNOB", "UNOC"})
_WANTS_RECEIPT = "1"
#: years of two digits: 70–99 are 19xx (facts §5.1; the legacy converter's 20 is past)
_PIVOT = 70


class MessageType(msgspec.Struct, frozen=True, kw_only=True):
    """A type we read: its EDIFACT message and version, MedCom's name for it, how it is decoded."""

    message: str
    version: str
    type: str
    decode: Callable[[Message], Content]


def _row(message: str, version: str, name: str, decode: Callable[[Message], Content]) -> MessageType:
    return MessageType(message=message, version=version, type=name, decode=decode)


#: what arrives
MESSAGE_TYPES: tuple[MessageType, ...] = (
    _row("MEDREF", "H0130R", "REF01", medref.decode),
    _row("MEDREF", "H0131R", "REF01", medref.decode),
    _row("MEDDIS", "D9134L", "DIS91", meddis.decode),
    _row("CONTRL", "C0130Q", "CTL01", contrl.decode),
    _row("CONTRL", "C0230Q", "CTL02", contrl.decode),
    _row("CONTRL", "C0330Q", "CTL03", contrl.decode),
)
_TYPES: Mapping[tuple[str, str], MessageType] = MappingProxyType({(t.message, t.version): t for t in MESSAGE_TYPES})
#: UNH of what we write: message and agency
_WRITTEN = MappingProxyType(
    {"REF01": ("MEDREF", "UN"), "DIS91": ("MEDDIS", "UN"), "CTL02": ("CONTRL", "ZZ"), "CTL03": ("CONTRL", "ZZ")}
)


# ------------------------------------------------------------------ reading
def read(data: bytes, digest: str) -> Reading:
    """Read an interchange; faults are in the reading, never raised."""
    segments = read_segments(data)
    if isinstance(segments, Fault):
        return _replace(read_ids(data), fault=segments, digest=digest)
    arrival, bodies = _arrival(segments), _bodies(segments)
    fault = _fault(segments, bodies, arrival)
    letters = tuple(_unread(body) if fault else _letter(body, arrival) for body in bodies)
    return Reading(arrival=arrival, letters=letters, fault=fault, digest=digest)


def read_ids(data: bytes) -> Reading:
    """Ids of an interchange that cannot be read as a whole."""
    segments = salvage(data)
    return Reading(arrival=_arrival(segments), letters=tuple(_unread(body) for body in _bodies(segments)))


def _arrival(segments: tuple[Segment, ...]) -> Arrival:
    """End points and ids as far as UNB tells them; for receipts, even of faulty interchanges."""
    if not segments or segments[0].tag != "UNB":
        return Arrival(payload=Payload.EDIFACT)
    unb = segments[0]
    return Arrival(
        payload=Payload.EDIFACT,
        sender_gln=_short(unb.part(2), _GLN),
        receiver_gln=_short(unb.part(3), _GLN),
        envelope_id=_short(unb.part(5), MEDCOM_ID_LENGTH),
        positive_wanted=unb.part(9) == _WANTS_RECEIPT,
        sent_at=_sent(unb.part(4, 1), unb.part(4, 2)),
    )


def _short(value: str, limit: int) -> str | None:
    """An identifier that could stand in a receipt; anything longer is no identifier."""
    value = value.strip()
    return value if value and len(value) <= limit else None


def _sent(day: str, clock: str) -> datetime | None:
    """YYMMDD and HHMM."""
    if not (day + clock).isascii() or not (day + clock).isdigit() or (len(day), len(clock)) != (6, 4):
        return None
    century = "20" if int(day[:2]) < _PIVOT else "19"
    return parse_time(century + day + clock, "%Y%m%d%H%M")


def _bodies(segments: tuple[Segment, ...]) -> list[list[Segment]]:
    """The messages, each from its UNH to its UNT; one without UNT ends where the next one or UNZ begins."""
    bodies: list[list[Segment]] = []
    inside = False
    for one in segments:
        if one.tag == "UNH":
            bodies.append([])
        inside = (inside or one.tag == "UNH") and one.tag != "UNZ"
        if inside:
            bodies[-1].append(one)
        inside = inside and one.tag != "UNT"
    return bodies


def _fault(segments: tuple[Segment, ...], bodies: list[list[Segment]], arrival: Arrival) -> Fault | None:
    """What is wrong outside the messages: that refuses all."""
    head = _fault_of_unb(segments, arrival)
    if head is not None:
        return Fault(id="GW-121", detail=head)
    unz = segments[-1]
    if (unz.tag, unz.part(1), unz.part(2).strip()) != ("UNZ", str(len(bodies)), arrival.envelope_id):
        return Fault(id="GW-124", detail="UNZ")
    if len(segments) != sum(map(len, bodies)) + 2:
        return Fault(id="GW-121", detail="segmenter uden for brevene")
    if not bodies:
        return Fault(id="GW-121", detail="ingen breve i kuverten")
    return Fault(id="GW-141", detail="UNB") if arrival.sent_at is None else None


def _fault_of_unb(segments: tuple[Segment, ...], arrival: Arrival) -> str | None:
    if not segments or segments[0].tag != "UNB":
        return "UNB mangler"
    if segments[0].part(1) not in _CHARSETS:
        return "UNB: tegnsæt"
    parts = {"afsender": arrival.sender_gln, "modtager": arrival.receiver_gln, "kuvertnummer": arrival.envelope_id}
    return next((f"UNB: {name}" for name, value in parts.items() if value is None), None)


def _unread(body: list[Segment]) -> ReadLetter:
    """A letter of an interchange that is refused as a whole: its ids only."""
    return _faulty(body, None)


def _faulty(body: list[Segment], fault: Fault | None) -> ReadLetter:
    kind = _type_name(body[0])
    if fault is not None and kind.startswith("CTL"):
        fault = Fault(id="GW-164", detail=fault.detail)
    return ReadLetter(
        type=kind,
        version=_short(body[0].part(2, 5), _VERSION) or "",
        letter_id=_short(body[0].part(1), MEDCOM_ID_LENGTH) or "",
        fault=fault,
        digest=content_digest(render(body).encode()),
    )


def _type_name(unh: Segment) -> str:
    """MedCom's name for a type we know, else what UNH calls it."""
    known = _TYPES.get((unh.part(2), unh.part(2, 5)))
    return known.type if known else _short(unh.part(3), _TYPE) or _short(unh.part(2), _TYPE) or "ukendt"


def _letter(body: list[Segment], arrival: Arrival) -> ReadLetter:
    unh, known = body[0], _TYPES.get((body[0].part(2), body[0].part(2, 5)))
    if known is None:
        return _faulty(body, _unknown(unh))
    faulty = _faulty(body, None)
    if not faulty.letter_id:
        return _faulty(body, Fault(id="GW-120", detail="UNH: brevnummer"))
    if not _is_whole(body):
        return _faulty(body, Fault(id="GW-124", detail="UNT"))
    message = Message(
        letter_id=faulty.letter_id,
        type=known.type,
        version=known.version,
        arrival=arrival,
        groups=groups_of(tuple(body[1:-1])),
    )
    try:
        content = known.decode(message)
    except UnreadableLetterError as error:
        return _faulty(body, error.fault)
    return _replace(faulty, content=content, digest=content_digest(content))


def _unknown(unh: Segment) -> Fault:
    """Another version of a type we read, or another type."""
    name = unh.part(3)[:_TYPE]
    if name in {t.type for t in MESSAGE_TYPES}:
        return Fault(id="GW-111", detail=unh.part(2, 5)[:_VERSION])
    return Fault(id="GW-110", detail=_type_name(unh))


def _is_whole(body: list[Segment]) -> bool:
    """Whether UNT is there, counts right (UNH and UNT included) and names the message."""
    unt = body[-1]
    return (unt.tag, unt.part(1), unt.part(2)) == ("UNT", str(len(body)), body[0].part(1))


# ------------------------------------------------------------------ writing
def message(letter_id: str, kind: tuple[str, str], segments: tuple[Segment, ...]) -> str:
    """A whole message, UNH to UNT; ``kind`` is type and version."""
    name, agency = _WRITTEN[kind[0]]
    unh = segment("UNH", letter_id, (name, "D", "93A", agency, kind[1]), kind[0])
    return render((unh, *segments, segment("UNT", str(len(segments) + 2), letter_id)))


def wrap(letter: Outgoing, envelope_id: str, sent_at: datetime) -> bytes:
    """The interchange around one message: a new id (1 to 14 characters) at every transmission."""
    local = sent_at.astimezone(COPENHAGEN)
    unb = segment(
        "UNB",
        ("UNOC", "3"),
        (letter.sender, "14"),
        (letter.receiver, "14"),
        (f"{local:%y%m%d}", f"{local:%H%M}"),
        envelope_id,
        "",
        "",
        "",
        _WANTS_RECEIPT if letter.wants_receipt else "0",
    )
    text = f"UNA:+.? '\n{render([unb])}{letter.content.decode()}{render([segment('UNZ', '1', envelope_id)])}"
    return text.encode("iso-8859-1")
