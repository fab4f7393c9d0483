"""A long queue worked off by one worker: does it slow down or grow, and does every message come through, once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing

import msgspec
import psycopg

from gateway.bench.listening import Listener, envelope_of
from gateway.bench.places import Place, Watcher
from gateway.bench.processes import peak_mb, running
from gateway.bench.throughput import OUTPUTS

_TENTH = 10


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """What working off the queue gave."""

    messages: int
    #: over all but the first hundredth
    per_s: float
    #: over the second tenth (the first warms up) and over the last
    early_per_s: float
    late_per_s: float
    #: the most the worker held
    peak_mb: float
    #: envelopes that got a receipt; those that got more than one
    receipted: int
    receipted_again: int
    #: messages that the database holds with their letters
    stored: int
    #: sent and not receipted, or receipted and not stored
    lost: int


def backlog(where: Place, bodies: Iterable[bytes], tell: Callable[[str], None]) -> Backlog:
    """Fill the queue with these referrals, then start a worker.

    Raises:
        GatewayError: for a minute nothing comes, and not everything has come.
    """
    tell("filling the queue")
    sent: set[bytes] = set()
    before = _stored(where)
    with closing(Watcher(where.amqp_url)) as watcher:
        watcher.fill(where.topology.referrals_in, _noted(bodies, sent))
    tell(f"one worker, {len(sent)} messages waiting")
    with Listener(where) as listener, running(["gateway", "run"], 1, where.environment) as (worker,):
        listener.wait_for(len(sent), len(sent) * (OUTPUTS - 1))
        peak = peak_mb(worker)
    return _figures(sent, listener, peak, _stored(where) - before)


def _noted(bodies: Iterable[bytes], sent: set[bytes]) -> Iterator[bytes]:
    for body in bodies:
        sent.add(envelope_of(body))
        yield body


def _stored(where: Place) -> int:
    """Messages that stand in the store with their bodies, letters and cases."""
    query = (
        "SELECT count(*) FROM messages JOIN letters ON letters.message = messages.digest JOIN cases USING (case_id)"
        " WHERE handled AND messages.body IS NOT NULL"
    )
    with psycopg.connect(where.database_url) as connection:
        row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def _figures(sent: set[bytes], listener: Listener, peak: float, stored: int) -> Backlog:
    count, moments = len(sent), sorted(listener.at.values())
    receipted = len(sent & listener.at.keys())
    return Backlog(
        messages=count,
        per_s=speed(moments, count // 100, count),
        early_per_s=speed(moments, count // _TENTH, 2 * count // _TENTH),
        late_per_s=speed(moments, count - count // _TENTH, count),
        peak_mb=peak,
        receipted=receipted,
        receipted_again=listener.again,
        stored=stored,
        lost=count - min(receipted, stored),
    )


def speed(moments: Sequence[float], first: int, last: int) -> float:
    """Receipts per second between two of them."""
    return round((last - 1 - first) / (moments[last - 1] - moments[first]), 1)
