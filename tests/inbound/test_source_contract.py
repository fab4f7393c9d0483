"""What the consumer may rely on, asked of the spool folder and of RabbitMQ alike."""

import threading
import time
from datetime import timedelta

import pytest

from gateway.inbound.source import MAX_ATTEMPTS
from gateway.receive import Entrance, read
from tests.inbound.harness import LIMIT, Inbound, done, take

WAITS = [timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=10), timedelta(minutes=10)]


@pytest.mark.parametrize("entrance", [Entrance.MEDCOM, Entrance.TEAM])
def test_a_message_comes_as_it_was_sent_by_the_way_it_came_in(inbound: Inbound, entrance: Entrance) -> None:
    data = "<Emessage>æøå\r\n</Emessage>".encode("iso-8859-1")
    inbound.put(data, entrance)
    (delivery,) = take(inbound.source, 1)
    assert (delivery.data, delivery.entrance) == (data, entrance)
    assert (delivery.attempt, delivery.dead) == (0, False)


def test_messages_come_in_the_order_they_were_sent_and_no_more_than_asked_for(inbound: Inbound) -> None:
    for number in range(7):
        inbound.put(str(number).encode())
    time.sleep(0.3)
    batches = [inbound.source.take(3, 0) for _ in range(4)]
    assert [len(batch) for batch in batches] == [3, 3, 1, 0]
    assert [d.data for batch in batches for d in batch] == [str(n).encode() for n in range(7)]


def test_without_messages_it_waits_as_long_as_it_was_told_and_returns_nothing(inbound: Inbound) -> None:
    started = time.monotonic()
    assert inbound.source.take(10, 0.3) == []
    assert 0.25 < time.monotonic() - started < 1.5


def test_it_returns_as_soon_as_something_comes(inbound: Inbound) -> None:
    sending = threading.Timer(0.2, inbound.put, [b"x"])
    started = time.monotonic()
    sending.start()
    assert [d.data for d in inbound.source.take(10, 5)] == [b"x"]
    assert time.monotonic() - started < 2
    sending.join()


def test_what_is_acknowledged_never_comes_again(inbound: Inbound) -> None:
    for number in range(3):
        inbound.put(str(number).encode())
    inbound.source.done(done(*take(inbound.source, 3)))
    inbound.source.done([])
    inbound.restart()
    assert inbound.source.take(10, 0.3) == []
    assert inbound.left() == 0


def test_what_is_not_acknowledged_comes_again_after_a_crash(inbound: Inbound) -> None:
    for number in range(3):
        inbound.put(str(number).encode())
    first = take(inbound.source, 3)
    inbound.source.done(done(first[0]))
    inbound.restart()
    again = take(inbound.source, 2)
    assert sorted(d.data for d in again) == [b"1", b"2"]
    inbound.source.done(done(*again))
    assert inbound.left() == 0


def test_what_was_taken_before_the_end_and_not_acknowledged_comes_again(inbound: Inbound) -> None:
    inbound.put(b"x")
    take(inbound.source, 1)
    inbound.source.close()
    inbound.restart()
    assert [d.data for d in take(inbound.source, 1)] == [b"x"]


def test_a_failed_message_comes_again_later_with_its_attempts_counted(inbound: Inbound) -> None:
    inbound.put(b"poison", Entrance.TEAM)
    inbound.put(b"good")
    deliveries = {d.data: d for d in take(inbound.source, 2)}
    inbound.source.done(done(deliveries[b"good"]))
    delivery = deliveries[b"poison"]
    for attempt, wait in enumerate(WAITS, start=1):
        inbound.source.retry(delivery, attempt)
        assert inbound.source.take(10, 0.1) == [], "not before its time"
        inbound.let_retry_come(attempt, wait)
        (delivery,) = take(inbound.source, 1)
        assert (delivery.data, delivery.attempt, delivery.entrance) == (b"poison", attempt, Entrance.TEAM)
    assert len(WAITS) == MAX_ATTEMPTS - 1
    inbound.source.done(done(delivery))
    assert inbound.left() == 0


def test_a_message_that_waits_for_its_next_attempt_survives_a_crash(inbound: Inbound) -> None:
    inbound.put(b"poison")
    inbound.source.retry(take(inbound.source, 1)[0], 2)
    inbound.restart()
    assert inbound.source.take(10, 0.1) == []
    inbound.let_retry_come(2, WAITS[1])
    (delivery,) = take(inbound.source, 1)
    assert (delivery.data, delivery.attempt) == (b"poison", 2)


@pytest.mark.parametrize("data", [b"", b"\x00" * 100, bytes(range(256)) * 10])
def test_any_bytes_pass(inbound: Inbound, data: bytes) -> None:
    inbound.put(data)
    assert [d.data for d in take(inbound.source, 1)] == [data]


def test_a_message_that_is_too_large_is_refused_when_it_is_read(inbound: Inbound) -> None:
    inbound.put(b"<" * (LIMIT + 100))
    inbound.put(b"<" * LIMIT)
    large, allowed = (read(d.data, d.entrance, LIMIT).fault for d in take(inbound.source, 2))
    assert large is not None
    assert large.id == "GW-104"
    assert allowed is not None
    assert allowed.id != "GW-104"
