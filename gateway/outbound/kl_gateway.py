"""KL's gateway (KLG/FKG): one PUT per delivery report, and what its answer means.

``PUT <base>/Bundle/<id>`` is the only verb; the id is ours and new for every report (ehealth-dk wiki, «Care Gateway»).
A report that breaks the guide is answered with 4xx and an OperationOutcome. The same id twice is answered as a
DUPLICATE, whose status code is not published: it is recognised by the outcome, and means that the first one arrived.
"""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from ssl import SSLContext, create_default_context

import httpx
import msgspec
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from gateway.errors import ConfigurationError, KlGatewayError
from gateway.mapping.fhir.resources import Concept

_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_ATTEMPTS = 4
_LONGEST_WAIT_S = 20.0
#: not about the report but about us, the address, or the moment
_NOT_ABOUT_THE_REPORT = frozenset({401, 403, 404, 405, 407})
_LATER = frozenset({408, 425, 429})
_CLIENT_ERRORS = range(400, 500)
_SERVER_ERRORS = range(500, 600)
#: what may be kept of an answer: codes and element paths. Words, and numbers as long as a date, may be a citizen's
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,60}", re.ASCII)
_PLACE = re.compile(r"(?!.*\d{6})[A-Za-z][A-Za-z0-9_.:\[\]-]{0,150}", re.ASCII)
_MOST_ISSUES = 20


class Verdict(StrEnum):
    """What KL's gateway made of a report."""

    DELIVERED = "delivered"
    #: it has it already: an earlier attempt arrived without our hearing so
    DUPLICATE = "duplicate"
    REFUSED = "refused"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one report; ``why`` holds the HTTP status, issue codes and places, and never words."""

    verdict: Verdict
    why: str


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """One issue of an OperationOutcome."""

    code: str = ""
    details: Concept = Concept()
    diagnostics: str = ""
    expression: tuple[str, ...] = ()
    location: tuple[str, ...] = ()

    @property
    def is_duplicate(self) -> bool:
        """Whether it says that the report came before."""
        said = (self.code, self.diagnostics, self.details.text, *(c.code for c in self.details.coding))
        return any("duplicate" in (word or "").lower() for word in said)

    @property
    def shown(self) -> str:
        """Its code and places, as far as they cannot hold anything of a citizen."""
        codes = (self.code, *(c.code or "" for c in self.details.coding))
        places = (place for place in (*self.expression, *self.location) if _PLACE.fullmatch(place))
        return " ".join((*(code for code in codes if _CODE.fullmatch(code)), *places))


class _Outcome(msgspec.Struct, frozen=True, kw_only=True):
    issue: tuple[Issue, ...] = ()


class _TryAgainError(Exception):
    """No answer, or one that another attempt may better; the text is safe to show."""


class KlGateway:
    """Puts reports; tries again by itself while another attempt may help."""

    def __init__(
        self, client: httpx.Client, base: str, token: Callable[[], str], sleep: Callable[[float], None]
    ) -> None:
        """``token`` gives the bearer token at each attempt; ``sleep`` waits between attempts, in seconds."""
        self._client = client
        self._base = base.rstrip("/")
        self._token = token
        self._retrying = Retrying(
            retry=retry_if_exception_type(_TryAgainError),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_exponential_jitter(initial=1, max=_LONGEST_WAIT_S, jitter=1),
            sleep=sleep,
            reraise=True,
        )

    def put(self, report_id: str, bundle: bytes) -> Answer:
        """Hand a report over.

        Raises:
            KlGatewayError: GW-207, nothing is known of the report's fate; the same report may be put again.
        """
        try:
            return self._retrying(self._attempt, report_id, bundle)
        except _TryAgainError as error:
            raise KlGatewayError(f"KL's gateway after {_ATTEMPTS} attempts: {error}") from None

    def _attempt(self, report_id: str, bundle: bytes) -> Answer:
        headers = {
            "Authorization": f"Bearer {self._token()}",
            "Content-Type": "application/fhir+json",
            "Accept": "application/fhir+json",
        }
        try:
            response = self._client.put(f"{self._base}/Bundle/{report_id}", content=bundle, headers=headers)
        except httpx.InvalidURL:
            raise KlGatewayError("GATEWAY_REPORT_URL is no address") from None
        except httpx.HTTPError as error:
            raise _TryAgainError(type(error).__name__) from None
        return _judged(response)


def _judged(response: httpx.Response) -> Answer:
    status, issues = response.status_code, _issues(response.content)
    told = "; ".join((str(status), *filter(None, (issue.shown for issue in issues[:_MOST_ISSUES]))))
    if status in _LATER or status in _SERVER_ERRORS:
        raise _TryAgainError(str(status))
    if status in _NOT_ABOUT_THE_REPORT:
        raise KlGatewayError(f"KL's gateway answers {status}: {_ADVICE.get(status, 'see GATEWAY_REPORT_URL')}")
    if any(issue.is_duplicate for issue in issues):
        return Answer(verdict=Verdict.DUPLICATE, why=told)
    if response.is_success:
        return Answer(verdict=Verdict.DELIVERED, why=told)
    if status in _CLIENT_ERRORS:
        return Answer(verdict=Verdict.REFUSED, why=told)
    raise KlGatewayError(f"KL's gateway answers {status}: see GATEWAY_REPORT_URL")


_ADVICE: Mapping[int, str] = {
    401: "the token in GATEWAY_REPORT_TOKEN_FILE is not accepted",
    403: "the token gives no right to report (system role Care Delivery Reporter System)",
}


def _issues(content: bytes) -> tuple[Issue, ...]:
    """The issues of an OperationOutcome; none in anything else."""
    try:
        return msgspec.json.decode(content, type=_Outcome).issue
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ()


def token_in(path: Path) -> Callable[[], str]:
    """A provider that reads the token anew each time: the client that keeps it fresh replaces the file.

    Raises (when asked):
        KlGatewayError: the file cannot be read, or holds no token.
    """

    def token() -> str:
        try:
            found = path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise KlGatewayError(f"GATEWAY_REPORT_TOKEN_FILE cannot be read: {type(error).__name__}") from None
        if not found or any(c.isspace() for c in found):
            raise KlGatewayError("GATEWAY_REPORT_TOKEN_FILE holds no token")
        return found

    return token


def open_client(certificate: Path | None, key: Path | None) -> httpx.Client:
    """An HTTPS client that follows no redirects, with the system certificate where there is one.

    Raises:
        ConfigurationError: GW-301 when certificate or key cannot be used.
    """
    return httpx.Client(timeout=_TIMEOUT, verify=_context(certificate, key))


def _context(certificate: Path | None, key: Path | None) -> SSLContext:
    context = create_default_context()
    if certificate is not None:
        try:
            context.load_cert_chain(certificate, key)
        except OSError as error:  # SSLError is one
            text = f"GATEWAY_REPORT_CERTIFICATE and GATEWAY_REPORT_KEY: {type(error).__name__}"
            raise ConfigurationError("GW-301", text) from None
    return context
