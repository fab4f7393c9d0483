"""FHIR by HTTP: ``$process-message``, ``ServiceRequest/$validate`` and the capability statement. Closed by default.

A message takes the road that every message takes; it is answered after the commit, with its Acknowledgement, which is
marked as sent in that same commit and never goes out through the relay (ADR 0014). Whoever gets no answer sends the
message again and is given the stored one. Every other answer under ``/fhir`` is an OperationOutcome.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

import msgspec
import structlog
from fastapi import Depends, FastAPI, Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from gateway.errors import Fault, NeighbourError
from gateway.inbound.fhir_negotiation import Form, content_form, wanted_form
from gateway.inbound.pipeline import Pipeline
from gateway.inbound.source import Delivery
from gateway.mapping import encoding
from gateway.mapping.fhir import conformance
from gateway.mapping.fhir.conformance import Problem
from gateway.metrics import NEIGHBOUR_DOWN, SENT
from gateway.municipality.model import Municipality
from gateway.receive import Entrance, read
from gateway.referral.gate import gate
from gateway.referral.inbox import Outcome
from gateway.referral.letters import Carrier, Outgoing
from gateway.referral.model import Referral
from gateway.referral.reading import Reading
from gateway.referral.receipts import not_now
from gateway.store.store import Store

log = structlog.get_logger()
#: faults of what is no FHIR at all; other faults are of what it says
_UNREADABLE = {"GW-101": 400, "GW-102": 400, "GW-103": 400, "GW-104": 413}
_UNPROCESSABLE = 422
_COME_AGAIN = {"Retry-After": "30"}
_BODY = {
    "content": {mime: {"schema": {"type": "object"}} for mime in ("application/fhir+json", "application/fhir+xml")}
}
_ANSWERS: dict[int | str, dict[str, object]] = {
    status: {"description": text, "content": {"application/fhir+json": {}, "application/fhir+xml": {}}}
    for status, text in {
        400: "neither JSON nor XML",
        401: "token missing or wrong",
        403: "switched off: no token is configured",
        406: "neither application/fhir+json nor application/fhir+xml is accepted",
        413: "too large",
        415: "neither application/fhir+json nor application/fhir+xml was sent",
        422: "refused, and nobody is named whom an Acknowledgement could answer",
        500: "an error of the gateway: send the message again later",
        503: "a neighbour does not answer, told in an Acknowledgement where one is owed: send the message again later",
    }.items()
}


class FhirSide(msgspec.Struct, frozen=True, kw_only=True):
    """What the FHIR side stands on."""

    pipeline: Pipeline
    store: Store
    municipality: Municipality
    clock: Callable[[], datetime]
    #: mints the id of an envelope
    new_id: Callable[[], str]
    #: None: switched off
    token: str | None
    #: largest message in bytes
    limit: int


class Refusal(Exception):  # noqa: N818  (an answer, not an error of ours)
    """The request is answered with an OperationOutcome."""

    def __init__(self, status: int, problem: Problem, headers: dict[str, str] | None = None) -> None:
        super().__init__(problem.text)
        self.status = status
        self.problem = problem
        self.headers = headers


def create_fhir_app(side: FhirSide, has_token: Callable[[str | None, str], bool]) -> FastAPI:
    """The application that is mounted at ``/fhir``."""
    app = FastAPI(title="Municipal referral gateway, FHIR R4", docs_url=None, redoc_url=None)
    app.state.side = side
    app.state.has_token = has_token
    app.exception_handler(Refusal)(_refused)
    app.exception_handler(NeighbourError)(_neighbour_down)
    app.exception_handler(HTTPException)(_http_error)
    app.exception_handler(Exception)(_unexpected)
    app.add_api_route("/metadata", metadata, tags=["fhir"], responses=_of(403, 406, 500), response_class=Response)
    taking = {
        "methods": ["POST"],
        "tags": ["fhir"],
        "openapi_extra": {"requestBody": _BODY},
        "response_class": Response,
    }
    app.add_api_route("/$process-message", process_message, responses=_ANSWERS, **taking)  # type: ignore[arg-type]
    app.add_api_route("/ServiceRequest/$validate", validate, responses=_ANSWERS, **taking)  # type: ignore[arg-type]
    return app


def _of(*statuses: int) -> dict[int | str, dict[str, object]]:
    return {status: _ANSWERS[status] for status in statuses}


# ------------------------------------------------------------------ who may, in which form
def _side(request: Request) -> FhirSide:
    side: FhirSide = request.app.state.side
    if side.token is None:
        raise Refusal(403, Problem(code="forbidden", text="FHIR by HTTP is switched off: set GATEWAY_FHIR_TOKEN"))
    return side


Side = Annotated[FhirSide, Depends(_side)]


def _authorised(request: Request, side: Side, authorization: Annotated[str | None, Header()] = None) -> FhirSide:
    if not request.app.state.has_token(authorization, side.token):
        problem = Problem(code="login", text="Token missing or wrong")
        raise Refusal(401, problem, {"WWW-Authenticate": "Bearer"})
    return side


Authorised = Annotated[FhirSide, Depends(_authorised)]


def _form_of(request: Request) -> Form:
    """The form of the answer: as asked for, else as the message came, else JSON."""
    sent = content_form(request.headers.get("content-type"))
    asked = request.query_params.get("_format") or request.headers.get("accept")
    form = wanted_form(asked, sent or Form.JSON)
    if form is None:
        raise Refusal(406, Problem(code="not-supported", text=f"Answers are {Form.JSON.mime} or {Form.XML.mime}"))
    return form


AnswerForm = Annotated[Form, Depends(_form_of)]


async def _message(request: Request, side: FhirSide) -> bytes:
    """The body, never more of it than a message may have."""
    if content_form(request.headers.get("content-type")) is None:
        raise Refusal(415, Problem(code="not-supported", text=f"Send {Form.JSON.mime} or {Form.XML.mime}"))
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Refusal(415, Problem(code="not-supported", text="Send the message as it is, not compressed"))
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > side.limit:
            raise Refusal(413, Problem(code="too-long", text=f"At most {side.limit} bytes"))
    return bytes(data)


# ------------------------------------------------------------------ what can be asked
def metadata(side: Side, form: AnswerForm) -> Response:
    """What this server can do; told to anyone, where the FHIR side is switched on at all."""
    return _answer(conformance.capability_statement(side.clock()), form)


async def process_message(request: Request, side: Authorised, form: AnswerForm) -> Response:
    """Take a message; answered after the commit by its Acknowledgement. The same message twice is handled once."""
    data = await _message(request, side)
    return await run_in_threadpool(_process, side, data, form)


def _process(side: FhirSide, data: bytes, form: Form) -> Response:
    envelope_id = side.new_id()
    delivery = Delivery(data=data, entrance=Entrance.FHIR)
    try:
        outcome = side.pipeline.answer_one(delivery, envelope_id)
        letter = _acknowledgement(side, outcome)
    except NeighbourError as error:
        return _not_now(side, data, form, error)
    if letter is None:
        return _without_acknowledgement(outcome, form)
    SENT.labels(kind=letter.kind).inc()
    log.info("letter.answered", kind=letter.kind, letter=letter.letter_id, envelope=envelope_id)
    bare = msgspec.structs.replace(letter, carrier=Carrier.BARE, payload=form.payload)
    return Response(encoding.wrap(bare, envelope_id, side.clock()), media_type=form.mime)


def _not_now(side: FhirSide, data: bytes, form: Form, error: NeighbourError) -> Response:
    """A neighbour is down: an Acknowledgement that says so and is stored nowhere, for the sender to send again."""
    now = side.clock()
    reply = not_now(read(data, Entrance.FHIR, side.limit), side.municipality, now)
    if reply is None:
        raise error
    NEIGHBOUR_DOWN.labels(id=error.id).inc()
    log.warning("neighbour.down", id=error.id, why=str(error))
    bare = msgspec.structs.replace(
        encoding.encode(reply, side.municipality), carrier=Carrier.BARE, payload=form.payload
    )
    told = encoding.wrap(bare, side.new_id(), now)
    return Response(told, status_code=503, media_type=form.mime, headers=_COME_AGAIN)


def _acknowledgement(side: FhirSide, outcome: Outcome) -> Outgoing | None:
    """The Acknowledgement of the message, just written or stored."""
    written = {letter.letter_id: letter for letter in outcome.outgoing}
    letters = [written.get(i) or side.store.outbox.letter(i) for i in outcome.message.receipts]
    return next((x for x in letters if x is not None and x.kind == conformance.ACKNOWLEDGEMENT), None)


def _without_acknowledgement(outcome: Outcome, form: Form) -> Response:
    """Nobody to name: an Acknowledgement was sent to us, or a bare resource, or nothing that could be read."""
    if not outcome.parked:
        return _outcome(200, [Problem(code="informational", text="Modtaget", severity="information")], form)
    return _faults([item.fault for item in outcome.parked], form)


async def validate(request: Request, side: Authorised, form: AnswerForm) -> Response:
    """What we would say to a referral, as a ServiceRequest or whole message; nothing is stored, nobody is told."""
    data = conformance.unwrapped(await _message(request, side))
    return await run_in_threadpool(_validate, side, data, form)


def _validate(side: FhirSide, data: bytes, form: Form) -> Response:
    faults = _faults_of(read(data, Entrance.FHIR, side.limit), side)
    if not faults:
        return _outcome(200, [Problem(code="informational", text="Ingen fejl", severity="information")], form)
    unreadable = [fault for fault in faults if fault.id in _UNREADABLE]
    return _faults(unreadable, form) if unreadable else _outcome(200, faults, form)


def _faults_of(reading: Reading, side: FhirSide) -> list[Fault]:
    """Everything that would be refused: the message, its letter, and whether it is for us."""
    found = [reading.fault, *(letter.fault for letter in reading.letters)]
    referrals = [x.content for x in reading.letters if isinstance(x.content, Referral)]
    found += [gate(referral, side.municipality, side.clock()) for referral in referrals]
    faults = [fault for fault in found if fault is not None]
    return faults if faults or referrals else [Fault(id="GW-110", detail="(ServiceRequest)")]


# ------------------------------------------------------------------ answers
def _faults(faults: list[Fault], form: Form) -> Response:
    return _outcome(_UNREADABLE.get(faults[0].id, _UNPROCESSABLE), faults, form)


def _outcome(
    status: int, issues: list[Fault] | list[Problem], form: Form, headers: dict[str, str] | None = None
) -> Response:
    return _answer(conformance.operation_outcome(issues), form, status, headers)


def _answer(
    resource: dict[str, object], form: Form, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    return Response(form.write(resource), status_code=status, media_type=form.mime, headers=headers)


def _error_form(request: Request) -> Form:
    """The form of an error: JSON where the caller accepts neither."""
    asked = request.query_params.get("_format") or request.headers.get("accept")
    return wanted_form(asked, content_form(request.headers.get("content-type")) or Form.JSON) or Form.JSON


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)  # noqa: S101  (registered for these only)
    return _outcome(error.status, [error.problem], _error_form(request), error.headers)


def _neighbour_down(request: Request, error: Exception) -> Response:
    text = f"{getattr(error, 'id', 'GW-200')}: a neighbour does not answer; send the message again later"
    return _outcome(503, [Problem(code="transient", text=text)], _error_form(request), _COME_AGAIN)


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  (registered for these only)
    code = {404: "not-found", 405: "not-supported"}.get(error.status_code, "processing")
    headers = dict(error.headers or {})
    return _outcome(error.status_code, [Problem(code=code, text=error.detail)], _error_form(request), headers)


def _unexpected(request: Request, _error: Exception) -> Response:
    problem = Problem(
        code="exception", text="An error of the gateway; nothing was stored, send the message again later"
    )
    return _outcome(500, [problem], _error_form(request))
