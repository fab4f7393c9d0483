r"""FTX segments ⇄ text (facts §5.1): five components of at most 70 characters a segment, one a line.

A component that ends in ``\\`` goes on in the next without a break; ``.`` alone is an empty line; every other component
ends its line. Segments of one qualifier that follow each other are one text. Bold and so on carry no meaning for us;
right and centred text stands on a line of its own, as in the XML twin.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from gateway.mapping.edifact.segments import Segment, segment
from gateway.mapping.latin1 import latin1

COMPONENTS, LENGTH = 5, 70
_FORMAT, _TEXT = 2, 4
_EMPTY, _ON = ".", "\\"
#: format codes of right and centred text, proportional and fixed
_OWN_LINE = frozenset({"P0H", "P0M", "F0H", "F0M"})
_LINE_END = re.compile(r"\r\n|\r|\n")
_CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")
#: what the reader is told where a letter cannot hold the whole text
CUT_SHORT = "(Teksten er afkortet her; kontakt afsenderen for resten.)"


# ------------------------------------------------------------------ reading
def texts_by_qualifier(segments: Iterable[Segment]) -> list[tuple[str, str]]:
    """The texts of the FTX segments, each with its qualifier; neighbours of one qualifier are one text."""
    found = [one for one in segments if one.tag == "FTX"]
    return [(qualifier, read_text(list(group))) for qualifier, group in groupby(found, key=lambda one: one.part(1))]


def text_of(segments: Iterable[Segment], qualifier: str) -> str | None:
    """Everything that the FTX segments of a qualifier say; None where they say nothing."""
    return read_text([one for one in segments if one.tag == "FTX" and one.part(1) == qualifier]) or None


def read_text(segments: Sequence[Segment]) -> str:
    """The text of FTX segments in order."""
    text = ""
    apart = False
    for one in segments:
        own_line = one.part(_FORMAT) in _OWN_LINE
        if (own_line or apart) and text and not text.endswith("\n"):
            text += "\n"
        text += "".join(_line(component) for component in one.element(_TEXT))
        apart = own_line
    return text


def _line(component: str) -> str:
    if component == _EMPTY:
        return "\n"
    return component[:-1] if component.endswith(_ON) else f"{component}\n"


# ------------------------------------------------------------------ writing
def write_lines(text: str) -> list[str]:
    """The components for a text: no word is cut unless it is longer than a component."""
    plain = _CONTROLS.sub(" ", _LINE_END.sub("\n", latin1(text)))
    lines = plain.rstrip("\n").split("\n")
    return [component for line in lines for component in _components(line)]


def _components(line: str) -> Iterable[str]:
    while len(line) > LENGTH - 1:
        at = line.rfind(" ", 1, LENGTH - 1) + 1 or LENGTH - 1
        yield line[:at] + _ON
        line = line[at:]
    yield _closed(line)


def _closed(line: str) -> str:
    """The end of a line, which must not be read as an empty line or as one that goes on."""
    if not line:
        return _EMPTY
    return f"{line} " if line == _EMPTY or line.endswith(_ON) else line


def write_text(qualifier: str, lines: Sequence[str]) -> list[Segment]:
    """FTX segments in proportional type, five lines each."""
    return [
        segment("FTX", qualifier, "P00", "", tuple(lines[start : start + COMPONENTS]))
        for start in range(0, len(lines), COMPONENTS)
    ]


def cut_lines(lines: Sequence[str], limit: int) -> list[str]:
    """At most so many lines; where some are left out, the last one says so."""
    if len(lines) <= limit:
        return list(lines)
    kept = list(lines[: limit - 1])
    kept[-1] = _closed(kept[-1].removesuffix(_ON))
    return [*kept, CUT_SHORT]
