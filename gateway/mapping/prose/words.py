"""Text → words: case, æøå and their spellings, accents and hyphens do not matter.

``Kræft``, ``KRAEFT`` and ``kræft`` become ``kraeft``; ``ikke-ryger`` is two words.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

import msgspec

#: words, numbers (also 6,2 and 10.09.2025), single signs.
#: A hyphen between two words without blanks is no token: it only joins them («type 2-diabetes»).
_TOKEN = re.compile(r"([^\W\d_]+|\d+(?:[.,/]\d+)*|[^\w\s‐–-]|[‐–-](?:(?<![^\W_].)|(?![^\W_])))")
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


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A word, a number or a sign."""

    #: what stands between it and the token before: a blank, a hyphen that joins, or nothing
    before: str
    written: str
    #: in normal form
    form: str
    #: the known words that it stands for; a sign within a sentence stands for itself
    words: tuple[str, ...]


def tokens(chunk: str, read: Callable[[str], tuple[str, ...]]) -> tuple[Token, ...]:
    """What stands between two blanks, as tokens; ``read`` tells the known words that a form stands for."""
    pieces = _TOKEN.split(chunk)  # what stands between tokens, and the tokens, in turn
    pieces[0] = " " + pieces[0]
    forms = map(normal, pieces[1::2])
    return tuple(
        Token(before=before, written=written, form=form, words=read(form))
        for before, written, form in zip(pieces[::2], pieces[1::2], forms, strict=False)
    )
