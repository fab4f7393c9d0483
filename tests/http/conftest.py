"""The HTTP side on a real store, with a clock that stands and neighbours that can be said to be down."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from gateway.app import create_app
from gateway.console.parts import Parts
from gateway.inbound.pipeline import Pipeline
from gateway.municipality.model import load
from gateway.receive import read
from gateway.settings import load_settings
from gateway.store.accounts import Right
from gateway.store.store import Store, open_store
from tests.inbound.harness import Clock
from tests.neighbours import plain_logs

__all__ = ["plain_logs"]

TOKEN = "a team's token"


class Site:
    """A client of the HTTP side, and what lies behind it."""

    def __init__(self, store: Store, **settings: object) -> None:
        self.store = store
        self.clock = Clock()
        self.down: list[str] = []
        municipality = load()
        told = load_settings(**settings)
        reader = partial(read, limit=told.message_limit, sbdh=told.sbdh)
        self.pipeline = Pipeline(store, municipality, self.clock, reader=reader)
        parts = Parts(
            settings=told,
            municipality=municipality,
            store=store,
            pipeline=self.pipeline,
            clock=self.clock,
            down=lambda: self.down,
        )
        self.client = TestClient(create_app(parts), raise_server_exceptions=False)
        self.client.headers["accept"] = "*/*"

    def log_in(self, name: str = "signe", rights: frozenset[Right] = frozenset(Right)) -> "Site":
        """The client from now on shows this account's cookie."""
        password = self.store.accounts.add(name, "Signe Prøve", rights, self.clock())
        answer = self.client.post("/login", data={"name": name, "password": password}, follow_redirects=False)
        assert answer.status_code == 303
        return self

    def page(self, path: str, **given: object) -> Any:  # noqa: ANN401  (the test client's own answer)
        """The same as a browser asks for it."""
        return self.client.get(path, headers={"accept": "text/html"}, **given)

    def form(self, path: str) -> dict[str, str]:
        """The hidden fields of a page's last form."""
        shown = self.page(path).text
        return {name: re.findall(rf'name="{name}" value="([^"]+)"', shown)[-1] for name in ("csrf", "key")}

    def submit(self, page: str, action: str, **given: str) -> Any:  # noqa: ANN401  (as ``page``)
        """Fill in a form of the page and send it off as a browser does."""
        return self.client.post(action, data=self.form(page) | given, headers={"accept": "text/html"})

    def post(self, data: bytes, token: str | None = TOKEN) -> object:
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        return self.client.post("/team-events", content=data, headers=headers)


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TEAM_EVENTS_TOKEN", "METRICS_TOKEN", "HTTP", "MESSAGE_LIMIT"):
        monkeypatch.delenv(f"GATEWAY_{name}", raising=False)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/gateway.sqlite3") as opened:
        yield opened


@pytest.fixture
def site(store: Store) -> Site:
    return Site(store, team_events_token=TOKEN)
