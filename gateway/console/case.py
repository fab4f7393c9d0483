"""The case page: what it waits for, the decision with its why, everything that came and went, and what one may do."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from fsiii import interventions_119
from gateway.console import raw
from gateway.console.access import Acting, SeesMetadata, acting, allowed
from gateway.console.case_wording import source_name, with_places
from gateway.console.letters import words_in, words_of
from gateway.console.page import render
from gateway.console.parts import Parts, PartsOf
from gateway.console.timeline import timeline
from gateway.console.wording import programme_name
from gateway.errors import FAULTS
from gateway.mapping.explanation import explanation, wordings
from gateway.receive import Entrance
from gateway.referral.case import WAITING, Case, CaseAssignment
from gateway.referral.clocks import ClockKind
from gateway.referral.promises import promises
from gateway.referral.status_letters import drafted_answer
from gateway.referral.steps import allowed as steps_of
from gateway.store.accounts import Right
from gateway.store.audit import Act
from gateway.store.dossier import Dossier
from gateway.store.sessions import Session

router = APIRouter(include_in_schema=False)
SeesContent = Annotated[Session, Depends(allowed(Right.METADATA, Right.CONTENT))]
Reveals = Annotated[Acting, Depends(acting(Right.METADATA, Right.CONTENT))]


@router.get("/cases/{case_id}")
def case_page(case_id: str, request: Request, parts: PartsOf, session: SeesMetadata) -> Response:
    """The case; with the right to content, that someone looked is written down."""
    dossier = dossier_of(parts, case_id)
    if Right.CONTENT in session.account.rights:
        parts.store.audit.write(Act(who=session.account.name, what="case.seen", subject=case_id), parts.clock())
    return render_case(request, parts, dossier)


@router.post("/cases/{case_id}/cpr")
def case_in_full(case_id: str, request: Request, parts: PartsOf, acting: Reveals) -> Response:
    """The same with the full CPR, for a reason that is written down."""
    dossier, why = dossier_of(parts, case_id), acting.reason()
    if not why:
        return render_case(request, parts, dossier, Shown(problem="Skriv en begrundelse."))
    parts.store.audit.write(acting.act("case.cpr_seen", case_id, why), parts.clock())
    return render_case(request, parts, dossier, Shown(full=True))


def dossier_of(parts: Parts, case_id: str) -> Dossier:
    """The case and its history, or a page that says there is none."""
    dossier = parts.store.dossiers.find(case_id)
    if dossier is None:
        raise HTTPException(404, "No such case")
    return dossier


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A task as the form for deciding a review has it; empty where nothing is chosen."""

    team: str = ""
    intervention: str = ""
    delivery: str = ""

    @property
    def is_begun(self) -> bool:
        """Whether anything of it is chosen."""
        return any((self.team, self.intervention, self.delivery))

    @property
    def is_whole(self) -> bool:
        """Whether it says who and what."""
        return bool(self.team and self.intervention)


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What the form for deciding a review holds."""

    programmes: tuple[str, ...]
    tasks: tuple[Task, ...]


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """How the page is shown this once: with the full CPR, or with what was wrong and what had been typed."""

    full: bool = False
    problem: str = ""
    #: where or which rule, as the sender of an event is told
    detail: str = ""
    #: the form that was refused, and its text
    form: str = ""
    text: str = ""
    #: what had been chosen in a decision that was refused
    chosen: Choice | None = None


def render_case(request: Request, parts: Parts, dossier: Dossier, shown: Shown | None = None) -> Response:
    """The page, as whoever is logged in may see it."""
    shown = shown or Shown()
    case = dossier.case
    number = case.referral.citizen.identifier
    promised = promises(case, parts.municipality)
    return render(
        request,
        "case.html",
        422 if shown.problem else 200,
        case=case,
        entries=timeline(dossier),
        promised=promised,
        urgent=any(clock.kind is ClockKind.URGENT for clock in promised.clocks),
        why=explanation(case.decision, parts.municipality),
        cpr=f"{number[:6]}-{number[6:]}" if shown.full else raw.masked_number(number),
        shown=shown,
        plain=str if shown.full else raw.masked,
        with_places=with_places,
        source_name=source_name,
        titles=wordings(),
        programme_name=programme_name,
        explanation=lambda decision: explanation(decision, parts.municipality),
        faults=FAULTS,
        **_choices(case, parts, shown),
    )


def _choices(case: Case, parts: Parts, shown: Shown) -> dict[str, object]:
    """What can be done where the case stands, and what the forms offer."""
    waiting = [a for a in case.assignments if a.state in WAITING]
    steps = set(steps_of(waiting[0])) if waiting else set()
    chosen = shown.chosen or _proposed(case, waiting)
    begun = [task for task in chosen.tasks if task.is_begun]
    return {
        "steps": steps,
        "movable": [a for a in case.assignments if "reassigned" in steps_of(a)],
        "proposed": tuple(a for a in waiting if a.intervention is not None),
        "chosen": chosen,
        "rows": [*begun, *[Task()] * (max(len(waiting), len(begun)) + 2 - len(begun))],
        "folded_from": max(len(begun), 1),
        "waiting": waiting,
        "draft": _draft(case, waiting, parts),
        "programmes": [(name, programme_name(name)) for name in sorted(parts.municipality.routes)],
        "teams": parts.municipality.teams,
        "interventions": sorted(
            ((code, row.display) for code, row in interventions_119().items() if not row.retired), key=lambda x: x[1]
        ),
    }


def _proposed(case: Case, waiting: list[CaseAssignment]) -> Choice:
    tasks = (
        Task(team=a.team, intervention=a.intervention.code, delivery=a.delivery or "")
        for a in waiting
        if a.intervention
    )
    return Choice(programmes=case.programmes, tasks=tuple(tasks))


def _draft(case: Case, waiting: list[CaseAssignment], parts: Parts) -> str:
    """The drafted answer in the municipality's words; empty where nothing was drafted."""
    drafted = any(a.state.value == "drafted_return" for a in waiting)
    return drafted_answer(case.decision, parts.municipality, case.received_at) if drafted else ""


