"""The discharge note: what came of the referral, to the referrer and the copy receiver it names."""

from datetime import datetime

import msgspec

from gateway.municipality.model import Municipality
from gateway.referral.case import Case, CaseAssignment, State
from gateway.referral.events import TeamEvent
from gateway.referral.ids import Cause
from gateway.referral.letters import DischargeNote
from gateway.referral.model import Party
from gateway.referral.moments import danish_date, parse_moment
from gateway.referral.reply import Reply, case_reply, our_party
from gateway.referral.workdays import local_date


def discharge_notes(case: Case, event: TeamEvent, municipality: Municipality) -> list[Reply]:
    """The discharge note to the referrer, and its copy where the copy receiver's GLN is known."""
    cause = Cause(sender=case.case_id, id="discharge")
    copy = case.referral.answer_cc
    note = _discharge_note(case, event, municipality, case.referral.sender, copy)
    out = [case_reply(case, note, cause)]
    gln = municipality.addresses.get(copy.identifier or "") if copy else None
    if copy is not None and gln is not None:
        receiver = msgspec.structs.replace(copy, gln=gln)
        note = _discharge_note(case, event, municipality, receiver, copy)
        out.append(case_reply(case, note, cause))
    return out


def copy_without_address(case: Case, municipality: Municipality) -> str | None:
    """Identifier of a copy receiver whose GLN nobody here knows; None when there is nothing to worry about."""
    copy = case.referral.answer_cc
    if copy is None or (copy.identifier or "") in municipality.addresses:
        return None
    return f"{copy.identifier_code or ''} {copy.identifier or ''}".strip()


def _discharge_note(
    case: Case, event: TeamEvent, municipality: Municipality, receiver: Party, copy: Party | None
) -> DischargeNote:
    referral = case.referral
    return DischargeNote(
        text=_discharge_text(case, municipality),
        sender=our_party(municipality),
        speciality_name=municipality.letterhead.speciality_name,
        receiver=receiver,
        copy_receiver=copy,
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


def _discharge_text(case: Case, municipality: Municipality) -> str:
    words = municipality.letters["discharge"]
    courses = "\n".join(_course(a, municipality) for a in case.assignments if a.intervention or a.interventions)
    notes = [a.note for a in case.assignments if a.note]
    text = words.text.strip().format(
        received=danish_date(local_date(case.received_at)), courses=courses, note="\n".join(dict.fromkeys(notes))
    )
    return text.strip()


_OUTCOME_WORDS = {
    State.NOT_REACHED: "borgeren kunne ikke træffes",
    State.DECLINED_BY_CITIZEN: "borgeren ønskede ikke tilbuddet",
    State.STOPPED: "stoppet før tid",
    State.REASSIGNED: "overgivet til andet team",
    State.CANCELLED_BY_REFERRER: "annulleret af henviser",
}


def _course(assignment: CaseAssignment, municipality: Municipality) -> str:
    """One line of the note: what, where, from when to when, and how it ended."""
    what = ", ".join(c.display for c in assignment.interventions)
    if not what and assignment.intervention is not None:
        what = assignment.intervention.display
    outcome = _OUTCOME_WORDS.get(assignment.state, "afsluttet")
    if assignment.stop_reason is not None:
        outcome = f"{outcome} ({assignment.stop_reason.display})"
    dates = _course_dates(assignment)
    return f"{what} hos {municipality.teams[assignment.team].display}{dates}: {outcome}."


def _course_dates(assignment: CaseAssignment) -> str:
    started = parse_moment(assignment.started)
    ended = parse_moment(assignment.ended) or assignment.ended_at
    if started is None:
        return f" ({danish_date(local_date(ended))})" if ended else ""
    end = f" til {danish_date(local_date(ended))}" if ended else ""
    return f", {danish_date(local_date(started))}{end}"


def _ended_at(case: Case) -> datetime | None:
    moments = [m for a in case.assignments if (m := parse_moment(a.ended) or a.ended_at) is not None]
    return max(moments, default=None)
