"""The words we know, and how an unknown word becomes known: inflection, compound, one wrong letter in a long word.

Phrases are rows of ``terms.tsv`` (concepts) and ``cues.tsv`` (scopes), written in normal form. All of them stand in one
trie, so that a text is searched once. Words with their own meaning win over any guess: ``kolesterol`` is not KOL.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

import msgspec

from gateway.mapping.prose.words import Token, normal, tokens

#: endings that do not change what a Danish word means
_ENDINGS = ("erne", "ens", "ets", "ene", "en", "et", "er", "es", "ne", "e", "s", "n", "t")
_STEM, _LONG = 4, 7
_CACHE = 50_000


class Phrase(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a word table."""

    id: str
    #: what it means: a concept (``copd``, ``smoking``) or a scope (``negation``)
    kind: str
    words: tuple[str, ...]
    source: str


class Node:
    """A place in the trie."""

    __slots__ = ("next", "phrases")

    def __init__(self) -> None:
        self.next: dict[str, Node] = {}
        self.phrases: tuple[Phrase, ...] = ()


class Lexicon:
    """Phrases in a trie, and the way from a written word to the words in it. Immutable after construction."""

    def __init__(
        self,
        terms: Iterable[Phrase],
        cues: Iterable[Phrase],
        tails: Iterable[str],
        free_tails: Iterable[str],
        real_words: Iterable[str] = (),
    ) -> None:
        """``tails`` close a compound with a known first part; ``free_tails`` close one with any first part.

        ``real_words`` begin words that are written as meant although they resemble a term: «hjerne…» is not «hjerte…».
        """
        self.root = Node()
        self.words: set[str] = set()
        terms, cues = tuple(terms), tuple(cues)
        common = {word for phrase in cues for word in phrase.words}
        #: of each term its rarest word: a long one, and none of a scope's; without it the term is not told
        self._telling = {max(phrase.words, key=lambda word: (word not in common, len(word))) for phrase in terms}
        for phrase in terms:
            self._add(phrase)
        mendable = [w for w in self.words if len(w) >= _LONG]
        #: by kind of scope, the words that its phrases begin with
        self._begins: dict[str, set[str]] = {}
        for phrase in cues:
            self._add(phrase)
            self._begins.setdefault(phrase.kind, set()).add(phrase.words[0])
        self._tails = tuple(sorted({*tails, *free_tails}, key=len, reverse=True))
        self._free_tails = frozenset(free_tails)
        self._ends = tuple(tail + ending for tail in self._tails for ending in ("", *_ENDINGS))
        self.words |= set(self._tails)
        self._near = _neighbours(mendable)
        #: one letter more than the longest word that a slip can be mended in
        self._longest = max(map(len, mendable), default=0) + 1
        self._real_words = tuple(real_words)
        self.read = lru_cache(maxsize=_CACHE)(self._read)
        self.tokens = lru_cache(maxsize=_CACHE)(self._tokens)

    def _add(self, phrase: Phrase) -> None:
        node = self.root
        for word in phrase.words:
            self.words.add(word)
            node = node.next.setdefault(word, Node())
        node.phrases = (*node.phrases, phrase)

    def may_tell(self, words: Collection[str]) -> bool:
        """Whether a term may be among these words."""
        return not self._telling.isdisjoint(words)

    def may_say(self, kind: str, words: Collection[str]) -> bool:
        """Whether a scope word of this kind may be among these words."""
        return not self._begins.get(kind, frozenset()).isdisjoint(words)

    def forget(self) -> None:
        """Empty the caches: they hold words by number, and a word as long as a text may be must not stay in them."""
        for cached in (self.read, self.tokens, normal):
            cached.cache_clear()

    def _tokens(self, chunk: str) -> tuple[Token, ...]:
        """What stands between two blanks."""
        return tokens(chunk, self.read)

    def _read(self, word: str) -> tuple[str, ...]:
        """The known word or words that a word in normal form stands for; else itself."""
        if word in self.words or not word[0].isalpha():
            return (word,)
        known, mended = self._known(word), self._mended(word)
        if known is not None and (mended is None or len(known) > _STEM):
            return (known,)
        if mended is not None:
            return (mended,)
        return self._compound(word) or (word,)

    def _known(self, word: str) -> str | None:
        """The word itself or its base form."""
        if word in self.words:
            return word
        for ending in _ENDINGS:
            base = word.removesuffix(ending)
            if base != word and len(base) >= _STEM and base in self.words:
                return base
        return None

    def _compound(self, word: str, depth: int = 2) -> tuple[str, ...]:
        """First part and tail of a compound; empty when it is none."""
        if not word.endswith(self._ends):
            return ()
        for tail in self._tails:
            stem = _cut_tail(word, tail)
            if stem is None:
                continue
            for head in (stem, stem.removesuffix("s")):
                known = self._known(head) or (self._mended(head) if len(head) >= _LONG else None)
                if known is not None:
                    return (known, tail)
                inner = self._compound(head, depth - 1) if depth > 1 and len(head) > _STEM else ()
                if inner:
                    return (*inner, tail)
            if tail in self._free_tails:
                return (stem, tail)
        return ()

    def _mended(self, word: str) -> str | None:
        """The one known long word that differs by one letter, one missing or one too many, or two swapped."""
        if not _LONG - 1 <= len(word) <= self._longest:
            return None
        found = {near for key in _variants(word) for near in self._near.get(key, ()) if _one_slip(word, near)}
        if len(found) != 1:
            return None
        near = found.pop()
        meant = any(word.startswith(real) and not near.startswith(real) for real in self._real_words)
        return None if meant else near


def _cut_tail(word: str, tail: str) -> str | None:
    """What stands before the tail (or its inflected form), at least three letters."""
    for ending in ("", *_ENDINGS):
        if word.endswith(tail + ending):
            stem = word[: len(word) - len(tail) - len(ending)]
            return stem if len(stem) >= 3 else None  # noqa: PLR2004  (the shortest first part, «ryg», «kol»)
    return None


def _variants(word: str) -> set[str]:
    return {word, *(word[:i] + word[i + 1 :] for i in range(len(word)))}


def _neighbours(words: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    near: dict[str, tuple[str, ...]] = {}
    for word in words:
        for variant in _variants(word):
            near[variant] = (*near.get(variant, ()), word)
    return near


def _one_slip(written: str, meant: str) -> bool:
    """One substitution, insertion, deletion or swap of neighbours apart; the first letter is always right."""
    if written[0] != meant[0]:
        return False
    if len(written) == len(meant):
        differing = [i for i, (a, b) in enumerate(zip(written, meant, strict=True)) if a != b]
        if len(differing) == 1:
            return True
        swapped = len(differing) == 2 and differing[1] == differing[0] + 1  # noqa: PLR2004  (two letters)
        return swapped and written[differing[0]] == meant[differing[1]] and written[differing[1]] == meant[differing[0]]
    longer, shorter = (written, meant) if len(written) > len(meant) else (meant, written)
    return len(longer) - len(shorter) == 1 and any(longer[:i] + longer[i + 1 :] == shorter for i in range(len(longer)))
