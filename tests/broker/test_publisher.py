"""Publishing: every message's fate is known before we go on, whatever happens to the connection."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pika
import pytest

from gateway.broker.link import IoThread
from gateway.broker.publisher import Fate, Publication, Publisher
from gateway.errors import BrokerError
from tests.broker.proxy import Proxy
from tests.neighbours import Broker, wait_for

pytestmark = pytest.mark.broker


def publication(queue: str, number: int = 1, **changes: object) -> Publication:
    given = {"exchange": "", "key": queue, "body": f"body {number}".encode(), "message_id": f"M{number}"}
    return Publication(**given | changes)


def test_a_confirmed_message_is_in_the_queue_with_everything_said_about_it(
    publisher: Publisher, broker: Broker
) -> None:
    queue = broker.topology.team_queue("sundhedskonsulenter")
    told = publication(
        "sundhedskonsulenter",
        exchange=broker.topology.teams_out,
        body="æøå".encode(),
        content_type="application/fhir+json",
        type="Task",
        correlation_id="episode",
        headers={"x": 1},
        at=datetime(2026, 11, 16, 9, 15, tzinfo=UTC),
    )
    assert publisher.send([told]) == [Fate.CONFIRMED]

    ((properties, body),) = broker.take(queue, 1)
    assert body == "æøå".encode()
    assert properties.delivery_mode == 2
    assert (properties.message_id, properties.correlation_id, properties.type) == ("M1", "episode", "Task")
    assert (properties.content_type, properties.app_id) == ("application/fhir+json", "gateway")
    assert properties.headers["x"] == 1


def test_fates_come_in_the_order_of_the_batch(publisher: Publisher, broker: Broker) -> None:
    full = f"{broker.topology.prefix}full"
    limits = {"x-max-length": 1, "x-overflow": "reject-publish"}
    broker.channel.queue_declare(full, exclusive=True, arguments=limits)
    there = broker.topology.medcom_out
    batch = [
        publication(there, 1),
        publication("no-such-queue", 2),
        publication(full, 3),
        publication(full, 4),
        publication(there, 5),
        publication("x", 6, exchange=broker.topology.teams_out),
    ]
    assert publisher.send(batch) == [
        Fate.CONFIRMED,
        Fate.UNROUTABLE,
        Fate.CONFIRMED,
        Fate.REFUSED,
        Fate.CONFIRMED,
        Fate.UNROUTABLE,
    ]
    assert [body for _, body in broker.take(there, 2)] == [b"body 1", b"body 5"]


def test_nothing_to_send_is_nothing_sent(publisher: Publisher) -> None:
    assert publisher.send([]) == []


def test_a_large_batch_is_pipelined(publisher: Publisher, broker: Broker) -> None:
    batch = [publication(broker.topology.medcom_out, n, body=bytes(8000)) for n in range(500)]
    assert publisher.send(batch) == [Fate.CONFIRMED] * 500
    wait_for(lambda: broker.depth(broker.topology.medcom_out) == 500, "all of them")


def test_threads_may_send_at_the_same_time(publisher: Publisher, broker: Broker) -> None:
    def send(number: int) -> list[Fate]:
        good = publication(broker.topology.medcom_out, number)
        return publisher.send([good, publication("no-such-queue", 1000 + number)])

    with ThreadPoolExecutor(8) as pool:
        fates = list(pool.map(send, range(40)))
    assert fates == [[Fate.CONFIRMED, Fate.UNROUTABLE]] * 40


def test_what_amqp_cannot_carry_is_refused_and_stops_nobody(publisher: Publisher, broker: Broker) -> None:
    there = broker.topology.medcom_out
    batch = [
        publication("k" * 300, 1),
        publication(there, 2),
        publication(there, 3, correlation_id="e" * 300),
        publication(there, 4),
    ]
    assert publisher.send(batch) == [Fate.REFUSED, Fate.CONFIRMED, Fate.REFUSED, Fate.CONFIRMED]
    assert publisher.send([publication(there, 5)]) == [Fate.CONFIRMED]


def test_without_a_connection_nothing_is_sent(io: IoThread, proxy: Proxy) -> None:
    proxy.refusing = True
    link = Publisher(io, proxy.url)
    link.start()
    with pytest.raises(BrokerError, match="does not answer"):
        link.send([publication("any")])
    assert not link.up.is_set()
    link.stop()


def test_a_connection_that_breaks_before_the_confirm_leaves_the_fate_unknown(
    publisher: Publisher, broker: Broker, proxy: Proxy
) -> None:
    """The message may be there or not: it is there, in this case."""
    proxy.stall()
    cutting = threading.Timer(0.3, proxy.cut)
    cutting.start()
    started = time.monotonic()
    assert publisher.send([publication(broker.topology.medcom_out, n) for n in (1, 2)]) == [Fate.UNKNOWN] * 2
    assert time.monotonic() - started < 3, "known at the loss, not at the timeout"
    cutting.join()
    broker.take(broker.topology.medcom_out, 2)

    proxy.flow()
    wait_for(publisher.up.is_set, "the link to come back by itself")
    assert publisher.send([publication(broker.topology.medcom_out, 3)]) == [Fate.CONFIRMED]


def test_confirms_that_do_not_come_in_time_are_told_apart_from_a_lost_connection(
    io: IoThread, broker: Broker, proxy: Proxy
) -> None:
    link = Publisher(io, proxy.url, timeout_s=0.3)
    link.start()
    wait_for(link.up.is_set, "the link")
    proxy.stall()
    assert link.send([publication(broker.topology.medcom_out, 1)]) == [Fate.UNCONFIRMED]
    assert link.up.is_set()
    proxy.flow()
    assert link.send([publication(broker.topology.medcom_out, 2)]) == [Fate.CONFIRMED], "a late confirm harms nobody"
    link.stop()


def test_a_broker_short_of_memory_is_given_nothing_until_it_recovers(
    publisher: Publisher, broker: Broker, proxy: Proxy
) -> None:
    """connection.blocked: what is written would wait in our own memory, and be sent again and again."""
    proxy.say(pika.frame.Method(0, pika.spec.Connection.Blocked(reason="low on memory")).marshal())
    wait_for(lambda: not publisher.up.is_set(), "the link to know that it is blocked")
    with pytest.raises(BrokerError):
        publisher.send([publication(broker.topology.medcom_out, 1)])

    proxy.say(pika.frame.Method(0, pika.spec.Connection.Unblocked()).marshal())
    wait_for(publisher.up.is_set, "the link to know that it may go on")
    assert publisher.send([publication(broker.topology.medcom_out, 2)]) == [Fate.CONFIRMED]
    assert [body for _, body in broker.drain(broker.topology.medcom_out)] == [b"body 2"]
