"""EDIFACT's own grammar: bytes ⇄ segments of elements of components (ISO 9735; facts §5.1 of the MedCom XML page).

MedCom writes ISO-8859-1 whatever the syntax identifier (UNOA, UNOB, UNOC); 0x80–0x9F are read as windows-1252. Line
ends between segments mean nothing. Every step is linear in the message's length, and its parts are counted first.
"""

import re
from collections.abc import Iterable

import msgspec

from gateway.errors import Fault
from gateway.mapping.latin1 import is_cp1252, latin1

#: far above any letter (a full DIS91 has some hundred segments), far below what would hurt us
MAX_SEGMENTS, MAX_PARTS = 20_000, 400_000
_TAG = re.compile(r"[A-Z][A-Z0-9]{2}")
_LAYOUT = " \t\r\n"
#: released characters hide in Unicode's private area while the text is cut at the separators
_HIDDEN, _BYTE = 0xE000, 0x100
_HIDDEN_CHARS = re.compile(f"[{chr(_HIDDEN)}-{chr(_HIDDEN + _BYTE - 1)}]")
_CONTROLS = dict.fromkeys((*range(32), *range(127, 160))) | dict.fromkeys(map(ord, "\t\r\n"), " ")

Element = tuple[str, ...]


class Separators(msgspec.Struct, frozen=True, kw_only=True):
    """The characters that UNA may set; MedCom's are the standard's."""

    component: str = ":"
    element: str = "+"
    #: takes the next character's meaning away; empty where UNA gives none
    release: str = "?"
    terminator: str = "'"


DEFAULT = Separators()
_UNA_LENGTH = 9


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """One segment: its tag of three characters and its elements."""

    tag: str
    elements: tuple[Element, ...] = ()

    def part(self, element: int, component: int = 1) -> str:
        """A component by its place, counted from 1 as the standard does; empty where there is none."""
        parts = self.element(element)
        return parts[component - 1] if component <= len(parts) else ""

    def element(self, number: int) -> Element:
        """All components of an element, counted from 1."""
        return self.elements[number - 1] if number <= len(self.elements) else ()


# ------------------------------------------------------------------ reading
#: in no character set of EDIFACT, and no database takes it in a key
_NUL = "\0"
_NULS = frozenset({_NUL, chr(_HIDDEN)})


def is_interchange(data: bytes) -> bool:
    """Whether the bytes begin as an EDIFACT interchange does."""
    return data.lstrip().startswith((b"UNA", b"UNB"))


def read_segments(data: bytes) -> tuple[Segment, ...] | Fault:
    """All segments; GW-123 where the grammar is broken."""
    text = _decoded(data)
    separators = _separators(text)
    if separators is None:
        return Fault(id="GW-123", detail="UNA")
    body = _hide(_body(text), separators)
    if _too_many(body, separators):
        return Fault(id="GW-123", detail=f"(højst {MAX_SEGMENTS} segmenter)")
    if _NUL in text:
        return Fault(id="GW-123", detail="(tegnet NUL)")
    *whole, rest = body.split(separators.terminator)
    if rest.strip(_LAYOUT):
        return Fault(id="GW-123", detail="(sidste segment er ikke afsluttet)")
    segments = [_segment(text, separators) for text in whole]
    for number, segment in enumerate(segments, start=1):
        if segment is None:
            return Fault(id="GW-123", detail=f"(segment {number})")
    return tuple(segment for segment in segments if segment is not None)


def salvage(data: bytes) -> tuple[Segment, ...]:
    """The segments that can be read of a faulty or cut message: for its sender's and its own ids only.

    What follows the last terminator is left out: half a GLN is another one.
    """
    text = _decoded(data)
    separators = _separators(text)
    if separators is None:
        return ()
    body = _hide(_body(text), separators)
    whole = [] if _too_many(body, separators) else body.split(separators.terminator)[:-1]
    segments = (_segment(text, separators) for text in whole if _NULS.isdisjoint(text))
    return tuple(segment for segment in segments if segment is not None)


def _decoded(data: bytes) -> str:
    return data.decode("cp1252" if is_cp1252(data) else "iso-8859-1").lstrip()


def _separators(text: str) -> Separators | None:
    """What UNA sets, else the standard's; None for a UNA that cannot be meant."""
    if not text.startswith("UNA"):
        return DEFAULT
    told = text[3:_UNA_LENGTH]
    component, element, _, release, _, terminator = list(told.ljust(6))
    set_ = [component, element, terminator, *release.strip()]
    if len(set(set_)) < len(set_) or any(char.isalnum() or char.isspace() for char in set_):
        return None
    return Separators(component=component, element=element, release=release.strip(), terminator=terminator)


def _body(text: str) -> str:
    return text[_UNA_LENGTH:] if text.startswith("UNA") else text


def _too_many(text: str, separators: Separators) -> bool:
    parts = text.count(separators.element) + text.count(separators.component)
    return parts > MAX_PARTS or text.count(separators.terminator) > MAX_SEGMENTS


def _hide(text: str, separators: Separators) -> str:
    if not separators.release or separators.release not in text:
        return text
    return re.sub(re.escape(separators.release) + "(.)", lambda found: _hidden(found[1]), text, flags=re.DOTALL)


def _hidden(char: str) -> str:
    return chr(_HIDDEN + ord(char)) if ord(char) < _BYTE else char


def _segment(text: str, separators: Separators) -> Segment | None:
    tag, *elements = text.lstrip(_LAYOUT).split(separators.element)
    if not _TAG.fullmatch(tag):
        return None
    return Segment(tag=tag, elements=tuple(_element(element, separators) for element in elements))


def _element(text: str, separators: Separators) -> Element:
    return tuple(
        _HIDDEN_CHARS.sub(lambda found: chr(ord(found[0]) - _HIDDEN), part) for part in text.split(separators.component)
    )


# ------------------------------------------------------------------ writing
def segment(tag: str, *elements: str | Element) -> Segment:
    """A segment to be written; a text is an element of one component."""
    return Segment(tag=tag, elements=tuple((e,) if isinstance(e, str) else e for e in elements))


def render(segments: Iterable[Segment]) -> str:
    """Segments with the standard's separators, one a line, in ISO-8859-1's characters; empty ends are left out."""
    return "".join(f"{_rendered(one)}\n" for one in segments)


def _rendered(one: Segment) -> str:
    elements = [_joined(":", [_released(part) for part in element]) for element in one.elements]
    return _joined("+", [one.tag, *elements]) + "'"


def _joined(separator: str, parts: list[str]) -> str:
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return separator.join(parts)


def writable(text: str) -> str:
    """The text in the characters that a segment can hold: ISO-8859-1's, without control characters."""
    return latin1(text).translate(_CONTROLS)


def _released(text: str) -> str:
    return re.sub(r"([?'+:])", r"?\1", writable(text))
