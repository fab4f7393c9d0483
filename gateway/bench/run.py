"""The whole benchmark: rounds interleaved, so that a machine whose speed drifts drifts for all alike; medians."""

import os
import platform
import secrets
from collections.abc import Callable, Mapping
from importlib.metadata import version
from statistics import median

import msgspec

from gateway.bench.embedded import embedded_rate
from gateway.bench.in_process import decision_costs, reading_cost
from gateway.bench.latency import Latency, latency
from gateway.bench.messages import fhir_referral, referral
from gateway.bench.places import Place, place
from gateway.bench.throughput import Rate, bridge_rate, gateway_rate
from gateway.clocks import system_now
from gateway.municipality.model import load

#: a bridge with pipelined confirms is at least so much faster than a blocking one, or the run says nothing
MIN_PIPELINING = 3.0
LATENCY_RATES = (100, 400)
#: a bridge passes on so many messages while a gateway handles one: its rounds shall take as long
_BRIDGE_SHARE = 8
_LIBRARIES = ("pika", "lxml", "msgspec", "sqlalchemy", "psycopg")


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How much is measured."""

    rounds: int = 3
    #: messages per round of the gateway; the pipelined bridge gets eight times as many, the blocking one a tenth
    messages: int = 4000
    #: seconds at each fixed rate
    latency_s: int = 20


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What ``gateway bench --json`` prints."""

    #: False: the machine was too busy for the figures to mean anything (pipelined/blocking < 3)
    valid: bool
    pipelined_over_blocking: float
    bridge_per_s: float
    bridge_2_workers_per_s: float
    blocking_bridge_per_s: float
    #: by number of workers
    gateway_per_s: dict[str, float]
    #: gateway over the one-worker bridge, by number of workers
    ratio: dict[str, float]
    #: FHIR Bundles in, one worker; and over the rate of XML
    fhir_per_s: float
    fhir_ratio: float
    #: one worker: gateway, broker and database apart, and their sum
    cpu_ms_per_message: dict[str, float | None]
    latency: dict[str, Latency]
    peak_mb: float
    #: spool folder and SQLite
    embedded_per_s: float
    embedded_cpu_ms_per_message: float | None
    embedded_peak_mb: float
    #: CPU microseconds in process: classifying and deciding by text length, and reading
    decide_us: dict[str, float]
    read_us: float
    every_round: dict[str, list[float]]
    machine: dict[str, str]


Step = tuple[str, Callable[[], Rate]]


def bench(amqp_url: str, database_url: str, size: Size, tell: Callable[[str], None]) -> Figures:
    """Measure; ``tell`` hears of every step.

    Raises:
        NeighbourError: the broker or the database does not answer.
        GatewayError: outputs do not come.
    """
    with place(amqp_url, database_url) as where:
        rounds: dict[str, list[Rate]] = {}
        for number in range(size.rounds):
            for name, work in _steps(where, size):
                tell(f"round {number + 1} of {size.rounds}: {name}")
                rounds.setdefault(name, []).append(work())
        waits = {}
        for rate in LATENCY_RATES:
            tell(f"latency at {rate} per second")
            waits[str(rate)] = latency(where, rate, _fresh(rate * size.latency_s))
    return _figures(rounds, waits)


def _steps(where: Place, size: Size) -> tuple[Step, ...]:
    count = size.messages
    return (
        ("bridge", lambda: bridge_rate(where, "pipelined", 1, count * _BRIDGE_SHARE)),
        ("blocking bridge", lambda: bridge_rate(where, "blocking", 1, max(200, count // 10))),
        ("gateway, 1 worker", lambda: gateway_rate(where, 1, _fresh(count))),
        ("gateway, FHIR", lambda: gateway_rate(where, 1, _fresh_fhir(count // 2))),
        ("bridge, 2 workers", lambda: bridge_rate(where, "pipelined", 2, count * _BRIDGE_SHARE)),
        ("gateway, 2 workers", lambda: gateway_rate(where, 2, _fresh(count))),
        ("gateway, spool and SQLite", lambda: embedded_rate(_fresh(count // 2))),
    )


def _fresh(count: int) -> list[bytes]:
    """Referrals that this database has not seen."""
    run = secrets.token_hex(8)
    return [referral(number, run) for number in range(count)]


def _fresh_fhir(count: int) -> list[bytes]:
    run, municipality = secrets.token_hex(8), load()
    return [fhir_referral(number, run, municipality) for number in range(count)]


def _figures(rounds: Mapping[str, list[Rate]], waits: dict[str, Latency]) -> Figures:
    speed = {name: median(rate.per_s for rate in rates) for name, rates in rounds.items()}
    bridge, blocking = speed["bridge"], speed["blocking bridge"]
    gateway = {str(n): speed[f"gateway, {n} worker{'s' if n > 1 else ''}"] for n in (1, 2)}
    one, embedded = rounds["gateway, 1 worker"], rounds["gateway, spool and SQLite"]
    municipality = load()
    return Figures(
        valid=bridge / blocking >= MIN_PIPELINING,
        pipelined_over_blocking=round(bridge / blocking, 2),
        bridge_per_s=bridge,
        bridge_2_workers_per_s=speed["bridge, 2 workers"],
        blocking_bridge_per_s=blocking,
        gateway_per_s=gateway,
        ratio={n: round(per_s / bridge, 3) for n, per_s in gateway.items()},
        fhir_per_s=speed["gateway, FHIR"],
        fhir_ratio=round(speed["gateway, FHIR"] / gateway["1"], 3),
        cpu_ms_per_message=_cpu(one),
        latency=waits,
        peak_mb=max(rate.peak_mb for rate in (*one, *rounds["gateway, 2 workers"])),
        embedded_per_s=speed["gateway, spool and SQLite"],
        embedded_cpu_ms_per_message=_cpu(embedded)["workers"],
        embedded_peak_mb=max(rate.peak_mb for rate in embedded),
        decide_us=decision_costs(municipality, system_now()),
        read_us=reading_cost(),
        every_round={name: [rate.per_s for rate in rates] for name, rates in rounds.items()},
        machine=_machine(),
    )


def _cpu(rates: list[Rate]) -> dict[str, float | None]:
    """Medians of each party; the sum where all three are known."""
    parties = {party: [rate.cpu_ms[party] for rate in rates] for party in rates[0].cpu_ms}
    known = {party: [ms for ms in values if ms is not None] for party, values in parties.items()}
    cost = {party: round(median(values), 3) if values else None for party, values in known.items()}
    sums = [ms for ms in cost.values() if ms is not None]
    return {**cost, "sum": round(sum(sums), 3) if len(sums) == len(cost) else None}


def _machine() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": str(len(os.sched_getaffinity(0))),
        **{library: version(library) for library in _LIBRARIES},
    }
