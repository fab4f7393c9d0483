"""Which step is answered how: the letters and team messages a new referral and a team event lead to.

Receipts say that the system took a message; status letters what the municipality concluded; the discharge note what
came of it. Which steps send a letter, in which words and to whom, is the municipality file's ``letters``. Never a copy
to anyone the referral does not name.
"""

from collections.abc import Iterator
from datetime import datetime

from gateway.municipality.model import Municipality
from gateway.referral.case import WAITING, Case
from gateway.referral.decide import RETURN, REVIEW
from gateway.referral.discharge import discharge
from gateway.referral.events import EventType, TeamEvent
from gateway.referral.ids import Cause
from gateway.referral.moments import danish_date
from gateway.referral.reply import Reply
from gateway.referral.status_letters import Occasion, drafted_answer, status_letters, told_interventions, told_offers
from gateway.referral.team_messages import first_message, task_of, team_message
from gateway.referral.workdays import local_date


def to_referral(case: Case, municipality: Municipality) -> list[Reply]:
    """Answers to a new referral: team messages, and the status letter or draft that policy asks for."""
    cause = Cause(sender=case.referral.sender_gln, id=case.referral.letter_id)
    waiting = case.decision.outcome in {REVIEW, RETURN}
    out = first_letters(case, municipality, cause, case.received_at)
    teams = {case.decision.review_team or ""} if waiting else {a.team for a in case.assignments}
    out += [first_message(case, municipality, cause, team) for team in sorted(teams)]
    return out


def first_letters(case: Case, municipality: Municipality, cause: Cause, at: datetime) -> list[Reply]:
    """What the referrer is told of a decision on a referral, new or corrected; ``at`` is when the letter reached us."""
    return status_letters(case, municipality, _first_occasion(case, municipality, cause, at))


def _first_occasion(case: Case, municipality: Municipality, cause: Cause, at: datetime) -> Occasion:
    """Received and looked at, accepted, or a drafted answer."""
    outcome = case.decision.outcome
    if outcome == RETURN:
        note = drafted_answer(case.decision, municipality, case.received_at)
        return Occasion(name="returned", cause=cause, at=at, words={"note": note}, draft=True)
    if outcome == REVIEW:
        return Occasion(name="review", cause=cause, at=at)
    return Occasion(name="accepted", cause=cause, at=at, words=_acceptance(case, municipality))


def _acceptance(case: Case, municipality: Municipality) -> dict[str, str]:
    return {
        "interventions": told_interventions(case, municipality),
        "deadline": danish_date(case.decision.respond_by),
        "offers": told_offers(case.programmes, municipality),
    }


def to_event(before: Case, after: Case, event: TeamEvent, municipality: Municipality) -> list[Reply]:
    """Answers to a team event: letters by policy, messages to teams that got an assignment, and the discharge note."""
    cause = Cause(sender=event.team, id=event.event_id)
    out = []
    for occasion in _occasions(before, after, event, municipality):
        out += status_letters(after, municipality, occasion)
    known = {a.id for a in before.assignments if a.was_handed_over}
    new = [a for a in after.assignments if a.id not in known and not a.has_ended and a.state not in WAITING]
    for team in sorted({a.team for a in new}):
        tasks = tuple(task_of(after, a, municipality) for a in new if a.team == team)
        out.append(team_message(after, cause, team, tasks, event.occurred))
    if after.all_ended and not before.all_ended:
        out += discharge(after, event, municipality)
    return out


def _occasions(before: Case, after: Case, event: TeamEvent, municipality: Municipality) -> Iterator[Occasion]:
    cause = Cause(sender=event.team, id=event.event_id)
    decided = before.state in WAITING and after.state not in WAITING and not after.all_ended
    if event.type is EventType.WITHDRAWN:
        yield from _withdrawal(before, after, event, municipality)
    elif decided and event.type in {EventType.ACCEPTED, EventType.REVIEW_DECIDED}:
        yield Occasion(name="accepted", cause=cause, at=event.occurred, words=_acceptance(after, municipality))
    elif _has_own_letter(event, municipality) and not _is_overtaken(before, after, event):
        words = _step_words(after, event, municipality)
        yield Occasion(name=event.type.value, cause=cause, at=event.occurred, words=words)


def _has_own_letter(event: TeamEvent, municipality: Municipality) -> bool:
    """``accepted`` in the file is the municipality's conclusion, not a team's taking over of what was concluded."""
    return event.type is not EventType.ACCEPTED and event.type.value in municipality.letters


def _is_overtaken(before: Case, after: Case, event: TeamEvent) -> bool:
    """A late event that later steps have left behind: what it would tell is no longer so."""
    return after.timeline[-1].event_id != event.event_id and before.state is after.state


def _step_words(case: Case, event: TeamEvent, municipality: Municipality) -> dict[str, str]:
    return {
        "occurred": danish_date(local_date(event.occurred)),
        "interventions": told_interventions(case, municipality),
        "note": event.note or "",
        "booked": danish_date(local_date(event.booked_for)) if event.booked_for else "",
    }


def _withdrawal(before: Case, after: Case, event: TeamEvent, municipality: Municipality) -> Iterator[Occasion]:
    """Whoever was told of the withdrawn step is told that it was an error."""
    (step,) = (e for e in before.events if e.event_id == event.withdraws)
    decision = before.state not in WAITING and after.state in WAITING
    note = before.all_ended and not after.all_ended and before.discharged_at is not None
    if _has_own_letter(step, municipality) or decision or note:
        words = {"told": danish_date(local_date(step.occurred)), "note": event.note or ""}
        yield Occasion(
            name="withdrawn", cause=Cause(sender=event.team, id=event.event_id), at=event.occurred, words=words
        )
