"""Lines, headings and sentences: where a scope begins and where it ends."""

from collections.abc import Collection, Iterator, Mapping

from gateway.mapping.prose.lexicon import Lexicon
from gateway.mapping.prose.words import Token, is_decimal, tokens

_ENDS = frozenset(".!;?")
_BULLETS = frozenset("-*•–·")
_HEADING_WORDS, _SHORT = 4, 4


class Sentence:
    """Tokens between two full stops or line ends, under a heading's scope."""

    __slots__ = ("scope", "tokens", "words")

    def __init__(self, scope: str, found: list[Token]) -> None:
        #: scope of the heading it stands under, empty for none
        self.scope = scope
        self.tokens = found
        self.words = [t[0] for t in found]


def sentences(
    text: str, lexicon: Lexicon, headings: Mapping[str, str], abbreviations: Collection[str]
) -> list[Sentence]:
    """The text's sentences. A heading's scope holds to the end of its line, or, alone on its line, of its paragraph."""
    out: list[Sentence] = []
    block = ""
    for line, paragraph_ends in _lines(tokens(text)):
        scope, alone = _heading(line, headings)
        if scope is not None:
            block = scope if alone else ""
        cut = _sentences(line, scope if scope is not None else block, headings, abbreviations)
        out += [_known(sentence, lexicon) for sentence in cut if sentence[1]]
        if paragraph_ends:
            block = ""
    return out


def _lines(found: list[Token]) -> Iterator[tuple[list[Token], bool]]:
    """Lines, each with whether an empty line follows."""
    line: list[Token] = []
    for token in found:
        if token[0][0] == "\n":
            yield line, token[0].count("\n") > 1
            line = []
        else:
            line.append(token)
    yield line, True


def _heading(line: list[Token], headings: Mapping[str, str]) -> tuple[str | None, bool]:
    """(scope, whether nothing follows) of a line; scope None when it has no heading.

    Words before a colon at the line's start are a heading even when no table knows them: they end an earlier scope.
    """
    start = 0
    while start < len(line) and (line[start][0] in _BULLETS or line[start][0].isdigit() or line[start][0] in ".)"):
        start += 1
    for length in range(1, _HEADING_WORDS + 1):
        colon = start + length
        if colon < len(line) and line[colon][0] == ":":
            words = " ".join(t[0] for t in line[start:colon] if t[0].isalpha())
            return headings.get(words, ""), colon + 1 == len(line)
    return None, False


def _sentences(
    line: list[Token], scope: str, headings: Mapping[str, str], abbreviations: Collection[str]
) -> Iterator[tuple[str, list[Token]]]:
    """Cut a line at full stops and at headings in its middle («Tobak: 10 dgl. Alkohol: 3/uge»); some are empty."""
    current: list[Token] = []
    for index, token in enumerate(line):
        word = token[0]
        if word in _ENDS:
            if _is_abbreviation(line, index, abbreviations):
                continue
            if word == "?":
                current.append(token)
            yield scope, current
            current = []
        elif word == ":" and current and current[-1][0] in headings:
            heading = current.pop()
            yield scope, current
            scope, current = headings[heading[0]], [heading, token]
        else:
            current.append(token)
    yield scope, current


def _is_abbreviation(line: list[Token], index: int, abbreviations: Collection[str]) -> bool:
    """A full stop directly behind an abbreviation, a letter, or a short word and more («Kol.tal», «Kol. 5,2»)."""
    if index == 0 or index + 1 == len(line) or line[index][0] != "." or line[index - 1][2] != line[index][1]:
        return False
    word = line[index - 1][0]
    following, start, _ = line[index + 1]
    more = is_decimal(following) or (start == line[index][2] and following.isalpha())
    return word in abbreviations or (word.isalpha() and (len(word) == 1 or (more and len(word) <= _SHORT)))


def _known(sentence: tuple[str, list[Token]], lexicon: Lexicon) -> Sentence:
    """The sentence with every word in its known form; a compound becomes its parts, at the same place."""
    scope, found = sentence
    out: list[Token] = []
    split = lexicon.split
    for token in found:
        words = split(token[0])
        if words is None:
            out.append(token)
        else:
            out += [(word, token[1], token[2]) for word in words]
    return Sentence(scope, out)
