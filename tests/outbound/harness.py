"""Both transports' outbound sides behind one face, seen from the receivers."""

from pathlib import Path
from typing import Protocol

from gateway.outbound.envelopes import Transmission
from gateway.outbound.sink import Sink
from gateway.referral.letters import Channel
from tests.neighbours import Broker
from tests.store.material import NOW, outgoing


class Outbound(Protocol):
    """What a test sees of a transport from outside."""

    sink: Sink

    def medcom(self) -> list[bytes]:
        """Everything on its way to the VANS network."""

    def team(self, name: str) -> list[bytes]:
        """Everything handed to a team."""


class FolderOutbound:
    """A spool folder."""

    def __init__(self, folder: Path, sink: Sink) -> None:
        self.folder = folder
        self.sink = sink

    def medcom(self) -> list[bytes]:
        return [path.read_bytes() for path in sorted((self.folder / "out" / "medcom").iterdir())]

    def team(self, name: str) -> list[bytes]:
        return [path.read_bytes() for path in sorted((self.folder / "out" / "teams" / name).iterdir())]


class AmqpOutbound:
    """RabbitMQ."""

    def __init__(self, broker: Broker, sink: Sink) -> None:
        self.broker = broker
        self.sink = sink

    def medcom(self) -> list[bytes]:
        return [body for _, body in self.broker.drain(self.broker.topology.medcom_out)]

    def team(self, name: str) -> list[bytes]:
        return [body for _, body in self.broker.drain(self.broker.topology.team_queue(name))]


def transmission(number: int = 1, team: str = "", **changes: object) -> Transmission:
    """A letter in its envelope; to a team where one is named."""
    ours = f"OUT{number:011}"
    letter = outgoing(ours, kind="Task", channel=Channel.TEAM, receiver=team) if team else outgoing(ours)
    data = f"transmission {number}".encode()
    return Transmission(**{"letter": letter, "envelope_id": f"ENV{number:011}", "at": NOW, "data": data} | changes)
