"""How long a sender waits for its receipt at a fixed rate: published → the receipt is there to be fetched."""

import re
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from itertools import pairwise
from statistics import quantiles

import msgspec
import pika

from gateway.bench.places import Place, Watcher
from gateway.bench.processes import running
from gateway.broker.link import parameters_of
from gateway.errors import GatewayError

_ANSWERED = re.compile(rb"<OriginalEnvelopeIdentifier>([^<]+)<")
_SENT = re.compile(rb"<Identifier>(K[^<]+)<")
_PATIENCE_S = 60.0
_WARM_UP = 50


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds from publishing to the receipt."""

    rate_per_s: int
    p50_ms: float
    p99_ms: float
    #: what the sender really kept up, per second
    sent_per_s: float


class _Receiver:
    """Notes when each receipt comes, on a thread of its own."""

    def __init__(self, url: str, queue: str) -> None:
        self.at: dict[bytes, float] = {}
        self._url, self._queue = url, queue
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="receipts", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with pika.BlockingConnection(parameters_of(self._url)) as connection:
            channel = connection.channel()
            channel.basic_qos(prefetch_count=500)
            for method, _properties, body in channel.consume(self._queue, auto_ack=True, inactivity_timeout=0.1):
                found = _ANSWERED.search(body) if method else None
                if found:
                    self.at[found[1]] = time.perf_counter()
                if self._stop.is_set():
                    return

    def wait_for(self, count: int) -> None:
        """Until so many receipts are there."""
        end = time.monotonic() + _PATIENCE_S
        while len(self.at) < count:
            if time.monotonic() > end:
                raise GatewayError(f"{len(self.at)} of {count} receipts came within {_PATIENCE_S:.0f} s")
            time.sleep(0.02)

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join(timeout=5)


def latency(place: Place, rate: int, bodies: Sequence[bytes]) -> Latency:
    """One worker, these referrals at ``rate`` per second, after some to warm up."""
    topology = place.topology
    with closing(Watcher(place.amqp_url)) as watcher:
        watcher.empty(topology.referrals_in, topology.medcom_out)
        receiver = _Receiver(place.amqp_url, topology.medcom_out)
        try:
            with running(["gateway", "run"], 1, place.environment):
                _publish(place, bodies[:_WARM_UP], 20)
                receiver.wait_for(_WARM_UP)
                sent = _publish(place, bodies[_WARM_UP:], rate)
                receiver.wait_for(len(bodies))
        finally:
            receiver.stop()
        watcher.empty(*(topology.team_queue(team) for team in topology.teams))
    return _figures(rate, sent, receiver.at)


def _publish(place: Place, bodies: Sequence[bytes], rate: int) -> dict[bytes, float]:
    """Publish at a steady pace; when each was handed over."""
    sent: dict[bytes, float] = {}
    properties = pika.BasicProperties(delivery_mode=2, content_type="application/xml")
    with pika.BlockingConnection(parameters_of(place.amqp_url)) as connection:
        channel = connection.channel()
        started = time.perf_counter()
        for number, body in enumerate(bodies):
            time.sleep(max(0.0, started + number / rate - time.perf_counter()))
            found = _SENT.search(body)
            if found is None:
                raise GatewayError("a referral of the benchmark has no envelope id")
            sent[found[1]] = time.perf_counter()
            channel.basic_publish("", place.topology.referrals_in, body, properties)
    return sent


def _figures(rate: int, sent: dict[bytes, float], answered: dict[bytes, float]) -> Latency:
    waited = [(answered[envelope] - at) * 1000 for envelope, at in sent.items()]
    cuts = quantiles(waited, n=100)
    moments = list(sent.values())
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    return Latency(
        rate_per_s=rate,
        p50_ms=round(cuts[49], 1),
        p99_ms=round(cuts[98], 1),
        sent_per_s=round(len(gaps) / sum(gaps), 1),
    )
