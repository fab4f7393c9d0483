"""Health, metrics, the page and the documentation: no person data, no outside host, and the truth about neighbours."""

import json
import re

import msgspec
import pytest

from gateway.errors import StoreError
from gateway.inbound.source import Delivery
from gateway.receive import read
from gateway.referral.model import Referral
from gateway.simulate.stories import recorded
from gateway.store.store import Store
from tests.http.conftest import Site


@pytest.fixture
def busy(site: Site) -> Site:
    """All recorded messages handled."""
    site.pipeline.handle([Delivery(data=data) for data in recorded().values()])
    site.clock.forward(hours=3)
    return site


@pytest.fixture
def broken(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The database does not answer."""

    def down(*_given: object) -> None:
        raise StoreError("the database failed: OperationalError")

    monkeypatch.setattr(site.store, "ping", down)
    monkeypatch.setattr(site.store.overview, "numbers", down)
    monkeypatch.setattr(site.store.inbox, "known", down)
    return site


def persons() -> set[str]:
    found = set()
    for data in recorded().values():
        for letter in read(data).letters:
            if isinstance(letter.content, Referral):
                citizen = letter.content.citizen
                found |= {citizen.identifier, citizen.surname, citizen.given_name or "?"}
    return found


# ------------------------------------------------------------------ health
def test_a_process_that_runs_is_alive_whatever_its_neighbours_do(broken: Site) -> None:
    broken.down = ["consumer", "publisher"]
    answer = broken.client.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


def test_it_is_ready_when_all_neighbours_answer(site: Site) -> None:
    answer = site.client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "down": []})


def test_it_is_not_ready_while_a_neighbour_is_down_and_says_which(site: Site, broken: Site) -> None:
    broken.down = ["consumer"]
    answer = broken.client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "not ready", "down": ["consumer", "database"]})


# ------------------------------------------------------------------ metrics
def test_metrics_tell_counts_and_ages_and_nobodys_name(busy: Site) -> None:
    answer = busy.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert re.search(r"^gateway_parked_open 3\.0$", answer.text, re.MULTILINE)
    assert re.search(r"^gateway_parked_oldest_seconds 10800\.0$", answer.text, re.MULTILINE)
    assert re.search(r'^gateway_cases\{state="accepted"\} \d+\.0$', answer.text, re.MULTILINE)
    assert "gateway_handling_seconds_bucket" in answer.text
    assert not [name for name in persons() if name in answer.text]


def test_metrics_tell_the_alarms_that_are_on(busy: Site) -> None:
    assert "gateway_alarms{" not in busy.client.get("/metrics").text
    busy.clock.forward(days=30)
    raised = busy.store.alarms.tick(busy.clock()).raised
    late = sum(alarm.kind == "first_talk" for alarm in raised)
    assert late
    told = busy.client.get("/metrics").text
    assert f'gateway_alarms{{kind="first_talk",level="overdue"}} {late}.0' in told


def test_a_state_that_no_case_is_in_any_more_is_told_no_more(busy: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert 'gateway_cases{state="for_review"}' in busy.client.get("/metrics").text
    numbers = msgspec.structs.replace(busy.store.overview.numbers(busy.clock()), cases_by_state={"accepted": 1})
    monkeypatch.setattr(busy.store.overview, "numbers", lambda _due: numbers)
    assert 'gateway_cases{state="for_review"}' not in busy.client.get("/metrics").text


def test_metrics_go_on_counting_while_the_database_is_down(broken: Site) -> None:
    """That is when they are wanted; what only the database knows is unknown."""
    answer = broken.client.get("/metrics")
    assert answer.status_code == 200
    assert "gateway_neighbour_down_total" in answer.text
    assert "gateway_outbox_pending NaN" in answer.text


def test_metrics_want_their_token_where_one_is_configured(store: Store) -> None:
    site = Site(store, metrics_token="scraper")
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "scraper"}):
        answer = site.client.get("/metrics", headers=headers)
        assert answer.status_code == 401
        assert "gateway_" not in answer.text
    assert site.client.get("/metrics", headers={"Authorization": "Bearer scraper"}).status_code == 200


# ------------------------------------------------------------------ documentation
def test_the_documentation_needs_no_outside_host(site: Site) -> None:
    page = site.client.get("/docs")
    assert page.status_code == 200
    told = re.findall(r'(?:src|href)="([^"]+)"|url: \'([^\']+)\'', page.text)
    addresses = [one or other for one, other in told]
    assert len(addresses) >= 3
    for address in addresses:
        assert address.startswith("/")
        assert site.client.get(address).status_code == 200
    assert "://" not in page.text.replace("http://www.w3.org", "")


def test_every_path_is_documented_with_its_answers(site: Site) -> None:
    paths = site.client.get("/openapi.json").json()["paths"]
    assert set(paths) == {"/health/live", "/health/ready", "/metrics", "/schemas/team-event.json", "/team-events"}
    assert {"202", "400", "401", "403", "404", "409", "413", "503"} <= set(paths["/team-events"]["post"]["responses"])


# ------------------------------------------------------------------ everywhere
@pytest.mark.parametrize(
    "path", ["/", "/health/live", "/health/ready", "/metrics", "/schemas/team-event.json", "/static/gateway.css", "/no"]
)
def test_every_answer_carries_security_headers(site: Site, path: str) -> None:
    headers = site.client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"] == "default-src 'self'; frame-ancestors 'none'"


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/no/such", 404), ("GET", "/team-events", 405)])
def test_errors_are_problems(site: Site, method: str, path: str, status: int) -> None:
    answer = site.client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()) == {"type", "title", "status", "detail"}
    assert answer.json()["status"] == status
    assert ("allow" in answer.headers) == (status == 405)


def test_an_error_of_ours_is_a_problem_without_its_text(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ValueError("0101010001 Hansen")

    monkeypatch.setattr(site.store, "ping", fail)
    answer = site.client.get("/health/ready")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Hansen" not in answer.text


def test_answers_are_json_that_can_be_read(busy: Site) -> None:
    for path in ("/health/live", "/health/ready", "/schemas/team-event.json", "/openapi.json"):
        assert json.loads(busy.client.get(path).content)
