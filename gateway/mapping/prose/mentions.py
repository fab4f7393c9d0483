"""Mentions of concepts in prose, each with its scope: denied, doubted, someone else's, past, asked for, refused."""

from collections.abc import Iterator

import msgspec

from gateway.mapping.prose.lexicon import Phrase
from gateway.mapping.prose.passages import Sentence
from gateway.mapping.prose.scopes import PERSONS, is_ago, scopes_of, year_beside
from gateway.mapping.prose.search import Found, SmallWords


class Mention(msgspec.Struct, frozen=True, kw_only=True):
    """A concept as the text mentions it."""

    concept: str
    phrase: Phrase
    #: where: the element, and the sentence's number in it
    place: str
    #: the sentence's number in the whole referral; a gap lies between two texts
    sentence: int
    #: the sentence, and the concept's place in it
    within: Sentence
    found: Found
    negated: bool = False
    #: said to be wrong by name («afkræftet»), not merely denied
    refuted: bool = False
    doubted: bool = False
    #: said of someone else
    family: bool = False
    #: … who is of the citizen's blood
    kin: bool = False
    past: bool = False
    requested: bool = False
    refused: bool = False
    ongoing: bool = False
    #: ordered, not made yet
    pending: bool = False
    #: a word beside it tells of something that happened
    happened: bool = False

    @property
    def affirmed(self) -> bool:
        """Said of the citizen, now, without doubt."""
        return not (self.negated or self.doubted or self.family or self.past)

    @property
    def year(self) -> int | None:
        """The year that stands beside it."""
        return year_beside(self.within.words, self.found)

    @property
    def ago(self) -> bool:
        """«for 3 mdr. siden» stands behind it."""
        return is_ago(self.within.words, self.found)

    @property
    def event(self) -> bool:
        """Told as something that happened: after an operation, in 2019, three months ago."""
        return self.happened or self.ago or self.year is not None

    @property
    def quote(self) -> str:
        """The words as written, with up to four words before and three behind."""
        return self.within.quote(max(0, self.found.start - 4), min(len(self.within.words), self.found.end + 3))


#: sentences of a text with their numbers in the whole referral and the phrases found in them
Searched = list[tuple[int, Sentence, list[Found]]]


def mentions(
    text: tuple[str, int], searched: Searched, concepts: frozenset[str], small: SmallWords
) -> Iterator[Mention]:
    """Every concept in one text, given as its place and its first sentence's number, with its scopes."""
    place, first = text
    for number, sentence, phrases in searched:
        cues = [f for f in phrases if f.phrase.kind not in concepts]
        if len(cues) < len(phrases):
            where = f"{place}, sætning {number - first + 1}"
            for item in phrases:
                if item.phrase.kind in concepts:
                    yield _mention((where, number), sentence, item, scopes_of(sentence, item, cues, small))


def _mention(told: tuple[str, int], sentence: Sentence, item: Found, scopes: set[str]) -> Mention:
    place, number = told
    return Mention(
        concept=item.phrase.kind,
        phrase=item.phrase,
        place=place,
        sentence=number,
        within=sentence,
        found=item,
        negated="negation" in scopes or "refuted" in scopes,
        refuted="refuted" in scopes,
        doubted="doubt" in scopes,
        family=not scopes.isdisjoint(PERSONS),
        kin="family" in scopes,
        past="past" in scopes,
        requested="request" in scopes and "refusal" not in scopes,
        refused="refusal" in scopes,
        ongoing="ongoing" in scopes,
        pending="pending" in scopes,
        happened="event" in scopes,
    )
