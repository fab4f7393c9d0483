"""Growth and soak, in small: what is stored is what it should be, nothing is lost or left behind, figures fit."""

import secrets
from collections.abc import Iterator
from itertools import count

import msgspec
import pika
import pika.exceptions
import psycopg
import pytest

from gateway.bench.backlog import speed
from gateway.bench.growth import GrowthFigures, GrowthSize, growth
from gateway.bench.messages import referral
from gateway.bench.originals import OPEN, OVER
from gateway.bench.searching import waits
from gateway.bench.soak import Minute, Soak, SoakSize, figures, soak
from gateway.bench.stock import fill
from gateway.clocks import system_now
from gateway.receive import read
from gateway.referral.model import Referral
from gateway.store.board import Filter
from gateway.store.store import open_store
from tests.neighbours import AMQP_URL, DATABASE_URL, new_database

COPIES = 5
CASES = COPIES * (OVER + OPEN)
_SCHEMA = """
SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' UNION ALL
SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace
"""


def ask(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


@pytest.fixture(scope="module")
def filled() -> Iterator[str]:
    with new_database() as url:
        assert fill(url, CASES - 1) == CASES
        yield url


def test_every_copy_is_a_case_of_its_own_with_all_its_rows(filled: str) -> None:
    own = "SELECT count(*), count(DISTINCT episode_key), count(DISTINCT citizen_index) FROM cases"
    assert ask(filled, own) == [(CASES,) * 3]
    whole = """
        SELECT count(*) FROM cases
        JOIN letters USING (case_id) JOIN messages ON messages.digest = letters.message
        JOIN outbox ON outbox.letter_id = letters.receipt_id AND receipts = '["' || outbox.letter_id || '"]'
        WHERE outbox.envelope_id IS NOT NULL
    """
    assert ask(filled, whole) == [(CASES,)]
    assert ask(filled, "SELECT count(*), count(DISTINCT case_id) FROM letters WHERE sender = 'team-event'") == [
        (3 * COPIES * OVER, COPIES * OVER),
    ]


def test_few_are_open_and_nothing_waits(filled: str) -> None:
    with open_store(filled) as store:
        numbers = store.overview.numbers(system_now())
        assert numbers.cases_by_state == {"closed": COPIES * OVER, "accepted": COPIES * OPEN}
        assert (numbers.outbox_pending, numbers.without_receipt, numbers.parked) == (0, 0, 0)
        assert store.board.count(Filter()) == COPIES * OPEN
        assert store.alarms.tick(system_now()).raised == ()


def test_the_tables_are_left_as_they_were_made(filled: str, postgres_url: str) -> None:
    open_store(postgres_url).close()
    assert sorted(ask(filled, _SCHEMA)) == sorted(ask(postgres_url, _SCHEMA))
    assert ask(filled, "SELECT count(*) FROM pg_namespace WHERE nspname = 'originals'") == [(0,)]


def test_what_is_searched_for_is_found(filled: str) -> None:
    content = read(referral(0, "over")).letters[0].content
    assert isinstance(content, Referral)
    with open_store(filled) as store:
        assert len(store.search.of_citizen(content.citizen.identifier).cases) == 1
        ((case_id, episode),) = ask(filled, "SELECT case_id, episode_key FROM cases ORDER BY case_id LIMIT 1")
        assert [case.case_id for case in store.search.of_id(str(episode)).cases] == [case_id]
        assert all(wait.median_ms <= wait.longest_ms for wait in waits(store, filled, system_now()).values())


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> str:
    """What the names of this test's queues and databases begin with, so that others may measure beside it."""
    beginning, number = secrets.token_hex(4), count()
    monkeypatch.setattr(secrets, "token_hex", lambda _: f"{beginning}{next(number):04x}")
    return beginning


def left_behind(own: str) -> tuple[int, bool]:
    """How many of its databases are there, and whether its first queue is."""
    databases = ask(DATABASE_URL, f"SELECT datname FROM pg_database WHERE datname LIKE 'gateway_bench_{own}%'")  # noqa: S608
    with pika.BlockingConnection(pika.URLParameters(AMQP_URL)) as connection:
        try:
            connection.channel().queue_declare(f"bench-{own}0000.referrals.in", passive=True)
        except pika.exceptions.ChannelClosedByBroker:
            return len(databases), False
    return len(databases), True


def test_growth_measures_both_sizes_and_a_long_queue_and_takes_everything_away(own: str) -> None:
    steps: list[str] = []
    there: set[tuple[int, bool]] = set()

    def tell(step: str) -> None:
        steps.append(step)
        there.add(left_behind(own))

    size = GrowthSize(few=40, many=120, rounds=1, messages=400, backlog=200)
    found = growth(AMQP_URL, DATABASE_URL, size, tell)
    assert (found.few.cases, found.many.cases) == (40, 120)
    assert found.few.search.keys() == found.many.search.keys()
    assert found.ratio == found.every_ratio[0] == round(found.many.per_s / found.few.per_s, 3)
    assert found.backlog is not None
    assert (found.backlog.messages, found.backlog.receipted, found.backlog.stored) == (200, 200, 200)
    assert (found.backlog.lost, found.backlog.receipted_again) == (0, 0)
    assert msgspec.json.decode(msgspec.json.encode(found), type=GrowthFigures) == found
    assert "round 1 of 1: throughput with 120 stored cases" in steps
    assert (there, left_behind(own)) == ({(2, True)}, (0, False))


def test_an_interrupted_run_leaves_nothing_behind(own: str) -> None:
    def interrupt(step: str) -> None:
        if step.startswith("searching"):
            assert left_behind(own) == (2, True)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        growth(AMQP_URL, DATABASE_URL, GrowthSize(few=40, many=40), interrupt)
    assert left_behind(own) == (0, False)


def test_a_soak_answers_every_message_and_tells_each_minute() -> None:
    told: list[str] = []
    found = soak(AMQP_URL, DATABASE_URL, SoakSize(minutes=3, rate=20, cases=40, minute_s=2), told.append)
    assert (found.messages, found.lost, found.again) == (120, 0, 0)
    assert [minute.messages for minute in found.every_minute] == [40, 40, 40]
    assert all(0 < minute.p50_ms <= minute.p99_ms and minute.memory_mb > 0 for minute in found.every_minute)
    assert [line.partition(":")[0] for line in told[1:]] == ["minute 1", "minute 2", "minute 3"]
    assert msgspec.json.decode(msgspec.json.encode(found), type=Soak) == found


def test_drift_is_late_over_early_and_the_warm_up_does_not_count() -> None:
    minutes = [
        Minute(messages=10, p50_ms=p50, p99_ms=2 * p50, memory_mb=mb)
        for p50, mb in ((900, 10), (700, 20), (10, 100), (10, 101), (10, 102), (10, 103), (11, 104), (11, 105))
    ]
    found = figures(SoakSize(minutes=8), minutes, (80, 0, 0), 105)
    assert (found.early_p50_ms, found.late_p50_ms, found.early_p99_ms, found.late_p99_ms) == (10, 11, 20, 22)
    assert (found.drift_p50_percent, found.drift_p99_percent) == (10, 10)
    assert (found.memory_mb_per_hour, found.memory_rise_percent) == (60, 4.88)


def test_speed_is_taken_between_two_receipts() -> None:
    assert speed([0, 1, 2, 2.5, 3], 2, 5) == 2
