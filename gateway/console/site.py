"""The web page put together: its addresses, its files, and what is shown when something cannot be."""

from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles

from gateway.certificates.watch import CertificateWatch
from gateway.console import (
    audit,
    board,
    case,
    certificates,
    deciding,
    login,
    overview,
    parked,
    receipts,
    search,
    senders,
    statistics,
)
from gateway.console.access import MissingRightError, NotLoggedInError
from gateway.console.kept import Kept
from gateway.console.page import render
from gateway.console.parts import parts_of
from gateway.console.queues import QueueWatch
from gateway.errors import ConflictError

_VIEWS = (login, overview, board, case, deciding, parked, receipts, search, senders, statistics, certificates, audit)
#: how old the overview's plots may be
_PAST_FRESH_S = 20.0
_MACHINES = ("/fhir", "/health", "/metrics", "/schemas", "/team-events", "/docs", "/openapi.json", "/static")

ERRORS = {
    400: ("Siden kunne ikke læse formularen", "Åbn siden igen, og prøv en gang til."),
    403: ("Det må du ikke", "Siden er åbnet i en anden session, eller kontoen har ikke rettigheden. Åbn siden igen."),
    404: ("Siden findes ikke", "Adressen er forkert, eller det, den viste, findes ikke længere."),
    405: ("Siden findes ikke", "Adressen kan ikke bruges på den måde."),
    409: ("Nogen kom først", "En anden har ændret det i mellemtiden. Intet er gjort to gange. Åbn siden igen."),
    413: ("For stort", "Det sendte er større end tilladt."),
    500: ("Fejl i gatewayen", "Fejlen er skrevet i loggen. Meld den til udvikleren."),
    503: ("Databasen svarer ikke", "Beskeder bliver liggende, til forbindelsen er der igen; intet går tabt."),
}


def install_pages(app: FastAPI) -> None:
    """Add the page to the application."""
    parts = app.state.parts
    app.state.queues = QueueWatch(parts.settings, parts.municipality, parts.store.overview)
    app.state.past = Kept(_PAST_FRESH_S)
    app.state.certificates = CertificateWatch(parts.settings, parts.clock)
    app.state.statistics = statistics.counting_of(parts)
    app.mount("/static/htmx", StaticFiles(packages=[("js_lib_htmx", "static/htmx")]))
    app.mount("/static", StaticFiles(packages=[("gateway.console", "static")]))
    app.exception_handler(NotLoggedInError)(_to_login)
    app.exception_handler(MissingRightError)(_missing_right)
    app.exception_handler(ConflictError)(_too_late)
    for view in _VIEWS:
        app.include_router(view.router)


def wants_page(request: Request) -> bool:
    """Whether a person with a browser asks, not a machine."""
    asked = "text/html" in request.headers.get("accept", "") or "hx-request" in request.headers
    return asked and not request.url.path.startswith(_MACHINES)


def error_page(request: Request, status: int) -> Response:
    """What is wrong, and what to do."""
    title, advice = ERRORS.get(status, ERRORS[400 if status < 500 else 500])  # noqa: PLR2004  (our fault from 500 on)
    return render(request, "error.html", status, title=title, advice=advice, down=parts_of(request).down())


def _to_login(request: Request, _error: Exception) -> Response:
    """To the login and back; a part of a page that refreshes itself takes the whole page along."""
    address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.method != "GET" or "hx-request" in request.headers:
        address = "/"
    if "hx-request" in request.headers:
        return Response(status_code=401, headers={"HX-Redirect": "/login"})
    return RedirectResponse(f"/login?{urlencode({'next': address})}", 303)


def _too_late(request: Request, _error: Exception) -> Response:
    """Someone else was first. The second of two clicks at once finds its own act done, and is shown what it led to."""
    key = getattr(request.state, "act_key", None)
    if key and parts_of(request).store.audit.is_done(key):
        return RedirectResponse("/".join(request.url.path.split("/")[:3]), 303)
    return error_page(request, 409)


def _missing_right(request: Request, error: Exception) -> Response:
    assert isinstance(error, MissingRightError)  # noqa: S101  (registered for these only)
    return render(request, "missing_right.html", 403, right=error.right.value)
