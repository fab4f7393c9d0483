"""The other side of either transport: hands messages to the gateway and takes what comes out of it."""

from collections.abc import Iterable
from pathlib import Path

from gateway.spool import free_name, write_whole
from tests.neighbours import Broker


class SpoolSide:
    """The VANS client and the teams around a spool folder; nothing is taken away from it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: set[Path] = set()

    def put(self, name: str, data: bytes, *, event: bool = False) -> None:
        assert event == name.endswith(".event.json")
        write_whole(free_name(self._folder / "in" / name), data)

    def waiting(self) -> int:
        return sum(1 for name in ("in", "work") for _ in (self._folder / name).iterdir())

    def out(self) -> Iterable[tuple[bool, bytes]]:
        found = {path for path in (self._folder / "out").rglob("*") if path.is_file() and path.suffix != ".part"}
        new = sorted(found - self._seen)
        self._seen |= found
        return [("teams" in path.relative_to(self._folder).parts, path.read_bytes()) for path in new]


class BrokerSide:
    """Publishers and subscribers at RabbitMQ."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def put(self, name: str, data: bytes, *, event: bool = False) -> None:
        topology = self._broker.topology
        queue = topology.team_events_in if event else topology.referrals_in
        self._broker.publish(queue, data, delivery_mode=2, message_id=name)

    def waiting(self) -> int:
        topology = self._broker.topology
        return sum(self._broker.depth(queue) for queue in (topology.referrals_in, topology.team_events_in))

    def out(self) -> Iterable[tuple[bool, bytes]]:
        topology = self._broker.topology
        queues = [(False, topology.medcom_out), *((True, topology.team_queue(team)) for team in topology.teams)]
        return [(for_team, body) for for_team, queue in queues for _, body in self._broker.drain(queue)]
