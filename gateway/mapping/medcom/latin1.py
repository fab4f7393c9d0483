"""Characters outside ISO-8859-1, written with what it has: old EDIFACT converters fail on numeric references."""

import unicodedata

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
