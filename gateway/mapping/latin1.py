"""ISO-8859-1 as MedCom's senders mean it: read with windows-1252's characters, written with what it has.

Old EDIFACT converters fail on numeric references, so what ISO-8859-1 lacks is replaced before it is written.
"""

import re
import unicodedata
from typing import TypeVar

import msgspec

Letter = TypeVar("Letter", bound=msgspec.Struct)
_CP1252 = re.compile(rb"[\x80\x82-\x8c\x8e\x91-\x9c\x9e\x9f]")
_UNDEFINED_IN_CP1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
_REPLACEMENTS = str.maketrans(
    {
        "–": "-", "—": "-", "‑": "-", "−": "-", "‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "…": "...",
        "€": "EUR", "•": "-", "™": "TM", "≥": ">=", "≤": "<=", "≈": "ca.", "\u2009": " ", "\u202f": " ", "\u200b": "",
        "Œ": "OE", "œ": "oe", "Š": "S", "š": "s", "Ž": "Z", "ž": "z", "Ÿ": "Y", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D",
    }
)  # fmt: skip


def is_cp1252(data: bytes) -> bool:
    """Whether bytes called ISO-8859-1 are windows-1252: they hold 0x80–0x9F, and windows-1252 knows each of them.

    >>> is_cp1252("5 €".encode("cp1252")), is_cp1252("5 kr. på".encode("iso-8859-1"))
    (True, False)
    """
    return bool(_CP1252.search(data)) and not _UNDEFINED_IN_CP1252.search(data)


def latin1(text: str) -> str:
    """The same text with every character in ISO-8859-1; an accent is dropped, what is left becomes ``?``.

    >>> latin1("Dvořák – 5 € …")
    'Dvorák - 5 EUR ...'
    """
    return text if is_latin1(text) else "".join(_fit(char) for char in text.translate(_REPLACEMENTS))


def is_latin1(text: str) -> bool:
    """Whether ISO-8859-1 has every character.

    >>> is_latin1("æøå"), is_latin1("5 €")
    (True, False)
    """
    try:
        text.encode("iso-8859-1")
    except UnicodeEncodeError:
        return False
    return True


def _fit(char: str) -> str:
    if char < "\u0100":
        return char
    base = "".join(c for c in unicodedata.normalize("NFKD", char) if not unicodedata.combining(c))
    return base if base and all(c < "\u0100" for c in base) else "?"


def latin1_letter(letter: Letter) -> Letter:
    """The same letter with all its texts in ISO-8859-1: to be done before they are cut, for a text may grow by it."""
    if is_latin1(msgspec.json.encode(letter).decode()):
        return letter
    return msgspec.structs.replace(
        letter, **{name: _fields(getattr(letter, name)) for name in letter.__struct_fields__}
    )


def _fields(value: object) -> object:
    if isinstance(value, msgspec.Struct):
        return latin1_letter(value)
    return latin1(value) if isinstance(value, str) else value
