"""Lines, headings and sentences: where a scope begins and where it ends."""

from collections.abc import Collection, Iterator, Mapping
from itertools import chain

import msgspec

from gateway.mapping.prose.lexicon import Lexicon
from gateway.mapping.prose.words import Token, is_decimal

#: signs at which a sentence may end
_SIGNS = frozenset(".!;?:")
_BULLETS = frozenset("-*•–·.)")
_HEADING_WORDS, _SHORT = 4, 4
#: words of a sentence, letters of a word: what goes on longer is none, and would be searched or kept for ever
_LONGEST = 400


class Sentence:
    """Words between two full stops or line ends, under a heading's scope."""

    __slots__ = ("_tokens", "scope", "words")

    def __init__(self, scope: str, tokens: list[Token]) -> None:
        #: scope of the heading it stands under, empty for none
        self.scope = scope
        #: in the form they are known by; a compound is its parts
        self.words = [word for token in tokens for word in token.words]
        self._tokens = tokens

    def quote(self, start: int, stop: int) -> str:
        """What stands in the text for the words from ``start`` up to ``stop``."""
        places = [place for place, token in enumerate(self._tokens) for _ in token.words]
        quoted = self._tokens[places[start] : places[stop - 1] + 1]
        return "".join([quoted[0].written, *(token.before + token.written for token in quoted[1:])])


class Passages:
    """Cuts texts into sentences."""

    def __init__(self, lexicon: Lexicon, headings: Mapping[str, str], abbreviations: Collection[str]) -> None:
        self._lexicon, self._headings, self._abbreviations = lexicon, headings, abbreviations

    def sentences(self, text: str) -> list[Sentence]:
        """In order. A heading's scope holds to the end of its line, or, alone on its line, of its paragraph."""
        out: list[Sentence] = []
        block, endless = "", False
        for line in text.split("\n"):
            chunks = line.split()
            if not chunks:
                block = ""
                continue
            endless = endless or (len(line) > _LONGEST and max(map(len, chunks)) > _LONGEST)
            tokens = list(chain.from_iterable(map(self._lexicon.tokens, chunks)))
            scope, alone = self._heading(tokens)
            if scope is not None:
                block = scope if alone else ""
            for held, found in self._cut(tokens, scope if scope is not None else block):
                out += [Sentence(held, found[n : n + _LONGEST]) for n in range(0, len(found), _LONGEST)]
        if endless:
            self._lexicon.forget()
        return out

    def _heading(self, line: list[Token]) -> tuple[str | None, bool]:
        """(scope, whether nothing follows) of a line; scope None when it has no heading.

        Words before a colon at the line's start are a heading even when no table knows them: they end an earlier scope.
        """
        start = 0
        while start < len(line) and (line[start].form in _BULLETS or line[start].form.isdigit()):
            start += 1
        for colon in range(start + 1, min(start + 1 + _HEADING_WORDS, len(line))):
            if line[colon].form == ":":
                words = " ".join(t.form for t in line[start:colon] if t.form.isalpha())
                return self._headings.get(words, ""), colon + 1 == len(line)
        return None, False

    def _cut(self, line: list[Token], scope: str) -> Iterator[tuple[str, list[Token]]]:
        """Cut a line at full stops and at headings in its middle («Tobak: 10 dgl. Alkohol: 3/uge»); some are empty."""
        current: list[Token] = []
        start = 0
        for index in [i for i, token in enumerate(line) if token.form in _SIGNS]:
            sign = line[index].form
            current += line[start : index + 1 if sign == "?" else index]
            start = index if sign == ":" else index + 1
            if sign == ":":
                at = len(current) - (2 if current and not current[-1].words else 1)  # «Tidl.:»
                if at >= 0 and current[at].form in self._headings:
                    yield scope, current[:at]
                    scope, current = self._headings[current[at].form], current[at:]
            elif self._is_abbreviation(line, index):
                current.append(msgspec.structs.replace(line[index], words=()))
            else:
                yield scope, current
                current = []
        yield scope, current + line[start:]

    def _is_abbreviation(self, line: list[Token], index: int) -> bool:
        """A full stop directly behind an abbreviation, a letter, or a short word and more («Kol.tal», «Kol. 5,2»)."""
        if line[index].form != "." or line[index].before or not 0 < index < len(line) - 1:
            return False
        word, following = line[index - 1].form, line[index + 1]
        more = is_decimal(following.form) or (not following.before and following.form.isalpha())
        return word in self._abbreviations or (word.isalpha() and (len(word) == 1 or (more and len(word) <= _SHORT)))
