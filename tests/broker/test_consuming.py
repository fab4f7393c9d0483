"""The consuming end against the real broker: bounds, losses, dead letters, and queues that go away."""

import time
from collections.abc import Iterator

import pytest

from gateway.broker.topology import ATTEMPT_HEADER, declare, depths
from gateway.errors import BrokerError
from gateway.inbound.source import Delivery
from gateway.receive import Entrance
from tests.broker.proxy import Proxy
from tests.inbound.harness import AmqpInbound, done, take
from tests.neighbours import Broker, wait_for

pytestmark = pytest.mark.broker
_FIRST_DEATH = "x-first-death-queue"


@pytest.fixture
def inbound(broker: Broker, proxy: Proxy) -> Iterator[AmqpInbound]:
    """Few and small messages at a time, through a proxy that can break."""
    opened = AmqpInbound(broker, limits=(5, 10_000), url=proxy.url)
    yield opened
    opened.close()


def consumers(broker: Broker) -> int:
    return depths(broker.url, broker.topology)[broker.topology.referrals_in].consumers


def test_no_more_messages_are_held_than_the_prefetch(inbound: AmqpInbound, broker: Broker) -> None:
    for number in range(12):
        inbound.put(str(number).encode())
    taken = take(inbound.source, 5)
    assert inbound.source.take(10, 0.3) == []
    assert broker.depth(broker.topology.referrals_in) == 7
    inbound.source.done(done(*taken))
    inbound.source.done(done(*take(inbound.source, 5)))
    inbound.source.done(done(*take(inbound.source, 2)))
    assert inbound.left() == 0


def test_the_flow_stops_when_too_many_bytes_are_held_and_goes_on_again_and_again(
    inbound: AmqpInbound, broker: Broker
) -> None:
    """4 kB each, 10 kB at most: after three the flow stops, with every round anew, and never a second consumer."""
    for number in range(30):
        inbound.put(str(number).encode() + b" " * 4000)
    seen: list[bytes] = []
    pauses = 0
    while len(seen) < 30:
        batch = take(inbound.source, min(3, 30 - len(seen)))
        pauses += inbound.source._paused
        seen += [delivery.data for delivery in batch]
        inbound.source.done(done(*batch))
        wait_for(lambda: consumers(broker) <= 1, "the cancelled consumer to be gone")
    assert pauses > 3
    assert sorted(seen) == sorted(str(n).encode() + b" " * 4000 for n in range(30)), "each of them, once"
    wait_for(lambda: not inbound.source._paused, "the flow to go on")
    assert inbound.source._held_bytes == 0
    wait_for(lambda: consumers(broker) == 1, "the one consumer")
    assert inbound.left() == 0


def test_one_message_beyond_the_bytes_passes_too(inbound: AmqpInbound) -> None:
    for _ in range(3):
        inbound.put(b"x" * 50_000)
        inbound.source.done(done(*take(inbound.source, 1)))
    inbound.put(b"small")
    inbound.source.done(done(*take(inbound.source, 1)))
    assert inbound.left() == 0


def test_after_a_loss_everything_not_acknowledged_comes_again_and_the_bytes_are_counted_anew(
    inbound: AmqpInbound, proxy: Proxy
) -> None:
    for number in range(3):
        inbound.put(str(number).encode() + b" " * 4000)
    old = take(inbound.source, 2)
    proxy.cut()
    wait_for(lambda: not inbound.source.up.is_set(), "the loss to be noticed")
    wait_for(inbound.source.up.is_set, "the link to come back")
    inbound.source.done(done(*old))  # of an opening that is gone: acknowledges nothing

    again: list[Delivery] = []
    while len(again) < 3:
        batch = take(inbound.source, 1)
        again += batch
        inbound.source.done(done(*batch))
    assert sorted(d.data[:1] for d in again) == [b"0", b"1", b"2"]
    assert inbound.left() == 0
    assert inbound.source._held_bytes == 0


def test_what_waits_in_memory_of_an_earlier_opening_is_not_handed_over(inbound: AmqpInbound, proxy: Proxy) -> None:
    inbound.put(b"x")
    wait_for(lambda: inbound.source._ready.qsize() == 1, "the message")
    proxy.cut()
    wait_for(lambda: inbound.source._ready.qsize() == 2, "the message once more")
    inbound.source.done(done(*take(inbound.source, 1)))
    assert inbound.source.take(10, 0.2) == []
    assert inbound.left() == 0


def test_an_acknowledgement_just_before_the_end_still_arrives(inbound: AmqpInbound) -> None:
    for number in range(5):
        inbound.put(str(number).encode())
    inbound.source.done(done(*take(inbound.source, 5)))
    assert inbound.left() == 0


def test_an_acknowledgement_covers_what_came_before_and_nothing_after(inbound: AmqpInbound) -> None:
    for number in range(4):
        inbound.put(str(number).encode())
    deliveries = take(inbound.source, 4)
    inbound.source.done(done(*deliveries[:2]))
    inbound.restart()
    assert sorted(d.data for d in take(inbound.source, 2)) == [b"2", b"3"]


