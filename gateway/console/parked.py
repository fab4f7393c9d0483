"""Parked messages: why, what to do, the message with its fault marked; replay, correct, discard, each at most once."""

from typing import Annotated
from urllib.parse import quote_plus, urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from gateway.console import raw
from gateway.console.access import FORM_LIMIT, Acting, SeesMetadata, acting, allowed
from gateway.console.page import page_number, render
from gateway.console.parts import Parts, PartsOf
from gateway.errors import FAULTS, Fault
from gateway.store.accounts import Right
from gateway.store.audit import Act
from gateway.store.parking import Chosen
from gateway.store.replay import ParkedMessage
from gateway.store.sessions import Session

router = APIRouter(include_in_schema=False)
_ROWS = 50
#: bytes of a form beside the message in it
_ROOM = 5000
STATES = ("open", "replayed", "settled", "discarded")
Replays = Annotated[Acting, Depends(acting(Right.REPLAY))]
Corrects = Annotated[Acting, Depends(acting(Right.CONTENT, Right.REPLAY))]
Discards = Annotated[Acting, Depends(acting(Right.DISCARD))]


@router.get("/parked")
def parked(request: Request, parts: PartsOf, _session: SeesMetadata) -> Response:
    """What waits, oldest first; or what was settled."""
    asked = {name: request.query_params.get(name, "")[:64] for name in ("state", "sender", "fault_id")}
    asked["state"] = asked["state"] if asked["state"] in STATES else STATES[0]
    chosen = Chosen(**asked)
    page, count = page_number(request), parts.store.parking.count(chosen)
    return render(
        request,
        "parked.html",
        rows=parts.store.parking.rows(chosen, _ROWS, (page - 1) * _ROWS),
        faults=FAULTS,
        asked=asked,
        states=STATES,
        count=count,
        page=page,
        pages=max(1, -(-count // _ROWS)),
        query=urlencode({name: value for name, value in asked.items() if value}),
    )


@router.get("/parked/{item_id}")
def parked_item(item_id: str, request: Request, parts: PartsOf, _session: SeesMetadata) -> Response:
    """One item: reason, what to do, what was told, what was done."""
    return _item_page(request, parts, _item(parts, item_id))


def _item(parts: Parts, item_id: str) -> ParkedMessage:
    item = parts.store.parking.item(item_id)
    if item is None:
        raise HTTPException(404, "No such parked item")
    return item


def _item_page(request: Request, parts: Parts, item: ParkedMessage, problem: str = "") -> Response:
    return render(
        request,
        "parked_item.html",
        422 if problem else 200,
        item=item,
        fault=FAULTS[item.fault_id],
        told=parts.store.parking.told(item),
        led_to=parts.store.parking.led_to(item),
        acts=parts.store.audit.latest(item.id),
        size=len(item.data),
        correctable=len(item.data) < FORM_LIMIT and len(quote_plus(item.data)) < FORM_LIMIT - _ROOM,
        problem=problem,
        again=request.query_params.get("again", "") == "1",
    )


# ------------------------------------------------------------------ the message
@router.get("/parked/{item_id}/message")
def parked_message(
    item_id: str, request: Request, parts: PartsOf, session: Annotated[Session, Depends(allowed(Right.CONTENT))]
) -> Response:
    """The message as it came, citizens' numbers masked; that someone looked is written down."""
    item = _item(parts, item_id)
    act = Act(who=session.account.name, what="message.seen", subject=item.digest)
    parts.store.audit.write(act, parts.clock())
    return _message_page(request, item, full=False)


@router.post("/parked/{item_id}/message")
def parked_message_in_full(
    item_id: str, request: Request, parts: PartsOf, acting: Annotated[Acting, Depends(acting(Right.CONTENT))]
) -> Response:
    """The same with full numbers, for a reason that is written down."""
    item = _item(parts, item_id)
    why = acting.reason()
    if not why:
        return _message_page(request, item, full=False, problem="Skriv en begrundelse.")
    parts.store.audit.write(acting.act("message.cpr_seen", item.digest, why), parts.clock())
    return _message_page(request, item, full=True)


def _message_page(request: Request, item: ParkedMessage, *, full: bool, problem: str = "") -> Response:
    inner = raw.unpacked(item.data)
    shown = [raw.text_of(data[: raw.SHOWN]) for data in (inner, item.data) if data]
    return render(
        request,
        "parked_message.html",
        422 if problem else 200,
        item=item,
        fault=FAULTS[item.fault_id],
        texts=[raw.pieces(text if full else raw.masked(text), item.detail) for text in shown],
        cut=len(item.data) > raw.SHOWN,
        full=full,
        problem=problem,
    )


# ------------------------------------------------------------------ replay
@router.post("/parked/{item_id}/replay")
def replay(item_id: str, parts: PartsOf, acting: Replays) -> Response:
    """Handle the message anew; a second click on the same form does nothing."""
    if not parts.store.audit.is_done(acting.key):
        act = acting.act("parked.replayed", item_id, acting.form.one("why"))
        outcome = parts.pipeline.replay(_item(parts, item_id), act)
        if any(item.id == item_id for item in outcome.parked):
            return RedirectResponse(f"/parked/{item_id}?again=1", 303)
    return RedirectResponse(f"/parked/{item_id}", 303)


@router.post("/parked/{item_id}/correct")
def correct(item_id: str, request: Request, parts: PartsOf, acting: Corrects) -> Response:
    """The message to be corrected in a copy; it shows everything, so a reason is asked for and written down."""
    item = _item(parts, item_id)
    why = acting.reason()
    if not why:
        return _item_page(request, parts, item, "Skriv en begrundelse.")
    parts.store.audit.write(acting.act("message.cpr_seen", item.digest, why), parts.clock())
    return _correct_page(request, item, raw.text_of(item.data), why)


@router.post("/parked/{item_id}/corrected")
def corrected(item_id: str, request: Request, parts: PartsOf, acting: Corrects) -> Response:
    """Handle the corrected copy; the original stays to the byte. A copy that fails is shown again and not kept."""
    if parts.store.audit.is_done(acting.key):
        return RedirectResponse(f"/parked/{item_id}", 303)
    item = _item(parts, item_id)
    text, why = "".join(acting.form.fields.get("text", [])), acting.reason()
    try:
        data = raw.bytes_of(text, item.data)
    except UnicodeEncodeError:
        return _correct_page(request, item, text, why, Fault(id="GW-102", detail="(tegn uden for tegnsættet)"))
    act = acting.act("parked.corrected", item_id, why)
    outcome = parts.pipeline.replay(item, act, data)
    if outcome.parked:
        return _correct_page(request, item, text, why, outcome.parked[0].fault)
    return RedirectResponse(f"/parked/{item_id}", 303)


def _correct_page(request: Request, item: ParkedMessage, text: str, why: str, fault: Fault | None = None) -> Response:
    return render(
        request,
        "parked_correct.html",
        422 if fault else 200,
        item=item,
        text=text,
        why=why,
        fault=fault,
        reason=FAULTS[item.fault_id],
    )


# ------------------------------------------------------------------ discard
@router.post("/parked/{item_id}/discard")
def discard(item_id: str, request: Request, parts: PartsOf, acting: Discards) -> Response:
    """Propose to discard; someone else confirms."""
    why = acting.reason()
    if not why:
        return _item_page(request, parts, _item(parts, item_id), "Skriv en begrundelse.")
    if not parts.store.audit.is_done(acting.key):
        parts.store.parking.ask_discard(item_id, acting.act("parked.discard_asked", item_id, why), parts.clock())
    return RedirectResponse(f"/parked/{item_id}", 303)


@router.post("/parked/{item_id}/discard/confirm")
def confirm_discard(item_id: str, parts: PartsOf, acting: Discards) -> Response:
    """Discard what someone else proposed."""
    if not parts.store.audit.is_done(acting.key):
        parts.store.parking.confirm_discard(item_id, acting.act("parked.discarded", item_id), parts.clock())
    return RedirectResponse(f"/parked/{item_id}", 303)


@router.post("/parked/{item_id}/discard/decline")
def decline_discard(item_id: str, parts: PartsOf, acting: Discards) -> Response:
    """Keep what someone proposed to discard."""
    if not parts.store.audit.is_done(acting.key):
        parts.store.parking.decline_discard(item_id, acting.act("parked.discard_declined", item_id), parts.clock())
    return RedirectResponse(f"/parked/{item_id}", 303)
