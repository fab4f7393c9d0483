"""What we write, when, to whom: the only composer of answers. Policy and words come from the municipality file.

Receipts say that the system took a message; status letters what the municipality concluded; the discharge note what
came of it. Never a copy to anyone the referral does not name.
"""

from collections.abc import Iterator
from datetime import date, datetime

import msgspec

from gateway.errors import Fault
from gateway.municipality.model import RETURN_REASONS, Municipality
from gateway.referral.case import WAITING, Case, CaseAssignment, State
from gateway.referral.decide import RETURN, REVIEW, Decision
from gateway.referral.events import EventType, TeamEvent
from gateway.referral.ids import Cause, fhir_id
from gateway.referral.letters import (
    AnsweredLetter,
    Arrival,
    DischargeNote,
    Receipt,
    StatusLetter,
    TeamMessage,
    TeamTask,
)
from gateway.referral.model import Address, Party
from gateway.referral.workdays import COPENHAGEN, local_date

_MONTHS = {
    1: "januar", 2: "februar", 3: "marts", 4: "april", 5: "maj", 6: "juni",
    7: "juli", 8: "august", 9: "september", 10: "oktober", 11: "november", 12: "december",
}  # fmt: skip
#: what an assignment without an intervention of §119 is to the referrer (a §140 matter that its team took)
_NO_INTERVENTION = "vurdering"


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One answer with its cause, from which its id is derived."""

    content: Receipt | StatusLetter | DischargeNote | TeamMessage
    cause: Cause
    #: how the message that we answer arrived
    arrival: Arrival
    #: version of the referral, which our letter's version follows; empty for a receipt
    referral_version: str = ""
    case_id: str | None = None
    episode_id: str | None = None
    #: waits for approval
    draft: bool = False


def danish_date(day: date) -> str:
    """A date as Danes write it.

    >>> danish_date(date(2026, 12, 4))
    '4. december 2026'
    """
    return f"{day.day}. {_MONTHS[day.month]} {day.year}"


# ------------------------------------------------------------------ receipts
def receipts(
    arrival: Arrival, letters: tuple[AnsweredLetter, ...], fault: Fault | None, municipality: Municipality, at: datetime
) -> list[Reply]:
    """At most one negative receipt that names the refused letters and one positive for the accepted (design §2).

    Nobody is answered where no sender can be read.
    """
    if not arrival.sender_gln:
        return []
    by_vans = arrival.vans is not None and arrival.vans.reliable
    refused = letters if fault is not None else tuple(letter for letter in letters if letter.fault is not None)
    accepted = () if fault is not None else tuple(letter for letter in letters if letter.fault is None)
    negative = Receipt(positive=False, arrival=arrival, letters=refused, fault=fault, at=at)
    positive = Receipt(positive=True, arrival=arrival, letters=accepted, at=at)
    wanted = [negative] if refused or fault is not None else []
    if by_vans:
        beside = _beside_vans(wanted, positive, municipality)
        verdict = positive if accepted else negative
        wanted = [*beside, msgspec.structs.replace(verdict, by_vans=True)]
    elif accepted and arrival.positive_wanted:
        wanted.append(positive)
    return [_receipt(content) for content in wanted]


def _beside_vans(negative: list[Receipt], positive: Receipt, municipality: Municipality) -> list[Receipt]:
    """XCTLs beside a VANS Receipt: the refused letters of a mixed payload, or both kinds where the file says so."""
    mixed = negative if positive.letters else []
    if municipality.receipts.vans != "both":
        return mixed
    asked = positive.letters and positive.arrival.positive_wanted
    return [*negative, *([positive] if asked else [])]


def _receipt(content: Receipt) -> Reply:
    arrival = content.arrival
    envelope = arrival.vans.envelope_id if arrival.vans else arrival.envelope_id
    named = "|".join([envelope or "", *(letter.letter_id for letter in content.letters)])
    return Reply(content=content, cause=Cause(sender=arrival.sender_gln or "", id=named), arrival=arrival)


# ------------------------------------------------------------------ a referral arrived
def to_referral(case: Case, municipality: Municipality) -> list[Reply]:
    """Answers to a new referral: team messages, and the status letter or draft that policy asks for."""
    cause = Cause(sender=case.referral.sender_gln, id=case.referral.letter_id)
    waiting = case.decision.outcome in {REVIEW, RETURN}
    out = [_status(case, municipality, cause, case.received_at)]
    teams = {case.decision.review_team or ""} if waiting else {a.team for a in case.assignments}
    out += [_team_message(case, municipality, cause, team) for team in sorted(teams)]
    return out


def _status(case: Case, municipality: Municipality, cause: Cause, at: datetime) -> Reply:
    outcome = case.decision.outcome
    if outcome == RETURN:
        note = drafted_answer(case.decision, municipality, case.received_at)
        return status_letter(case, municipality, "returned", cause, {"note": note, "at": at, "draft": True})
    occasion = "review" if outcome == REVIEW else "accepted"
    return status_letter(case, municipality, occasion, cause, {"at": at})


def drafted_answer(decision: Decision, municipality: Municipality, received_at: datetime) -> str:
    """The answer a sundhedskonsulent may approve: one paragraph per return reason, in the municipality's words."""
    received = danish_date(local_date(received_at))
    paragraphs = []
    for reason in RETURN_REASONS:
        evidence = [why.evidence for why in decision.why if why.name == reason]
        if evidence:
            text = municipality.returns[reason].strip()
            paragraphs.append(text.format(received=received, evidence=evidence[0]))
    return "\n".join(paragraphs)


