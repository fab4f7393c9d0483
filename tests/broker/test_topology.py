"""The names and arguments of the AMQP topology: frozen, declared idempotently, changed ones refused."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from gateway.broker.topology import RETRY_AFTER, Depth, Topology, declare, depths, topology_of
from gateway.errors import BrokerError, ConfigurationError
from gateway.inbound.source import MAX_ATTEMPTS
from gateway.municipality.model import load
from tests.neighbours import Broker

QUORUM = {"x-queue-type": "quorum"}
REJECT = {"x-overflow": "reject-publish"}
AT_LEAST_ONCE = REJECT | {"x-dead-letter-strategy": "at-least-once"}
TO_PARKED = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "referrals.parked", "x-delivery-limit": 1000}


def _retry(origin: str, delay_ms: int) -> dict[str, Any]:
    back = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": origin, "x-message-ttl": delay_ms}
    return QUORUM | AT_LEAST_ONCE | back


#: written out once more on purpose: whoever changes the code must see that running brokers refuse the change
FROZEN: dict[str, dict[str, Any]] = {
    "referrals.in": QUORUM | AT_LEAST_ONCE | TO_PARKED,
    "team-events.in": QUORUM | AT_LEAST_ONCE | TO_PARKED,
    "referrals.retry.10s": _retry("referrals.in", 10_000),
    "referrals.retry.1m": _retry("referrals.in", 60_000),
    "referrals.retry.10m": _retry("referrals.in", 600_000),
    "team-events.retry.10s": _retry("team-events.in", 10_000),
    "team-events.retry.1m": _retry("team-events.in", 60_000),
    "team-events.retry.10m": _retry("team-events.in", 600_000),
    "referrals.parked": QUORUM,
    "medcom.out": QUORUM | REJECT,
    "team.sundhedskonsulenter": QUORUM | REJECT,
    "team.genoptraening-ishoej": QUORUM | REJECT,
}
BINDINGS = {
    ("medcom.out", "medcom.out", "#"),
    ("teams", "team.sundhedskonsulenter", "sundhedskonsulenter"),
    ("teams", "team.genoptraening-ishoej", "genoptraening-ishoej"),
}


def test_names_and_arguments_are_those_of_the_first_version() -> None:
    topology = topology_of(load(), "")
    assert {queue.name: queue.arguments for queue in topology.queues()} == FROZEN
    assert [exchange.name for exchange in topology.exchanges()] == ["medcom.out", "teams"]
    assert {(q.exchange, q.name, q.key) for q in topology.queues() if q.exchange} == BINDINGS


def test_attempts_wait_10_s_1_min_10_min_and_10_min() -> None:
    topology = topology_of(load(), "")
    waits = [topology.retry_queue("referrals.in", attempt) for attempt in range(1, MAX_ATTEMPTS)]
    assert waits == [f"referrals.retry.{delay}" for delay in ("10s", "1m", "10m", "10m")]
    assert len(RETRY_AFTER) == MAX_ATTEMPTS - 1
    assert topology.retry_queue("team-events.in", 1) == "team-events.retry.10s"


def test_a_prefix_stands_before_every_name_and_in_every_reference() -> None:
    for queue in Topology(prefix="ishoej.", teams=("a",)).queues():
        told = [
            queue.name,
            *filter(None, [queue.exchange]),
            queue.arguments.get("x-dead-letter-routing-key", "ishoej."),
        ]
        assert all(name.startswith("ishoej.") for name in told)


def test_dead_letter_targets_come_before_what_points_at_them() -> None:
    seen: set[str] = set()
    for queue in topology_of(load(), "").queues():
        target = queue.arguments.get("x-dead-letter-routing-key")
        assert target is None or target in seen
        seen.add(queue.name)


@pytest.mark.broker
def test_declaring_twice_changes_nothing(bare_broker: Broker) -> None:
    for _ in range(2):
        declare(bare_broker.url, bare_broker.topology)
    assert depths(bare_broker.url, bare_broker.topology) == {
        q.name: Depth(ready=0, consumers=0) for q in bare_broker.topology.queues()
    }


@pytest.mark.broker
@pytest.mark.parametrize(
    "arguments", [QUORUM, QUORUM | AT_LEAST_ONCE | TO_PARKED | {"x-delivery-limit": 20}, {"x-queue-type": "classic"}]
)
def test_a_queue_with_other_arguments_stops_the_start(bare_broker: Broker, arguments: dict[str, Any]) -> None:
    topology = bare_broker.topology
    bare_broker.channel.queue_declare(topology.referrals_in, durable=True, arguments=arguments)
    with pytest.raises(ConfigurationError, match="PRECONDITION_FAILED") as raised:
        declare(bare_broker.url, topology)
    assert raised.value.id == "GW-304"
    assert topology.referrals_in in str(raised.value)


@pytest.mark.broker
def test_an_exchange_of_another_kind_stops_the_start(bare_broker: Broker) -> None:
    bare_broker.channel.exchange_declare(bare_broker.topology.medcom_out, exchange_type="fanout", durable=True)
    with pytest.raises(ConfigurationError) as raised:
        declare(bare_broker.url, bare_broker.topology)
    assert raised.value.id == "GW-304"


@pytest.mark.broker
def test_a_missing_queue_is_named(bare_broker: Broker) -> None:
    with pytest.raises(BrokerError, match=bare_broker.topology.parked):
        depths(bare_broker.url, bare_broker.topology)


@pytest.mark.parametrize("ask", [declare, depths])
@pytest.mark.parametrize("url", ["amqp://127.0.0.1:1/%2f", "amqp://guest:hunter2@no-such-host.invalid/%2f"])
def test_a_broker_that_does_not_answer_is_told_without_the_url(
    ask: Callable[[str, Topology], object], url: str
) -> None:
    with pytest.raises(BrokerError, match="does not answer") as raised:
        ask(url, topology_of(load(), ""))
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("ask", [declare, depths])
@pytest.mark.parametrize("url", ["amqp://hunter2@127.0.0.1/%2f", "amqp://guest:hunter2@127.0.0.1:port/"])
def test_a_url_that_cannot_be_read_is_a_wrong_set_up(ask: Callable[[str, Topology], object], url: str) -> None:
    with pytest.raises(ConfigurationError, match="GW-301 GATEWAY_AMQP_URL cannot be read") as raised:
        ask(url, topology_of(load(), ""))
    assert "hunter2" not in str(raised.value)


@pytest.mark.broker
def test_a_wrong_secret_is_a_broker_that_does_not_answer(bare_broker: Broker) -> None:
    url = bare_broker.url.replace("guest:guest@", "guest:wrong@")
    with pytest.raises(BrokerError, match="ProbableAuthenticationError"):
        declare(url, bare_broker.topology)


@pytest.mark.broker
def test_depths_count_what_is_ready_and_who_consumes(broker: Broker) -> None:
    topology = broker.topology
    for _ in range(3):
        broker.publish(topology.referrals_in, b"x", delivery_mode=2)
    broker.channel.basic_consume(topology.parked, lambda *_: None)
    end = time.monotonic() + 10
    while depths(broker.url, topology)[topology.referrals_in].ready != 3 and time.monotonic() < end:
        time.sleep(0.02)
    found = depths(broker.url, topology)
    assert found[topology.referrals_in] == Depth(ready=3, consumers=0)
    assert found[topology.parked] == Depth(ready=0, consumers=1)


@pytest.mark.broker
def test_looking_leaves_every_message_in_its_place(broker: Broker) -> None:
    topology = broker.topology
    queue = topology.team_queue("sundhedskonsulenter")
    for body in (b"first", b"second"):
        broker.publish(queue, body, delivery_mode=2)
    for _ in range(3):
        depths(broker.url, topology)
    found = broker.take(queue, 2)
    assert [body for _, body in found] == [b"first", b"second"]
    assert all(not properties.headers or not properties.headers.get("x-delivery-count") for properties, _ in found)


@pytest.mark.broker
def test_a_message_in_a_retry_queue_comes_back_to_where_it_came_from(broker: Broker) -> None:
    """The 10 s queues, really waited for; the others differ in their time only (see above)."""
    topology = broker.topology
    for origin in (topology.referrals_in, topology.team_events_in):
        broker.publish(topology.retry_queue(origin, 1), b"again", headers={"x-gateway-attempt": 1}, delivery_mode=2)
    started = time.monotonic()
    for origin in (topology.referrals_in, topology.team_events_in):
        ((properties, body),) = broker.take(origin, 1, within_s=20)
        assert body == b"again"
        assert properties.headers["x-gateway-attempt"] == 1
    assert 9 < time.monotonic() - started < 15


@pytest.mark.broker
def test_the_broker_holds_exactly_the_frozen_arguments(broker: Broker) -> None:
    """It refuses a declaration that differs in anything."""
    prefix = broker.topology.prefix
    for name, arguments in FROZEN.items():
        mine = {
            key: prefix + value if str(value).startswith("referrals") or str(value).endswith(".in") else value
            for key, value in arguments.items()
        }
        broker.channel.queue_declare(prefix + name, durable=True, arguments=mine)
