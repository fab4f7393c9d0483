"""One installation seen from outside: what is sent to it, what comes out, and what its store holds."""

import base64
import multiprocessing
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import UTC, datetime
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import msgspec
import pytest
from lxml import etree
from sqlalchemy import func, select

from gateway.clocks import system_now
from gateway.simulate.stories import recorded, stories
from gateway.spool import write_whole
from gateway.store import schema
from gateway.store.engine import reading
from gateway.store.store import open_store
from tests.flow.crash import serve
from tests.neighbours import Broker, wait_for

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.flow.warm"])
#: a whole course, a VANS envelope, a drafted answer, a broken one, a duplicate in another envelope, a wrong receiver
REFERRALS = (
    "01-type-2-diabetes.xml",
    "02-copd-in-vans-envelope.xml",
    "05-low-back.xml",
    "07-alcohol.xml",
    "10-overweight-only.xml",
    "15-truncated.xml",
    "16-duplicate-of-01.xml",
    "17-wrong-receiver.xml",
)
_START = datetime(2026, 11, 24, 8, tzinfo=UTC)


def referrals() -> list[bytes]:
    return [recorded()[name] for name in REFERRALS]


def events() -> list[bytes]:
    """Everything the teams tell about two of the referrals, up to the discharge note."""
    found = []
    for name in ("01-type-2-diabetes.xml", "07-alcohol.xml"):
        episode = etree.fromstring(recorded()[name]).findtext(".//{*}EpisodeOfCareIdentifier") or ""
        (story,) = [story for story in stories() if story.message == name]
        found += [msgspec.json.encode(event) for event in story.events(episode, _START)]
    return found


def letter_in(data: bytes) -> str:
    """What a receiver knows a letter by, whatever envelope it came in: type and id."""
    if data.startswith(b"{"):
        return f"Task {msgspec.json.decode(data)['id']}"
    root = etree.fromstring(data)
    if root.tag.endswith("VANSEnvelope"):
        payload = root.findtext(".//{*}Data")
        if payload is not None:
            return f"in VANS: {letter_in(base64.b64decode(payload))}"
        answered = root.findtext(".//{*}OriginalMessage/{*}MetaInformation/{*}Identifier")
        (verdict,) = [e.tag.rpartition("}")[2] for e in root.iter("{*}PositiveMessage", "{*}NegativeMessage")]
        return f"VANS Receipt {verdict} of {answered or root.findtext('.//{*}OriginalEnvelopeIdentifier')}"
    return f"{root[1].tag.rpartition('}')[2]} {root.findtext('.//{*}Letter/{*}Identifier')}"


class World(ABC):
    """A store and a transport, and the service beside them."""

    def __init__(self, database_url: str, settings: dict[str, str]) -> None:
        self.store = open_store(database_url)
        self.environment = settings | {"GATEWAY_DATABASE_URL": database_url, "GATEWAY_HTTP": ""}

    @abstractmethod
    def put(self, data: bytes, *, event: bool = False) -> None:
        """A message arrives."""

    @abstractmethod
    def waiting(self) -> int:
        """Messages that nobody has handled yet, as far as one sees from outside."""

    @abstractmethod
    def out(self) -> list[bytes]:
        """Everything that went out, to the VANS network and to the teams."""

    # ------------------------------------------------------------ the service
    def _start(self, step: str = "", nth: int = 0) -> ForkServerProcess:
        process = _FORKS.Process(target=serve, args=(self.environment, step, nth), daemon=True)
        process.start()
        return process

    def crash(self, step: str, nth: int = 1) -> None:
        """Run until the step kills it; fails when the step never came although everything is done."""
        process = self._start(step, nth)
        quiet = 0
        while process.is_alive():
            quiet = quiet + 1 if self.is_quiet() else 0
            if quiet > 100:
                self._stop(process)
                pytest.fail(f"the step {step!r} never came")
            time.sleep(0.01)
        assert process.exitcode == -signal.SIGKILL, f"the service ended by itself: {process.exitcode}"
        process.close()

    def run(self, messages: int, processes: int = 1) -> None:
        """Run until that many messages are stored and nothing waits, then end in order."""
        started = [self._start() for _ in range(processes)]
        done = 0

        def is_done() -> bool:
            nonlocal done
            assert all(process.is_alive() for process in started), "the service ended by itself"
            done = done + 1 if self.is_quiet(messages) else 0
            return done > 10

        try:
            wait_for(is_done, f"{messages} messages handled and every letter out", within_s=60)
        finally:
            for process in started:
                self._stop(process)
        assert self.waiting() == 0, "what was handled is acknowledged"

    def _stop(self, process: ForkServerProcess) -> None:
        process.terminate()
        process.join(timeout=40)
        assert process.exitcode == 0
        process.close()

    # ------------------------------------------------------------ what the store holds
    def close(self) -> None:
        self.store.close()

    def is_quiet(self, messages: int = 0) -> bool:
        with reading(self.store.engine) as connection:
            stored = connection.scalar(select(func.count()).select_from(schema.messages)) or 0
        pending = self.store.overview.numbers(system_now()).outbox_pending
        return stored >= messages and pending == 0 and self.waiting() == 0

    def rows(self) -> dict[str, list[tuple[object, ...]]]:
        """Everything that must be the same however often the service died: no times, no envelopes."""
        t = schema
        wanted = {
            "messages": select(t.messages.c.digest, t.messages.c.handled, t.messages.c.receipts),
            "letters": select(t.letters.c.sender, t.letters.c.letter_id, t.letters.c.case_id, t.letters.c.receipt_id),
            "cases": select(t.cases.c.case_id, t.cases.c.number, t.cases.c.state),
            "outbox": select(t.outbox.c.letter_id, t.outbox.c.kind, t.outbox.c.receiver, t.outbox.c.status),
            "parked": select(t.parked.c.id, t.parked.c.fault_id, t.parked.c.state),
        }
        with reading(self.store.engine) as connection:
            found = {name: sorted(map(tuple, connection.execute(query))) for name, query in wanted.items()}
        past = list(self.store.past.cases())
        happened = sorted((case.case_id, event.event_id) for case in past for event in case.events)
        decided = sorted(
            (case.case_id, *(version.decision.outcome for version in case.earlier), case.decision.outcome)
            for case in past
        )
        return {**found, "events": happened, "decisions": decided}


