"""The consumer's loop between fakes: nothing is acknowledged that is not safe, and nobody holds up the others."""

import threading
import time
from collections.abc import Callable, Sequence

import pytest
from tenacity import wait_fixed

from gateway.errors import BrokerError, ConflictError, Fault, SpoolError, StoreError, StoreRefusedError
from gateway.inbound.consumer import Consumer
from gateway.inbound.disposition import Disposition, disposition
from gateway.inbound.source import MAX_ATTEMPTS, Delivery, Done
from gateway.referral.inbox import InboxMessage, Outcome, Parked
from gateway.referral.letters import Arrival
from tests.store.material import NOW


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.inbound.consumer.wait_random_exponential", lambda **_given: wait_fixed(0.01))


class Trouble:
    """Raises what it was told to, as often as it was told to."""

    def __init__(self) -> None:
        self.planned: dict[str, list[Exception]] = {}

    def plan(self, step: str, error: Exception, times: int = 1) -> None:
        self.planned.setdefault(step, []).extend([error] * times)

    def strike(self, step: str) -> None:
        if self.planned.get(step):
            raise self.planned[step].pop(0)


class FakeSource:
    """Acknowledges like RabbitMQ: everything up to the last one named."""

    def __init__(self, trouble: Trouble, log: list[str], messages: Sequence[Delivery]) -> None:
        self.trouble = trouble
        self.log = log
        self.waiting = list(messages)
        self.taken: list[bytes] = []
        self.acknowledged: list[bytes] = []
        self.parked: dict[bytes, list[str]] = {}
        self.retried: list[tuple[bytes, int]] = []

    def take(self, limit: int, wait_s: float) -> list[Delivery]:
        self.trouble.strike("take")
        batch, self.waiting = self.waiting[:limit], self.waiting[limit:]
        self.taken += [d.data for d in batch]
        self.log += [f"take {len(batch)}"] if batch else []
        return batch

    def done(self, settled: Sequence[Done]) -> None:
        self.trouble.strike("done")
        self._up_to(settled[-1].delivery)
        self.log.append("ack " + b"".join(one.delivery.data for one in settled).decode())
        self.parked |= {one.delivery.data: [p.fault.id for p in one.parked] for one in settled if one.parked}

    def retry(self, delivery: Delivery, attempt: int) -> None:
        self.trouble.strike("retry")
        self.retried.append((delivery.data, attempt))
        self._up_to(delivery)

    def close(self) -> None:
        """Nothing is held."""

    def _up_to(self, last: Delivery) -> None:
        self.acknowledged = self.taken[: self.taken.index(last.data) + 1]


class FakePipeline:
    """Handles everything but what is poison."""

    def __init__(self, trouble: Trouble, log: list[str]) -> None:
        self.trouble = trouble
        self.log = log
        self.poison: dict[bytes, Exception] = {}
        self.during: Callable[[Delivery], None] = lambda _delivery: None
        self.saved: list[bytes] = []

    def handle(self, deliveries: Sequence[Delivery]) -> list[Outcome]:
        self.trouble.strike("handle")
        for delivery in deliveries:
            self._check(delivery)
        self.log.append("commit " + b"".join(d.data for d in deliveries).decode())
        self.saved += [d.data for d in deliveries]
        return [_outcome() for _ in deliveries]

    def handle_one(self, delivery: Delivery) -> Outcome:
        self.trouble.strike("handle_one")
        self.during(delivery)
        return self.handle([delivery])[0]

    def give_up(self, delivery: Delivery) -> Outcome:
        self.trouble.strike("give_up")
        self.saved.append(delivery.data)
        return _outcome("GW-190")

    def _check(self, delivery: Delivery) -> None:
        if delivery.data in self.poison:
            raise self.poison[delivery.data]


def _outcome(fault: str = "") -> Outcome:
    parked = (Parked(id="p", fault=Fault(id=fault), digest="d"),) if fault else ()
    return Outcome(message=InboxMessage(digest="d", type="XREF15", arrival=Arrival(), received_at=NOW), parked=parked)


class World:
    """A consumer between its fakes."""

    def __init__(self, *messages: Delivery) -> None:
        self.trouble = Trouble()
        self.log: list[str] = []
        self.source = FakeSource(self.trouble, self.log, messages)
        self.pipeline = FakePipeline(self.trouble, self.log)
        self.consumer = Consumer(self.source, self.pipeline, batch_size=10, wait_s=0.01)


def message(data: str, **changes: object) -> Delivery:
    return Delivery(**{"data": data.encode()} | changes)


def four() -> World:
    return World(*(message(name) for name in "abcd"))


def test_a_batch_is_committed_once_and_acknowledged_after_that() -> None:
    world = four()
    assert world.consumer.step() == 4
    assert world.log == ["take 4", "commit abcd", "ack abcd"]
    assert world.consumer.step() == 0


def test_a_poison_message_harms_only_itself() -> None:
    world = four()
    world.pipeline.poison[b"b"] = ZeroDivisionError("0101010001")
    world.consumer.step()
    assert world.log == ["take 4", "commit a", "ack a", "commit c", "ack c", "commit d", "ack d"]
    assert world.source.retried == [(b"b", 1)]


@pytest.mark.parametrize("error", [KeyError("x"), StoreRefusedError("too long"), ConflictError("again and again")])
def test_failures_are_counted_and_the_fifth_parks(error: Exception) -> None:
    for failures in range(MAX_ATTEMPTS):
        world = World(message("a", attempt=failures))
        world.pipeline.poison[b"a"] = error
        world.consumer.step()
        if failures + 1 < MAX_ATTEMPTS:
            assert world.source.retried == [(b"a", failures + 1)]
            assert world.pipeline.saved == []
        else:
            assert world.source.retried == []
            assert world.source.parked == {b"a": ["GW-190"]}
        assert world.source.acknowledged == [b"a"]


