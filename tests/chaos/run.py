"""Referrals in without a pause while one thing after the other breaks; then everything is counted."""

import random
import secrets
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import psycopg

from gateway.broker.topology import Topology, declare, topology_of
from gateway.municipality.model import load
from tests.broker.proxy import Proxy
from tests.chaos.nodes import Nodes, nodes
from tests.chaos.tally import RECEIPTS, Stored, Tally, count
from tests.chaos.traffic import Receiver, Sender
from tests.chaos.workers import Worker

_LOOK_S = 0.02
_READY_WITHIN_S = 60.0
#: letters of a killed process are claimed by it for half a minute
_DRAINED_WITHIN_S = 180.0


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How long, how hard."""

    #: of each kind
    faults: int = 20
    referrals: int = 10_000
    #: referrals a second
    rate: float = 25.0
    workers: int = 2
    seed: int = 1
    #: seconds of quiet after each fault, at most
    pause_s: float = 1.5


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it; ready: from the neighbour answering to the first receipt for a referral sent after that."""

    tally: Tally
    faults: dict[str, int]
    ready_median_s: dict[str, float]
    ready_slowest_s: dict[str, float]
    ended_by_itself: list[int]
    peak_mb: float
    took_s: float

    @property
    def is_good(self) -> bool:
        """Nothing lost, nothing twice, nobody told two things, no process gone by itself."""
        return not self.tally.faults and not self.ended_by_itself


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody on stage."""

    nodes: Nodes
    rabbit: Proxy
    database: Proxy
    workers: Sequence[Worker]
    sender: Sender
    receiver: Receiver
    chance: random.Random

    def proxy(self) -> Proxy:
        """The way to one of the neighbours."""
        return self.chance.choice((self.rabbit, self.database))


def _kill_gateway(scene: Scene) -> None:
    scene.chance.choice(scene.workers).kill()


def _stop_broker(scene: Scene) -> None:
    scene.nodes.rabbit.end(scene.chance.choice((signal.SIGTERM, signal.SIGKILL)))
    time.sleep(scene.chance.random())
    scene.nodes.rabbit.start()


def _restart_database(scene: Scene) -> None:
    scene.nodes.postgres.end(scene.chance.choice((signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)))
    time.sleep(scene.chance.random())
    scene.nodes.postgres.start()


def _cut(scene: Scene) -> None:
    scene.proxy().cut()


def _stall(scene: Scene) -> None:
    """What a neighbour says is held back, between a publish and its confirm among others; then it comes, or never."""
    proxy = scene.proxy()
    proxy.stall()
    time.sleep(0.5 + scene.chance.random())
    if scene.chance.random() < 0.5:
        proxy.cut()
    proxy.flow()


def _half_close(scene: Scene) -> None:
    scene.proxy().half_close()


FAULTS: dict[str, Callable[[Scene], None]] = {
    "kill gateway": _kill_gateway,
    "restart database": _restart_database,
    "cut": _cut,
    "stall": _stall,
    "half-close": _half_close,
    "stop broker": _stop_broker,
}


def run(plan: Plan, folder: Path, tell: Callable[[str], None] = lambda _line: None) -> Report:
    """The whole performance; data and logs of everybody stand in the folder."""
    started = time.monotonic()
    with _stage(plan, folder) as scene:
        _until(lambda: all(w.is_ready() for w in scene.workers), "the gateway to be ready")
        scene.sender.start()
        ready = _break_things(plan, scene, tell)
        while len(scene.sender.sent) < plan.referrals:
            time.sleep(_LOOK_S)
        scene.sender.stop()
        tell("drained" if _drained(scene) else "not everything came out")
        scene.receiver.stop()
        tally = count(scene.sender.sent, scene.receiver.out, _stored(scene.nodes.postgres.url))
        peak = max(worker.peak_mb() for worker in scene.workers)
        ended = [status for worker in scene.workers for status in (*worker.ended_by_itself, worker.stop()) if status]
    return Report(
        tally=tally,
        faults={kind: len(waits) for kind, waits in ready.items()},
        ready_median_s={kind: round(sorted(waits)[len(waits) // 2], 2) for kind, waits in ready.items() if waits},
        ready_slowest_s={kind: round(max(waits), 2) for kind, waits in ready.items() if waits},
        ended_by_itself=ended,
        peak_mb=round(peak, 1),
        took_s=round(time.monotonic() - started, 1),
    )


@contextmanager
def _stage(plan: Plan, folder: Path) -> Iterator[Scene]:
    with nodes(folder) as own, Proxy(own.rabbit.url) as rabbit, Proxy(own.postgres.url) as database:
        topology: Topology = topology_of(load(), "")
        declare(own.rabbit.url, topology)
        environment = {
            "GATEWAY_AMQP_URL": rabbit.url,
            "GATEWAY_DATABASE_URL": database.url,
            "GATEWAY_LOG_LEVEL": "WARNING",
        }
        scene = Scene(
            nodes=own,
            rabbit=rabbit,
            database=database,
            workers=[Worker(environment, folder / f"worker-{n}.log") for n in range(plan.workers)],
            sender=Sender(own.rabbit.url, topology, plan.rate, secrets.token_hex(4)),
            receiver=Receiver(own.rabbit.url, topology),
            chance=random.Random(plan.seed),
        )
        with ExitStack() as stack:
            for worker in scene.workers:
                stack.callback(worker.stop)
                worker.start()
            stack.callback(scene.sender.stop)
            stack.callback(scene.receiver.stop)
            scene.receiver.start()
            yield scene


def _break_things(plan: Plan, scene: Scene, tell: Callable[[str], None]) -> dict[str, list[float]]:
    """Round after round, every kind once a round, in an order by chance but for the first round."""
    ready: dict[str, list[float]] = {kind: [] for kind in FAULTS}
    for number in range(plan.faults):
        kinds = list(FAULTS)
        if number:
            scene.chance.shuffle(kinds)
        for kind in kinds:
            time.sleep(plan.pause_s * scene.chance.random())
            FAULTS[kind](scene)
            ready[kind].append(_ready_after(time.monotonic(), scene))
            tell(f"{number + 1:3} {kind:18} ready after {ready[kind][-1]:5.2f} s, {len(scene.sender.sent)} sent")
    return ready


def _ready_after(moment: float, scene: Scene) -> float:
    """Seconds until a referral that was sent after the moment has its receipt and every process calls itself ready.

    Proven by traffic: state alone may lie.
    """
    seen = len(scene.receiver.out)

    def is_ready() -> bool:
        nonlocal seen
        new = scene.receiver.out[seen:]
        answered = any(
            o.kind in RECEIPTS and scene.sender.sent[o.key].at > moment for o in new if o.key in scene.sender.sent
        )
        return answered and all(worker.is_ready() for worker in scene.workers)

    _until(is_ready, "the gateway to be ready again")
    return time.monotonic() - moment


def _until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + _READY_WITHIN_S
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {_READY_WITHIN_S:.0f} s in vain for {what}")
        time.sleep(_LOOK_S)


def _drained(scene: Scene) -> bool:
    """Wait until every letter is out; False when they do not come."""
    end = time.monotonic() + _DRAINED_WITHIN_S
    while time.monotonic() < end:
        if not count(scene.sender.sent, scene.receiver.out, _stored(scene.nodes.postgres.url)).faults:
            return True
        time.sleep(0.5)
    return False


def _stored(url: str) -> Stored:
    with psycopg.connect(url) as connection:
        letters = connection.execute("SELECT substr(letter_id, 2) FROM letters").fetchall()
        unsent = connection.execute("SELECT count(*) FROM outbox WHERE status NOT IN ('sent', 'draft')").fetchone()
        parked = connection.execute("SELECT fault_id, count(*) FROM parked GROUP BY fault_id").fetchall()
    return Stored(
        letters=frozenset(row[0] for row in letters), unsent=unsent[0] if unsent else 0, parked_by_fault=dict(parked)
    )