class SpoolWorld(World):
    """Spool folder and SQLite."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("in", "work"):
            (folder / name).mkdir(parents=True)
        super().__init__(
            f"sqlite:///{folder}/gateway.sqlite3", {"GATEWAY_SPOOL": str(folder), "GATEWAY_BATCH_SIZE": "3"}
        )
        self._number = 0

    def put(self, data: bytes, *, event: bool = False) -> None:
        self._number += 1
        write_whole(self.folder / "in" / f"{self._number:03}{'.event.json' if event else '.xml'}", data)

    def waiting(self) -> int:
        return sum(1 for name in ("in", "work") for _ in (self.folder / name).iterdir())

    def out(self) -> list[bytes]:
        return [p.read_bytes() for p in sorted((self.folder / "out").rglob("*")) if p.is_file() and p.suffix != ".part"]


class BrokerWorld(World):
    """RabbitMQ and PostgreSQL."""

    def __init__(self, broker: Broker, database_url: str) -> None:
        self.broker = broker
        settings = {"GATEWAY_AMQP_URL": broker.url, "GATEWAY_AMQP_PREFIX": broker.topology.prefix}
        super().__init__(database_url, settings | {"GATEWAY_BATCH_SIZE": "3", "GATEWAY_PREFETCH": "5"})
        self._seen: list[bytes] = []

    def put(self, data: bytes, *, event: bool = False) -> None:
        topology = self.broker.topology
        self.broker.publish(topology.team_events_in if event else topology.referrals_in, data, delivery_mode=2)

    def waiting(self) -> int:
        topology = self.broker.topology
        return sum(self.broker.depth(queue) for queue in (topology.referrals_in, topology.team_events_in))

    def out(self) -> list[bytes]:
        topology = self.broker.topology
        queues = [topology.medcom_out, *(topology.team_queue(team) for team in topology.teams)]
        self._seen += [body for queue in queues for _, body in self.broker.drain(queue)]
        return list(self._seen)


def play(world: World, crash_at: str = "") -> None:
    """Referrals in, dying once on the way; then the teams' events, dying once on the way."""
    sent = 0
    for nth, batch, is_event in ((2, referrals(), False), (1, events(), True)):
        for data in batch:
            world.put(data, event=is_event)
        sent += len(batch)
        if crash_at:
            world.crash(crash_at, nth)
        world.run(sent)


def letters_of(out: Iterable[bytes]) -> dict[str, set[bytes]]:
    """What went out by letter, each with its content apart from the envelope."""
    found: dict[str, set[bytes]] = {}
    for data in out:
        found.setdefault(letter_in(data), set()).add(_content(data))
    return found


def _content(data: bytes) -> bytes:
    if data.startswith(b"{"):
        return data
    root = etree.fromstring(data)
    names = {"EnvelopeIdentifier", "SentDateTime"} if root.tag.endswith("VANSEnvelope") else {"Envelope"}
    for child in [child for child in root if child.tag.rpartition("}")[2] in names]:
        root.remove(child)
    return etree.tostring(root)
