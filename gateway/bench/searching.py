"""How long people wait for what they ask the store: the search box, the promises board, the overview."""

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from statistics import median

import msgspec
import psycopg

from gateway.bench.messages import referral
from gateway.bench.originals import OVER
from gateway.municipality.model import load
from gateway.receive import read
from gateway.referral.letters import Channel
from gateway.referral.model import Referral
from gateway.store.board import Filter
from gateway.store.store import Store

_ROWS = 50
#: how often each is asked
_TIMES = 20


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds that a question takes."""

    median_ms: float
    longest_ms: float


Ask = Callable[[str], object]


def waits(store: Store, database_url: str, now: datetime) -> dict[str, Wait]:
    """Each question over different keys that are there (``stock``), by name."""
    with psycopg.connect(database_url) as connection:
        asked = {name: (ask, _some(connection, source)) for name, (ask, source) in _searches(store).items()}
    asked["citizen"] = (store.search.of_citizen, [_citizen(number) for number in range(_TIMES)])
    found = {name: _measured(ask, keys) for name, (ask, keys) in asked.items()}
    return found | {name: _measured(ask, [""] * _TIMES) for name, ask in _pages(store, now).items()}


def _searches(store: Store) -> Mapping[str, tuple[Ask, str]]:
    """What is looked for, and where such keys stand."""
    return {
        "referral's letter id": (store.search.of_id, "letter_id FROM letters WHERE version <> ''"),
        "referral's envelope id": (store.search.of_id, "envelope_id FROM messages WHERE type <> 'team-event'"),
        "digest": (store.search.of_id, "digest FROM messages"),
        "our letter id": (store.search.of_id, "letter_id FROM outbox"),
        "our envelope id": (store.search.of_id, "envelope_id FROM outbox WHERE envelope_id <> letter_id"),
        "episode id": (store.search.of_id, "episode_key FROM cases"),
        "case id": (store.search.of_id, "case_id FROM cases"),
        "sender": (store.search.of_id, "sender FROM cases"),
        "what is not there": (store.search.of_id, "md5(letter_id) FROM letters"),
        "case": (store.dossiers.find, "case_id FROM cases"),
    }


def _pages(store: Store, now: datetime) -> Mapping[str, Ask]:
    soon, day = Filter(due_before=now + timedelta(days=2)), now - timedelta(days=1)
    team, receipt_limit = Filter(team=next(iter(load().teams))), timedelta(minutes=load().clocks.receipt_minutes)
    return {
        "board": lambda _: (store.board.rows(Filter(), _ROWS), store.board.count(Filter())),
        "board of a team": lambda _: (store.board.rows(team, _ROWS), store.board.count(team)),
        "board of the late": lambda _: (store.board.rows(soon, _ROWS), store.board.count(soon)),
        "overview": lambda _: (store.overview.numbers(now), store.trends.since(day), store.alarms.open(limit=10)),
        "overview's charts": lambda _: (store.trends.hours(day), store.trends.routed(now - timedelta(days=90))),
        "oldest in a queue": lambda _: store.overview.handed_over(Channel.MEDCOM, None, _ROWS),
        "parked": lambda _: store.overview.parked_items(),
        "look at the clocks": lambda _: (store.alarms.without_receipt(now - receipt_limit), store.alarms.tick(now)),
    }


def _some(connection: "psycopg.Connection[tuple[object, ...]]", source: str) -> list[str]:
    """So many keys, from all over the table."""
    column, _, table = source.partition(" FROM ")
    query = f"SELECT {column} FROM {table} ORDER BY random() LIMIT {_TIMES}"  # noqa: S608  (names are our own)
    return [str(row[0]) for row in connection.execute(query.encode())]


def _citizen(number: int) -> str:
    content = read(referral(number % OVER, "over")).letters[0].content
    assert isinstance(content, Referral)  # noqa: S101  (the benchmark's own messages are referrals)
    return content.citizen.identifier


def _measured(ask: Ask, keys: Iterable[str]) -> Wait:
    took = []
    for key in keys:
        started = time.perf_counter()
        ask(key)
        took.append((time.perf_counter() - started) * 1000)
    return Wait(median_ms=round(median(took), 2), longest_ms=round(max(took), 2))
