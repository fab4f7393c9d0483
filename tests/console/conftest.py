"""The page in a real Chromium, at the end of a simulated day: embedded, and with RabbitMQ and PostgreSQL."""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

from gateway.bootstrap import Service, service
from gateway.metrics import HANDLED
from gateway.referral.case import Case, State
from gateway.settings import load_settings
from gateway.simulate.teams import Teams
from gateway.store.accounts import Right
from gateway.store.receipts import Watch, Watched
from gateway.store.replay import ParkedMessage
from tests.certificate_builders import issued, kept
from tests.console.day import ISHOEJ, LONG_SURNAME, NOW, SEED, Autumn, Clock, Today
from tests.console.sides import BrokerSide, SpoolSide
from tests.neighbours import Broker, new_database, plain_logs, wait_for

__all__ = ["plain_logs"]

_CHROMIUMS = ("chromium", "google-chrome")
#: a folder to look at what was tested; never in the repository
_SCREENSHOTS = os.environ.get("GATEWAY_TEST_SCREENSHOTS", "")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium: the one that is named, Debian's, or Playwright's own."""
    named = os.environ.get("GATEWAY_TEST_CHROMIUM") or next(filter(None, map(shutil.which, _CHROMIUMS)), None)
    with sync_playwright() as playwright:
        try:
            opened = playwright.chromium.launch(executable_path=named, args=["--no-sandbox", "--disable-gpu"])
        except Error as error:
            if "GATEWAY_TEST_CHROMIUM" in os.environ:
                raise
            pytest.skip(f"no Chromium here; ./scripts/test installs one ({type(error).__name__})")
        yield opened
        opened.close()


class Town:
    """A running gateway at the end of a simulated day, with its page on a port of its own."""

    def __init__(self, running: Service, clock: Clock, side: SpoolSide | BrokerSide) -> None:
        self.service = running
        self.store = running.store
        self.clock = clock
        self.side = side
        self._put = 0
        self._handled_before = 0
        self._taken: set[str] = set()

    # ------------------------------------------------------------ the day
    def play(self) -> None:
        teams = Teams(ISHOEJ, SEED)
        Autumn(self.store, self.clock, teams).play()
        self._handled_before = _handled()
        self.service.start()
        Today(self, self.clock, teams).play(self.settle)
        self.service.ticker.step()
        for name in ("ida", "bo"):
            self.store.accounts.add(name, f"{name.title()} Prøve", frozenset(Right), NOW)

    def put(self, name: str, data: bytes, *, event: bool = False) -> None:
        self._put += 1
        self.side.put(name, data, event=event)

    def out(self) -> list[tuple[bool, bytes]]:
        return list(self.side.out())

    def settle(self) -> None:
        """Until everything that was put is handled and every letter is out."""
        wait_for(self._is_quiet, "everything handled and every letter out", within_s=60)

    def _is_quiet(self) -> bool:
        if _handled() < self._handled_before + self._put or self.side.waiting():
            return False
        return self.store.overview.numbers(self.clock()).outbox_pending == 0

    # ------------------------------------------------------------ what it holds
    @property
    def url(self) -> str:
        server = self.service._server
        assert server is not None
        wait_for(lambda: server.started, "the page")
        host, port = server.servers[0].sockets[0].getsockname()
        return f"http://{host}:{port}"

    def cases(self) -> list[Case]:
        return sorted(self.store.past.cases(), key=lambda case: case.case_id)

    def case(self, case_id: str) -> Case:
        (found,) = (case for case in self.cases() if case.case_id == case_id)
        return found

    def take(self, state: State, fits: Callable[[Case], object] = lambda _: True) -> Case:
        """A case in that state that no other test has taken; those with long names are only looked at."""
        for case in self.cases():
            free = case.case_id not in self._taken and case.referral.citizen.surname != LONG_SURNAME
            if case.state is state and free and fits(case):
                self._taken.add(case.case_id)
                return case
        raise AssertionError(f"no case {state} left")

    def long_named(self, state: State) -> Case:
        """A case whose names are as long as they may be; nobody changes it."""
        (found,) = (c for c in self.cases() if c.state is state and c.referral.citizen.surname == LONG_SURNAME)
        return found

    def take_parked(self, fault_id: str, fits: Callable[[ParkedMessage], object] = lambda _: True) -> ParkedMessage:
        """An open parked item of that kind that no other test has taken."""
        for row in self.store.overview.parked_items():
            item = self.store.parking.item(row.id)
            assert item is not None
            if item.fault_id == fault_id and item.id not in self._taken and fits(item):
                self._taken.add(item.id)
                return item
        raise AssertionError(f"nothing parked with {fault_id} left")

    def take_unanswered(self, watch: Watch, kind: str = "") -> Watched:
        """A letter of that list (and kind) that no other test has taken."""
        for letter in self.store.receipts.rows(watch, 100):
            if letter.letter_id not in self._taken and kind in {"", letter.kind}:
                self._taken.add(letter.letter_id)
                return letter
        raise AssertionError("no letter left")

    def person(self, browser: Browser, name: str, width: int = 1280) -> BrowserContext:
        """Someone who has an account, logged in."""
        context = browser.new_context(locale="da-DK", viewport={"width": width, "height": 900})
        token = self.store.sessions.open(name, self.clock())
        context.add_cookies([{"name": "gateway", "value": token, "url": self.url}])
        context.set_default_timeout(15_000)
        return context


def _handled() -> float:
    """Messages that this process has handled so far."""
    return sum(sample.value for metric in HANDLED.collect() for sample in metric.samples if "_total" in sample.name)


@pytest.fixture(scope="session", params=["embedded", "neighbours"])
def town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """SQLite and a spool folder; PostgreSQL and RabbitMQ. Kept for all tests: each takes cases of its own."""
    with ExitStack() as stack:
        if request.param == "embedded":
            folder = tmp_path_factory.mktemp("day")
            ends_soon = kept(folder / "kl.pem", *issued("Ishøj Kommune – systemcertifikat, prøve", 20, now=NOW))
            certificate = {"report_certificate": ends_soon, "report_key": ends_soon}
            settings = load_settings(spool=folder, http="127.0.0.1:0", **certificate)
            side: SpoolSide | BrokerSide = SpoolSide(folder)
        else:
            broker = Broker(f"test-{secrets.token_hex(6)}.")
            stack.callback(broker.clear_away)
            url = stack.enter_context(new_database())
            names = {"amqp_url": broker.url, "amqp_prefix": broker.topology.prefix}
            settings, side = load_settings(**names, database_url=url, http="127.0.0.1:0"), BrokerSide(broker)
        clock = Clock(NOW)
        with pytest.MonkeyPatch.context() as patch:  # only while it is put together: other tests run beside it
            patch.setattr("gateway.bootstrap.system_now", clock)
            running = stack.enter_context(service(settings))
        found = Town(running, clock, side)
        found.play()
        yield found


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console told as an error; a refusal (422) that a test asked for is to be taken out."""
    return []


@pytest.fixture
def ida(browser: Browser, town: Town, complaints: list[str]) -> Iterator[Page]:
    """A page of someone with every right; an error in the browser's console fails the test."""
    context = town.person(browser, "ida")
    page = context.new_page()
    page.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


def picture(page: Page, name: str) -> None:
    """Kept where someone asked for it, for people to look at."""
    if _SCREENSHOTS:
        page.screenshot(path=str(Path(_SCREENSHOTS) / f"{name}.png"), full_page=True)


def tab_to(page: Page, selector: str, most: int = 400) -> None:
    """Move on by the Tab key until the element has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"the Tab key does not lead to {selector}")
