"""Phrases found in a sentence, and the small words that scopes are measured with."""

import msgspec

from gateway.mapping.prose.lexicon import Lexicon, Node, Phrase
from gateway.mapping.prose.passages import Sentence
from gateway.mapping.prose.words import is_decimal

#: letters of a word that may be a laboratory's abbreviation
_SHORT = 3
#: how many small words may stand in a phrase in a row
_FILLERS = 2
_SIGNS = frozenset({":", ","})


class SmallWords(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of ``cues.tsv`` that are no scope themselves."""

    #: may stand inside a phrase without changing it («stoppe *helt* med at ryge»)
    fillers: frozenset[str]
    #: end a scope: «men», brackets, words of cause
    boundaries: frozenset[str]
    #: hold a list together: «eller», «og»
    joins: frozenset[str]
    #: may stand between two values of one list
    value_links: frozenset[str]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A phrase found at ``start`` up to ``end`` (token indexes) of a sentence."""

    phrase: Phrase
    start: int
    end: int


def find(sentence: Sentence, lexicon: Lexicon, fillers: frozenset[str]) -> list[Found]:
    """All phrases in a sentence, the longest at each place; a phrase inside another one is not found."""
    words, first = sentence.words, lexicon.root.next
    out: list[Found] = []
    reached = 0
    for start, word in enumerate(words):
        node = first.get(word)
        if node is None:
            continue
        end, phrases = start + 1, node.phrases
        following = words[end] if end < len(words) else ""
        if node.next and (following in node.next or _fills(following, fillers)):
            end, phrases = _longest(words, start, node, fillers)
        if phrases and end > reached and not _is_measured(words, start, end):
            out += [Found(phrase=p, start=start, end=end) for p in phrases]
            if word not in _SIGNS:  # «: ingen» and «, henvises» stand behind one word and before another
                reached = end
    return out


def _is_measured(words: list[str], start: int, end: int) -> bool:
    """A short word before a decimal number names what was measured: «Kol. 5,2» is cholesterol."""
    return end - start == 1 and len(words[start]) <= _SHORT and end < len(words) and is_decimal(words[end])


def _fills(word: str, fillers: frozenset[str]) -> bool:
    """A small word, or a number («smide *20* kg»)."""
    return word in fillers or word.isdigit()


def _behind_fillers(words: list[str], index: int, fillers: frozenset[str]) -> int:
    """The place behind a few small words."""
    stop = min(index + _FILLERS, len(words))
    while index < stop and _fills(words[index], fillers):
        index += 1
    return index


def _longest(words: list[str], start: int, node: Node, fillers: frozenset[str]) -> tuple[int, tuple[Phrase, ...]]:
    best_end, best = start + 1, node.phrases
    index = start + 1
    while index < len(words):
        following = node.next.get(words[index])
        if following is None:
            index = _behind_fillers(words, index, fillers)
            following = node.next.get(words[index]) if index < len(words) else None
            if following is None:
                break
        node = following
        index += 1
        if node.phrases:
            best_end, best = index, node.phrases
    return best_end, best
