"""A referral corrected (``rettetbrev``), taken back, or come because we asked for it: a new version of a case. Pure.

The old referral and decision stay in ``Case.earlier``. The corrected referral is decided anew: what a team has begun
goes on, what a person assigned stays, what nobody has begun follows the new decision. Every team that is concerned is
told what has changed. Matching: MedCom's facts §11.9, episode number and sender's GLN, the citizen agreeing.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from gateway.municipality.model import Municipality
from gateway.referral.case import WAITING, Case, CaseAssignment, EarlierVersion, State, first_assignments
from gateway.referral.decide import RETURN, REVIEW, Decision
from gateway.referral.difference import difference
from gateway.referral.discharge import discharge
from gateway.referral.ids import Cause
from gateway.referral.inbox import Known
from gateway.referral.letters import Arrival, TeamMessage, TeamTask
from gateway.referral.model import Referral
from gateway.referral.policy import first_letters
from gateway.referral.reply import Reply
from gateway.referral.team_messages import task_of, team_message

_replace = msgspec.structs.replace
#: nobody has begun
_NOT_BEGUN = frozenset({State.ACCEPTED, State.CONTACTED, State.TALK_BOOKED})
#: the referrer was asked: the answer is a whole referral, and the days count from it
_ASKED = frozenset({State.INFO_REQUESTED, State.REFERRAL_REQUESTED})
_UNKNOWN = "Henviseren kalder brevet en rettelse, men vi kender ingen åben henvisning med samme forløbs-id."
_CORRECTED = "Henviseren har rettet henvisningen."
_REQUESTED = "Henvisningen, som borgeren blev hjulpet til, er kommet."
_UNCHANGED = "Ingen ændring i det, der vises."


#: by how much a sender's clock may be ahead of ours
_CLOCKS_DIFFER = timedelta(days=1)


class Renewal(msgspec.Struct, frozen=True, kw_only=True):
    """A later letter of a known case: how it came, what it says, what is decided on it."""

    referral: Referral
    arrival: Arrival
    decision: Decision
    received_at: datetime

    @property
    def cause(self) -> Cause:
        """From which the ids of all answers derive."""
        return Cause(sender=self.referral.sender_gln, id=self.referral.letter_id)


# ------------------------------------------------------------------ which case
def corrected_case(referral: Referral, known: Known) -> Case | None:
    """The case that a correction or cancellation is about: the newest one that is not over; None for none.

    A case that ended with a discharge note is over; one that was returned may come again.
    """
    found = known.of_episode(referral.episode_id, referral.sender_gln, referral.citizen.identifier)
    alive = [case for case in found if case.discharged_at is None and case.cancelled_at is None]
    return max(alive, key=lambda case: (case.received_at, case.case_id), default=None)


def newer_case(referral: Referral, known: Known) -> Case | None:
    """The case that follows a correction of this referral already, because the letters came in another order.

    A new letter under a number that was used before is such a one only where the case began with a correction. A
    correction that says it was written long after it reached us proves no order.
    """
    case = corrected_case(referral, known)
    if case is None or not case.referral.correction or referral.authorised >= case.referral.authorised:
        return None
    came = case.earlier[-1].replaced_at if case.earlier else case.received_at
    if case.referral.authorised > came + _CLOCKS_DIFFER:
        return None
    first = case.earlier[0].referral if case.earlier else case.referral
    return case if referral.correction or first.correction else None


def asking_case(referral: Referral, programmes: Collection[str], known: Known) -> Case | None:
    """The open case in which the citizen was helped to this referral: one of that citizen that waits for a referral.

    It must be about the same matter: a programme in common, or nothing known of either. ``programmes`` are the new
    referral's. Who may refer is the caller's question.
    """
    found = [
        case
        for case in known.cases.values()
        if case.referral.citizen.identifier == referral.citizen.identifier
        and any(a.state is State.REFERRAL_REQUESTED for a in case.assignments)
        and (not case.programmes or not programmes or set(case.programmes) & set(programmes))
    ]
    return max(found, key=lambda case: (case.received_at, case.case_id), default=None)


def names_another_citizen(referral: Referral, known: Known) -> bool:
    """The same sender used the episode number about someone else: a wrong CPR put right, or a number used twice."""
    found = known.of_episode(referral.episode_id, referral.sender_gln)
    return any(case.referral.citizen.identifier != referral.citizen.identifier for case in found)


def counts_from(case: Case, received_at: datetime) -> datetime:
    """From when the days count: the first receipt, or the correction where we had asked for it or sent it back."""
    asked = any(a.state in _ASKED for a in case.assignments)
    return received_at if asked or case.all_ended else case.received_at


# ------------------------------------------------------------------ a new version
def correct(case: Case, new: Renewal, municipality: Municipality) -> tuple[Case, list[Reply]]:
    """The case with the corrected referral, or the one that was asked for; what teams and referrer are told of it."""
    assignments = _reconciled(case, new)
    after = _renewed(case, new, assignments)
    why = _CORRECTED if new.referral.correction else _REQUESTED
    told = "\n".join((why, *(difference(case.referral, new.referral) or (_UNCHANGED,))))
    replies = _told_teams(case, after, new, _note(municipality, told))
    if _referrer_would_notice(case, after):
        replies = [*first_letters(after, municipality, new.cause, new.received_at), *replies]
    return after, replies


def cancel(case: Case, new: Renewal, municipality: Municipality) -> tuple[Case, list[Reply]]:
    """The case with its open assignments ended by the referrer, and what their teams are told."""
    ended = tuple(a if a.has_ended else _cancelled(a, new.received_at) for a in case.assignments)
    kept = _replace(new, decision=case.decision)
    # what takes a referral back may say little more than that: the case goes on telling what was referred
    after = _replace(_renewed(case, kept, ended), referral=case.referral, cancelled_at=new.received_at)
    replies = _told_teams(case, after, new, _note(municipality, "Henviseren har trukket henvisningen tilbage."))
    if after.owes_discharge_note:
        # another team has finished its course: its last words close the case
        last = _replace(case.events[-1], occurred=new.received_at)
        replies += discharge(after, last, municipality)
        after = _replace(after, discharged_at=new.received_at)
    return after, replies


def says_unknown(replies: Iterable[Reply]) -> tuple[Reply, ...]:
    """The answers to a referral that calls itself a correction of something we do not know: the teams are told so."""
    return tuple(_with_note(reply, _UNKNOWN) for reply in replies)


def _with_note(reply: Reply, note: str) -> Reply:
    if not isinstance(reply.content, TeamMessage):
        return reply
    tasks = tuple(_replace(t, note="\n".join(filter(None, (note, t.note)))) for t in reply.content.tasks)
    return _replace(reply, content=_replace(reply.content, tasks=tasks))


def _renewed(case: Case, new: Renewal, assignments: tuple[CaseAssignment, ...]) -> Case:
    earlier = EarlierVersion(
        number=case.number,
        received_at=case.received_at,
        referral=case.referral,
        arrival=case.arrival,
        decision=case.decision,
        initial=case.initial,
        assignments=case.assignments,
        timeline=case.timeline,
        replaced_at=new.received_at,
    )
    return _replace(
        case,
        number=case.number + 1,
        decided_as=case.number + 1,
        received_at=counts_from(case, new.received_at),
        referral=new.referral,
        arrival=new.arrival,
        decision=new.decision,
        initial=assignments,
        assignments=assignments,
        timeline=(),
        earlier=(*case.earlier, earlier),
    )


# ------------------------------------------------------------------ which assignments
def _reconciled(case: Case, new: Renewal) -> tuple[CaseAssignment, ...]:
    """The assignments after the correction; as they are where the rules conclude the same and nobody was asked."""
    if _concludes_the_same(case.decision, new.decision) and not _waits_for_referrer(case):
        return case.assignments
    wanted = first_assignments(case.case_id, new.decision, new.referral.letter_id)
    matches = _matches(case.assignments, wanted)
    taken = {a.id: w for w, a in matches}
    kept = tuple(_kept(a, taken.get(a.id), new.received_at) for a in case.assignments)
    added = tuple(w for w in wanted if w.id not in {matched.id for matched, _ in matches})
    return (*(a for a in kept if a is not None), *added)


def _concludes_the_same(old: Decision, new: Decision) -> bool:
    return (old.outcome, old.assignments, old.review_team) == (new.outcome, new.assignments, new.review_team)


def _waits_for_referrer(case: Case) -> bool:
    return case.all_ended or any(a.state in _ASKED for a in case.assignments)


def _matches(
    present: tuple[CaseAssignment, ...], wanted: tuple[CaseAssignment, ...]
) -> list[tuple[CaseAssignment, CaseAssignment]]:
    """(wanted, present) pairs of one team and intervention. A review does not match what has begun: it must be seen."""
    left = [a for a in present if not a.has_ended]
    pairs = []
    for one in wanted:
        fits = [a for a in left if (a.team, a.intervention) == (one.team, one.intervention)]
        fits = [a for a in fits if one.state is State.ACCEPTED or a.state in _NOT_BEGUN | WAITING]
        if fits:
            left.remove(fits[0])
            pairs.append((one, fits[0]))
    return pairs


def _kept(assignment: CaseAssignment, wanted: CaseAssignment | None, at: datetime) -> CaseAssignment | None:
    """What becomes of an assignment: it goes on, waits anew, ends; None for a proposal that is no longer one."""
    if assignment.has_ended:
        return assignment
    if wanted is not None:
        as_it_is = wanted.state is State.ACCEPTED and assignment.state not in WAITING
        return assignment if as_it_is else _replace(assignment, state=wanted.state, since=at, asked_in=None)
    if assignment.state in WAITING:
        return None
    decided_by_rules = assignment.parent is None
    return _cancelled(assignment, at) if decided_by_rules and assignment.state in _NOT_BEGUN else assignment


def _cancelled(assignment: CaseAssignment, at: datetime) -> CaseAssignment:
    return _replace(assignment, state=State.CANCELLED_BY_REFERRER, ended_at=at, since=at)


# ------------------------------------------------------------------ who is told
def _told_teams(before: Case, after: Case, new: Renewal, tell: "_Note") -> list[Reply]:
    """One message per team: its open tasks as they are now, and those that are no longer its own, cancelled."""
    held, holds = _held(before), _held(after)
    tasks: dict[str, list[TeamTask]] = {}
    for own, (team, assignment) in held.items():
        if own not in holds or holds[own][0] != team:
            tasks.setdefault(team, []).append(_replace(tell(before, assignment), status="cancelled"))
    for team, assignment in holds.values():
        tasks.setdefault(team, []).append(tell(after, assignment))
    return [team_message(after, new.cause, team, tuple(tasks[team]), new.received_at) for team in sorted(tasks)]


def _held(case: Case) -> Mapping[str, tuple[str, CaseAssignment]]:
    """Open assignments by id, with the team that has them on its list: proposals lie with the review team."""
    reviewer = case.decision.review_team
    return {
        a.id: (reviewer if a.state in WAITING and reviewer else a.team, a) for a in case.assignments if not a.has_ended
    }


class _Note(msgspec.Struct, frozen=True, kw_only=True):
    """Writes tasks with what has happened."""

    municipality: Municipality
    text: str

    def __call__(self, case: Case, assignment: CaseAssignment) -> TeamTask:
        task = task_of(case, assignment, self.municipality)
        return _replace(
            task,
            status=_status(assignment, task),
            business_status=task.business_status or "corrected",
            note="\n".join(filter(None, (self.text, task.note))),
        )


def _note(municipality: Municipality, text: str) -> _Note:
    return _Note(municipality=municipality, text=text)


def _status(assignment: CaseAssignment, task: TeamTask) -> str:
    """FHIR Task.status of what a team has taken already stays taken."""
    if assignment.state in WAITING or (assignment.state is State.ACCEPTED and assignment.team_accepted_at is None):
        return task.status
    return "accepted" if assignment.state in _NOT_BEGUN else "in-progress"


def _referrer_would_notice(before: Case, after: Case) -> bool:
    """A status letter where another thing is concluded than was told, or where we had asked; a draft is made anew."""
    if after.decision.outcome == REVIEW:
        return before.decision.outcome != REVIEW or _waits_for_referrer(before)
    same = _concludes_the_same(before.decision, after.decision) and not _waits_for_referrer(before)
    return after.decision.outcome == RETURN or not same