# ------------------------------------------------------------------ letters and messages
@router.get("/cases/{case_id}/letters/{letter_id}")
def letter_page(case_id: str, letter_id: str, request: Request, parts: PartsOf, session: SeesContent) -> Response:
    """A letter of ours as it reads, and raw."""
    dossier = dossier_of(parts, case_id)
    letter = parts.store.outbox.letter(letter_id)
    meta = next((went for went in dossier.went if went.letter_id == letter_id), None)
    if letter is None or meta is None:
        raise HTTPException(404, "No such letter")
    _looked(parts, session, "letter.seen", letter_id)
    return render(
        request,
        "letter.html",
        case=dossier.case,
        letter=letter,
        meta=meta,
        words=words_of(letter),
        raw=raw.masked(letter.content.decode("utf-8", "replace")[: raw.SHOWN]),
        masked=raw.masked,
    )


@router.get("/cases/{case_id}/messages/{digest}")
def message_page(case_id: str, digest: str, request: Request, parts: PartsOf, session: SeesContent) -> Response:
    """A message that came for the case, as it reads, and raw."""
    dossier = dossier_of(parts, case_id)
    data = parts.store.dossiers.message(case_id, digest)
    if data is None:
        raise HTTPException(404, "No such message")
    _looked(parts, session, "message.seen", digest)
    came = [came for came in dossier.came if came.message == digest]
    entrance = Entrance.TEAM if came[0].type == "team-event" else Entrance.MEDCOM
    inner = raw.unpacked(data)
    return render(
        request,
        "message.html",
        case=dossier.case,
        came=came,
        words=words_in(data, entrance),
        texts=[raw.masked(raw.text_of(d[: raw.SHOWN])) for d in (inner, data) if d],
        masked=raw.masked,
    )


def _looked(parts: Parts, session: Session, what: str, subject: str) -> None:
    parts.store.audit.write(Act(who=session.account.name, what=what, subject=subject), parts.clock())
