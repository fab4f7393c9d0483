"""``gateway report``: files of days that are over; nothing leaves the house unless that is switched on."""

import json
from collections.abc import Callable
from datetime import timedelta
from importlib.resources import files as files_of
from pathlib import Path

import httpx
import pytest
import respx
from typer.testing import CliRunner, Result

from gateway.clocks import system_now
from gateway.commands import app
from gateway.errors import KlGatewayError
from gateway.inbound.pipeline import Pipeline
from gateway.inbound.source import Delivery
from gateway.municipality.model import load
from gateway.referral.workdays import local_date
from gateway.simulate.stories import recorded
from gateway.store.store import Store, open_store
from tests.builders import emessage, xref15
from tests.commands.conftest import Gateway
from tests.kl_builders import BASE, check_with_the_guide
from tests.reference import shared_folder

TODAY = local_date(system_now())
LAST_WEEK = TODAY - timedelta(days=7)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The default store with all recorded messages, which came a week ago."""
    url = f"sqlite:///{tmp_path}/spool/gateway.sqlite3"
    with open_store(url) as store:
        then = system_now() - timedelta(days=7)
        Pipeline(store, load(), lambda: then).handle([Delivery(data=data) for data in recorded().values()])
    return url


def files(folder: Path) -> list[Path]:
    return sorted((folder / "reports").glob("*.json"))


def test_the_reports_of_a_day_are_files_that_the_guide_accepts(url: str, gateway: Gateway, tmp_path: Path) -> None:
    ended = gateway("report", "build", "--day", LAST_WEEK)
    assert ended == (0, f"{LAST_WEEK}: {len(files(tmp_path))} rapporter i reports/\n", "")
    bundles = [json.loads(file.read_text()) for file in files(tmp_path)]
    assert len(bundles) > 5
    assert {f"{LAST_WEEK}-{bundle['id']}.json" for bundle in bundles} == {file.name for file in files(tmp_path)}
    assert (tmp_path / "reports").stat().st_mode & 0o077 == 0
    check_with_the_guide(shared_folder(), tmp_path, bundles)
    with open_store(url) as store:
        assert [(a.what, a.subject) for a in store.audit.latest()] == [("report.built", LAST_WEEK.isoformat())]


def test_asked_again_the_day_is_the_same(url: str, gateway: Gateway, tmp_path: Path) -> None:
    gateway("report", "build", "--day", LAST_WEEK)
    first = {file.name: file.read_bytes() for file in files(tmp_path)}
    gateway("report", "build", "--day", LAST_WEEK)
    assert {file.name: file.read_bytes() for file in files(tmp_path)} == first


def test_yesterday_takes_what_was_not_reported_before(url: str, gateway: Gateway, tmp_path: Path) -> None:
    ended = gateway("report", "build")
    assert ended.out == f"{LAST_WEEK}: {len(files(tmp_path))} rapporter i reports/\n"
    again = gateway("report", "build")
    assert again.out == "intet nyt at indberette\n"


def test_one_case_is_all_of_its_citizens_days(url: str, gateway: Gateway, tmp_path: Path) -> None:
    case_id = _a_case(url)
    ended = gateway("report", "build", "--case", case_id, "--out", "one")
    assert ended.out == f"{LAST_WEEK}: 1 rapporter i one/\n"
    assert gateway("report", "build", "--case", case_id, "--out", "one").out == ended.out


def _a_case(url: str) -> str:
    with open_store(url) as store:
        return next(c.case_id for c in store.past.cases() if c.decision.outcome == "accepted")


def test_days_that_are_not_over_and_unknown_cases_are_wrong_use(url: str, gateway: Gateway) -> None:
    today = gateway("report", "build", "--day", TODAY)
    assert (today.status, "the day is not over" in today.err) == (2, True)
    unknown = gateway("report", "build", "--case", "unknown")
    assert (unknown.status, "no case" in unknown.err) == (2, True)


def test_who_cannot_be_reported_is_counted(url: str, gateway: Gateway) -> None:
    with open_store(url) as store:
        _refer_without_cpr(store)
    ended = gateway("report", "build", "--day", LAST_WEEK)
    assert ended.err == "gateway: 1 borgere uden CPR-nummer kan ikke indberettes\n"


def _refer_without_cpr(store: Store) -> None:
    data = emessage(xref15(cpr=None, replacement_cpr="1203651AB1"))
    outcome = Pipeline(store, load(), system_now).handle_one(Delivery(data=data))
    assert outcome.cases


# ------------------------------------------------------------------ send
def test_sending_is_off_and_says_why(url: str, gateway: Gateway) -> None:
    gateway("report", "build")
    ended = gateway("report", "send")
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith("gateway: sending is switched off (GATEWAY_REPORT_SENDING); every report sent here")
    assert "counts twice at KL" in ended.err
    with open_store(url) as store:
        assert len(store.reports.waiting()) > 5


@pytest.fixture
def sending(url: str, gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Result]:
    """``report send`` switched on, in this process."""
    gateway("report", "build")
    (tmp_path / "token").write_text("a.b.c")
    settings = {"DATABASE_URL": url, "REPORT_SENDING": "1", "REPORT_URL": BASE}
    for name, value in (settings | {"REPORT_TOKEN_FILE": str(tmp_path / "token")}).items():
        monkeypatch.setenv(f"GATEWAY_{name}", value)
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    monkeypatch.setattr("gateway.commands.set_up_logging", lambda _level: None)  # else it lasts beyond this test
    return lambda: CliRunner().invoke(app, ["report", "send"])


def test_switched_on_it_sends_once_and_warns(sending: Callable[[], Result], url: str) -> None:
    with respx.mock() as router:
        route = router.put(url__startswith=f"{BASE}/Bundle/").mock(return_value=httpx.Response(201))
        first, again = sending(), sending()
    assert (first.exit_code, again.exit_code) == (0, 0)
    count = route.call_count
    assert first.output.splitlines()[-1] == f"sendt {count}, modtaget i forvejen 0, afvist 0"
    assert again.output.splitlines()[-1] == "sendt 0, modtaget i forvejen 0, afvist 0"
    assert first.output.startswith("gateway: warning: every report sent here that the record system (Cura) also sends")
    with open_store(url) as store:
        assert [a.why for a in store.audit.latest()][:2] == ["0 af 0", f"{count} af {count}"]


def test_refused_reports_are_named_and_the_status_says_so(sending: Callable[[], Result]) -> None:
    invariant = {"resourceType": "OperationOutcome", "issue": [{"code": "invariant"}]}
    with respx.mock() as router:
        route = router.put(url__startswith=f"{BASE}/Bundle/")
        route.mock(return_value=httpx.Response(422, json=invariant))
        ended = sending()
    assert ended.exit_code == 1
    assert ended.output.count("afvist: 422; invariant") == route.call_count
    assert ended.output.splitlines()[-1] == f"sendt 0, modtaget i forvejen 0, afvist {route.call_count}"


def test_when_kl_does_not_answer_the_rest_waits(sending: Callable[[], Result], url: str) -> None:
    with respx.mock() as router:
        router.put(url__startswith=f"{BASE}/Bundle/").mock(
            side_effect=[httpx.Response(201), *[httpx.ReadTimeout("")] * 4]
        )
        ended = sending()
    assert isinstance(ended.exception, KlGatewayError)
    assert "sendt 1, modtaget i forvejen 0, afvist 0" in ended.output
    with open_store(url) as store:
        assert len(store.reports.waiting()) > 5


def test_check_tries_what_sending_needs(gateway: Gateway, tmp_path: Path) -> None:
    settings = {"GATEWAY_REPORT_SENDING": "1", "GATEWAY_REPORT_URL": BASE, "GATEWAY_REPORT_TOKEN_FILE": "token"}
    without = gateway("check", **settings)
    assert without.status == 1
    assert without.out == "FEJL  GATEWAY_REPORT_TOKEN_FILE cannot be read: FileNotFoundError\n"
    (tmp_path / "token").write_text("a.b.c")
    ready = gateway("check", **settings)
    assert (ready.status, "counts twice at KL" in ready.err) == (0, True)
    built_in = files_of("gateway.municipality").joinpath("ishoej.toml").read_text(encoding="utf-8")
    (tmp_path / "own.toml").write_text(built_in.replace('sor = "543210000018003"', ""), encoding="utf-8")
    lacking = gateway("check", GATEWAY_MUNICIPALITY="own.toml", **settings)
    assert (lacking.status, "teams.genoptraening-ishoej.sor of the municipality file" in lacking.out) == (1, True)
