"""English for the page's own Danish texts (``english.tsv``); what letters, people and decisions say stays as it is."""

import csv
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

LANGUAGES = ("da", "en")


@cache
def english() -> Mapping[str, str]:
    """Danish → English."""
    text = resources.files("gateway.console").joinpath("english.tsv").read_text(encoding="utf-8")
    rows = csv.reader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    return MappingProxyType({row[0]: row[1] for row in rows if len(row) > 1})


def translate(text: str, language: str) -> str:
    """The page's own text in the language; a text without translation stays Danish."""
    return english().get(text, text) if language == "en" else text
