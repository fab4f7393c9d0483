"""Hours of even load in minutes: does the wait for a receipt grow, does the worker's memory?"""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from statistics import linear_regression, mean, median, quantiles

import msgspec
import pika

from gateway.bench.listening import Listener, envelope_of
from gateway.bench.messages import referral
from gateway.bench.places import Place, place
from gateway.bench.processes import memory_mb, peak_mb, running
from gateway.bench.stock import fill
from gateway.bench.throughput import OUTPUTS
from gateway.broker.link import parameters_of

Tell = Callable[[str], None]


class SoakSize(msgspec.Struct, frozen=True, kw_only=True):
    """How much load, for how long."""

    minutes: int = 20
    #: messages per second
    rate: int = 100
    #: stored at the start
    cases: int = 0
    #: minutes at the start that no drift is taken from
    warm_up: int = 2
    #: a minute's length; tests shorten it
    minute_s: float = 60.0


class Minute(msgspec.Struct, frozen=True, kw_only=True):
    """What was sent in one minute and how long it waited for its receipt."""

    messages: int
    p50_ms: float
    p99_ms: float
    #: what the worker held at its end
    memory_mb: float


class Soak(msgspec.Struct, frozen=True, kw_only=True):
    """What ``gateway bench soak --json`` prints."""

    rate_per_s: int
    messages: int
    lost: int
    again: int
    every_minute: list[Minute]
    #: medians of the first and of the last third of the minutes after the warm-up
    early_p50_ms: float
    late_p50_ms: float
    early_p99_ms: float
    late_p99_ms: float
    #: late over early, less one, in percent
    drift_p50_percent: float
    drift_p99_percent: float
    #: megabytes per hour, by a straight line through the minutes after the warm-up; and that line's rise over them, in
    #: percent of their mean
    memory_mb_per_hour: float
    memory_rise_percent: float
    peak_mb: float


def soak(amqp_url: str, database_url: str, size: SoakSize, tell: Tell) -> Soak:
    """One worker under even load; ``tell`` hears of every minute.

    Raises:
        NeighbourError: the broker or the database does not answer.
        GatewayError: receipts do not come.
    """
    with place(amqp_url, database_url) as where:
        if size.cases:
            tell(f"filling the database with {size.cases} cases")
            fill(where.database_url, size.cases)
        with Listener(where) as listener, running(["gateway", "run"], 1, where.environment) as (worker,):
            load = _Load(where, size, worker)
            load.run(lambda number: tell(f"minute {number + 1}: {_told(load.minute(number, listener.at))}"))
            listener.wait_for(len(load.sent), len(load.sent) * (OUTPUTS - 1))
            peak = peak_mb(worker)
        found = [load.minute(number, listener.at) for number in range(size.minutes)]
        minutes = [minute for minute in found if minute is not None]
        return figures(
            size, minutes, (len(load.sent), len(load.sent.keys() - listener.at.keys()), listener.again), peak
        )


class _Load:
    """The sender: even load, and what the worker held at each minute's end."""

    def __init__(self, where: Place, size: SoakSize, worker: int) -> None:
        self._where = where
        self._size = size
        self._worker = worker
        self._started = 0.0
        #: by envelope: when it was handed to the broker
        self.sent: dict[bytes, float] = {}
        self._memory: list[float] = []

    def run(self, at_end_of_minute: Callable[[int], None]) -> None:
        """Publish until the time is over."""
        rate, run = self._size.rate, secrets.token_hex(8)
        each = round(rate * self._size.minute_s)
        properties = pika.BasicProperties(delivery_mode=2, content_type="application/xml")
        with pika.BlockingConnection(parameters_of(self._where.amqp_url)) as connection:
            channel = connection.channel()
            self._started = time.perf_counter()
            for number in range(self._size.minutes * each):
                body = referral(number, run)
                time.sleep(max(0.0, self._started + number / rate - time.perf_counter()))
                self.sent[envelope_of(body)] = time.perf_counter()
                channel.basic_publish("", self._where.topology.referrals_in, body, properties)
                if (number + 1) % each == 0:
                    self._memory.append(memory_mb(self._worker))
                    at_end_of_minute(number // each)

    def minute(self, number: int, answered: Mapping[bytes, float]) -> Minute | None:
        """The minute's messages, as far as they are answered; None while hardly any is."""
        each = round(self._size.rate * self._size.minute_s)
        mine = islice(self.sent.items(), number * each, (number + 1) * each)
        waited = [(answered[envelope] - at) * 1000 for envelope, at in mine if envelope in answered]
        if len(waited) < 2:  # noqa: PLR2004  (there are no quantiles of one)
            return None
        cuts = quantiles(waited, n=100)
        return Minute(
            messages=len(waited), p50_ms=round(cuts[49], 1), p99_ms=round(cuts[98], 1), memory_mb=self._memory[number]
        )


def _told(minute: Minute | None) -> str:
    if minute is None:
        return "no receipt yet"
    return f"p50 {minute.p50_ms} ms, p99 {minute.p99_ms} ms, worker {minute.memory_mb} MB"


def figures(size: SoakSize, minutes: Sequence[Minute], counts: tuple[int, int, int], peak: float) -> Soak:
    """What the minutes say; ``counts``: sent, lost, receipted again."""
    counted = minutes[min(size.warm_up, len(minutes) - 2) :]
    third = max(1, len(counted) // 3)
    early, late = counted[:third], counted[-third:]
    p50 = [round(median(m.p50_ms for m in part), 1) for part in (early, late)]
    p99 = [round(median(m.p99_ms for m in part), 1) for part in (early, late)]
    held = [m.memory_mb for m in counted]
    slope = linear_regression(range(len(held)), held).slope
    return Soak(
        rate_per_s=size.rate,
        messages=counts[0],
        lost=counts[1],
        again=counts[2],
        every_minute=list(minutes),
        early_p50_ms=p50[0],
        late_p50_ms=p50[1],
        early_p99_ms=p99[0],
        late_p99_ms=p99[1],
        drift_p50_percent=_drift(*p50),
        drift_p99_percent=_drift(*p99),
        memory_mb_per_hour=round(slope * 3600 / size.minute_s, 2),
        memory_rise_percent=round(slope * (len(held) - 1) / mean(held) * 100, 2),
        peak_mb=peak,
    )


def _drift(early: float, late: float) -> float:
    return round((late / early - 1) * 100, 1)
