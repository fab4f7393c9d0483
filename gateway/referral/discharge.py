"""The discharge note: what came of the referral, to the referrer and the copy receiver it names. Once for each.

When a case ends again after its note (a withdrawn end, a referral on after the end), the same text goes out as a status
letter: the receiver is never left with what is no longer so, and never gets a second note.
"""

from collections.abc import Iterator
from datetime import datetime

from gateway.municipality.model import Municipality
from gateway.referral.case import Case, CaseAssignment, State
from gateway.referral.events import TeamEvent
from gateway.referral.ids import Cause
from gateway.referral.letters import DischargeNote
from gateway.referral.model import Party
from gateway.referral.moments import danish_date, parse_moment
from gateway.referral.reply import Reply, case_reply, our_party
from gateway.referral.status_letters import Occasion, filled, receivers, status_letters
from gateway.referral.workdays import local_date


def discharge(case: Case, event: TeamEvent, municipality: Municipality) -> list[Reply]:
    """What is sent when the last assignment has ended with this event; nothing where nobody was taken on."""
    if case.owes_discharge_note:
        cause = Cause(sender=case.case_id, id="discharge")
        to = municipality.letters["discharge"].to
        notes = (_note(case, event, municipality, receiver) for receiver in receivers(case, municipality, to))
        return [case_reply(case, note, cause) for note in notes]
    if case.discharged_at is None:
        return []
    cause = Cause(sender=case.case_id, id=f"discharge|{event.event_id}")
    words = {"courses": _courses(case, municipality)}
    again = Occasion(name="discharge_corrected", cause=cause, at=event.occurred, words=words)
    return status_letters(case, municipality, again)


def copy_without_address(case: Case, municipality: Municipality) -> str | None:
    """Identifier of a copy receiver whose GLN nobody here knows; None when there is nothing to worry about."""
    copy = case.referral.answer_cc
    if copy is None or (copy.identifier or "") in municipality.addresses:
        return None
    return f"{copy.identifier_code or ''} {copy.identifier or ''}".strip()


def _note(case: Case, event: TeamEvent, municipality: Municipality, receiver: Party) -> DischargeNote:
    referral = case.referral
    values = {"received": danish_date(local_date(case.received_at)), "courses": _courses(case, municipality)}
    return DischargeNote(
        text=filled(municipality.letters["discharge"].text, values),
        sender=our_party(municipality),
        speciality_name=municipality.letterhead.speciality_name,
        receiver=receiver,
        copy_receiver=referral.answer_cc,
        citizen=referral.citizen,
        episode_id=referral.episode_id,
        referral_id=referral.letter_id,
        referred_at=referral.authorised,
        received_at=case.received_at,
        diagnoses=referral.diagnoses,
        category=referral.category,
        ended_at=_ended_at(case),
        signed_on=local_date(event.occurred),
        signed_by=event.author.name,
        job_title=event.author.title or "",
        at=event.occurred,
    )


def _courses(case: Case, municipality: Municipality) -> str:
    return "\n".join(line for a in case.assignments for line in _told(a, municipality))


_OUTCOMES = {
    State.COURSE_COMPLETED: "gennemført",
    State.CLOSING_TALK_HELD: "gennemført",
    State.FOLLOW_UP: "gennemført",
    State.CLOSED: "afsluttet",
    State.NOT_REACHED: "borgeren kunne ikke træffes",
    State.DECLINED_BY_CITIZEN: "borgeren ønskede ikke tilbuddet",
    State.STOPPED: "stoppet før tid",
    State.REASSIGNED: "overgivet til andet team",
    State.CANCELLED_BY_REFERRER: "annulleret af henviser",
    State.RETURNED: "returneret til henviser",
}
_DELIVERIES = {"group": " (hold)", "individual": " (individuelt)"}


def _told(assignment: CaseAssignment, municipality: Municipality) -> Iterator[str]:
    """One assignment: each course with its dates and outcome, then the team's notes with date and author."""
    where = municipality.teams[assignment.team].display
    for course in assignment.courses:
        what = f"{course.intervention.display}{_DELIVERIES.get(course.delivery or '', '')}"
        yield f"{what} hos {where}, {_span(course.started, assignment)}: {_outcome(assignment)}."
    if not assignment.courses and assignment.intervention is not None:
        talk = assignment.first_talk_at
        when = talk or assignment.ended_at
        dated = f" ({danish_date(local_date(when))})" if when else ""
        yield f"{assignment.intervention.display} hos {where}{dated}: {_outcome(assignment)}."
    for note in assignment.notes:
        title = f", {note.author.title}" if note.author.title else ""
        yield f"{danish_date(local_date(note.at))}, {note.author.name}{title}: {note.text}"


def _outcome(assignment: CaseAssignment) -> str:
    outcome = _OUTCOMES[assignment.state]
    if assignment.state is State.CLOSED and not assignment.courses and assignment.first_talk_at:
        outcome = "samtalen er holdt, og der er ikke aftalt et forløb"
    if assignment.stop_reason is not None:
        outcome = f"{outcome} ({assignment.stop_reason.display})"
    return outcome


def _span(started: str, assignment: CaseAssignment) -> str:
    """From when to when a course ran."""
    start, end = parse_moment(started), parse_moment(assignment.ended) or assignment.ended_at
    told = [danish_date(local_date(moment)) for moment in (start, end) if moment]
    return " til ".join(told)


def _ended_at(case: Case) -> datetime | None:
    moments = [m for a in case.assignments if (m := parse_moment(a.ended) or a.ended_at) is not None]
    return max(moments, default=None)
