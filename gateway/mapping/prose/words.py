"""Text → words with their places: case, æøå and their spellings, accents and hyphens do not matter.

``Kræft``, ``KRAEFT`` and ``kræft`` become ``kraeft``; ``ikke-ryger`` is two words.
"""

import re
import unicodedata
from functools import lru_cache

#: words, numbers (also 6,2 and 10.09.2025), single signs, line ends.
#: A hyphen between two words without blanks is no token: it only joins them («type 2-diabetes»).
_TOKEN = re.compile(r"[^\W\d_]+|\d+(?:[.,/]\d+)*|\n(?:\s*\n)?|[^\w\s]")
_JOINING = frozenset("-‐–")
_SPELLING = str.maketrans({"æ": "ae", "ø": "oe", "å": "aa", "ä": "ae", "ö": "oe", "ß": "ss"})
_CACHE = 50_000

#: (word in normal form, start, end)
Token = tuple[str, int, int]


@lru_cache(maxsize=_CACHE)
def normal(word: str) -> str:
    """The form in which words compare.

    >>> normal("Prædiabetes"), normal("LÆNDERYG"), normal("Café")
    ('praediabetes', 'laenderyg', 'cafe')
    """
    lower = word.lower().translate(_SPELLING)
    if lower.isascii():
        return lower
    return "".join(c for c in unicodedata.normalize("NFKD", lower) if not unicodedata.combining(c)) or word


def is_decimal(word: str) -> bool:
    """A measured value with a decimal comma.

    >>> is_decimal("5,2"), is_decimal("5"), is_decimal("10.09.2025")
    (True, False, False)
    """
    whole, comma, part = word.partition(",")
    return bool(comma) and whole.isdigit() and part.isdigit()


def tokens(text: str) -> list[Token]:
    """The text's tokens in order; a run of line ends is one token."""
    return [
        (normal(match[0]), *match.span())
        for match in _TOKEN.finditer(text)
        if match[0] not in _JOINING or not _joins(text, match.start())
    ]


def _joins(text: str, at: int) -> bool:
    """Whether a hyphen stands between two words without blanks."""
    return text[at - 1 : at].isalnum() and text[at + 1 : at + 2].isalnum()
