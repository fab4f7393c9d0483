"""Words in normal form: case, æøå, accents and hyphens do not matter."""

import pytest

from gateway.mapping.prose.words import normal, tokens


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("Kræft", "kraeft"),
        ("KRAEFT", "kraeft"),
        ("kraeft", "kraeft"),
        ("ØNSKER", "oensker"),
        ("århus", "aarhus"),
        ("Alzheimers", "alzheimers"),
        ("Menière", "meniere"),
        ("Häusler", "haeusler"),
        ("Öhrn", "oehrn"),
        ("Straße", "strasse"),
        ("ﬁbrose", "fibrose"),
        ("\N{COMBINING ACUTE ACCENT}", "\N{COMBINING ACUTE ACCENT}"),
    ],
)
def test_spellings_of_one_word_are_one_form(written: str, form: str) -> None:
    assert normal(written) == form


def forms(text: str) -> list[str]:
    return [token.form for chunk in text.split() for token in tokens(chunk, lambda form: (form,))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ikke-ryger", ["ikke", "ryger"]),
        ("type 2-diabetes", ["type", "2", "diabetes"]),
        ("60–70 %", ["60", "70", "%"]),
        ("KOL - svær", ["kol", "-", "svaer"]),
        ("- KOL", ["-", "kol"]),
        ("alkohol-", ["alkohol", "-"]),
        ("HbA1c 6,2 d. 10.09.2025", ["hba", "1", "c", "6,2", "d", ".", "10.09.2025"]),
        ("(obs. KOL?)", ["(", "obs", ".", "kol", "?", ")"]),
        ("a_b", ["a", "b"]),
        ("", []),
    ],
)
def test_words_numbers_and_single_signs(text: str, found: list[str]) -> None:
    assert forms(text) == found


def test_what_stands_before_a_token_is_kept_for_quotes() -> None:
    first, *others = tokens("_ikke-RYGER,", lambda form: (form.upper(),))
    assert (first.before, first.written, first.words) == (" _", "ikke", ("IKKE",))
    assert [(t.before, t.written, t.form) for t in others] == [("-", "RYGER", "ryger"), ("", ",", ",")]
