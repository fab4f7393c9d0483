"""Every answer that KL's gateway may give to a report, played by respx; and what is written down of it."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest
import respx
import structlog

from gateway.errors import ConfigurationError, KlGatewayError
from gateway.outbound.kl_gateway import Answer, KlGateway, Verdict, open_client, token_in
from gateway.outbound.report_sending import send
from gateway.store.reports import BUILT, DELIVERED, REFUSED, StoredReport
from gateway.store.store import Store, open_store
from tests.builders import CPR
from tests.store.material import NOW

BASE = "https://kl.example/fhir"
OWN = "5135080e-fbaf-4575-afe6-f037d4541e06"
ADDRESS = f"{BASE}/Bundle/{OWN}"
BUNDLE = b'{"resourceType":"Bundle"}'


def outcome(*issues: dict[str, object]) -> dict[str, object]:
    return {"resourceType": "OperationOutcome", "issue": list(issues)}


class Kl:
    """KL's gateway as a test sees it: what it answers, and how long the client waited in between."""

    def __init__(self, router: respx.MockRouter) -> None:
        self.waits: list[float] = []
        self.route = router.put(ADDRESS)
        self.client = open_client(None, None)
        self.gateway = KlGateway(self.client, f"{BASE}/", lambda: "a.b.c", self.waits.append)

    def answers(self, *given: httpx.Response | Exception) -> Answer:
        self.route.side_effect = list(given)
        return self.gateway.put(OWN, BUNDLE)


@pytest.fixture
def kl() -> Iterator[Kl]:
    with respx.mock() as router:
        one = Kl(router)
        yield one
        one.client.close()


# ------------------------------------------------------------------ taken
@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_report_is_put_under_its_own_id(kl: Kl, status: int) -> None:
    assert kl.answers(httpx.Response(status)) == Answer(verdict=Verdict.DELIVERED, why=str(status))
    request = kl.route.calls.last.request
    assert (request.method, str(request.url), request.content) == ("PUT", ADDRESS, BUNDLE)
    assert request.headers["authorization"] == "Bearer a.b.c"
    assert request.headers["content-type"] == "application/fhir+json"


def test_a_remark_is_no_refusal(kl: Kl) -> None:
    remark = outcome({"severity": "information", "code": "informational", "diagnostics": "Modtaget"})
    assert kl.answers(httpx.Response(200, json=remark)).verdict is Verdict.DELIVERED


@pytest.mark.parametrize("status", [200, 409, 422])
@pytest.mark.parametrize(
    "issue",
    [
        {"code": "duplicate"},
        {"code": "processing", "diagnostics": "Bundle is a DUPLICATE"},
        {"code": "processing", "details": {"text": "Duplicate"}},
        {"code": "processing", "details": {"coding": [{"code": "DUPLICATE"}]}},
    ],
)
def test_the_same_report_again_has_arrived(kl: Kl, status: int, issue: dict[str, object]) -> None:
    assert kl.answers(httpx.Response(status, json=outcome(issue))).verdict is Verdict.DUPLICATE


# ------------------------------------------------------------------ refused
def test_a_report_that_breaks_the_guide_is_refused_with_codes_and_places(kl: Kl) -> None:
    broken = {
        "severity": "error",
        "code": "invariant",
        "details": {"coding": [{"code": "klgateway-119-care-plan-1"}], "text": f"CPR {CPR} kan ikke"},
        "diagnostics": f"Borger {CPR} mangler statusReason",
        "expression": ["Bundle.entry[3].resource.ofType(CarePlan)", "Bundle.entry[3].resource"],
        "location": [f"Patient/{CPR}", f"Bundle.id-{CPR}"],
    }
    answer = kl.answers(httpx.Response(422, json=outcome(broken, {"code": "Kai Markørsen"})))
    assert answer.verdict is Verdict.REFUSED
    assert answer.why == "422; invariant klgateway-119-care-plan-1 Bundle.entry[3].resource"
    assert kl.waits == []


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"issue": 1}', b"\xff"])
def test_a_refusal_without_reason_is_a_refusal(kl: Kl, content: bytes) -> None:
    assert kl.answers(httpx.Response(400, content=content)) == Answer(verdict=Verdict.REFUSED, why="400")


# ------------------------------------------------------------------ later
@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again_with_the_same_id(kl: Kl, status: int) -> None:
    answer = kl.answers(httpx.Response(status), httpx.Response(status), httpx.Response(201))
    assert answer.verdict is Verdict.DELIVERED
    assert len(kl.waits) == 2
    assert 1 <= kl.waits[0] <= 2 <= kl.waits[1] <= 3
    assert {str(call.request.url) for call in kl.route.calls} == {ADDRESS}


@pytest.mark.parametrize("error", [httpx.ConnectTimeout, httpx.ReadTimeout, httpx.ConnectError, httpx.ReadError])
def test_no_answer_is_tried_again_and_may_have_arrived(kl: Kl, error: type[httpx.TransportError]) -> None:
    answer = kl.answers(error("cut off"), httpx.Response(409, json=outcome({"code": "duplicate"})))
    assert answer.verdict is Verdict.DUPLICATE


