"""Characters outside ISO-8859-1, written with what it has: old EDIFACT converters fail on numeric references."""

import unicodedata
from typing import TypeVar

import msgspec

Letter = TypeVar("Letter", bound=msgspec.Struct)
_REPLACEMENTS = str.maketrans(
    {
        "–": "-", "—": "-", "‑": "-", "−": "-", "‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "…": "...",
        "€": "EUR", "•": "-", "™": "TM", "≥": ">=", "≤": "<=", "≈": "ca.", "\u2009": " ", "\u202f": " ", "\u200b": "",
        "Œ": "OE", "œ": "oe", "Š": "S", "š": "s", "Ž": "Z", "ž": "z", "Ÿ": "Y", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D",
    }
)  # fmt: skip


def latin1(text: str) -> str:
    """The same text with every character in ISO-8859-1; an accent is dropped, what is left becomes ``?``.

    >>> latin1("Dvořák – 5 € …")
    'Dvorák - 5 EUR ...'
    """
    if text.isascii():
        return text
    return "".join(_fit(char) for char in text.translate(_REPLACEMENTS))


def _fit(char: str) -> str:
    if char < "\u0100":
        return char
    base = "".join(c for c in unicodedata.normalize("NFKD", char) if not unicodedata.combining(c))
    return base if base and all(c < "\u0100" for c in base) else "?"


def latin1_letter(letter: Letter) -> Letter:
    """The same letter with all its texts in ISO-8859-1: to be done before they are cut, for a text may grow by it."""
    return msgspec.structs.replace(
        letter, **{name: _fields(getattr(letter, name)) for name in letter.__struct_fields__}
    )


def _fields(value: object) -> object:
    if isinstance(value, msgspec.Struct):
        return latin1_letter(value)
    return latin1(value) if isinstance(value, str) else value
