"""Text as it was meant to flow: hyphenation, wrapped lines and the computer's spellings of one letter do not matter.

A line end counts where the writer set it, not where a system cut a line that was too long. Signs of a cut: the next
line begins with a small letter although the writer begins with capitals, or with a bracket; the line ends in a word
that cannot end a sentence; or, in a text with such lines, the next word would not have fitted on the line.
"""

import re
import unicodedata
from itertools import pairwise

_HYPHENATED = r"[-‐\u00ad][^\S\n]*\n[^\S\n]*"
#: inside a word the next line goes on in small letters, unless all is written in capitals
_CUT_WORD = re.compile(rf"(?<=[^\W\d_]){_HYPHENATED}(?=[a-zæøå])|(?<=[A-ZÆØÅ]){_HYPHENATED}(?=[A-ZÆØÅ]{{2}})")
_BLANKS = re.compile(r"[^\S\n]+")
_CAPITAL = re.compile(r"(?:^|[.!?]\s+)[A-ZÆØÅ][a-zæøå]")
#: behind a short word the full stop may be an abbreviation's
_SMALL = re.compile(r"(?:^|[^\W\d_]{4}[.!?]\s+)[a-zæøå]")
_HEADING = re.compile(r"[^.,;:]{1,30}:")
_CUTS_TO_TRUST = 2
#: words that cannot end a sentence
_OPEN = frozenset(
    [
        "og", "eller", "samt", "men", "at", "som", "der", "med", "uden", "inkl", "til", "for", "fra", "af", "på", "paa",
        "om", "i", "ved", "hos", "efter", "under", "mellem", "mod", "mhp", "pga", "en", "et", "den", "det", "de", "har",
        "er", "sin", "sit", "sine", "hans", "hendes", "kendt", "type", "grad", "stadie", "hba1c", "bmi", "fev1", "gold",
        "d.", "ca.", "obs.", "tidl.", "mhp.", "pga.", "evt.", "henv.", "inkl.", "m.", "u.", "v.", "bl.a.", "f.eks.",
    ]
)  # fmt: skip


def flowing(text: str) -> str:
    """The text with each letter in one spelling, whole words, single blanks, and only the writer's own line ends."""
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    text = _CUT_WORD.sub("", text).replace("\u00ad", "")
    return _unwrapped(_BLANKS.sub(" ", text))


def _unwrapped(text: str) -> str:
    lines = [line.strip() for line in text.split("\n")]
    if len(lines) == 1:
        return lines[0]
    capitals = _begins_with_capitals(text)
    width = _width(lines, capitals=capitals)
    out = lines[0]
    for line, following in pairwise(lines):
        out += (" " if _is_cut(line, following, width, capitals=capitals) else "\n") + following
    return out


def _begins_with_capitals(text: str) -> bool:
    """Whether the writer begins texts and sentences with capitals, and goes on in small letters."""
    return len(_CAPITAL.findall(text)) > len(_SMALL.findall(text))


def _width(lines: list[str], *, capitals: bool) -> int | None:
    """Length of the longest line of a text that was cut to a width; None for any other."""
    width = max(map(len, lines))
    full = [_is_full(line, following, width) for line, following in pairwise(lines)]
    if any(_goes_on(line, capitals=capitals) for line in lines[1:]) or (all(full) and len(full) >= _CUTS_TO_TRUST):
        return width
    return None


def _goes_on(line: str, *, capitals: bool) -> bool:
    """A line that cannot begin a sentence."""
    return line.startswith("(") or (capitals and line[:1].islower())


def _is_cut(line: str, following: str, width: int | None, *, capitals: bool) -> bool:
    """Whether a line end is none of the writer's; ``width`` is that of a text which was cut to one."""
    if not line or not following or line.endswith(":"):
        return False
    is_open = line.endswith(",") or line.rpartition(" ")[2].lower() in _OPEN
    if is_open or _goes_on(following, capitals=capitals):
        return True
    return width is not None and _is_full(line, following, width)


def _is_full(line: str, following: str, width: int) -> bool:
    """The next word would not have fitted; a sign at the next line's beginning is a bullet, a colon a heading's."""
    begins = following[:1].isalnum() and not _HEADING.match(following)
    return begins and len(line) + 1 + len(following.partition(" ")[0]) > width
