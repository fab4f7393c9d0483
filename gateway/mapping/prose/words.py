"""Text → words: case, æøå and their spellings, accents and hyphens do not matter.

``Kræft``, ``KRAEFT`` and ``kræft`` become ``kraeft``; ``ikke-ryger`` is two words.
"""

import re
import unicodedata
from functools import lru_cache

#: words, numbers (also 6,2 and 10.09.2025), single signs, line ends.
#: A hyphen between two words without blanks is no token: it only joins them («type 2-diabetes»).
_TOKEN = re.compile(r"([^\W\d_]+|\d+(?:[.,/]\d+)*|\n(?:\s*\n)?|[^\w\s‐–-]|[‐–-](?:(?<![^\W_].)|(?![^\W_])))")
_SPELLING = str.maketrans({"æ": "ae", "ø": "oe", "å": "aa", "ä": "ae", "ö": "oe", "ß": "ss"})
_CACHE = 50_000


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


class Written:
    """A text cut into tokens, in order; a run of line ends is one token."""

    __slots__ = ("_pieces", "tokens")

    def __init__(self, text: str) -> None:
        #: what stands between tokens, and the tokens, in turn
        self._pieces = _TOKEN.split(text)
        #: as written
        self.tokens = self._pieces[1::2]

    def is_attached(self, index: int) -> bool:
        """Whether nothing stands between a token and the one before it."""
        return not self._pieces[2 * index]

    def quote(self, start: int, stop: int) -> str:
        """The text from one token up to another, on one line."""
        return " ".join("".join(self._pieces[2 * start + 1 : 2 * stop]).split())