def test_a_conflict_in_a_batch_is_looked_at_singly_and_counts_against_nobody() -> None:
    world = four()
    world.trouble.plan("handle", ConflictError("someone else"))
    world.consumer.step()
    assert world.pipeline.saved == [b"a", b"b", b"c", b"d"]
    assert world.source.retried == []


@pytest.mark.parametrize("step", ["take", "handle", "done"])
@pytest.mark.parametrize("error", [StoreError("down"), BrokerError("down"), SpoolError("full")])
def test_a_neighbour_that_is_down_is_waited_for_and_counts_against_nobody(step: str, error: Exception) -> None:
    world = four()
    world.trouble.plan(step, error, times=3)
    world.consumer.step()
    assert world.log == ["take 4", "commit abcd", "ack abcd"]
    assert world.source.retried == []


@pytest.mark.parametrize("step", ["handle_one", "retry", "give_up"])
def test_so_it_is_for_a_message_that_is_handled_alone(step: str) -> None:
    world = World(message("a", attempt=MAX_ATTEMPTS - 1), message("b"), message("c"))
    world.pipeline.poison = {b"a": KeyError("x"), b"b": KeyError("x")}
    world.trouble.plan(step, StoreError("down"), times=3)
    world.consumer.step()
    assert world.source.parked == {b"a": ["GW-190"]}
    assert world.source.retried == [(b"b", 1)]
    assert world.source.acknowledged == [b"a", b"b", b"c"]


def test_a_dead_letter_that_cannot_be_handled_is_parked_at_once() -> None:
    """It has no retry queue: what the broker gave up on had all its attempts."""
    world = World(message("a", dead=True))
    world.pipeline.poison[b"a"] = KeyError("x")
    world.consumer.step()
    assert world.source.retried == []
    assert world.source.parked == {b"a": ["GW-190"]}


def test_told_to_stop_while_a_neighbour_is_down_it_ends_and_acknowledges_nothing() -> None:
    world = four()
    world.trouble.plan("handle", StoreError("down"), times=10_000)
    thread = threading.Thread(target=world.consumer.run)
    thread.start()
    time.sleep(0.1)
    assert thread.is_alive()
    world.consumer.stop()
    thread.join(timeout=2)
    assert not thread.is_alive()
    assert world.source.acknowledged == []


@pytest.mark.parametrize("step", ["handle_one", "retry", "give_up"])
def test_told_to_stop_at_one_message_it_acknowledges_none_that_comes_after(step: str) -> None:
    """An acknowledgement covers everything before it: going on would acknowledge the one that stayed open."""
    world = World(message("a"), message("b", attempt=MAX_ATTEMPTS - 1), message("c"), message("d"))
    world.pipeline.poison[b"b"] = KeyError("x")
    if step == "retry":
        world.source.waiting[1] = message("b")

    def stop_and_break(delivery: Delivery) -> None:
        if delivery.data == b"b":
            world.consumer.stop()
            world.trouble.plan(step, StoreError("down"))
            if step == "handle_one":
                world.trouble.strike(step)

    world.pipeline.during = stop_and_break
    world.consumer.step()
    assert world.source.acknowledged == [b"a"]
    assert world.pipeline.saved == [b"a"]


def test_told_to_stop_between_commit_and_acknowledgement_it_still_acknowledges() -> None:
    world = four()
    handle = world.pipeline.handle

    def stop_after(deliveries: Sequence[Delivery]) -> list[Outcome]:
        outcomes = handle(deliveries)
        world.consumer.stop()
        return outcomes

    world.pipeline.handle = stop_after
    world.consumer.run()
    assert world.source.acknowledged == [b"a", b"b", b"c", b"d"]


def test_it_works_until_it_is_told_to_stop() -> None:
    world = four()
    world.consumer._batch_size = 1
    thread = threading.Thread(target=world.consumer.run)
    thread.start()
    end = time.monotonic() + 5
    while len(world.pipeline.saved) < 4 and time.monotonic() < end:
        time.sleep(0.01)
    world.consumer.stop()
    thread.join(timeout=2)
    assert world.pipeline.saved == [b"a", b"b", b"c", b"d"]
    assert not thread.is_alive()


def test_while_it_waits_it_says_for_whom() -> None:
    world = four()
    seen: list[str] = []
    world.trouble.plan("handle", StoreError("read-only"), times=2)
    strike = world.trouble.strike

    def watch(step: str) -> None:
        seen.append(world.consumer.waits_for)
        strike(step)

    world.trouble.strike = watch  # type: ignore[method-assign]
    world.consumer.step()
    assert "database" in seen
    assert world.consumer.waits_for == ""


def test_an_error_of_the_source_itself_is_not_swallowed() -> None:
    """The service ends and says so; a consumer that does nothing would look alive."""
    world = four()
    world.trouble.plan("take", ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        world.consumer.run()


@pytest.mark.parametrize(
    ("error", "attempt", "expected"),
    [
        (StoreError("down"), 1, Disposition.HOLD),
        (BrokerError("down"), MAX_ATTEMPTS, Disposition.HOLD),
        (KeyError("x"), 1, Disposition.RETRY),
        (KeyError("x"), MAX_ATTEMPTS - 1, Disposition.RETRY),
        (KeyError("x"), MAX_ATTEMPTS, Disposition.PARK),
        (StoreRefusedError("too long"), MAX_ATTEMPTS, Disposition.PARK),
        (ConflictError("again"), 2, Disposition.RETRY),
    ],
)
def test_dispositions(error: Exception, attempt: int, expected: Disposition) -> None:
    assert disposition(error, attempt) is expected
