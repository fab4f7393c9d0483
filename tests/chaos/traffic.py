"""Load in, letters out: a sender that forgets only what the broker confirmed, a receiver that keeps everything."""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from typing import Any

import pika
from pika.exceptions import AMQPError

from gateway.bench.messages import referral
from gateway.broker.topology import Topology
from tests.chaos.tally import NEGATIVE, POSITIVE, Out, Sent, letter_out

_KEY = slice(1, 14)
#: a referral in so many is refused (no such CPR); one in so many is sent a second time in another envelope
_REFUSED_EACH, _REPEATED_EACH = 10, 12
_PERSISTENT = pika.BasicProperties(delivery_mode=2, content_type="application/xml")


class Client(ABC):
    """A plain AMQP client on a thread of its own that connects again for as long as it takes."""

    def __init__(self, url: str) -> None:
        self._parameters = pika.URLParameters(url)
        self._parameters.socket_timeout = self._parameters.stack_timeout = 3
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name=type(self).__name__, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=20)

    def _work(self) -> None:
        while not self._stop.is_set():
            with suppress(AMQPError, OSError), pika.BlockingConnection(self._parameters) as connection:
                self.use(connection)
            self._stop.wait(0.1)

    @abstractmethod
    def use(self, connection: Any) -> None:  # noqa: ANN401  (pika ships no types)
        """Work on this connection until ``stop`` or an error."""


class Sender(Client):
    """Publishes referrals at a rate; what is not confirmed is published again, as a sender's system would."""

    def __init__(self, url: str, topology: Topology, rate: float, run: str) -> None:
        super().__init__(url)
        self._queue = topology.referrals_in
        self._pause_s = 1 / rate
        self._messages = _messages(run)
        self._waiting: tuple[Sent, bytes] | None = None
        #: by key; only what the broker confirmed
        self.sent: dict[str, Sent] = {}

    def use(self, connection: Any) -> None:  # noqa: ANN401  (pika ships no types)
        channel = connection.channel()
        channel.confirm_delivery()
        while not self._stop.is_set():
            self._waiting = self._waiting or next(self._messages)
            referral_sent, body = self._waiting
            channel.basic_publish("", self._queue, body, _PERSISTENT, mandatory=True)
            self._note(referral_sent)
            self._waiting = None
            connection.sleep(self._pause_s)

    def _note(self, confirmed: Sent) -> None:
        if confirmed.key in self.sent:
            self.sent[confirmed.key].envelopes += 1
        else:
            confirmed.at = time.monotonic()
            self.sent[confirmed.key] = confirmed


def _messages(run: str) -> Iterator[tuple[Sent, bytes]]:
    for number in count():
        body = referral(number, run)
        key = body[body.index(b"<Identifier>K") + 12 :][_KEY].decode()
        refused = number % _REFUSED_EACH == _REFUSED_EACH - 1
        if refused:
            start = body.index(b"<CivilRegistrationNumber>") + 25
            body = body[:start] + b"3102659901" + body[start + 10 :]
        kinds = frozenset({NEGATIVE} if refused else {POSITIVE, "XDIS91", "Task"})
        yield Sent(key=key, kinds=kinds, at=0.0), body
        if number % _REPEATED_EACH == 0:
            yield Sent(key=key, kinds=kinds, at=0.0), body.replace(b"<Identifier>K", b"<Identifier>R", 1)


class Receiver(Client):
    """Takes everything that comes out; it notes first and acknowledges then."""

    def __init__(self, url: str, topology: Topology) -> None:
        super().__init__(url)
        self._queues = (topology.medcom_out, *(topology.team_queue(team) for team in topology.teams))
        self.out: list[Out] = []

    def use(self, connection: Any) -> None:  # noqa: ANN401  (pika ships no types)
        channel = connection.channel()
        channel.basic_qos(prefetch_count=200)
        for queue in self._queues:
            channel.basic_consume(queue, self._note)
        while not self._stop.is_set():
            connection.process_data_events(time_limit=0.1)

    def _note(self, channel: Any, method: Any, properties: Any, body: bytes) -> None:  # noqa: ANN401  (pika ships no types)
        self.out.append(letter_out(properties.type, properties.message_id, body, time.monotonic()))
        channel.basic_ack(method.delivery_tag)