@pytest.mark.parametrize(
    ("given", "why"), [(httpx.Response(503), "503"), (httpx.ReadTimeout(f"about {CPR}"), "ReadTimeout")]
)
def test_after_four_attempts_the_report_waits(kl: Kl, given: httpx.Response | Exception, why: str) -> None:
    with pytest.raises(KlGatewayError, match=f"^KL's gateway after 4 attempts: {why}$"):
        kl.answers(*[given] * 5)
    assert (len(kl.route.calls), len(kl.waits)) == (4, 3)


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (401, "GATEWAY_REPORT_TOKEN_FILE"),
        (403, "Care Delivery Reporter System"),
        (404, "GATEWAY_REPORT_URL"),
        (405, "GATEWAY_REPORT_URL"),
        (302, "GATEWAY_REPORT_URL"),
    ],
)
def test_what_is_not_about_the_report_stops_the_sending(kl: Kl, status: int, advice: str) -> None:
    with pytest.raises(KlGatewayError, match=f"answers {status}: .*{advice}"):
        kl.answers(httpx.Response(status, headers={"location": "https://elsewhere.example/"}))
    assert len(kl.route.calls) == 1


def test_an_address_that_is_none_stops_the_sending() -> None:
    with open_client(None, None) as client:
        nowhere = KlGateway(client, "https://kl.example:port", lambda: "a.b.c", lambda _s: None)
        with pytest.raises(KlGatewayError, match="GATEWAY_REPORT_URL is no address"):
            nowhere.put(OWN, BUNDLE)


# ------------------------------------------------------------------ token and certificate
def test_the_token_is_read_anew_at_each_attempt(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    with respx.mock() as router:
        kl = Kl(router)
        kl.gateway = KlGateway(kl.client, BASE, token_in(file), lambda _s: _write(file, "second"))
        kl.answers(httpx.Response(503), httpx.Response(201))
        kl.client.close()
        told = [call.request.headers["authorization"] for call in kl.route.calls]
    assert told == ["Bearer first", "Bearer second"]


def _write(file: Path, text: str) -> None:
    file.write_text(text)


@pytest.mark.parametrize("content", [None, b"", b" \n", b"two words", b"\xc3\xa6"])
def test_a_file_without_a_token_stops_the_sending(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(KlGatewayError, match="GATEWAY_REPORT_TOKEN_FILE"):
        token_in(file)()


def test_a_certificate_that_is_none_stops_the_start(tmp_path: Path) -> None:
    nothing = tmp_path / "certificate.pem"
    with pytest.raises(ConfigurationError, match="GW-301 GATEWAY_REPORT_CERTIFICATE"):
        open_client(nothing, nothing)
    nothing.write_text("no certificate")
    with pytest.raises(ConfigurationError, match="SSLError"):
        open_client(nothing, nothing)


# ------------------------------------------------------------------ the kept reports
@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/gateway.sqlite3") as opened:
        for number, day in ((1, "2026-03-03"), (2, "2026-03-02"), (3, "2026-03-04")):
            report = StoredReport(
                report_id=f"report-{number}",
                citizen="0123456789abcdef0123456789abcdef",
                day=date.fromisoformat(day),
                ordinal=0,
                case_ids=frozenset({"a"}),
                body=json.dumps({"id": f"report-{number}", "cpr": CPR}).encode(),
            )
            opened.reports.add(report, NOW)
        yield opened


def test_reports_go_oldest_day_first_and_their_fate_is_kept(store: Store) -> None:
    with respx.mock() as router, open_client(None, None) as client:
        invariant = httpx.Response(422, json=outcome({"code": "invariant"}))
        known = httpx.Response(409, json=outcome({"code": "duplicate"}))
        answers = {"report-2": httpx.Response(201), "report-1": invariant, "report-3": known}
        for own, answer in answers.items():
            router.put(f"{BASE}/Bundle/{own}").mock(return_value=answer)
        kl = KlGateway(client, BASE, lambda: "a.b.c", lambda _s: None)
        with structlog.testing.capture_logs() as logs:
            told = list(send(store.reports, kl, lambda: NOW))
        assert list(send(store.reports, kl, lambda: NOW)) == []
        sent = [json.loads(call.request.content)["id"] for call in router.calls]
    assert sent == [own for own, _ in told] == ["report-2", "report-1", "report-3"]
    kept = {own: (store.reports.get(own).status, store.reports.get(own).answer) for own in answers}
    assert kept == {
        "report-2": (DELIVERED, "201"),
        "report-1": (REFUSED, "422; invariant"),
        "report-3": (DELIVERED, "409; duplicate"),
    }
    assert [line["verdict"] for line in logs] == ["delivered", "refused", "duplicate"]
    assert CPR not in str(logs)


def test_what_is_answered_is_kept_when_the_rest_must_wait(store: Store) -> None:
    with respx.mock() as router, open_client(None, None) as client:
        router.put(f"{BASE}/Bundle/report-2").mock(return_value=httpx.Response(201))
        router.put(f"{BASE}/Bundle/report-1").mock(return_value=httpx.Response(503))
        kl = KlGateway(client, BASE, lambda: "a.b.c", lambda _s: None)
        sending = send(store.reports, kl, lambda: NOW)
        assert next(sending)[0] == "report-2"
        with pytest.raises(KlGatewayError):
            next(sending)
    assert [store.reports.get(f"report-{n}").status for n in (2, 1, 3)] == [DELIVERED, BUILT, BUILT]
