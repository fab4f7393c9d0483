"""The promises board: every open case one row, a clock on each step, late ones first."""

from datetime import datetime, timedelta
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.console.access import SeesMetadata
from gateway.console.page import page_number, render
from gateway.console.parts import Parts, PartsOf
from gateway.console.wording import WAITS, programme_name
from gateway.municipality.model import Clocks
from gateway.referral.clocks import alarm_from, warn_from
from gateway.referral.promises import Waits
from gateway.store.board import BoardRow, Filter, Out

router = APIRouter(include_in_schema=False)
_ROWS = 50


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a case: ``done``, ``late``, ``alarm``, ``warn``, ``waits``, ``problem`` or ``none``."""

    name: str
    mark: str
    #: when it was done, or since when or until when it waits
    at: datetime | None = None
    text: str = ""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A row with its steps and how urgent it is."""

    row: BoardRow
    urgency: str
    steps: tuple[Step, ...]


@router.get("/board")
def board(request: Request, parts: PartsOf, _session: SeesMetadata) -> Response:
    """A page of the board; a filter asks for the table alone."""
    now = parts.clock()
    asked = {name: request.query_params.get(name, "")[:60] for name in ("team", "programme", "sender", "waits_for")}
    late = request.query_params.get("late", "") == "1"
    wanted = Filter(**asked, due_before=now if late else None)
    page = page_number(request)
    rows = parts.store.board.rows(wanted, _ROWS, (page - 1) * _ROWS)
    count = parts.store.board.count(wanted)
    given = {name: value for name, value in asked.items() if value} | ({"late": "1"} if late else {})
    part = request.headers.get("hx-target") == "rows"
    return render(
        request,
        "board_rows.html" if part else "board.html",
        lines=[line_of(row, parts, now) for row in rows],
        count=count,
        page=page,
        pages=max(1, -(-count // _ROWS)),
        asked=asked,
        late=late,
        query=urlencode(given),
        teams=sorted(parts.municipality.teams),
        programmes=[(name, programme_name(name)) for name in sorted(parts.municipality.routes)],
        waits=WAITS,
        programme_name=programme_name,
    )


def line_of(row: BoardRow, parts: Parts, now: datetime) -> Line:
    """The row as it is shown."""
    urgency = urgency_of(row.due_at, now, parts.municipality.clocks)
    answered_by = now - timedelta(minutes=parts.municipality.clocks.receipt_minutes)
    return Line(
        row=row,
        urgency=urgency,
        steps=(
            _sent("receipt", row.receipt, "ikke bedt om", answered_by),
            _done(row, "decision", row.decided_at, urgency, {Waits.DECISION, Waits.REFERRER}),
            _done(row, "team", row.team_accepted_at, urgency, {Waits.TEAM}),
            _sent("status", row.status, "ikke skrevet", answered_by),
            _done(row, "talk", row.talked_at, urgency, {Waits.TALK}),
            _sent("discharge", row.discharge, "", answered_by),
        ),
    )


def urgency_of(due_at: datetime | None, now: datetime, clocks: Clocks) -> str:
    """``late``, ``alarm``, ``warn`` or ``waits``."""
    if due_at is None:
        return "waits"
    left = due_at - now
    for name, ahead in (("late", timedelta()), ("alarm", alarm_from(clocks)), ("warn", warn_from(clocks))):
        if left < ahead:
            return name
    return "waits"


def _done(row: BoardRow, name: str, at: datetime | None, urgency: str, waits: set[Waits]) -> Step:
    if row.waits_for in waits:
        return Step(name=name, mark=urgency, at=row.due_at, text=WAITS[row.waits_for])
    if at is not None:
        return Step(name=name, mark="done", at=at)
    return Step(name=name, mark="none")


def _sent(name: str, out: Out | None, otherwise: str, answered_by: datetime) -> Step:
    if out is None:
        return Step(name=name, mark="none", text=otherwise)
    if out.verdict == "refused" or out.status == "parked":
        text = "afvist" if out.verdict else "kunne ikke sendes"
        return Step(name=name, mark="problem", at=out.sent_at, text=text)
    if out.sent_at is None:
        return Step(name=name, mark="waits", at=out.created_at, text="på vej")
    if out.waits_since is not None and out.waits_since < answered_by:
        return Step(name=name, mark="warn", at=out.sent_at, text="ingen kvittering")
    return Step(name=name, mark="done", at=out.sent_at)
