"""Messages per second through a backlog: the queue is filled first, then workers start, then the outputs are counted.

The rate is taken between the moment when a quarter of the outputs is there and the moment when all are: starting up,
loading tables and warming caches do not count, for the bridge as little as for the gateway.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing

import msgspec

from gateway.bench.bridge import names
from gateway.bench.places import Place, Watcher
from gateway.bench.processes import Cpu, cpu_of, peak_mb, running
from gateway.errors import GatewayError

_WARM = 0.25
_LOOK_S = 0.02
_PATIENCE_S = 120.0
#: receipt, status letter, team message
OUTPUTS = 3
_BRIDGE_BODY = b"x" * 8192


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """What one round gave."""

    per_s: float
    #: CPU milliseconds per message: workers, broker, database
    cpu_ms: dict[str, float | None]
    #: the most memory one worker held, megabytes
    peak_mb: float


def bridge_rate(place: Place, form: str, workers: int, count: int) -> Rate:
    """The bare bridge over ``count`` messages of 8 kB."""
    source, *targets = names(place.prefix)
    with closing(Watcher(place.amqp_url)) as watcher:
        watcher.fill(source, (_BRIDGE_BODY for _ in range(count)))
        command = ["gateway.bench.bridge", form, place.amqp_url, place.prefix]
        with running(command, workers) as pids:
            rate = between(lambda: watcher.depth(*targets), len(targets), count, pids)
        watcher.empty(source, *targets)
    return rate


def gateway_rate(place: Place, workers: int, bodies: Sequence[bytes]) -> Rate:
    """The gateway over these referrals: receipt, decision, team message and status letter for each."""
    topology = place.topology
    targets = (topology.medcom_out, *(topology.team_queue(team) for team in topology.teams))
    with closing(Watcher(place.amqp_url)) as watcher:
        watcher.empty(topology.referrals_in, *targets)
        watcher.fill(topology.referrals_in, bodies)
        with running(["gateway", "run"], workers, place.environment) as pids:
            rate = between(lambda: watcher.depth(*targets), OUTPUTS, len(bodies), pids)
        watcher.empty(*targets)
    return rate


def between(outputs: Callable[[], int], each: int, count: int, pids: Iterable[int]) -> Rate:
    """Count outputs until every message has had ``each`` of them.

    Raises:
        GatewayError: they do not come.
    """
    pids = list(pids)
    first = _until(outputs, int(count * _WARM) * each)
    started, before = time.perf_counter(), cpu_of(pids)
    _until(outputs, count * each)
    took, after = time.perf_counter() - started, cpu_of(pids)
    handled = count - first / each
    return _rate(handled, took, (before, after), pids)


def _rate(handled: float, took: float, cpu: tuple[Cpu, Cpu], pids: Sequence[int]) -> Rate:
    before, after = cpu
    return Rate(
        per_s=round(handled / took, 1),
        cpu_ms=after.since(before, int(handled)),
        peak_mb=max(peak_mb(pid) for pid in pids),
    )


def _until(outputs: Callable[[], int], wanted: int) -> int:
    end = time.monotonic() + _PATIENCE_S
    while (found := outputs()) < wanted:
        if time.monotonic() > end:
            raise GatewayError(f"{found} of {wanted} outputs came within {_PATIENCE_S:.0f} s")
        time.sleep(_LOOK_S)
    return found
