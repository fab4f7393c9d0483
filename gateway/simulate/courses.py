"""What a simulated team does about an assignment, step by step: how a review is decided, how a course goes.

The proportions are invented; they make every step and every end occur in a year of a few hundred referrals.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta
from random import Random
from typing import Any, TypeVar

import msgspec

from fsiii import (
    AFKLARENDE_SAMTALE,
    BEHOVSSAMTALE,
    FYSISK_TRAENING,
    KOSTVEJLEDNING,
    NIKOTIN_OG_TOBAKSAFVAENNING,
    SAMTALE_OM_ALKOHOL,
    SYGDOMSHAANDTERING,
    care_social_codes,
)
from gateway.referral.workdays import COPENHAGEN, is_workday

_TALKS = frozenset({AFKLARENDE_SAMTALE, BEHOVSSAMTALE})
_DIRECT = frozenset({NIKOTIN_OG_TOBAKSAFVAENNING, SAMTALE_OM_ALKOHOL, FYSISK_TRAENING})
_AMBULATORY = "AMB"
_MEETING = timedelta(minutes=45)
_OPENS, _OPEN_HOURS = 8, 7
# what happens how often, of a hundred
_REVIEWS = {"accepted": 40, "review_decided": 25, "info_requested": 15, "returned": 10, "declined_by_citizen": 10}
_DRAFTS = {"returned": 85, "review_decided": 15}
_CONTACTS = {"contacted": 87, "declined_by_citizen": 6, "not_reached": 5, "reassigned": 2}
_TALKED = {"starts": 58, "refers_on": 15, "refers_on_only": 15, "closed": 12}
_DELIVERIES = {"group": 60, "individual": 40}
_SESSIONS = {"session_held": 85, "no_show": 15}
_ENDS = {"completed": 78, "stopped": 22}
#: how many of the steps that follow a completed course are taken
_AFTER = {0: 20, 1: 15, 2: 15, 3: 50}
T = TypeVar("T")


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """An assignment as its team read it."""

    team: str
    case_id: str
    assignment: str
    #: Task.status, or ``for-review``
    state: str
    #: the first intervention; None in a review without proposal
    code: str | None
    programmes: tuple[str, ...]
    reasons: tuple[str, ...]
    #: (team, intervention) as the rules propose them
    proposals: tuple[tuple[str, str], ...]
    #: the municipality's review team, and the one that trains
    consultants: str
    training_team: str
    #: when the message was written
    at: datetime
    closing_days: tuple[str, ...] = ()

    def after(self, start: datetime, days: float, random: Random) -> datetime:
        """A moment in office hours on the first working day so many days later."""
        day = (start + timedelta(days=days)).astimezone(COPENHAGEN).date()
        while not is_workday(day, self.closing_days):
            day += timedelta(days=1)
        moment = datetime.combine(day, time(_OPENS), COPENHAGEN) + timedelta(
            minutes=random.randrange(_OPEN_HOURS * 60), seconds=random.randrange(60)
        )
        return max(moment, start + timedelta(minutes=random.randint(5, 30)))


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One event to tell: its type, when, and the fields of its own."""

    type: str
    at: datetime
    fields: dict[str, Any] = {}


def _drawn(random: Random, ways: Mapping[T, int]) -> T:
    return random.choices(tuple(ways), tuple(ways.values()))[0]


# ------------------------------------------------------------------ a person decides
def decision(work: Work, random: Random) -> list[Step]:
    """How the review team decides what the rules could not, or answers for them."""
    at = work.after(work.at, 0 if "URGENT" in work.reasons else random.uniform(0, 3), random)
    if work.state == "draft":
        return _answered(work, at, random)
    if "REFERRAL_NEEDED" in work.reasons:
        words = "Borgeren har ikke en henvisning fra egen læge; vi hjælper med at bede om den."
        return [Step(type="referral_requested", at=at, fields={"note": words})]
    way = _drawn(random, _REVIEWS)
    if way == "info_requested":
        asked = Step(type=way, at=at, fields={"note": "Hvilket forløb ønskes, og hvad er funktionsniveauet?"})
        later = work.after(at, random.uniform(4, 12), random)
        return [asked, Step(type="accepted", at=later, fields={"note": "Oplyst af lægen i telefonen."})]
    if way == "returned":
        return [Step(type=way, at=at, fields={"note": "Vi har ikke et tilbud, der svarer til behovet."})]
    if way == "declined_by_citizen":
        return [Step(type=way, at=at, fields={"note": "Borgeren ønsker ikke et forløb nu."})]
    return [_decided(work, at) if way == "review_decided" or not work.code else Step(type="accepted", at=at)]


def _answered(work: Work, at: datetime, random: Random) -> list[Step]:
    """A drafted answer is approved, as a rule; now and then the citizen is taken on."""
    if _drawn(random, _DRAFTS) == "returned":
        words = "Kommunen har ikke et tilbud til behovet. En ny henvisning er velkommen, hvis det ændrer sig."
        return [Step(type="returned", at=at, fields={"note": words})]
    return [_decided(work, at)]


def _decided(work: Work, at: datetime) -> Step:
    chosen = work.proposals or ((work.consultants, AFKLARENDE_SAMTALE),)
    assignments = [{"team": team, "intervention": code} for team, code in chosen]
    return Step(type="review_decided", at=at, fields={"programmes": list(work.programmes), "assignments": assignments})