def test_a_retry_copy_keeps_what_was_said_about_the_message(inbound: AmqpInbound, broker: Broker) -> None:
    topology = broker.topology
    broker.publish(topology.referrals_in, b"x", message_id="M1", content_type="application/xml")
    (delivery,) = take(inbound.source, 1)
    inbound.source.retry(delivery, 3)
    ((properties, body),) = broker.take(topology.retry_queue(topology.referrals_in, 3), 1)
    assert body == b"x"
    assert (properties.message_id, properties.content_type) == ("M1", "application/xml")
    assert (properties.headers[ATTEMPT_HEADER], properties.delivery_mode) == (3, 2)
    assert inbound.left() == 0


def test_a_retry_copy_that_no_queue_takes_leaves_the_message_where_it_was(inbound: AmqpInbound, broker: Broker) -> None:
    inbound.put(b"x")
    (delivery,) = take(inbound.source, 1)
    broker.channel.queue_delete(broker.topology.retry_queue(broker.topology.referrals_in, 1))
    with pytest.raises(BrokerError, match="unroutable"):
        inbound.source.retry(delivery, 1)
    declare(broker.url, broker.topology)
    inbound.source.retry(delivery, 1)
    assert broker.take(broker.topology.retry_queue(broker.topology.referrals_in, 1), 1)
    assert inbound.left() == 0


def test_a_message_of_an_opening_that_is_gone_is_not_copied(inbound: AmqpInbound, broker: Broker, proxy: Proxy) -> None:
    """It comes again by itself; a copy beside it would be counted apart."""
    inbound.put(b"x")
    (delivery,) = take(inbound.source, 1)
    proxy.cut()
    wait_for(lambda: not inbound.source.up.is_set(), "the loss to be noticed")
    wait_for(lambda: inbound.source.up.is_set() and inbound.publisher.up.is_set(), "the links to come back")
    inbound.source.retry(delivery, 1)
    (again,) = take(inbound.source, 1)
    assert again.attempt == 0
    assert broker.depth(broker.topology.retry_queue(broker.topology.referrals_in, 1)) == 0


@pytest.mark.parametrize("told", [-7, 10**9, "many", None, True])
def test_a_nonsense_attempt_count_is_none_or_harmless(inbound: AmqpInbound, broker: Broker, told: object) -> None:
    """Anyone who may publish can write the header; it must not stop the consumer."""
    broker.publish(broker.topology.referrals_in, b"x", headers={ATTEMPT_HEADER: told})
    (delivery,) = take(inbound.source, 1)
    assert delivery.attempt in {0, 1}


@pytest.mark.parametrize(
    ("came_by", "entrance"), [("referrals_in", Entrance.MEDCOM), ("team_events_in", Entrance.TEAM)]
)
def test_a_dead_letter_is_told_as_such_with_the_way_it_first_came(
    inbound: AmqpInbound, broker: Broker, came_by: str, entrance: Entrance
) -> None:
    origin = getattr(broker.topology, came_by)
    broker.publish(broker.topology.parked, b"dead", headers={_FIRST_DEATH: origin})
    (delivery,) = take(inbound.source, 1)
    assert (delivery.dead, delivery.entrance) == (True, entrance)
    inbound.source.done(done(delivery))
    assert inbound.left() == 0


def test_what_the_broker_gives_up_on_arrives_as_a_dead_letter(inbound: AmqpInbound, broker: Broker) -> None:
    """Rejected for good, as after a thousand deliveries: the broker itself moves it to the parked queue."""
    inbound.source.stop()
    broker.publish(broker.topology.team_events_in, b"dead", delivery_mode=2)

    def rejected() -> bool:
        method, _, _ = broker.channel.basic_get(broker.topology.team_events_in)
        if method is not None:
            broker.channel.basic_reject(method.delivery_tag, requeue=False)
        return method is not None

    wait_for(rejected, "the message")
    inbound.restart()
    (delivery,) = take(inbound.source, 1)
    assert (delivery.data, delivery.dead, delivery.entrance) == (b"dead", True, Entrance.TEAM)


def test_a_queue_that_goes_away_is_noticed_and_consumed_again_when_it_is_back(
    inbound: AmqpInbound, broker: Broker
) -> None:
    broker.channel.queue_delete(broker.topology.referrals_in)
    wait_for(lambda: not inbound.source.up.is_set(), "the loss to be noticed")
    time.sleep(0.5)
    assert not inbound.source.up.is_set(), "not up while there is nothing to consume"
    declare(broker.url, broker.topology)
    inbound.put(b"x")
    wait_for(inbound.source.up.is_set, "the link to come back")
    assert [d.data for d in take(inbound.source, 1)] == [b"x"]


def test_two_consumers_share_a_queue_and_lose_nothing(broker: Broker) -> None:
    one, two = AmqpInbound(broker), AmqpInbound(broker)
    for number in range(300):
        one.put(str(number).encode())
    seen: list[bytes] = []

    def drained() -> bool:
        for inbound in (one, two):
            batch = inbound.source.take(50, 0.05)
            seen.extend(d.data for d in batch)
            inbound.source.done(done(*batch))
        return len(seen) >= 300

    wait_for(drained, "all of them")
    one.close()
    assert two.left() == 0
    two.close()
    assert sorted(seen, key=int) == [str(n).encode() for n in range(300)]
