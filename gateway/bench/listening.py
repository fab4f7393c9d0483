"""The far side of the gateway: takes all that comes out, and knows when each receipt came."""

import re
import threading
import time
from contextlib import closing
from typing import Any, Self

import pika
import psycopg

from gateway.bench.places import Place, Watcher
from gateway.broker.link import parameters_of
from gateway.errors import GatewayError

_ANSWERED = re.compile(rb"<OriginalEnvelopeIdentifier>([^<]+)<")
_SENT = re.compile(rb"<Identifier>(K[^<]+)<")
_LOOK_S = 0.02
_PATIENCE_S = 60.0
_STORED = (
    "SELECT 'messages', count(*) FROM messages"
    " UNION ALL SELECT 'letters ' || status, count(*) FROM outbox GROUP BY status"
    " UNION ALL SELECT 'parked', count(*) FROM parked"
)


def envelope_of(referral: bytes) -> bytes:
    """The envelope id of one of the benchmark's referrals."""
    found = _SENT.search(referral)
    if found is None:
        raise GatewayError("a referral of the benchmark has no envelope id")
    return found[1]


class Listener:
    """Receiver of every letter, or with ``teams`` false of those to senders alone; on a thread of its own."""

    def __init__(self, place: Place, *, teams: bool = True) -> None:
        #: by the envelope that is answered: when its first receipt came (``time.perf_counter``)
        self.at: dict[bytes, float] = {}
        #: receipts for an envelope that had one already
        self.again = 0
        #: letters that are no receipts
        self.others = 0
        self._place = place
        topology = place.topology
        of_teams = [topology.team_queue(team) for team in topology.teams] if teams else []
        self._queues = [topology.medcom_out, *of_teams]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=5)

    def wait_for(self, receipts: int, others: int) -> None:
        """Until so many have come.

        Raises:
            GatewayError: for a minute nothing has come.
        """
        came, end = 0, time.monotonic() + _PATIENCE_S
        while len(self.at) < receipts or self.others < others:
            if len(self.at) + self.others > came:
                came, end = len(self.at) + self.others, time.monotonic() + _PATIENCE_S
            if time.monotonic() > end:
                told = f"{len(self.at)} of {receipts} receipts and {self.others} of {others} other letters came"
                raise GatewayError(f"{told}, then none for {_PATIENCE_S:.0f} s; {whereabouts(self._place)}")
            time.sleep(_LOOK_S)

    def _run(self) -> None:
        with pika.BlockingConnection(parameters_of(self._place.amqp_url)) as connection:
            channel = connection.channel()
            for queue in self._queues:
                channel.basic_consume(queue, self._take, auto_ack=True)
            while not self._stop.is_set():
                connection.process_data_events(time_limit=0.1)

    def _take(self, _channel: object, _method: object, _properties: object, body: Any) -> None:  # noqa: ANN401  (pika ships no types)
        found = _ANSWERED.search(body)
        if found is None:
            self.others += 1
        elif found[1] in self.at:
            self.again += 1
        else:
            self.at[found[1]] = time.perf_counter()


def whereabouts(place: Place) -> str:
    """Where what did not come through stands: in the database by kind and state, and ready in which queues."""
    with psycopg.connect(place.database_url) as connection:
        stored = connection.execute(_STORED).fetchall()
    with closing(Watcher(place.amqp_url)) as watcher:
        waiting = [(queue.name, watcher.depth(queue.name)) for queue in place.topology.queues()]
    return ", ".join(f"{name}: {count}" for name, count in (*stored, *waiting) if count)
