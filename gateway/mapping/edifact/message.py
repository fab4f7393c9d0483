"""One message of an interchange as its decoders see it: ids, end points, and its segments in their groups.

MedCom's messages are cut into groups by S-segments (S01 parties, S02 the letter, S07 the citizen …). What a decoder
demands and does not find, or what is longer than the XML twin allows, is a fault of the letter (GW-120); a time that
cannot be is GW-141. The texts of faults name segments, never content.
"""

import re
from collections.abc import Iterator
from datetime import datetime

import msgspec

from gateway.errors import Fault
from gateway.mapping.edifact.segments import Segment
from gateway.referral.letters import Arrival
from gateway.referral.workdays import COPENHAGEN, is_possible

_GROUP = re.compile(r"S\d\d")
#: DTM format codes: to the minute, to the second
_FORMATS = {"203": "%Y%m%d%H%M", "204": "%Y%m%d%H%M%S"}
_LENGTHS = {"203": 12, "204": 14}
LONGEST_PART = 70


class UnreadableLetterError(Exception):
    """A letter that cannot be read; carries its fault."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.text)
        self.fault = fault


def missing(what: str) -> UnreadableLetterError:
    """The standard demands something that is not there."""
    return UnreadableLetterError(Fault(id="GW-120", detail=f"{what} mangler"))


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """An S-segment's group; the segments before the first one form a group with an empty tag."""

    tag: str
    segments: tuple[Segment, ...] = ()

    def all(self, tag: str, qualifier: str | None = None) -> Iterator[Segment]:
        """The group's segments of that tag, and of that qualifier where one is named."""
        return (one for one in self.segments if one.tag == tag and qualifier in {None, one.part(1)})

    def first(self, tag: str, qualifier: str | None = None) -> Segment | None:
        """The first of them."""
        return next(self.all(tag, qualifier), None)


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """From UNH to UNT, both left out."""

    letter_id: str
    #: e.g. ``REF01`` and ``H0130R``
    type: str
    version: str
    arrival: Arrival
    groups: tuple[Group, ...]

    def all(self, tag: str) -> Iterator[Group]:
        """The groups of that tag."""
        return (group for group in self.groups if group.tag == tag)

    def first(self, tag: str) -> Group:
        """The first group of that tag; an empty one where there is none."""
        return next(self.all(tag), Group(tag=tag))


def groups_of(segments: tuple[Segment, ...]) -> tuple[Group, ...]:
    """The segments of a message, cut at its S-segments."""
    cut: list[tuple[str, list[Segment]]] = [("", [])]
    for one in segments:
        if _GROUP.fullmatch(one.tag):
            cut.append((one.tag, []))
        else:
            cut[-1][1].append(one)
    return tuple(Group(tag=tag, segments=tuple(found)) for tag, found in cut)


def text_in(segment: Segment | None, element: int, component: int = 1, limit: int = LONGEST_PART) -> str | None:
    """A component's text, None where there is none; longer than its limit is a fault."""
    value = segment.part(element, component) if segment else ""
    if segment is not None and len(value) > limit:
        raise UnreadableLetterError(Fault(id="GW-120", detail=f"{segment.tag}: længere end {limit} tegn"))
    return value if value.strip() else None


def needed_in(segment: Segment | None, place: tuple[int, int], limit: int, what: str) -> str:
    """The same where the standard demands it; ``place`` is element and component."""
    value = text_in(segment, *place, limit=limit)
    if value is None:
        raise missing(what)
    return value


def moment_in(segment: Segment | None, what: str) -> datetime:
    """The time of a DTM segment: Danish civil time."""
    written, code = (segment.part(1, 2), segment.part(1, 3)) if segment else ("", "")
    if segment is None or not written:
        raise missing(what)
    if code not in _FORMATS or not (written.isascii() and written.isdigit() and len(written) == _LENGTHS[code]):
        raise UnreadableLetterError(Fault(id="GW-120", detail=f"{what}: tidsformat"))
    moment = parse_time(written, _FORMATS[code])
    if moment is None:
        raise UnreadableLetterError(Fault(id="GW-141", detail=what))
    return moment


def parse_time(written: str, form: str) -> datetime | None:
    """A moment in Danish civil time; None for one that cannot be."""
    try:
        moment = datetime.strptime(written, form).replace(tzinfo=COPENHAGEN)
    except ValueError:
        return None
    return moment if is_possible(moment) else None
