"""Text as it was meant to flow: hyphenation, wrapped lines and the computer's spellings of one letter do not matter.

A line end counts where the writer set it, not where a system cut a line that was too long. Signs of a cut: the next
line begins with a small letter although the writer begins with capitals, or with a bracket; the line ends in a word
that cannot end a sentence, or before the number it speaks of; or, in a text with such lines, the next word would not
have fitted on the line.
"""

import re
import unicodedata
from itertools import pairwise

#: a hyphen and a line end inside a word: the next line goes on in small letters, unless all is written in capitals
_CUT_WORD = re.compile(
    r"[-‐\u00ad](?:(?<=[^\W\d_].)[^\S\n]*\n[^\S\n]*(?=[a-zæøå])|(?<=[A-ZÆØÅ].)[^\S\n]*\n[^\S\n]*(?=[A-ZÆØÅ]{2}))"
)
_CAPITAL = re.compile(r"[.!?]\s+[A-ZÆØÅ][a-zæøå]|^[A-ZÆØÅ][a-zæøå]")
#: behind a short word the full stop may be an abbreviation's
_SMALL = re.compile(r"[.!?](?<=[^\W\d_]{4}.)\s+[a-zæøå]|^[a-zæøå]")
_HEADING = re.compile(r"[^.,;:]{1,30}:")
_MEASURE = re.compile(r"(?:a1c|bmi|fev1|blodsukker)\b[^.;!?\d]{0,20}$", re.IGNORECASE)
_SIGNS_WITHIN = tuple("(«§%=<>/&+")
_CLOSING = tuple(".!?;:")
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
    return _unwrapped([" ".join(line.split()) for line in text.split("\n")])


def _unwrapped(lines: list[str]) -> str:
    if len(lines) == 1:
        return lines[0]
    capitals = _begins_with_capitals("\n".join(lines))
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
    pairs = list(pairwise(lines))
    full = [_is_full(line, following, width) for line, following in pairs]
    known = any(_goes_on(line, following, capitals=capitals) for line, following in pairs)
    return width if known or (all(full) and len(full) >= _CUTS_TO_TRUST) else None


def _is_cut(line: str, following: str, width: int | None, *, capitals: bool) -> bool:
    """Whether a line end is none of the writer's; ``width`` is that of a text which was cut to one."""
    if _goes_on(line, following, capitals=capitals):
        return True
    return width is not None and not line.endswith(_CLOSING) and _is_full(line, following, width)


def _goes_on(line: str, following: str, *, capitals: bool) -> bool:
    """The line cannot end here, or the next line cannot begin a sentence; a heading alone on its line ends it."""
    if not line or not following or _HEADING.fullmatch(line):
        return False
    begun = following.startswith(_SIGNS_WITHIN) or (capitals and following[0].islower())
    measured = following[0].isdigit() and _MEASURE.search(line) is not None
    return begun or measured or line.endswith((",", ":")) or line.rpartition(" ")[2].lower() in _OPEN


def _is_full(line: str, following: str, width: int) -> bool:
    """The next word would not have fitted; a sign at the next line's beginning is a bullet, a colon a heading's."""
    begins = following[:1].isalnum() and not _HEADING.match(following)
    return begins and len(line) + 1 + len(following.partition(" ")[0]) > width
