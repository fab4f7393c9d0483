"""Words in normal form: case, æøå, accents and hyphens do not matter."""

import pytest

from gateway.mapping.prose.words import Written, normal


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
    return [normal(token) for token in Written(text).tokens]


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


def test_a_quote_is_the_text_as_written_on_one_line() -> None:
    written = Written(" Årsag: prædiabetes,\nHbA1c 45 (ikke-faste) ")
    assert written.quote(0, len(written.tokens)) == "Årsag: prædiabetes, HbA1c 45 (ikke-faste)"
    assert written.quote(2, 5) == "prædiabetes,"


def test_a_full_stop_is_attached_to_its_word() -> None:
    written = Written("tidl. gravid .")
    assert [written.is_attached(i) for i in range(1, 4)] == [True, False, False]
