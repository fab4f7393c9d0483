"""Exchanges, queues and bindings (design §4). Arguments are frozen: the broker refuses changed ones.

Retry never uses the dead-letter way of the origin queue: on RabbitMQ 3.10 a queue → TTL → origin cycle drops the
message after the delivery limit, and killed consumers use up the count of every prefetched message, hence 1000.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
import pika
from pika.exceptions import AMQPError, ChannelClosedByBroker

from gateway.broker.link import parameters_of
from gateway.errors import BrokerError, ConfigurationError
from gateway.municipality.model import Municipality

_QUORUM = {"x-queue-type": "quorum"}
_AT_LEAST_ONCE = {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}
#: delay in milliseconds by the retry queue's suffix
RETRY_MS = {"10s": 10_000, "1m": 60_000, "10m": 600_000}
#: suffix of the retry queue after the n-th failure; after the fifth the message is parked
RETRY_AFTER = ("10s", "1m", "10m", "10m")
ATTEMPT_HEADER = "x-gateway-attempt"
DELIVERY_LIMIT = 1000


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """A durable topic exchange."""

    name: str


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """A durable queue with its frozen arguments, and what it is bound to."""

    name: str
    arguments: dict[str, Any]
    exchange: str | None = None
    key: str = ""


class Topology(msgspec.Struct, frozen=True, kw_only=True):
    """The names this installation uses; ``prefix`` tells installations on one broker apart."""

    prefix: str
    teams: tuple[str, ...]

    @property
    def referrals_in(self) -> str:
        """Everything MedCom that arrives."""
        return f"{self.prefix}referrals.in"

    @property
    def team_events_in(self) -> str:
        """What teams tell."""
        return f"{self.prefix}team-events.in"

    @property
    def parked(self) -> str:
        """A last net: dead letters."""
        return f"{self.prefix}referrals.parked"

    @property
    def medcom_out(self) -> str:
        """Exchange (and queue) towards the VANS client or access point."""
        return f"{self.prefix}medcom.out"

    @property
    def teams_out(self) -> str:
        """Exchange towards the teams."""
        return f"{self.prefix}teams"

    def team_queue(self, team: str) -> str:
        """A team's own queue."""
        return f"{self.prefix}team.{team}"

    def retry_queue(self, origin: str, attempt: int) -> str:
        """Where a message waits after its ``attempt``-th failure (1 to 4)."""
        return f"{origin.removesuffix('.in')}.retry.{RETRY_AFTER[attempt - 1]}"

    def exchanges(self) -> Iterator[Exchange]:
        """In the order they must be declared."""
        yield Exchange(name=self.medcom_out)
        yield Exchange(name=self.teams_out)

    def queues(self) -> Iterator[Queue]:
        """In the order they must be declared: dead-letter targets first."""
        yield Queue(name=self.parked, arguments=_QUORUM)
        for origin in (self.referrals_in, self.team_events_in):
            dead = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": self.parked}
            yield Queue(name=origin, arguments=_QUORUM | _AT_LEAST_ONCE | dead | {"x-delivery-limit": DELIVERY_LIMIT})
            for suffix, delay in RETRY_MS.items():
                back = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": origin, "x-message-ttl": delay}
                name = f"{origin.removesuffix('.in')}.retry.{suffix}"
                yield Queue(name=name, arguments=_QUORUM | _AT_LEAST_ONCE | back)
        out = _QUORUM | {"x-overflow": "reject-publish"}
        yield Queue(name=self.medcom_out, arguments=out, exchange=self.medcom_out, key="#")
        for team in self.teams:
            yield Queue(name=self.team_queue(team), arguments=out, exchange=self.teams_out, key=team)


def topology_of(municipality: Municipality, prefix: str) -> Topology:
    """The topology one municipality needs."""
    return Topology(prefix=prefix, teams=tuple(sorted(municipality.teams)))


def declare(url: str, topology: Topology) -> None:
    """Declare everything, idempotently.

    Raises:
        ConfigurationError: GW-304 when the broker holds one of the names with other arguments.
        BrokerError: the broker does not answer.
    """
    try:
        with pika.BlockingConnection(parameters_of(url)) as connection:
            channel = connection.channel()
            for exchange in topology.exchanges():
                channel.exchange_declare(exchange.name, exchange_type="topic", durable=True)
            for queue in topology.queues():
                channel.queue_declare(queue.name, durable=True, arguments=queue.arguments)
                if queue.exchange is not None:
                    channel.queue_bind(queue.name, queue.exchange, routing_key=queue.key)
    except ChannelClosedByBroker as error:
        raise ConfigurationError("GW-304", f"the broker refused the topology: {error.reply_text}") from error
    except (AMQPError, OSError) as error:
        raise BrokerError(f"the broker does not answer: {type(error).__name__}") from error


class Depth(msgspec.Struct, frozen=True, kw_only=True):
    """How full a queue is."""

    ready: int
    consumers: int


def depths(url: str, topology: Topology) -> dict[str, Depth]:
    """How full every queue is, by passive declares.

    Nobody looks at messages: a quorum queue puts what is given back at its end, and counts it as delivered.

    Raises:
        BrokerError: the broker does not answer, or a queue is missing.
    """
    try:
        with pika.BlockingConnection(parameters_of(url)) as connection:
            channel = connection.channel()
            found = {}
            for queue in topology.queues():
                told = channel.queue_declare(queue.name, passive=True).method
                found[queue.name] = Depth(ready=told.message_count, consumers=told.consumer_count)
            return found
    except ChannelClosedByBroker as error:
        raise BrokerError(f"a queue cannot be looked at: {error.reply_text}") from error
    except (AMQPError, OSError) as error:
        raise BrokerError(f"the broker does not answer: {type(error).__name__}") from error
