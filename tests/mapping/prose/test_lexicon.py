"""How a written word becomes a known one: inflection, compound, one wrong letter; and where it stays as it is."""

import pytest

from gateway.mapping.interpretation import interpretation
from gateway.mapping.prose.lexicon import Lexicon
from gateway.mapping.prose.words import normal
from tests.mapping.prose.tables import CUES, FREE_TAILS, TAILS, TERMS, phrases


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("KOL", ("kol",)),
        ("Kræften", ("kraeft",)),
        ("kolpatient", ("kol", "patient")),
        ("diabeteshold", ("diabetes", "hold")),
        ("tarmkræft", ("tarm", "kraeft")),
        ("diabtes", ("diabetes",)),
        ("dibaetes", ("diabetes",)),
        ("diabettes", ("diabetes",)),
        ("diabetik", ("diabetik",)),
        ("kolesterol", ("kolesterol",)),
        ("42", ("42",)),
    ],
)
def test_inflection_compound_and_one_wrong_letter(written: str, known: tuple[str, ...]) -> None:
    assert Lexicon(phrases(TERMS), phrases(CUES), TAILS, FREE_TAILS).read(normal(written)) == known


def test_a_real_word_and_what_begins_with_it_are_not_mended() -> None:
    terms = {"heart": ("hjertesygdom",), "smoking": ("rygning",)}
    guessing = Lexicon(phrases(terms), [], (), ())
    knowing = Lexicon(phrases(terms), [], (), (), ("hjerne", "regning"))
    for written, guessed in (("hjernesygdom", "hjertesygdom"), ("regningen", "regningen"), ("regning", "rygning")):
        assert guessing.read(written) == (guessed,)
        assert knowing.read(written) == (written,)
    assert knowing.read("hjertsygdom") == ("hjertesygdom",)


def test_danish_words_that_resemble_a_term_keep_their_meaning() -> None:
    read = interpretation().words.lexicon.read
    assert read("hjerneoperation") == ("hjerne", "operation")
    assert read("hjernelidelsen") == ("hjerne", "lidelse")
    for written in ("regningen", "slanger", "syvende", "sekunder", "udledning", "indtægten", "trillinger"):
        assert read(normal(written)) == (normal(written),)
