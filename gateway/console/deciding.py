"""What people do with a case on the page: each decision a team event through the pipeline, each note a row."""

import hashlib
from itertools import zip_longest
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from gateway.console.access import Acting, acting
from gateway.console.case import Choice, Shown, Task, dossier_of, render_case
from gateway.console.parts import Parts, PartsOf
from gateway.inbound.source import Delivery
from gateway.receive import Entrance
from gateway.referral.case import WAITING, Case
from gateway.referral.events import EventType
from gateway.store.accounts import Right

router = APIRouter(include_in_schema=False)
Decides = Annotated[Acting, Depends(acting(Right.METADATA, Right.CONTENT, Right.DECIDE))]
#: characters of an internal note
_LONGEST_NOTE = 4000


@router.post("/cases/{case_id}/accept")
def accept(case_id: str, request: Request, parts: PartsOf, acting: Decides) -> Response:
    """Take the review's proposal as it stands."""
    return _tell(request, parts, acting, case_id, {"type": EventType.ACCEPTED})


@router.post("/cases/{case_id}/decide")
def decide(case_id: str, request: Request, parts: PartsOf, acting: Decides) -> Response:
    """Decide a review by programme and team."""
    chosen = _chosen(acting)
    begun = [task for task in chosen.tasks if task.is_begun]
    if not begun or not all(task.is_whole for task in begun):
        problem = "Hver opgave skal have både team og indsats." if begun else "Vælg mindst én opgave: team og indsats."
        shown = Shown(problem=problem, form=EventType.REVIEW_DECIDED, chosen=chosen)
        return render_case(request, parts, dossier_of(parts, case_id), shown)
    assignments = [
        {"team": task.team, "intervention": task.intervention} | ({"delivery": task.delivery} if task.delivery else {})
        for task in begun
    ]
    event = {"type": EventType.REVIEW_DECIDED, "programmes": chosen.programmes, "assignments": assignments}
    return _tell(request, parts, acting, case_id, event)


def _chosen(acting: Acting) -> Choice:
    """The decision as the form has it."""
    form = acting.form
    rows = zip_longest(form.many("team"), form.many("intervention"), form.many("delivery"), fillvalue="")
    tasks = tuple(Task(team=team, intervention=code, delivery=delivery) for team, code, delivery in rows)
    return Choice(programmes=tuple(form.many("programme")), tasks=tasks)


@router.post("/cases/{case_id}/return")
def answer(case_id: str, request: Request, parts: PartsOf, acting: Decides) -> Response:
    """Approve the drafted answer, or send it in other words."""
    return _tell(request, parts, acting, case_id, {"type": EventType.RETURNED, "note": _text(acting)})


@router.post("/cases/{case_id}/ask")
def ask(case_id: str, request: Request, parts: PartsOf, acting: Decides) -> Response:
    """Ask the referrer."""
    return _tell(request, parts, acting, case_id, {"type": EventType.INFO_REQUESTED, "note": _text(acting)})


@router.post("/cases/{case_id}/reassign")
def reassign(case_id: str, request: Request, parts: PartsOf, acting: Decides) -> Response:
    """Hand an assignment over to another team."""
    named = acting.form.one("assignment")
    event = {"type": EventType.REASSIGNED, "assignment": named, "to_team": acting.form.one("to_team")}
    return _tell(request, parts, acting, case_id, event)


@router.post("/cases/{case_id}/note")
def note(case_id: str, request: Request, parts: PartsOf, acting: Decides) -> Response:
    """Write a note for colleagues; it never leaves the house."""
    dossier, text = dossier_of(parts, case_id), _text(acting)[:_LONGEST_NOTE]
    if not text:
        return render_case(request, parts, dossier, Shown(problem="Skriv noget.", form="note"))
    if not parts.store.audit.is_done(acting.key):
        parts.store.dossiers.add_note(case_id, text, acting.act("case.noted", case_id), parts.clock())
    return RedirectResponse(f"/cases/{case_id}", 303)


def _text(acting: Acting) -> str:
    """What was written, with plain line ends."""
    return acting.form.one("text").replace("\r\n", "\n")


def _tell(request: Request, parts: Parts, acting: Acting, case_id: str, event: dict[str, Any]) -> Response:
    """The event handled with its audit row in one transaction; refused, the page says why and nothing is kept."""
    if parts.store.audit.is_done(acting.key):
        return RedirectResponse(f"/cases/{case_id}", 303)
    dossier = dossier_of(parts, case_id)
    told = event | {
        "event_id": hashlib.sha256(acting.key.encode()).hexdigest()[:32],
        "case_id": case_id,
        "team": _team(dossier.case, event.get("assignment")),
        "occurred": parts.clock(),
        "author": {"name": acting.session.account.display},
    }
    act = acting.act(f"case.{event['type'].value}", case_id)
    delivery = Delivery(data=msgspec.json.encode(told), entrance=Entrance.TEAM)
    outcome = parts.pipeline.handle_one(delivery, keep_refused=False, act=act)
    if outcome.parked:
        fault = outcome.parked[0].fault
        refused = Shown(problem=fault.row.text, detail=fault.detail, form=event["type"].value, text=_text(acting))
        if event["type"] is EventType.REVIEW_DECIDED:
            refused = msgspec.structs.replace(refused, chosen=_chosen(acting))
        return render_case(request, parts, dossier, refused)
    return RedirectResponse(f"/cases/{case_id}", 303)


def _team(case: Case, assignment_id: str | None) -> str:
    """On whose behalf: the team that has the assignment, or the one that the decision waits for."""
    named = [a.team for a in case.assignments if a.id == assignment_id]
    waiting = [a.team for a in case.assignments if a.state in WAITING]
    return next(iter(named), case.decision.review_team or next(iter(waiting), case.assignments[0].team))
