"""What growing costs: the same work and the same questions with few and with many stored cases, and a long queue.

Two databases, filled alike but for their size; rounds alternate between them, so that a machine whose speed drifts
drifts for both.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from statistics import median

import msgspec
import psycopg

from gateway.bench.backlog import Backlog, backlog
from gateway.bench.messages import referral
from gateway.bench.places import Place, database, place
from gateway.bench.searching import Wait, waits
from gateway.bench.stock import fill
from gateway.bench.throughput import Rate, gateway_rate
from gateway.clocks import system_now
from gateway.store.store import open_store

Tell = Callable[[str], None]


class GrowthSize(msgspec.Struct, frozen=True, kw_only=True):
    """How much is measured."""

    #: stored cases of the two databases
    few: int = 10_000
    many: int = 1_000_000
    #: of each database
    rounds: int = 5
    #: per round; a few batches at least, or there is nothing to take the time of
    messages: int = 4000
    #: messages that wait at the start of the last measurement; 0 leaves it out
    backlog: int = 100_000


class Stock(msgspec.Struct, frozen=True, kw_only=True):
    """What one database gave."""

    cases: int
    #: on disk, before and without what was measured
    size_mb: int
    #: median of its rounds
    per_s: float
    #: CPU milliseconds per message: workers, broker, database
    cpu_ms_per_message: dict[str, float | None]
    #: the most one worker held
    peak_mb: float
    every_round: list[float]
    #: milliseconds a question takes
    search: dict[str, Wait]


class GrowthFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What ``gateway bench growth --json`` prints."""

    few: Stock
    many: Stock
    #: throughput with many over throughput with few
    ratio: float
    #: the same of each pair of rounds
    every_ratio: list[float]
    backlog: Backlog | None


class _Filled(msgspec.Struct, kw_only=True):
    """A database under measurement."""

    place: Place
    cases: int
    size_mb: int
    rates: list[Rate]
    search: dict[str, Wait]


def growth(amqp_url: str, database_url: str, size: GrowthSize, tell: Tell) -> GrowthFigures:
    """Measure; ``tell`` hears of every step.

    Raises:
        NeighbourError: the broker or the database does not answer.
        GatewayError: outputs do not come.
    """
    with place(amqp_url, database_url) as first, _beside(first, database_url) as second:
        few, many = _filled(first, size.few, tell), _filled(second, size.many, tell)
        for number in range(size.rounds):
            for one in (few, many):
                tell(f"round {number + 1} of {size.rounds}: throughput with {one.cases} stored cases")
                one.rates.append(gateway_rate(one.place, 1, list(_fresh(size.messages))))
        found = backlog(many.place, _fresh(size.backlog), tell) if size.backlog else None
    return _figures(few, many, found)


@contextmanager
def _beside(first: Place, database_url: str) -> Iterator[Place]:
    """The same names on the broker with another database."""
    with database(database_url) as url:
        yield msgspec.structs.replace(first, database_url=url)


def _filled(where: Place, cases: int, tell: Tell) -> _Filled:
    tell(f"filling a database with {cases} cases")
    stored = fill(where.database_url, cases)
    tell(f"searching among {stored} cases")
    with closing(open_store(where.database_url)) as store:
        found = waits(store, where.database_url, system_now())
    return _Filled(place=where, cases=stored, size_mb=_size_mb(where), rates=[], search=found)


def _size_mb(where: Place) -> int:
    with psycopg.connect(where.database_url) as connection:
        row = connection.execute("SELECT pg_database_size(current_database()) / 1000000").fetchone()
    return int(row[0]) if row else 0


def _fresh(count: int) -> Iterator[bytes]:
    """Referrals that no database has seen."""
    run = secrets.token_hex(8)
    return (referral(number, run) for number in range(count))


def _figures(few: _Filled, many: _Filled, found: Backlog | None) -> GrowthFigures:
    told = {"few": _stock(few), "many": _stock(many)}
    pairs = zip(told["few"].every_round, told["many"].every_round, strict=True)
    return GrowthFigures(
        **told,
        ratio=round(told["many"].per_s / told["few"].per_s, 3),
        every_ratio=[round(more / fewer, 3) for fewer, more in pairs],
        backlog=found,
    )


def _stock(one: _Filled) -> Stock:
    parties: Mapping[str, list[float | None]] = {p: [rate.cpu_ms[p] for rate in one.rates] for p in one.rates[0].cpu_ms}
    known = {party: [ms for ms in values if ms is not None] for party, values in parties.items()}
    return Stock(
        cases=one.cases,
        size_mb=one.size_mb,
        per_s=round(median(rate.per_s for rate in one.rates), 1),
        cpu_ms_per_message={party: round(median(ms), 3) if ms else None for party, ms in known.items()},
        peak_mb=max(rate.peak_mb for rate in one.rates),
        every_round=[rate.per_s for rate in one.rates],
        search=one.search,
    )
