"""Who did or saw what, and when: for whoever administers the gateway. Looking at it is written down in it."""

import csv
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from io import StringIO
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse

from gateway.console.access import allowed
from gateway.console.page import page_number, render
from gateway.console.parts import Parts, PartsOf
from gateway.console.wording import ACTS
from gateway.referral.workdays import COPENHAGEN
from gateway.store.accounts import Right
from gateway.store.audit import Act, Asked, AuditRow
from gateway.store.sessions import Session

router = APIRouter(include_in_schema=False)
Administers = Annotated[Session, Depends(allowed(Right.ADMINISTER))]
_ROWS = 100
_FIELDS = ("who", "what", "day")
HEADER = ("tidspunkt", "hvem", "handling", "handling i ord", "hvad det gjaldt")
#: a spreadsheet takes a cell that begins so for a formula
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@router.get("/audit")
def audit(request: Request, parts: PartsOf, session: Administers) -> Response:
    """A page of acts, the latest first. The list stands still while one turns its pages: acts since are left out."""
    asked = _asked(request)
    until = _until(request) or parts.store.audit.last_number()
    _looked(parts, session, "audit.seen")
    wanted = _wanted(asked, until)
    count = parts.store.audit.count(wanted)
    pages = max(1, -(-count // _ROWS))
    page = min(page_number(request), pages)
    given = {name: value for name, value in asked.items() if value}
    return render(
        request,
        "audit.html",
        rows=parts.store.audit.rows(wanted, _ROWS, (page - 1) * _ROWS),
        asked=asked,
        acts=ACTS,
        count=count,
        page=page,
        pages=pages,
        filters=urlencode(given),
        query=urlencode(given | {"until": until}),
    )


@router.get("/audit.csv")
def as_file(request: Request, parts: PartsOf, session: Administers) -> Response:
    """Every act that was asked for, one per line, as a Danish spreadsheet reads it; without anyone's own words."""
    wanted = _wanted(_asked(request), parts.store.audit.last_number())
    _looked(parts, session, "audit.fetched")
    headers = {"Content-Disposition": 'attachment; filename="log.csv"', "Cache-Control": "no-store"}
    return StreamingResponse(_lines(parts.store.audit.all(wanted)), 200, headers, "text/csv")


def _looked(parts: Parts, session: Session, what: str) -> None:
    parts.store.audit.write(Act(who=session.account.name, what=what), parts.clock())


# ------------------------------------------------------------------ what is asked for
def _asked(request: Request) -> dict[str, str]:
    """The filter as it was filled in; a day that is none is left out."""
    asked = {name: request.query_params.get(name, "").strip()[:100] for name in _FIELDS}
    return asked | {"day": "" if _day(asked["day"]) is None else asked["day"]}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _until(request: Request) -> int:
    """The last act that the list began with; 0 where the list begins now."""
    text = request.query_params.get("until", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0  # noqa: PLR2004  (fits the column)


def _wanted(asked: Mapping[str, str], until: int) -> Asked:
    day = _day(asked["day"])
    return Asked(
        who=asked["who"],
        what=asked["what"],
        since=_midnight(day) if day else None,
        before=_midnight(day + timedelta(days=1)) if day and day < date.max else None,
        until=until,
    )


def _midnight(day: date) -> datetime:
    """When a Danish day begins."""
    return datetime.combine(day, time(), COPENHAGEN)


# ------------------------------------------------------------------ as CSV
def _lines(rows: Iterator[AuditRow]) -> Iterator[str]:
    yield _line(HEADER)
    for row in rows:
        at = f"{row.at.astimezone(COPENHAGEN):%Y-%m-%d %H:%M:%S}"
        yield _line((at, row.who, row.what, ACTS.get(row.what, ""), row.subject))


def _line(cells: tuple[str, ...]) -> str:
    text = StringIO()
    safe = [f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells]
    csv.writer(text, delimiter=";", lineterminator="\n").writerow(safe)
    return text.getvalue()
