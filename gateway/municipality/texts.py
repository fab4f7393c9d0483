"""The municipality's words: on which occasions it writes, to whom, in which text; proved before the first letter.

An occasion is a conclusion of ours (``accepted``, ``returned`` …) or a step that a team tells of. A step without a
section in the file is answered by no letter.
"""

from collections.abc import Collection, Iterator, Mapping
from string import Formatter

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the municipality file; unknown keys are refused."""


class LetterText(Record, frozen=True, kw_only=True):
    """Subject (at most 70 characters) of a letter, its text with ``{placeholders}``, and who gets it."""

    subject: str
    text: str
    #: ``referrer``, ``copy`` (the copy receiver that the referral names); empty: the occasion is answered by no letter
    to: tuple[str, ...] = ("referrer",)


#: the occasions that every file has words for, and the placeholders each text may hold
OCCASIONS: Mapping[str, frozenset[str]] = {
    "review": frozenset({"received"}),
    "accepted": frozenset({"received", "interventions", "deadline", "offers"}),
    "info_requested": frozenset({"received", "note"}),
    "returned": frozenset({"received", "note"}),
    "withdrawn": frozenset({"received", "told", "note"}),
    "discharge": frozenset({"received", "courses"}),
    "discharge_corrected": frozenset({"received", "courses"}),
}
_OF_A_STEP = frozenset({"received", "occurred", "interventions", "note"})
#: steps that a municipality may want a letter for
STEP_OCCASIONS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(
        (
            "info_received", "referral_requested", "contacted", "talk_held", "course_started", "session_held",
            "no_show", "referred_on", "reassigned", "closing_talk_held", "follow_up_held",
        ),
        _OF_A_STEP,
    ),
    "talk_booked": _OF_A_STEP | {"booked"},
}  # fmt: skip
#: without these the letter would not say what it is for
_NEEDED = {
    "info_requested": "note",
    "returned": "note",
    "discharge": "courses",
    "discharge_corrected": "courses",
    "accepted": "interventions",
}
#: nobody may be left to believe something that is no longer so, or never hear what came of it
_REFERRER_MUST_HEAR = frozenset({"info_requested", "returned", "withdrawn", "discharge", "discharge_corrected"})
#: the reasons that lead to a drafted answer, in the order in which the answer names them
RETURN_REASONS = ("OUTSIDE_MUNICIPALITY", "NOT_OFFERED", "HBA1C_BELOW")
_RETURN_PLACEHOLDERS = frozenset({"received", "evidence", "offers"})
_SUBJECT_LENGTH = 70  # XDIS91 AdditionalInformation/Subject, an1..70
#: characters of one text of the file; a letter holds several and the teams' notes beside
_TEXT_LENGTH = 2000


def letter_problems(letters: Mapping[str, LetterText]) -> Iterator[str]:
    """What is wrong with the letters' words."""
    yield from (f"letters.{name} is missing" for name in OCCASIONS if name not in letters)
    known = {**OCCASIONS, **STEP_OCCASIONS}
    for name, letter in letters.items():
        if name not in known:
            yield f"letters.{name}: no such occasion"
            continue
        found = [*_text_problems(letter.subject, frozenset()), *_text_problems(letter.text, known[name])]
        found += [*_receiver_problems(name, letter.to), *_missing(name, letter.text)]
        yield from (f"letters.{name}: {problem}" for problem in found)
        if len(letter.subject) > _SUBJECT_LENGTH:
            yield f"letters.{name}: the subject is longer than {_SUBJECT_LENGTH} characters"


def return_problems(returns: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the drafted answers."""
    yield from (f"returns.{name} is missing" for name in RETURN_REASONS if name not in returns)
    for name, text in returns.items():
        if name not in RETURN_REASONS:
            yield f"returns.{name}: no such reason"
        yield from (f"returns.{name}: {problem}" for problem in _text_problems(text, _RETURN_PLACEHOLDERS))


def offer_problems(offers: Mapping[str, str], offered: Collection[str]) -> Iterator[str]:
    """Every programme that is offered is told of, and no other."""
    yield from (f"offers.{name} is missing" for name in sorted(set(offered) - set(offers)))
    for name, text in offers.items():
        if name not in offered:
            yield f"offers.{name} has no route"
        yield from (f"offers.{name}: {problem}" for problem in _text_problems(text, frozenset()))


def _receiver_problems(name: str, to: Collection[str]) -> Iterator[str]:
    for receiver in sorted(set(to) - {"referrer", "copy"}):
        yield f"to: {receiver!r} is neither 'referrer' nor 'copy'"
    if name in _REFERRER_MUST_HEAR and "referrer" not in to:
        yield "to: the referrer must get this letter"


def _missing(name: str, text: str) -> Iterator[str]:
    needed = _NEEDED.get(name)
    if needed is not None and f"{{{needed}}}" not in text:
        yield f"the text must hold {{{needed}}}"


def _text_problems(text: str, allowed: frozenset[str]) -> list[str]:
    try:
        parts = [part[1:] for part in Formatter().parse(text) if part[1] is not None]
    except ValueError as error:
        return [f"braces do not match ({error})"]
    problems = [f"unknown placeholder {{{field}}}" for field in sorted({str(p[0]) for p in parts} - allowed)]
    problems += [f"{{{field}}} must stand without a format" for field, form, as_ in parts if form or as_]
    if "bevilg" in text.lower():
        problems.append("a gateway never says that something is granted («bevilget»)")
    if len(text) > _TEXT_LENGTH:
        problems.append(f"longer than {_TEXT_LENGTH} characters")
    return problems
