"""A running service whose neighbours a test takes away: what is sent, and what must have come of it in the end."""

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.bootstrap import Service, service
from gateway.clocks import system_now
from gateway.errors import StoreError
from gateway.municipality.model import load
from gateway.receive import read, receive
from gateway.referral.inbox import Known
from gateway.settings import load_settings
from gateway.simulate.stories import recorded
from tests.flow.world import letters_of
from tests.neighbours import Broker

#: but for the one that repeats the first letter
MESSAGES = [data for name, data in recorded().items() if name != "16-duplicate-of-01.xml"]


def expected() -> tuple[int, int]:
    """How many messages are stored, and how many letters go out."""
    outcomes = [receive(read(data), Known(), load(), system_now()) for data in MESSAGES]
    return len(MESSAGES), sum(not letter.draft for outcome in outcomes for letter in outcome.outgoing)


def is_done(running: Service) -> bool:
    try:
        numbers = running.store.overview.numbers(system_now())
    except StoreError:  # one of our own connections was cut
        return False
    return numbers.messages == expected()[0] and numbers.outbox_pending == 0


@contextmanager
def started(**settings: object) -> Iterator[Service]:
    with service(load_settings(http="", batch_size=3, **settings)) as running:
        running.relay._batch_size = 3
        running.start()
        yield running
        running.stop()
        assert running.wait()


def send_all(broker: Broker) -> None:
    for data in MESSAGES:
        broker.publish(broker.topology.referrals_in, data, delivery_mode=2)


def check_delivered(broker: Broker) -> None:
    topology = broker.topology
    queues = [topology.medcom_out, *(topology.team_queue(team) for team in topology.teams)]
    out = letters_of(body for queue in queues for _, body in broker.drain(queue))
    assert len(out) == expected()[1]
    assert {name for name, contents in out.items() if len(contents) > 1} == set()
