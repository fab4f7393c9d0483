"""What must not change a decision, tried on every labelled referral; and what always must."""

import random
import textwrap
from collections.abc import Callable

import pytest

from tests.cases.cases import LabelledCase, all_cases, decided, retold, view

CASES = all_cases()
_SPELLING = str.maketrans({"æ": "ae", "ø": "oe", "å": "aa", "Æ": "Ae", "Ø": "Oe", "Å": "Aa"})
#: nothing in them is about health, habits, family or wishes
_IRRELEVANT = (
    "Bor i lejlighed på 2. sal.",
    "Træffes bedst om formiddagen.",
    "Har en hund og et kolonihavehus.",
    "Tak for hjælpen.",
    "Telefonnummer er opdateret i systemet.",
)


def wrapped(width: int) -> Callable[[str], str]:
    """Lines cut to a width, as some systems send them."""

    def wrap(text: str) -> str:
        return "\n".join("\n".join(textwrap.wrap(line, width)) for line in text.split("\n"))

    return wrap


def with_irrelevant(text: str) -> str:
    """Irrelevant sentences before, behind and between the paragraphs."""
    chance = random.Random(text)
    paragraphs = [part for p in text.split("\n\n") for part in (p, chance.choice(_IRRELEVANT))]
    return "\n\n".join([chance.choice(_IRRELEVANT), *paragraphs])


def reversed_paragraphs(text: str) -> str:
    return "\n\n".join(reversed(text.split("\n\n")))


TELLINGS = {
    "capitals": str.upper,
    "small letters": str.lower,
    "ae, oe, aa": lambda text: text.translate(_SPELLING),
    "two blanks": lambda text: text.replace(" ", "  "),
    "Windows line ends": lambda text: text.replace("\n", "\r\n"),
    "irrelevant sentences": with_irrelevant,
    "other order": reversed_paragraphs,
    "lines of 60": wrapped(60),
    "lines of 75": wrapped(75),
}


#: a line that happens to end in a full stop ends its heading's scope («Tidligere: …»): more is found, a person looks
AMBIGUOUS = {"lines of 60": {"dj-018", "ev-077"}}


def has_capitals(case: LabelledCase) -> bool:
    """Where a writer uses none, a line end cannot be told from a sentence's."""
    return case.text != case.text.lower()


@pytest.mark.parametrize("telling", TELLINGS)
def test_the_decision_is_the_same_told_otherwise(telling: str) -> None:
    cases = [c for c in CASES if has_capitals(c) or not telling.startswith("lines")]
    changed = [c.id for c in cases if view(decided(retold(c, TELLINGS[telling](c.text)))) != c.expected]
    assert len(cases) > 900
    assert set(changed) <= AMBIGUOUS.get(telling, set())
    told = [decided(retold(c, TELLINGS[telling](c.text))) for c in cases if c.id in changed]
    assert all(decision.outcome == "review" for decision in told)


@pytest.mark.parametrize(
    ("said", "denied"),
    [
        ("Har type 2-diabetes.", "Har ikke type 2-diabetes."),
        ("Kendt KOL.", "Ingen kendt KOL."),
        ("Pt. har KOL og hjertesvigt.", "Pt. har hverken KOL eller hjertesvigt."),
        ("Ønsker rygestop.", "Ønsker ikke rygestop."),
        ("Vil gerne tale om sit alkoholforbrug.", "Vil ikke tale om sit alkoholforbrug."),
        ("Lændesmerter siden marts.", "Ingen lændesmerter."),
        ("Iskæmisk hjertesygdom.", "Iskæmisk hjertesygdom er afkræftet."),
        ("Brystkræft, i behandling.", "Brystkræft er udelukket."),
        ("Henvises mhp. vægttab.", "Ønsker ikke vægttab."),
        ("Har selvmordstanker.", "Ingen selvmordstanker."),
        ("Prædiabetes, HbA1c 45. Hypertension.", "Ingen prædiabetes. Hypertension."),
        ("Type 1-diabetes.", "Ikke type 1-diabetes."),
    ],
)
def test_denying_the_decisive_sentence_changes_the_decision(said: str, denied: str) -> None:
    bare = next(c for c in CASES if not c.diagnoses and not c.observations and c.referrer == "practice")
    affirmed, negated = (decided(retold(bare, text)) for text in (said, denied))
    assert (affirmed.programmes, affirmed.reasons) != (negated.programmes, negated.reasons)
    assert negated.programmes == ()
    assert "URGENT" not in negated.reasons
