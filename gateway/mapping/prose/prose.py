"""A referral's free text as mentions: every text piece read once, with the word tables that come with the program."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain

import msgspec

from gateway.mapping.prose.lexicon import Lexicon
from gateway.mapping.prose.mentions import Mention, Searched, mentions
from gateway.mapping.prose.passages import Passages, Sentence
from gateway.mapping.prose.search import Found, SmallWords, find
from gateway.referral.model import ClinicalText

#: between the sentence numbers of two texts, so that they are no neighbours
_GAP = 10
_WOMAN = frozenset({"hun", "hende", "hendes", "kvinde", "kvinden"})
_MAN = frozenset({"han", "ham", "hans", "mand", "manden"})


class WordTables(msgspec.Struct, frozen=True, kw_only=True):
    """What the reader needs of the tables."""

    lexicon: Lexicon
    #: kinds of ``terms.tsv``
    concepts: frozenset[str]
    headings: Mapping[str, str]
    abbreviations: frozenset[str]
    small: SmallWords


class Prose:
    """What the texts of one referral say."""

    def __init__(self, texts: Sequence[ClinicalText], tables: WordTables) -> None:
        #: each text with the sentences that may tell something, and the phrases found in them
        self.searched: list[tuple[ClinicalText, Searched]] = []
        self.mentions: list[Mention] = []
        passages = Passages(tables.lexicon, tables.headings, tables.abbreviations)
        read = [passages.sentences(text.text) for text in texts]
        words = set(chain.from_iterable(sentence.words for found in read for sentence in found))
        of_a_woman = not _WOMAN.isdisjoint(words)
        #: speaks of a man, and of no woman
        self.of_a_man = not of_a_woman and not _MAN.isdisjoint(words)
        maybe_husband = not of_a_woman and tables.lexicon.may_say("husband", words)
        first = 0
        for text, found in zip(texts, read, strict=True):
            telling = [(n, s) for n, s in enumerate(found, first) if tables.lexicon.may_tell(s.words)]
            searched = [(n, s, find(s, tables.lexicon, tables.small.fillers)) for n, s in telling]
            heard = list(_without_citizen(searched, tables.concepts)) if maybe_husband else searched
            self.searched.append((text, heard))
            self.mentions += mentions((text.place, first), heard, tables.concepts, tables.small)
            first += len(found) + _GAP

    @cached_property
    def by_concept(self) -> Mapping[str, list[Mention]]:
        """Mentions by concept, in the order written."""
        out: dict[str, list[Mention]] = {}
        for mention in self.mentions:
            out.setdefault(mention.concept, []).append(mention)
        return out

    def of(self, *concepts: str) -> list[Mention]:
        """Mentions of any of these concepts."""
        found: list[Mention] = []
        by_concept = self.by_concept
        for concept in concepts:
            if concept in by_concept:
                found += by_concept[concept]
        return found

    def affirmed(self, *concepts: str) -> list[Mention]:
        """Mentions said of the citizen, now, without doubt."""
        return [m for m in self.of(*concepts) if m.affirmed]

    def requested(self, *concepts: str) -> list[Mention]:
        """Mentions that the text asks for: not refused, not denied, not someone else's."""
        return [m for m in self.of(*concepts) if m.requested and not (m.refused or m.negated or m.family)]


def _without_citizen(searched: Searched, concepts: frozenset[str]) -> Iterator[tuple[int, Sentence, list[Found]]]:
    """«Mand» is the citizen if the text speaks of no woman; a husband begins a sentence after something clinical."""
    told = False
    for number, sentence, phrases in searched:
        yield number, sentence, [f for f in phrases if f.phrase.kind != "husband" or (told and f.start == 0)]
        told = told or any(f.phrase.kind in concepts for f in phrases)
