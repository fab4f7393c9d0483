"""Text as it was meant to flow: a line end counts where the writer set it, not where a system cut a line."""

import unicodedata

import pytest

from gateway.mapping.prose.lines import flowing


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Henvises til rehabilite-\nring.", "Henvises til rehabilitering."),
        ("HENVISES TIL REHABILITE-\nRING.", "HENVISES TIL REHABILITERING."),
        ("kronisk obstruk\u00ad\ntiv", "kronisk obstruktiv"),
        ("kronisk obstruk-  \n  tiv", "kronisk obstruktiv"),
        ("blod\u00adtryk", "blodtryk"),
        ("type 2-\ndiabetes", "type 2-\ndiabetes"),
        ("KOL-\nHenvises til hold", "KOL-\nHenvises til hold"),
        ("KOL -\n\nryger", "KOL -\n\nryger"),
        ("FEV1  24   %", "FEV1 24 %"),
        ("FEV1\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}24 %", "FEV1 24 %"),
        ("Ingen KOL.\r\nRyger.", "Ingen KOL.\nRyger."),
        ("Ingen KOL.\rRyger.", "Ingen KOL.\nRyger."),
        ("  Ryger.  \n  Drikker. ", "Ryger.\nDrikker."),
        ("", ""),
    ],
)
def test_hyphens_blanks_and_line_ends_of_computers(written: str, meant: str) -> None:
    assert flowing(written) == meant


def test_a_letter_has_one_spelling() -> None:
    assert flowing(unicodedata.normalize("NFD", "Gå på hold, Café")) == "Gå på hold, Café"


@pytest.mark.parametrize(
    "written",
    [
        "Pt. har ingen kendt\ndiabetes.",
        "Der er ikke (som tidligere\n(2019) antaget) KOL.",
        "Epikrisen nævner\n«kendt sukkersyge».",
        "Ønsker hjælp til rygning, kost og\nKOL.",
        "Ingen hypertension,\nKOL eller diabetes.",
        "Henvises til\nKOL-hold.",
        "Der har været obs.\nKOL.",
        "Hos lægen er målt HbA1c\n45 mmol/mol.",
        "Blodprøve i dag: HbA1c (IFCC)\n45.",
        "Alt i alt er kommunens tilbud godt, altså HbA1c:\n45.",
        "Pt. taler dansk og behøver ikke tolk. Tolk:\nnej.",
    ],
)
def test_a_line_that_goes_on_is_joined(written: str) -> None:
    assert flowing(written) == written.replace("\n", " ")


@pytest.mark.parametrize(
    "written",
    [
        "Ingen diabetes\nKOL",
        "Ingen diabetes.\nKOL.",
        "kendt med diabetes\nryger",
        "Ryger 10 cigaretter\n- KOL",
        "Familie:\nmor med diabetes",
        "Ryger ikke\n\nhar KOL",
        "INGEN DIABETES\nKOL",
        "Ryger ikke\n2 genstande",
    ],
)
def test_a_line_end_of_the_writers_stays(written: str) -> None:
    assert flowing(written) == written


def test_in_a_text_cut_to_a_width_a_full_line_goes_on_before_a_capital_too() -> None:
    """The second line has no room for «KOL»; the last has, so its end is the writer's."""
    lines = [
        "Pt. har gennem flere år været plaget af hoste og",
        "slim og kommer nu for at tale om sin nylig fundne",
        "KOL",
    ]
    lines += ["Ryger"]
    assert flowing("\n".join(lines)) == f"{' '.join(lines[:3])}\nRyger"


def test_a_full_line_before_a_heading_a_bullet_or_behind_a_full_stop_ends() -> None:
    long = "Pt. er nu indstillet på at gøre noget ved det, og"
    for last in ("Tobak: ryger 10 cigaretter", "- KOL"):
        text = f"{long}\nhar talt med sin familie om at ændre sin livsstil\n{last}"
        assert flowing(text) == f"{long} har talt med sin familie om at ændre sin livsstil\n{last}"
    text = f"{long}\nhar talt med sin familie om at ændre sin livssti.\nKOL siden 2019"
    assert flowing(text).endswith("livssti.\nKOL siden 2019")


def test_lines_in_small_letters_are_joined_where_all_of_them_are_full() -> None:
    lines = ["pt er 61 år, ingen kendt", "diabetes, møder til snak", "om livsstil, vil gerne i", "gang"]
    assert flowing("\n".join(lines)) == " ".join(lines)
    pair = "møder til snak om livsstil\nsnarest"
    assert flowing(pair) == pair, "one full line is no proof"


def test_abbreviations_do_not_make_a_writer_of_small_letters() -> None:
    assert flowing("62-årig m. hypert. og apopl. i anamn. Henvises da hun har\nmod på det.").count("\n") == 0
