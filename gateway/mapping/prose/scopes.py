"""Which scope words reach a mention. The rules are few and the same for every concept.

A scope word reaches forward to the end of its clause, at most nine words; a comma is passed only inside a list that
«eller» or «og» closes; «men», brackets and words of cause end it. Some scope words stand behind what they speak of.
"""

from gateway.mapping.prose.passages import Sentence
from gateway.mapping.prose.search import Found, SmallWords

#: scopes by the kind of their words; a kind with ``_after`` stands behind
FORWARD = frozenset(
    [
        "negation", "doubt", "family", "others", "husband", "past", "request", "refusal", "ongoing", "event", "refuted",
        "pending",
    ]
)  # fmt: skip
PERSONS = frozenset({"family", "others", "husband"})
_AFTER = {f"{kind}_after": kind for kind in FORWARD}
_NEAR, _FAR = 4, 9
_POSSESSIVES = frozenset({",", "hans", "hendes", "pts", "min", "patientens", "borgerens"})
_NO = frozenset({"ikke", "ej", "ingen"})
_RELATIVE = frozenset({"der", "som"})
_UNITS = frozenset({"aar", "mdr", "maaneder", "maaned", "uger", "uge", "dage"})


def scopes_of(sentence: Sentence, item: Found, cues: list[Found], small: SmallWords) -> set[str]:
    """The scopes that reach a mention, its heading's among them."""
    scopes = {sentence.scope} if sentence.scope else set()
    words = sentence.words
    if any(cue.phrase.kind == "asking" and cue.start == 0 for cue in cues):  # «Kan I tilbyde noget ved KOL?»
        cues = [cue for cue in cues if cue.phrase.words != ("?",)]
    if not _NO.isdisjoint(item.phrase.words):  # «kan ikke deltage på hold» says its own no
        cues = [cue for cue in cues if cue.phrase.kind != "negation"]
    for cue in cues:
        kind = cue.phrase.kind
        if cue.start < item.start and cue.end < item.end:
            if kind in FORWARD and kind not in scopes and _reaches(words, cue, item, (cues, small)):
                scopes.add(kind)
        elif cue.start >= item.end and kind in _AFTER and _reaches_back(words, item, cue, small):
            scopes.add(_AFTER[kind])
    return scopes


def _reaches(words: list[str], cue: Found, item: Found, given: tuple[list[Found], SmallWords]) -> bool:
    cues, small = given
    between = words[cue.end : item.start]
    kind = cue.phrase.kind
    if kind in PERSONS and between[:1] == ["("]:
        between = between[1:]
    if not small.boundaries.isdisjoint(between) or _is_closed(cue, item, cues):
        return False
    if kind == "request" or (kind in PERSONS and _tells_of(cue, item, cues)):
        return True
    if kind == "past":
        return len(between) <= _NEAR and "," not in between
    elsewhere = kind in PERSONS and _has_own_wish(words, cue, item, cues)
    local = kind == "negation" and _is_local(cue, item, cues)
    return not (elsewhere or local) and _within_list(words, cue.end, item.start, small)


def _is_closed(cue: Found, item: Found, cues: list[Found]) -> bool:
    """A new clause begins between the scope word and the mention."""
    opened = [c for c in cues if c.phrase.kind == "clause" and cue.end <= c.start < item.start]
    return bool(opened) and not (cue.phrase.kind in PERSONS and _tells_of(cue, item, cues))


def _tells_of(person: Found, item: Found, cues: list[Found]) -> bool:
    """«Ægtefællen, der er hjertepatient»: the clause behind a person speaks of that person."""
    opened = [c for c in cues if c.phrase.kind == "clause" and person.end <= c.start < item.start]
    return len(opened) == 1 and opened[0].start == person.end and opened[0].phrase.words[1] in _RELATIVE


def _has_own_wish(words: list[str], cue: Found, item: Found, cues: list[Found]) -> bool:
    """«… er blevet bedstemor og ønsker rygestop»: the wish is the citizen's."""
    if cue.start == 0 or words[cue.start - 1] in _POSSESSIVES:
        return False
    return any(
        c.phrase.kind in {"request", "refusal"} and cue.end < c.start < item.start and words[c.start - 1] == "og"
        for c in cues
    )


def _is_local(cue: Found, item: Found, cues: list[Found]) -> bool:
    """«ikke velreguleret diabetes» denies the control, not the diabetes."""
    return any(c.phrase.kind == "local" and c.start == cue.end and c.end <= item.start for c in cues)


def _within_list(words: list[str], start: int, stop: int, small: SmallWords) -> bool:
    """Whether a scope that begins at ``start`` still holds at ``stop``: no comma, or only those of a closed list."""
    between = words[start:stop]
    if "," not in between:
        return len(between) <= _FAR
    pieces = " ".join(between).split(" , ")
    listed = all(len(piece.split()) <= _NEAR and not piece.startswith("at ") for piece in pieces)
    return listed and not small.joins.isdisjoint(words[start : stop + 2 * _NEAR])


def _reaches_back(words: list[str], item: Found, cue: Found, small: SmallWords) -> bool:
    between = words[item.end : cue.start]
    if len(between) > 1 and between[-2] == "," and between[-1] in _RELATIVE:  # «KOL, som er afkræftet»
        between = between[:-2]
    return len(between) <= _NEAR and "," not in between and (small.boundaries - {":"}).isdisjoint(between)


def year_beside(words: list[str], item: Found) -> int | None:
    """«AMI 2011», «i 2019 brystkræft», «periode i 1998 med …»; «KOL siden 2015» goes on and has none."""
    behind = _clause(words[item.end : item.end + _NEAR])
    for index, word in enumerate(behind):
        if _is_year(word) and "siden" not in behind[:index]:
            return int(word)
    before = _clause(words[max(0, item.start - _NEAR) : item.start][::-1])
    return next((int(w) for w in before if _is_year(w)), None)


def is_ago(words: list[str], item: Found) -> bool:
    """«for 3 mdr. siden» stands behind the mention."""
    behind = words[item.end : item.end + _NEAR + 3]
    return "siden" in behind and not _UNITS.isdisjoint(behind[: behind.index("siden")])


def _clause(words: list[str]) -> list[str]:
    """The words up to the first comma."""
    return words[: words.index(",")] if "," in words else words


def _is_year(word: str) -> bool:
    return len(word) == len("2019") and word.isdigit() and word[:2] in {"19", "20"}
