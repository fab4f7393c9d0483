"""The page in a real Chromium, on a service of its own: embedded, and with RabbitMQ and PostgreSQL."""

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

from gateway.app import create_app
from gateway.clocks import system_now
from gateway.console.parts import Parts
from gateway.inbound.pipeline import Pipeline
from gateway.inbound.source import Delivery
from gateway.municipality.model import load
from gateway.referral.case import Case
from gateway.settings import load_settings
from gateway.simulate.stories import recorded
from gateway.store.accounts import Right
from gateway.store.store import Store, open_store
from tests.certificate_builders import issued, kept
from tests.neighbours import Broker, bare_broker, broker, plain_logs, postgres_url, wait_for, worker_database

__all__ = ["bare_broker", "broker", "plain_logs", "postgres_url", "worker_database"]

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


class Served:
    """The page on a port of its own, filled with the recorded messages."""

    def __init__(self, store: Store, **settings: object) -> None:
        self.store = store
        municipality = load()
        self.pipeline = Pipeline(store, municipality, system_now)
        self.pipeline.handle([Delivery(data=data) for data in recorded().values()])
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        parts = Parts(
            settings=load_settings(http=self.url.removeprefix("http://"), **settings),
            municipality=municipality,
            store=store,
            pipeline=self.pipeline,
            clock=system_now,
            down=list,
        )
        self._server = uvicorn.Server(uvicorn.Config(create_app(parts), log_config=None))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]})

    @contextmanager
    def running(self) -> Iterator["Served"]:
        self._thread.start()
        try:
            wait_for(lambda: self._server.started, "the page")
            yield self
        finally:
            self._server.should_exit = True
            self._thread.join(20)
            self._socket.close()

    def given_up(self, data: bytes) -> str:
        """Id of a parked item that may be replayed."""
        return self.pipeline.give_up(Delivery(data=data)).parked[0].id

    def case(self, letter_id: str) -> Case:
        (found,) = (case for case in self.store.past.cases() if case.referral.letter_id == letter_id)
        return found

    def person(self, browser: Browser, name: str, **given: object) -> BrowserContext:
        """Someone with every right, logged in."""
        self.store.accounts.add(name, f"{name.title()} Prøve", frozenset(Right), system_now())
        context = browser.new_context(locale="da-DK", **given)
        token = self.store.sessions.open(name, system_now())
        context.add_cookies([{"name": "gateway", "value": token, "url": self.url}])
        context.set_default_timeout(15_000)
        return context


@pytest.fixture
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    """The embedded default, unless a test asks for the neighbours (``indirect``)."""
    if getattr(request, "param", "embedded") == "embedded":
        ends_soon = kept(tmp_path / "kl.pem", *issued("Ishøj Kommune – systemcertifikat, prøve", 20, now=system_now()))
        url = f"sqlite:///{tmp_path}/gateway.sqlite3"
        settings = {"spool": str(tmp_path / "spool"), "report_certificate": ends_soon, "report_key": ends_soon}
    else:
        rabbit: Broker = request.getfixturevalue("broker")
        url = request.getfixturevalue("postgres_url")
        settings = {"amqp_url": rabbit.url, "amqp_prefix": rabbit.topology.prefix}
    with open_store(url) as store, Served(store, **settings).running() as site:
        yield site


@pytest.fixture
def ida(browser: Browser, served: Served) -> Iterator[Page]:
    """A page of someone with every right; an error in the browser's console fails the test."""
    context = served.person(browser, "ida")
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


def picture(page: Page, name: str) -> None:
    """Kept where someone asked for it, for people to look at."""
    if _SCREENSHOTS:
        page.screenshot(path=str(Path(_SCREENSHOTS) / f"{name}.png"), full_page=True)


def tab_to(page: Page, selector: str, most: int = 120) -> None:
    """Move on by the Tab key until the element has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"the Tab key does not lead to {selector}")
