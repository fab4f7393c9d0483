"""The HTTP side: health, metrics, team events, documentation, and the web page. Closed by default.

Errors are ``application/problem+json``, or a page where a page was asked for. No label or URL holds person data.
"""

import hmac
import math
from collections import Counter
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import FastAPI, Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException

from gateway import metrics
from gateway.certificates.state import Standing
from gateway.console.parts import Parts, PartsOf
from gateway.console.site import error_page, install_pages, wants_page
from gateway.errors import FAULTS, NeighbourError, StoreError
from gateway.inbound.fhir_http import FhirSide, create_fhir_app
from gateway.inbound.source import Delivery
from gateway.mapping.team_event import json_schema
from gateway.outbound.envelopes import new_uuid
from gateway.receive import Entrance
from gateway.store.overview import Numbers

#: a team event is small; anything larger is refused before it is read
EVENT_LIMIT = 100_000
_PROBLEM = "application/problem+json"
_DATABASE = StoreError.neighbour
_STORE_GAUGES = (
    metrics.OUTBOX_PENDING,
    metrics.WITHOUT_RECEIPT,
    metrics.PARKED_OPEN,
    metrics.OLDEST_PENDING_SECONDS,
    metrics.OLDEST_PARKED_SECONDS,
)


def create_app(parts: Parts) -> FastAPI:
    """The application; nothing is read from the environment here."""
    app = FastAPIOffline(
        title="Municipal referral gateway",
        description="MedCom and FHIR referrals in, FSIII §119 decisions and letters out.",
        docs_url="/docs",
        redoc_url=None,
    )
    app.state.parts = parts
    app.middleware("http")(_security_headers)
    app.exception_handler(NeighbourError)(_neighbour_down)
    app.exception_handler(HTTPException)(_http_error)
    app.exception_handler(Exception)(_unexpected)
    app.mount("/fhir", create_fhir_app(_fhir_side(parts), _has_token))
    install_pages(app)
    app.add_api_route("/health/live", live, tags=["health"])
    app.add_api_route("/health/ready", ready, tags=["health"], responses={503: {"description": "not ready"}})
    app.add_api_route("/metrics", show_metrics, tags=["health"], responses={401: {"description": "token needed"}})
    app.add_api_route("/schemas/team-event.json", schema, tags=["team events"])
    app.add_api_route(
        "/team-events",
        team_event,
        methods=["POST"],
        status_code=202,
        tags=["team events"],
        openapi_extra={"requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}},
        responses={code: {"description": text} for code, text in _EVENT_ANSWERS.items()},
    )
    return app


def _fhir_side(parts: Parts) -> FhirSide:
    token = parts.settings.fhir_token
    return FhirSide(
        pipeline=parts.pipeline,
        store=parts.store,
        municipality=parts.municipality,
        clock=parts.clock,
        new_id=new_uuid,
        token=token.get_secret_value() if token else None,
        limit=parts.settings.message_limit,
    )


_EVENT_ANSWERS: dict[int | str, str] = {
    400: "the event cannot be read: the field is named",
    401: "token missing or wrong",
    403: "switched off: no token is configured",
    404: "no such case",
    409: "the step is not possible now: the possible ones are named",
    413: "too large",
    503: "a neighbour does not answer: send the event again later",
}


async def _security_headers(request: Request, call_next: Any) -> Response:  # noqa: ANN401  (starlette's form)
    response: Response = await call_next(request)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    if not request.url.path.startswith("/docs"):  # Swagger UI carries an inline script
        response.headers["Content-Security-Policy"] = "default-src 'self'; frame-ancestors 'none'"
    return response


def problem(status: int, title: str, detail: str = "") -> JSONResponse:
    """An RFC 9457 problem."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JSONResponse(body, status_code=status, media_type=_PROBLEM)


def _neighbour_down(request: Request, error: Exception) -> Response:
    if wants_page(request):
        return error_page(request, 503)
    return problem(503, "A neighbour does not answer", getattr(error, "id", "GW-200"))


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  (registered for these only)
    if wants_page(request):
        return error_page(request, error.status_code)
    answer = problem(error.status_code, error.detail)
    answer.headers.update(error.headers or {})
    return answer


def _unexpected(request: Request, _error: Exception) -> Response:
    if wants_page(request):
        return error_page(request, 500)
    return problem(500, "An error of the gateway", "see the log")


def _has_token(authorization: str | None, token: str) -> bool:
    return hmac.compare_digest((authorization or "").encode(), f"Bearer {token}".encode())


def live() -> dict[str, str]:
    """The process runs."""
    return {"status": "alive"}


def ready(parts: PartsOf) -> JSONResponse:
    """Broker and database answer, and nothing holds up what came last: messages are taken and letters leave."""
    down = list(parts.down())
    try:
        parts.store.ping()
    except NeighbourError:
        down += [] if _DATABASE in down else [_DATABASE]
    return JSONResponse({"status": "not ready" if down else "ready", "down": down}, status_code=503 if down else 200)


def show_metrics(request: Request, parts: PartsOf, authorization: Annotated[str | None, Header()] = None) -> Response:
    """Prometheus metrics; a token is asked for where one is configured, and beyond loopback always."""
    token = parts.settings.metrics_token
    if token is None and parts.settings.beyond_loopback:
        return problem(403, "Metrics are switched off beyond loopback", "set GATEWAY_METRICS_TOKEN")
    if token is not None and not _has_token(authorization, token.get_secret_value()):
        return problem(401, "Token missing or wrong")
    refresh_gauges(parts)
    _tell_certificates(request.app.state.certificates.look())
    return Response(generate_latest(metrics.REGISTRY), media_type=CONTENT_TYPE_LATEST)


def refresh_gauges(parts: Parts) -> None:
    """Read the store's numbers into the gauges; while it does not answer they are unknown, the counters still told."""
    now = parts.clock()
    numbers = _numbers(parts, now)
    metrics.CASES.clear()
    metrics.ALARMS.clear()
    if numbers is None:
        for gauge in _STORE_GAUGES:
            gauge.set(math.nan)
        return
    metrics.OUTBOX_PENDING.set(numbers.outbox_pending)
    metrics.WITHOUT_RECEIPT.set(numbers.without_receipt)
    metrics.PARKED_OPEN.set(numbers.parked)
    metrics.OLDEST_PENDING_SECONDS.set(_age(numbers.outbox_oldest, now))
    metrics.OLDEST_PARKED_SECONDS.set(_age(numbers.parked_oldest, now))
    for state, count in numbers.cases_by_state.items():
        metrics.CASES.labels(state=state).set(count)
    for alarms in numbers.alarms:
        metrics.ALARMS.labels(kind=alarms.kind, level=alarms.level).set(alarms.count)


def _tell_certificates(standings: list[Standing]) -> None:
    metrics.CERTIFICATE_DAYS.clear()
    metrics.CERTIFICATES.clear()
    for one in standings:
        metrics.CERTIFICATE_DAYS.labels(name=one.watched.name).set(math.nan if one.days is None else one.days)
    for state, count in Counter(one.state.value for one in standings).items():
        metrics.CERTIFICATES.labels(state=state).set(count)


def _numbers(parts: Parts, now: datetime) -> Numbers | None:
    """The store at a glance; None while it does not answer."""
    try:
        return parts.store.overview.numbers(now - timedelta(minutes=parts.municipality.clocks.receipt_minutes))
    except NeighbourError:
        return None


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0


def schema() -> dict[str, object]:
    """JSON Schema of a team event."""
    return json_schema()


async def team_event(
    request: Request, parts: PartsOf, authorization: Annotated[str | None, Header()] = None
) -> JSONResponse:
    """Take a team event; answered only after it is committed. The same ``event_id`` twice is handled once."""
    token = parts.settings.team_events_token
    if token is None:
        return problem(403, "Team events by HTTP are switched off", "set GATEWAY_TEAM_EVENTS_TOKEN")
    if not _has_token(authorization, token.get_secret_value()):
        return problem(401, "Token missing or wrong")
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > EVENT_LIMIT:
            return problem(413, "The event is too large", f"at most {EVENT_LIMIT} bytes")
    return await run_in_threadpool(_handle_event, parts, data)


def _handle_event(parts: Parts, data: bytes) -> JSONResponse:
    outcome = parts.pipeline.handle_one(Delivery(data=data, entrance=Entrance.TEAM), keep_refused=False)
    refused = outcome.parked
    if refused:
        fault = refused[0].fault
        status = {"GW-104": 413, "GW-160": 400, "GW-161": 404}.get(fault.id, 409)
        return problem(status, FAULTS[fault.id].text, f"{fault.id} {fault.detail}".strip())
    sent = [letter.kind for letter in outcome.outgoing]
    known = outcome.duplicate or any(letter.known for letter in outcome.letters)
    return JSONResponse({"status": "known" if known else "accepted", "sending": sent}, status_code=202)
