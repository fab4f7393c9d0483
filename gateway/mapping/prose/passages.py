"""Lines, headings and sentences: where a scope begins and where it ends."""

from collections.abc import Collection, Iterator, Mapping
from itertools import chain

from gateway.mapping.prose.lexicon import Lexicon
from gateway.mapping.prose.words import Written, is_decimal, normal

#: signs and line ends, at which a sentence may end
_MARKS = frozenset(".!;?:\n")
_BULLETS = frozenset("-*•–·.)")
_HEADING_WORDS, _SHORT = 4, 4

#: the first token, and the one behind the last
_Range = tuple[int, int]


class Sentence:
    """Words between two full stops or line ends, under a heading's scope."""

    __slots__ = ("_known", "_start", "_written", "scope", "words")

    def __init__(self, scope: str, written: Written, start: int, known: list[tuple[str, ...]]) -> None:
        #: scope of the heading it stands under, empty for none
        self.scope = scope
        #: in the form they are known by; a compound is its parts
        self.words = list(chain.from_iterable(known))
        self._written, self._start, self._known = written, start, known

    def quote(self, start: int, stop: int) -> str:
        """What stands in the text for the words from ``start`` up to ``stop``, on one line."""
        places = [place for place, words in enumerate(self._known, self._start) for _ in words]
        return self._written.quote(places[start], places[stop - 1] + 1)


class Passages:
    """A text that is being cut into sentences."""

    def __init__(
        self, text: str, lexicon: Lexicon, headings: Mapping[str, str], abbreviations: Collection[str]
    ) -> None:
        self._written = Written(text)
        self._tokens = self._written.tokens
        #: by token, the words it stands for; none for an abbreviation's full stop
        self._known = list(map(lexicon.read, self._tokens))
        self._headings, self._abbreviations = headings, abbreviations

    def sentences(self) -> list[Sentence]:
        """In order. A heading's scope holds to the end of its line, or, alone on its line, of its paragraph."""
        out: list[Sentence] = []
        block = ""
        for line, marks in self._lines():
            scope, alone = self._heading(line)
            if scope is not None:
                block = scope if alone else ""
            for held, start, stop in self._cut(line, marks, scope if scope is not None else block):
                if start < stop:
                    out.append(Sentence(held, self._written, start, self._known[start:stop]))
            if self._tokens[line[1] : line[1] + 1] != ["\n"]:  # more than one line end: the paragraph's
                block = ""
        return out

    def _lines(self) -> Iterator[tuple[_Range, list[int]]]:
        """Lines, each with the signs in it at which a sentence may end."""
        start = 0
        marks: list[int] = []
        for index in [i for i, token in enumerate(self._tokens) if token[0] in _MARKS]:
            if self._tokens[index][0] == "\n":
                yield (start, index), marks
                start, marks = index + 1, []
            else:
                marks.append(index)
        yield (start, len(self._tokens)), marks

    def _heading(self, line: _Range) -> tuple[str | None, bool]:
        """(scope, whether nothing follows) of a line; scope None when it has no heading.

        Words before a colon at the line's start are a heading even when no table knows them: they end an earlier scope.
        """
        start, stop = line
        while start < stop and (self._tokens[start] in _BULLETS or self._tokens[start].isdigit()):
            start += 1
        for colon in range(start + 1, min(start + 1 + _HEADING_WORDS, stop)):
            if self._tokens[colon] == ":":
                words = " ".join(filter(str.isalpha, map(normal, self._tokens[start:colon])))
                return self._headings.get(words, ""), colon + 1 == stop
        return None, False

    def _cut(self, line: _Range, marks: list[int], scope: str) -> Iterator[tuple[str, int, int]]:
        """Cut a line at full stops and at headings in its middle («Tobak: 10 dgl. Alkohol: 3/uge»); some are empty."""
        start, stop = line
        for index in marks:
            if self._tokens[index] == ":":
                before = index - 1 if self._known[index - 1] else index - 2  # «Tidl.:»
                heading = normal(self._tokens[before])
                if before >= start and heading in self._headings:
                    yield scope, start, before
                    scope, start = self._headings[heading], before
            elif self._is_abbreviation(line, index):
                self._known[index] = ()
            else:
                yield scope, start, index + 1 if self._tokens[index] == "?" else index
                start = index + 1
        yield scope, start, stop

    def _is_abbreviation(self, line: _Range, index: int) -> bool:
        """A full stop directly behind an abbreviation, a letter, or a short word and more («Kol.tal», «Kol. 5,2»)."""
        inside = line[0] < index < line[1] - 1
        if not inside or self._tokens[index] != "." or not self._written.is_attached(index):
            return False
        word, following = normal(self._tokens[index - 1]), normal(self._tokens[index + 1])
        more = is_decimal(following) or (self._written.is_attached(index + 1) and following.isalpha())
        return word in self._abbreviations or (word.isalpha() and (len(word) == 1 or (more and len(word) <= _SHORT)))
