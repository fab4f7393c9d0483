"""Letters without a receipt, and those that were refused: what it means, what to do, and sending one again, once."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import quote, urlencode

import msgspec
from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from gateway.console.access import Acting, SeesMetadata, acting
from gateway.console.page import page_number, render
from gateway.console.parts import Parts, PartsOf
from gateway.console.receipt_wording import REFUSALS, RESENDS
from gateway.store.accounts import Right
from gateway.store.receipts import Watch, Watched

router = APIRouter(include_in_schema=False)
Resends = Annotated[Acting, Depends(acting(Right.METADATA, Right.REPLAY))]
STATES = ("waiting", "late", "refused")
_ROWS = 50
#: MedCom's rule for a letter without a receipt: sent again twice at most
_MOST_SENDINGS = 3
#: states in which sending again may help
_RESENDABLE = frozenset({"fresh", "resent", "late", "often", "stuck", "refused"})
#: those of them in which the receiver still has time
_IN_TIME = frozenset({"fresh", "resent"})


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A letter as it is shown."""

    row: Watched
    #: key of ``RECEIPT_STATES``
    state: str
    #: when its alarm rings
    rings_at: datetime | None
    #: MedCom's refuse code, where it is one
    refusal: str

    @property
    def may_go_again(self) -> bool:
        """Whether sending it again may help."""
        return self.state in _RESENDABLE

    @property
    def asks_for_it(self) -> bool:
        """The same, and its time has run out: the list offers it."""
        return self.may_go_again and self.state not in _IN_TIME


@router.get("/receipts")
def receipts(request: Request, parts: PartsOf, _session: SeesMetadata) -> Response:
    """What waits, the longest first; or what was refused, the latest first."""
    now = parts.clock()
    asked = {name: request.query_params.get(name, "").strip()[:60] for name in ("state", "receiver")}
    asked["state"] = asked["state"] if asked["state"] in STATES else STATES[0]
    watch = _watch(asked, now - _limit(parts))
    count = parts.store.receipts.count(watch)
    pages = max(1, -(-count // _ROWS))
    page = min(page_number(request), pages)
    return render(
        request,
        "receipts.html",
        lines=[line_of(row, now, _limit(parts)) for row in parts.store.receipts.rows(watch, _ROWS, (page - 1) * _ROWS)],
        asked=asked,
        states=STATES,
        count=count,
        page=page,
        pages=pages,
        query=urlencode({name: value for name, value in asked.items() if value}),
    )


def _watch(asked: Mapping[str, str], receipt_due: datetime) -> Watch:
    return Watch(
        refused=asked["state"] == "refused",
        waits_since_before=receipt_due if asked["state"] == "late" else None,
        receiver=asked["receiver"],
    )


def _limit(parts: Parts) -> timedelta:
    """How long a receiver may take for its receipt."""
    return timedelta(minutes=parts.municipality.clocks.receipt_minutes)


@router.get("/receipts/{letter_id}")
def receipt(letter_id: str, request: Request, parts: PartsOf, _session: SeesMetadata) -> Response:
    """One letter: every sending, every act; and what the click that led here did."""
    row = parts.store.receipts.find(letter_id)
    if row is None:
        raise HTTPException(404, "No such letter")
    done = request.query_params.get("done", "")
    return render(
        request,
        "receipt.html",
        line=line_of(row, parts.clock(), _limit(parts)),
        sendings=parts.store.receipts.sendings(letter_id),
        acts=parts.store.audit.latest(letter_id),
        done=done if done in RESENDS else "",
    )


@router.post("/receipts/{letter_id}/resend")
def resend(letter_id: str, parts: PartsOf, acting: Resends) -> Response:
    """Send the letter again, unless it no longer stands where the person saw it; the page tells which happened."""
    act = acting.act("letter.resent", letter_id, acting.form.one("why")[:500])
    done = parts.store.outbox.resend(act, parts.clock(), seen=acting.form.one("seen"))
    if done == "unknown":
        raise HTTPException(404, "No such letter")
    done = done if done in RESENDS else "unsent"
    return RedirectResponse(f"/receipts/{quote(letter_id, safe='')}?done={done}", 303)


# ------------------------------------------------------------------ what a row says
def line_of(row: Watched, now: datetime, limit: timedelta) -> Line:
    """The letter with what its state means."""
    rings_at = row.waits_since + limit if row.waits_since else None
    code = (row.verdict_why or "").rpartition(" ")[2]
    return Line(
        row=row,
        state=_state(row, now, limit),
        rings_at=rings_at,
        refusal=code if code in REFUSALS else "",
    )


def _state(row: Watched, now: datetime, limit: timedelta) -> str:
    if row.status == "pending" and row.times:
        return "again"
    if row.verdict is not None:
        return row.verdict
    if row.status == "parked" and row.times:
        return "stuck"
    return _waiting(row.waits_since, row, now - limit)


def _waiting(since: datetime | None, row: Watched, sent_before: datetime) -> str:
    """How a letter stands that is out; ``sent_before``: what was sent earlier has had its time."""
    if since is None:
        return "unsent"
    if since > sent_before:
        return "fresh"
    if row.sent_at is not None and row.sent_at > sent_before:
        return "resent"
    return "often" if row.times >= _MOST_SENDINGS else "late"
