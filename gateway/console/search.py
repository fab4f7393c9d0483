"""The search box: an id, a sender or a CPR. Searches are posted, so that no CPR stands in an address or a log."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from gateway.console import raw
from gateway.console.access import Acting, MissingRightError, SeesMetadata, acting
from gateway.console.page import render
from gateway.console.parts import PartsOf
from gateway.console.wording import programme_name
from gateway.errors import FAULTS
from gateway.store.accounts import Right
from gateway.store.audit import Act
from gateway.store.search import Found, citizen_in

router = APIRouter(include_in_schema=False)


@router.get("/search")
def search_page(request: Request, _session: SeesMetadata) -> Response:
    """An empty box."""
    return _page(request, "", None)


@router.post("/search")
def search(request: Request, parts: PartsOf, acting: Annotated[Acting, Depends(acting(Right.METADATA))]) -> Response:
    """What fits. A search by CPR takes the right to content and is written down with the number's keyed hash."""
    text = acting.form.one("q")[:64]
    number = citizen_in(text)
    if number is None:
        return _page(request, text, parts.store.search.of_id(text))
    account = acting.session.account
    if Right.CONTENT not in account.rights:
        raise MissingRightError(Right.CONTENT)
    key = parts.store.search.citizen_key(number)
    parts.store.audit.write(Act(who=account.name, what="citizen.searched", subject=key), parts.clock())
    return _page(request, raw.masked_number(number), parts.store.search.of_citizen(number))


def _page(request: Request, asked: str, found: Found | None) -> Response:
    return render(request, "search.html", asked=asked, found=found, faults=FAULTS, programme_name=programme_name)