# ------------------------------------------------------------------ the citizen is taken on
def course(work: Work, random: Random) -> list[Step]:
    """All that happens about an assignment, from taking it to the last step."""
    steps = [Step(type="accepted", at=work.after(work.at, random.uniform(0, 2), random))]
    _contact(work, steps, random)
    if steps[-1].type in {"not_reached", "declined_by_citizen", "reassigned"}:
        return steps
    if work.code in _DIRECT:
        _started(work, steps, random, days=random.triangular(2, 30, 9))
    else:
        _talk(work, steps, random)
    if steps[-1].type == "course_started":
        _held(work, steps, random)
        _ended(work, steps, random)
    return steps


def _add(steps: list[Step], kind: str, at: datetime, **fields: object) -> None:
    steps.append(Step(type=kind, at=at, fields=fields))


def _contact(work: Work, steps: list[Step], random: Random) -> None:
    at = work.after(steps[-1].at, random.uniform(0, 4), random)
    way = _drawn(random, _CONTACTS)
    if way == "not_reached":
        _add(steps, way, work.after(at, 10, random), note="Tre opkald og et brev uden svar.")
    elif way == "declined_by_citizen":
        _add(steps, way, at, note="Borgeren ønsker ikke tilbuddet nu.")
    elif way == "reassigned" and work.code in _TALKS:
        other = work.training_team if work.team == work.consultants else work.consultants
        _add(steps, "reassigned", at, to_team=other)
    else:
        _add(steps, "contacted", at)


def _talk(work: Work, steps: list[Step], random: Random) -> None:
    """The first talk; most lead to a course, at the own team or at the one that trains."""
    held = work.after(steps[-1].at, random.triangular(1, 35, 6), random)
    booked = steps[-1].at + timedelta(minutes=2)
    _add(steps, "talk_booked", booked, booked_for=held.isoformat())
    _add(steps, "talk_held", held, contact_class=_AMBULATORY, period=_period(held))
    way = _drawn(random, _TALKED)
    refers_on = "refers_on" in way and work.team != work.training_team
    if refers_on:
        on = held + timedelta(minutes=50)
        _add(steps, "referred_on", on, to_team=work.training_team, interventions=[FYSISK_TRAENING], delivery="group")
    if way == "closed" or (refers_on and way == "refers_on_only"):
        _add(steps, "closed", held + timedelta(minutes=70), note="Samtalen gav ikke anledning til flere tilbud her.")
    else:
        _started(work, steps, random, days=random.uniform(5, 25))


def _started(work: Work, steps: list[Step], random: Random, *, days: float) -> None:
    at = work.after(steps[-1].at, days, random)
    delivery = "individual" if work.code == SAMTALE_OM_ALKOHOL else _drawn(random, _DELIVERIES)
    _add(
        steps,
        "course_started",
        at,
        interventions=list(_interventions(work)),
        delivery=delivery,
        started=_day(at),
    )


def _interventions(work: Work) -> tuple[str, ...]:
    if work.code in _DIRECT:
        return (work.code or "",)
    if work.team == work.training_team:
        return (FYSISK_TRAENING,)
    diet = {"prediabetes", "diabetes_2", "diabetes_secondary"} & set(work.programmes)
    if "prediabetes" in work.programmes:
        return (KOSTVEJLEDNING,)
    return (SYGDOMSHAANDTERING, KOSTVEJLEDNING) if diet else (SYGDOMSHAANDTERING,)


def _held(work: Work, steps: list[Step], random: Random) -> None:
    for _ in range(random.randint(0, 3)):
        at = work.after(steps[-1].at, 7, random)
        _add(steps, _drawn(random, _SESSIONS), at, contact_class=_AMBULATORY, period=_period(at))


def _ended(work: Work, steps: list[Step], random: Random) -> None:
    """Completed, with what follows, or stopped with one of KL's reasons."""
    at = work.after(steps[-1].at, random.uniform(14, 60), random)
    if _drawn(random, _ENDS) == "stopped":
        reason = random.choice(sorted(care_social_codes("stop_reason")))
        _add(steps, "stopped", at, stop_reason=reason, note="Forløbet stoppes efter aftale med borgeren.")
        return
    _add(steps, "course_completed", at, ended=_day(at), note="Har deltaget i hele forløbet og fortsætter på egen hånd.")
    for follows in _AFTERWARDS[: _drawn(random, _AFTER)]:
        follows(work, steps, random)


def _closing_talk(work: Work, steps: list[Step], random: Random) -> None:
    at = work.after(steps[-1].at, random.uniform(3, 14), random)
    _add(steps, "closing_talk_held", at, contact_class=_AMBULATORY, period=_period(at))


def _follow_up(work: Work, steps: list[Step], random: Random) -> None:
    at = work.after(steps[-1].at, random.uniform(62, 90), random)
    (by_phone,) = (c.code for c in care_social_codes("contact_class").values() if c.display == "Telefonisk")
    _add(steps, "follow_up_held", at, contact_class=by_phone, period=_period(at))


def _closed(_work: Work, steps: list[Step], _random: Random) -> None:
    _add(steps, "closed", steps[-1].at + timedelta(minutes=20))


#: two to three months after the closing talk by telephone (seed 000)
_AFTERWARDS: tuple[Callable[[Work, list[Step], Random], None], ...] = (_closing_talk, _follow_up, _closed)


def _day(at: datetime) -> str:
    return at.astimezone(COPENHAGEN).date().isoformat()


def _period(at: datetime) -> dict[str, str]:
    return {"start": at.isoformat(), "end": (at + _MEETING).isoformat()}
