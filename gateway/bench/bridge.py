"""The bare bridge that the gateway is measured against: one message in, two confirmed out, then acknowledged. No work.

Two forms. ``pipelined`` is what pika can do: callbacks, prefetch and confirm window 200, acknowledgements for many at
once. ``blocking`` is what most people write: one message at a time, waiting for each confirm. A run in which the first
is not at least three times the second measured the machine's mood, not the programs. Runs as a process of its own::

    python -m gateway.bench.bridge pipelined amqp://guest:guest@127.0.0.1/ PREFIX
"""

import sys
from collections import deque
from typing import Any

import pika
from pika.spec import Basic

WINDOW = 200
_PERSISTENT = pika.BasicProperties(delivery_mode=2, content_type="application/xml")


def names(prefix: str) -> tuple[str, str, str]:
    """The queue that is read and the two that are written."""
    return f"{prefix}bridge.in", f"{prefix}bridge.one", f"{prefix}bridge.two"


class Pipelined:
    """Consume, publish twice, acknowledge what is confirmed, in order and many at once."""

    def __init__(self, url: str, prefix: str) -> None:
        self._source, *self._targets = names(prefix)
        #: deliveries not yet acknowledged, oldest first: [delivery tag, confirms outstanding]
        self._open: deque[list[int]] = deque()
        #: publish sequence number → its delivery
        self._pending: dict[int, list[int]] = {}
        self._published = 0
        self._channel: Any = None
        self._connection = pika.SelectConnection(pika.URLParameters(url), on_open_callback=self._on_open)

    def run(self) -> None:
        """Work until killed."""
        self._connection.ioloop.start()

    def _on_open(self, connection: Any) -> None:  # noqa: ANN401  (pika ships no types)
        connection.channel(on_open_callback=self._on_channel)

    def _on_channel(self, channel: Any) -> None:  # noqa: ANN401  (pika ships no types)
        self._channel = channel
        channel.confirm_delivery(self._on_confirm, callback=lambda _frame: self._consume())

    def _consume(self) -> None:
        self._channel.basic_qos(prefetch_count=WINDOW)
        self._channel.basic_consume(self._source, self._on_message)

    def _on_message(self, channel: Any, method: Any, _properties: Any, body: bytes) -> None:  # noqa: ANN401  (pika ships no types)
        delivery = [method.delivery_tag, len(self._targets)]
        self._open.append(delivery)
        for target in self._targets:
            self._published += 1
            self._pending[self._published] = delivery
            channel.basic_publish("", target, body, _PERSISTENT, mandatory=True)

    def _on_confirm(self, frame: Any) -> None:  # noqa: ANN401  (pika ships no types)
        if not isinstance(frame.method, Basic.Ack):
            raise RuntimeError("the broker refused a message of the bridge")  # noqa: TRY004  (no type is wrong: the broker said no)
        last = frame.method.delivery_tag
        for tag in [t for t in self._pending if t <= last] if frame.method.multiple else [last]:
            self._pending.pop(tag)[1] -= 1
        done = None
        while self._open and self._open[0][1] == 0:
            done = self._open.popleft()[0]
        if done is not None:
            self._channel.basic_ack(done, multiple=True)


def blocking(url: str, prefix: str) -> None:
    """One message at a time, each confirm waited for; until killed."""
    source, *targets = names(prefix)
    channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
    channel.confirm_delivery()
    channel.basic_qos(prefetch_count=1)
    for method, _properties, body in channel.consume(source):
        for target in targets:
            channel.basic_publish("", target, body, _PERSISTENT, mandatory=True)
        channel.basic_ack(method.delivery_tag)


def main(form: str, url: str, prefix: str) -> None:
    """The process: ``form`` is ``pipelined`` or ``blocking``."""
    if form == "blocking":
        blocking(url, prefix)
    else:
        Pipelined(url, prefix).run()


if __name__ == "__main__":
    main(*sys.argv[1:4])
