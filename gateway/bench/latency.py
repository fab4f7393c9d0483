"""How long a sender waits for its receipt at a fixed rate: published → the receipt is there to be fetched."""

import time
from collections.abc import Sequence
from contextlib import closing
from itertools import pairwise
from statistics import quantiles

import msgspec
import pika

from gateway.bench.listening import Listener, envelope_of
from gateway.bench.places import Place, Watcher
from gateway.bench.processes import running
from gateway.broker.link import parameters_of

_WARM_UP = 50


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Milliseconds from publishing to the receipt."""

    rate_per_s: int
    p50_ms: float
    p99_ms: float
    #: what the sender really kept up, per second
    sent_per_s: float


def latency(place: Place, rate: int, bodies: Sequence[bytes]) -> Latency:
    """One worker, these referrals at ``rate`` per second, after some to warm up."""
    topology = place.topology
    with closing(Watcher(place.amqp_url)) as watcher:
        watcher.empty(topology.referrals_in, topology.medcom_out)
        with Listener(place, teams=False) as listener, running(["gateway", "run"], 1, place.environment):
            _publish(place, bodies[:_WARM_UP], 20)
            listener.wait_for(_WARM_UP, 0)
            sent = _publish(place, bodies[_WARM_UP:], rate)
            listener.wait_for(len(bodies), 0)
        watcher.empty(*(topology.team_queue(team) for team in topology.teams))
    return _figures(rate, sent, listener.at)


def _publish(place: Place, bodies: Sequence[bytes], rate: int) -> dict[bytes, float]:
    """Publish at a steady pace; when each was handed over."""
    sent: dict[bytes, float] = {}
    properties = pika.BasicProperties(delivery_mode=2, content_type="application/xml")
    with pika.BlockingConnection(parameters_of(place.amqp_url)) as connection:
        channel = connection.channel()
        started = time.perf_counter()
        for number, body in enumerate(bodies):
            time.sleep(max(0.0, started + number / rate - time.perf_counter()))
            sent[envelope_of(body)] = time.perf_counter()
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
