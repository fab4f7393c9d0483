"""Words in normal form with their places: case, æøå, accents and hyphens do not matter."""

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
    return [form for form, _, _ in tokens(text)]


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


@pytest.mark.parametrize("gap", ["\n\n", "\n \n", "\n\t\n\n"])
def test_line_ends_with_nothing_between_are_one_token(gap: str) -> None:
    assert forms(f"KOL{gap}ryger") == ["kol", gap, "ryger"]
    assert forms("KOL\nryger") == ["kol", "\n", "ryger"]


def test_every_token_stands_where_it_says() -> None:
    text = "Årsag: prædiabetes,\nHbA1c 45 (ikke-faste)"
    assert [normal(text[start:end]) for _, start, end in tokens(text)] == forms(text)