def _team_message(case: Case, municipality: Municipality, cause: Cause, team: str) -> Reply:
    tasks = tuple(_task(case, a, municipality) for a in case.assignments if a.state in WAITING or a.team == team)
    return team_message(case, cause, team, tasks)


def team_message(case: Case, cause: Cause, team: str, tasks: tuple[TeamTask, ...], at: datetime | None = None) -> Reply:
    """One Bundle's worth of tasks for one team."""
    message_id = fhir_id(cause, "Task", team)
    content = TeamMessage(
        id=message_id,
        team=team,
        case_id=case.case_id,
        referral=case.referral,
        decision=case.decision,
        tasks=tasks,
        at=at or case.received_at,
    )
    return _case_reply(case, content, cause)


def _case_reply(
    case: Case, content: StatusLetter | DischargeNote | TeamMessage, cause: Cause, *, draft: bool = False
) -> Reply:
    return Reply(
        content=content,
        cause=cause,
        arrival=case.arrival,
        referral_version=case.referral.version,
        case_id=case.case_id,
        episode_id=case.referral.episode_id,
        draft=draft,
    )


def _task(case: Case, assignment: CaseAssignment, municipality: Municipality) -> TeamTask:
    drafted = assignment.state is State.DRAFTED_RETURN
    return TeamTask(
        assignment_id=assignment.id,
        code=assignment.intervention.code if assignment.intervention else None,
        display=assignment.intervention.display if assignment.intervention else None,
        delivery=assignment.delivery,
        status="draft" if drafted else "requested",
        business_status="for-review" if assignment.state is State.FOR_REVIEW else None,
        note=drafted_answer(case.decision, municipality, case.received_at) if drafted else None,
    )


def status_letter(
    case: Case, municipality: Municipality, occasion: str, cause: Cause, given: dict[str, object]
) -> Reply:
    """A status letter in the municipality's words for one occasion of its file.

    ``given`` holds ``at`` (when we write), and where they apply ``note`` and ``draft``.
    """
    at = given["at"]
    assert isinstance(at, datetime)  # noqa: S101  (a programming error, not input)
    words = municipality.letters[occasion]
    text = words.text.strip().format(
        received=danish_date(local_date(case.received_at)),
        interventions=_interventions(case, municipality),
        deadline=danish_date(case.decision.respond_by),
        note=given.get("note", ""),
    )
    content = StatusLetter(
        subject=words.subject,
        text=text,
        sender=our_party(municipality),
        receiver=case.referral.sender,
        citizen=case.referral.citizen,
        episode_id=case.referral.episode_id,
        at=at,
    )
    return _case_reply(case, content, cause, draft=bool(given.get("draft")))


def _interventions(case: Case, municipality: Municipality) -> str:
    parts = [
        f"{a.intervention.display if a.intervention else _NO_INTERVENTION} hos {municipality.teams[a.team].display}"
        for a in case.assignments
        if not a.has_ended
    ]
    return " og ".join(parts)


def our_party(municipality: Municipality) -> Party:
    """The municipality as sender of its letters."""
    head = municipality.letterhead
    return Party(
        gln=head.gln,
        identifier=head.identifier,
        identifier_code=head.identifier_code,
        organisation=head.organisation,
        department=head.department,
        address=Address(district=head.district, postcode=head.postcode),
        phone=head.phone,
    )


# ------------------------------------------------------------------ a team told something
_LETTER_FOR: dict[EventType, str] = {EventType.RETURNED: "returned", EventType.INFO_REQUESTED: "info_requested"}


def to_event(before: Case, after: Case, event: TeamEvent, municipality: Municipality) -> list[Reply]:
    """Answers to a team event: status letters by policy, and messages to teams that got an assignment."""
    cause = Cause(sender=event.team, id=event.event_id)
    out = list(_letters_by_policy(before, after, event, municipality))
    known = {a.id for a in before.assignments if a.state not in WAITING}
    new = [a for a in after.assignments if a.id not in known and not a.has_ended and a.state not in WAITING]
    for team in sorted({a.team for a in new}):
        tasks = tuple(_task(after, a, municipality) for a in new if a.team == team)
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


# ------------------------------------------------------------------ the case is over
def discharge_notes(case: Case, event: TeamEvent, municipality: Municipality) -> list[Reply]:
    """The discharge note to the referrer, and its copy where the copy receiver's GLN is known."""
    cause = Cause(sender=case.case_id, id="discharge")
    copy = case.referral.answer_cc
    note = _discharge_note(case, event, municipality, case.referral.sender, copy)
    out = [_case_reply(case, note, cause)]
    gln = municipality.addresses.get(copy.identifier or "") if copy else None
    if copy is not None and gln is not None:
        receiver = msgspec.structs.replace(copy, gln=gln)
        note = _discharge_note(case, event, municipality, receiver, copy)
        out.append(_case_reply(case, note, cause))
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


def parse_moment(told: str | None) -> datetime | None:
    """A team's date (midnight in Denmark) or date-time with zone; None for nothing."""
    if told is None:
        return None
    moment = datetime.fromisoformat(told)
    return moment if moment.tzinfo else moment.replace(tzinfo=COPENHAGEN)
