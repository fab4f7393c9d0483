"""Which step is answered how: the letters and team messages a new referral and a team event lead to.

Receipts say that the system took a message; status letters what the municipality concluded; the discharge note what
came of it. Never a copy to anyone the referral does not name.
"""

from collections.abc import Iterator, Mapping

from gateway.municipality.model import Municipality
from gateway.referral.case import WAITING, Case, State
from gateway.referral.decide import RETURN, REVIEW
from gateway.referral.events import EventType, TeamEvent
from gateway.referral.ids import Cause
from gateway.referral.reply import Reply
from gateway.referral.status_letters import first_status, status_letter
from gateway.referral.team_messages import first_message, task_of, team_message

_LETTER_FOR: Mapping[EventType, str] = {EventType.RETURNED: "returned", EventType.INFO_REQUESTED: "info_requested"}


def to_referral(case: Case, municipality: Municipality) -> list[Reply]:
    """Answers to a new referral: team messages, and the status letter or draft that policy asks for."""
    cause = Cause(sender=case.referral.sender_gln, id=case.referral.letter_id)
    waiting = case.decision.outcome in {REVIEW, RETURN}
    out = [first_status(case, municipality, cause, case.received_at)]
    teams = {case.decision.review_team or ""} if waiting else {a.team for a in case.assignments}
    out += [first_message(case, municipality, cause, team) for team in sorted(teams)]
    return out


def to_event(before: Case, after: Case, event: TeamEvent, municipality: Municipality) -> list[Reply]:
    """Answers to a team event: status letters by policy, and messages to teams that got an assignment."""
    cause = Cause(sender=event.team, id=event.event_id)
    out = list(_letters_by_policy(before, after, event, municipality))
    known = {a.id for a in before.assignments if a.state not in WAITING}
    new = [a for a in after.assignments if a.id not in known and not a.has_ended and a.state not in WAITING]
    for team in sorted({a.team for a in new}):
        tasks = tuple(task_of(after, a, municipality) for a in new if a.team == team)
        out.append(team_message(after, cause, team, tasks, event.occurred))
    return out


def _letters_by_policy(before: Case, after: Case, event: TeamEvent, municipality: Municipality) -> Iterator[Reply]:
    cause = Cause(sender=event.team, id=event.event_id)
    occasion = _LETTER_FOR.get(event.type)
    decided_now = before.state in WAITING and after.state is State.ACCEPTED
    if occasion is None and decided_now:
        occasion = "accepted"
    if occasion is not None:
        yield status_letter(after, municipality, occasion, cause, {"at": event.occurred, "note": event.note or ""})
