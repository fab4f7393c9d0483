"""Mentions of concepts in prose, each with its scope: denied, doubted, someone else's, past, asked for, refused."""

from collections.abc import Iterator

import msgspec

from gateway.mapping.prose.lexicon import Phrase
from gateway.mapping.prose.passages import Sentence
from gateway.mapping.prose.scopes import PERSONS, is_ago, scopes_of, year_beside
from gateway.mapping.prose.search import Found, SmallWords
from gateway.mapping.prose.words import Token


class Mention(msgspec.Struct, frozen=True, kw_only=True):
    """A concept as the text mentions it."""

    concept: str
    phrase: Phrase
    #: the words as written, with a little of what stands around them
    quote: str
    #: where: the element, and the sentence's number in it
    place: str
    #: the sentence's number in the whole referral; a gap lies between two texts
    sentence: int
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
    #: the year that stands beside it
    year: int | None = None
    #: «for 3 mdr. siden» stands behind it
    ago: bool = False
    #: told as something that happened: after an operation, in 2019, three months ago
    event: bool = False

    @property
    def affirmed(self) -> bool:
        """Said of the citizen, now, without doubt."""
        return not (self.negated or self.doubted or self.family or self.past)


#: a text's sentences with their numbers in the whole referral and the phrases found in them
Searched = list[tuple[int, Sentence, list[Found]]]


def mentions(
    text: tuple[str, str], searched: Searched, concepts: frozenset[str], small: SmallWords
) -> Iterator[Mention]:
    """Every concept in one text, given as (place, text), with its scopes."""
    first = searched[0][0] if searched else 0
    for number, sentence, phrases in searched:
        where = f"{text[0]}, sætning {number - first + 1}"
        cues = [f for f in phrases if f.phrase.kind not in concepts]
        for item in phrases:
            if item.phrase.kind in concepts:
                scopes = scopes_of(sentence, item, cues, small)
                quote = _quote(text[1], sentence.tokens, item)
                yield _mention((where, number, quote), sentence, item, scopes)


def _mention(told: tuple[str, int, str], sentence: Sentence, item: Found, scopes: set[str]) -> Mention:
    place, number, quote = told
    year, ago = year_beside(sentence.words, item), is_ago(sentence.words, item)
    return Mention(
        concept=item.phrase.kind,
        phrase=item.phrase,
        quote=quote,
        place=place,
        sentence=number,
        negated="negation" in scopes or "refuted" in scopes,
        refuted="refuted" in scopes,
        doubted="doubt" in scopes,
        family=not scopes.isdisjoint(PERSONS),
        kin="family" in scopes,
        past="past" in scopes,
        requested="request" in scopes and "refusal" not in scopes,
        refused="refusal" in scopes,
        ongoing="ongoing" in scopes,
        year=year,
        ago=ago,
        event=year is not None or ago or "event" in scopes,
    )


def _quote(text: str, found: list[Token], item: Found) -> str:
    """The words as written, with up to four tokens before and three behind."""
    start = found[max(0, item.start - 4)][1]
    end = found[min(len(found), item.end + 3) - 1][2]
    return " ".join(text[start:end].split())
