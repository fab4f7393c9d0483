"""The watch over receipts: what waits since when, what was refused, and a letter sent again once, never too late."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, select

from gateway.clocks import Ticker
from gateway.municipality.model import load
from gateway.referral.inbox import Settled
from gateway.store.audit import Act
from gateway.store.engine import reading
from gateway.store.outbox import RETRY_AFTER, Sent
from gateway.store.receipts import Watch, Watched
from gateway.store.schema import outbox
from gateway.store.store import Store, open_store
from gateway.store.transmissions import transmissions
from tests.store.material import NOW, SENDER, case, entry, later, outgoing

RULES = load().clocks
OTHER = "5790009992028"
REFUSED = Watch(refused=True)


def put(store: Store, *ids: str, **changes: object) -> None:
    letters = tuple(outgoing(i, **{"wants_receipt": True} | changes) for i in ids)
    store.inbox.save([entry(f"for {ids}", outgoing=letters)], NOW)


def send(store: Store, letter_id: str, envelope_id: str, *, minutes: float = 0) -> None:
    store.outbox.mark_sent([Sent(letter_id=letter_id, envelope_id=envelope_id, at=later(minutes=minutes))])


def answer(store: Store, letter_id: str, verdict: str, *, minutes: float = 1) -> None:
    settled = Settled(letter_id=letter_id, verdict=verdict, why="XCTL02 syntaksfejl")
    store.inbox.save([entry(f"{letter_id} {verdict} {minutes}", settled=(settled,))], later(minutes=minutes))


def again(store: Store, *, seen: str | None, key: str = "", minutes: float = 40) -> str:
    act = Act(who="karen", what="letter.resent", subject="OUT1", key=key)
    return store.outbox.resend(act, later(minutes=minutes), seen)


def found(store: Store, letter_id: str = "OUT1") -> Watched:
    watched = store.receipts.find(letter_id)
    assert watched is not None
    return watched


def ids(store: Store, watch: Watch, limit: int = 50, offset: int = 0) -> list[str]:
    return [row.letter_id for row in store.receipts.rows(watch, limit, offset)]


def due(store: Store) -> list[str]:
    """What the relay would send now."""
    return [letter.letter_id for letter in store.outbox.claim(later(hours=3), later(hours=3), 10)]


# ------------------------------------------------------------------ what is listed
def test_what_waits_the_longest_stands_first_and_what_waits_for_nothing_not_at_all(store: Store) -> None:
    put(store, "OUT1", "OUT2", "OUT3", "OUT4")
    put(store, "NONE", wants_receipt=False)
    for number, letter_id in enumerate(("OUT2", "OUT1", "OUT3", "NONE")):
        send(store, letter_id, f"E{number}", minutes=number)
    answer(store, "OUT3", "delivered")
    assert ids(store, Watch()) == ["OUT2", "OUT1"]
    assert ids(store, Watch(waits_since_before=later(minutes=1))) == ["OUT2"]
    assert (ids(store, Watch(), 1, 1), ids(store, Watch(), 1, 2)) == (["OUT1"], [])
    assert store.receipts.count(Watch()) == 2
    assert store.receipts.find("NONE") is store.receipts.find("unknown") is None
    assert found(store, "OUT3").verdict == "delivered"


def test_what_was_refused_the_latest_stands_first_whether_or_not_a_receipt_was_wanted(store: Store) -> None:
    put(store, "OUT1", "OUT2")
    put(store, "XCTL", wants_receipt=False)
    for number, letter_id in enumerate(("OUT1", "OUT2", "XCTL")):
        send(store, letter_id, f"E{number}")
        answer(store, letter_id, "refused", minutes=number)
    assert ids(store, REFUSED) == ["XCTL", "OUT2", "OUT1"]
    assert store.receipts.count(REFUSED) == len(ids(store, REFUSED))
    assert found(store, "XCTL").verdict_why == "XCTL02 syntaksfejl"
    assert ids(store, Watch()) == []


def test_a_receiver_has_the_name_of_its_latest_referral(store: Store) -> None:
    put(store, "OUT1", case_id=case().case_id)
    put(store, "OUT2", receiver=OTHER)
    store.inbox.save([entry("referral", cases=(case(),))], NOW)
    send(store, "OUT1", "E1")
    send(store, "OUT2", "E2", minutes=1)
    first, second = store.receipts.rows(Watch(), 50)
    assert (first.receiver, first.organisation) == (SENDER, case().referral.sender.organisation)
    assert first.organisation
    assert (second.receiver, second.organisation) == (OTHER, "")
    assert ids(store, Watch(receiver=OTHER)) == ["OUT2"]
    assert store.receipts.count(Watch(receiver="x")) == 0


def test_a_letter_tells_how_often_it_went_and_whether_its_alarm_stands(store: Store) -> None:
    put(store, "OUT1")
    send(store, "OUT1", "E1")
    assert (found(store).times, found(store).alarm_at) == (1, None)
    Ticker(store, lambda: later(minutes=31), RULES).step()
    assert found(store).alarm_at == later(minutes=31)
    assert again(store, seen=found(store).standing) == "again"
    send(store, "OUT1", "E2", minutes=41)
    watched = found(store)
    assert (watched.times, watched.first_at, watched.sent_at) == (2, NOW, later(minutes=41))
    assert [(s.at, s.envelope_id) for s in store.receipts.sendings("OUT1")] == [(NOW, "E1"), (later(minutes=41), "E2")]
    answer(store, "OUT1", "delivered", minutes=42)
    Ticker(store, lambda: later(minutes=43), RULES).step()
    assert found(store).alarm_at is None


def test_a_letter_sent_again_goes_on_waiting_since_it_was_first_sent(store: Store) -> None:
    """However often someone presses, what is overdue stays in sight until a receipt comes."""
    put(store, "OUT1")
    send(store, "OUT1", "E1")
    for number in (1, 2):
        assert again(store, seen=found(store).standing, minutes=30 * number) == "again"
        assert (found(store).status, found(store).waits_since) == ("pending", NOW)
        assert ids(store, Watch(waits_since_before=later(minutes=1))) == ["OUT1"]
        send(store, "OUT1", f"again {number}", minutes=30 * number)
        assert found(store).waits_since == NOW
    assert store.overview.numbers(later(minutes=1)).without_receipt == store.receipts.count(Watch()) == 1


def test_a_receipt_that_overtakes_the_note_of_its_letter_leaves_nothing_waiting(store: Store) -> None:
    """The receiver answers before the relay has written down that the letter went."""
    put(store, "OUT1")
    answer(store, "OUT1", "delivered", minutes=0)
    send(store, "OUT1", "E1", minutes=1)
    assert (found(store).status, found(store).waits_since) == ("sent", None)
    assert store.receipts.count(Watch()) == 0


# ------------------------------------------------------------------ sent again, by someone who looked
def test_what_is_sent_again_goes_once_whoever_pressed_meanwhile(store: Store) -> None:
    put(store, "OUT1")
    send(store, "OUT1", "E1")
    seen = found(store).standing
    assert again(store, seen=seen, key="ida:1") == "again"
    assert again(store, seen=seen, key="ida:1") == "again"
    assert again(store, seen=seen, key="bo:1") == "pending"
    assert due(store) == ["OUT1"]
    send(store, "OUT1", "E2", minutes=41)
    assert again(store, seen=seen, key="bo:1") == "resent"
    assert again(store, seen=seen, key="ida:1") == "again"
    assert (due(store), found(store).status) == ([], "sent")
    assert [row.what for row in store.audit.latest("OUT1")] == ["letter.resent"]


@pytest.mark.parametrize("verdict", ["delivered", "refused"])
def test_a_receipt_that_came_since_the_look_keeps_the_letter_back(store: Store, verdict: str) -> None:
    put(store, "OUT1")
    send(store, "OUT1", "E1")
    seen = found(store).standing
    answer(store, "OUT1", verdict)
    assert again(store, seen=seen) == verdict
    assert (due(store), store.audit.latest("OUT1")) == ([], [])


def test_what_was_delivered_is_not_sent_again_even_by_someone_who_saw_it(store: Store) -> None:
    put(store, "OUT1")
    send(store, "OUT1", "E1")
    answer(store, "OUT1", "delivered")
    assert again(store, seen=found(store).standing) == "delivered"
    assert due(store) == []


def test_the_command_sends_what_was_delivered_and_lost_afterwards(store: Store) -> None:
    put(store, "OUT1")
    send(store, "OUT1", "E1")
    answer(store, "OUT1", "delivered")
    assert again(store, seen=None) == "again"
    assert due(store) == ["OUT1"]
    send(store, "OUT1", "E2", minutes=41)
    assert (found(store).verdict, found(store).waits_since) == ("delivered", None)


@pytest.mark.parametrize("verdict", ["delivered", "refused"])
def test_a_receipt_that_comes_before_the_relay_takes_the_letter_stops_it(store: Store, verdict: str) -> None:
    put(store, "OUT1")
    send(store, "OUT1", "E1")
    assert again(store, seen=found(store).standing) == "again"
    answer(store, "OUT1", verdict, minutes=41)
    assert (due(store), found(store).status, found(store).times) == ([], "sent", 1)


def test_a_receipt_while_the_transport_refuses_the_letter_leaves_it_answered(store: Store) -> None:
    put(store, "OUT1")
    send(store, "OUT1", "E1")
    again(store, seen=found(store).standing)
    assert due(store) == ["OUT1"]
    answer(store, "OUT1", "delivered", minutes=41)
    store.outbox.mark_failed("OUT1", "GW-205 refused", later(minutes=42))
    assert (found(store).status, found(store).last_error) == ("sent", None)


@pytest.mark.parametrize("verdict", ["delivered", "refused"])
def test_what_is_sent_anew_after_a_refusal_goes_though_a_late_receipt_for_the_refused_one_comes(
    store: Store, verdict: str
) -> None:
    """It answers what could not be read; the receiver has not had the mended one."""
    put(store, "OUT1")
    send(store, "OUT1", "E1")
    answer(store, "OUT1", "refused", minutes=1)
    again(store, seen=found(store).standing)
    answer(store, "OUT1", verdict, minutes=2)
    assert due(store) == ["OUT1"]


def test_a_first_sending_is_not_stopped_by_anything(store: Store) -> None:
    """Only what the receiver has had before is kept back: the note that it went may be what is missing."""
    put(store, "OUT1")
    answer(store, "OUT1", "delivered", minutes=0)
    assert due(store) == ["OUT1"]


def test_what_no_transport_took_the_second_time_may_be_sent_again(store: Store) -> None:
    put(store, "OUT1")
    send(store, "OUT1", "E1")
    again(store, seen=found(store).standing)
    for _ in range(len(RETRY_AFTER) + 1):
        store.outbox.mark_failed("OUT1", "GW-205 refused", NOW)
    assert (found(store).status, ids(store, Watch())) == ("parked", ["OUT1"])
    assert again(store, seen=found(store).standing) == "again"
    assert found(store).status == "pending"


@pytest.mark.parametrize(("changes", "why_not"), [({"draft": True}, "draft"), ({"obstacle": "GW-171"}, "parked")])
def test_what_was_never_ready_is_not_sent(store: Store, changes: dict[str, object], why_not: str) -> None:
    put(store, "OUT1", **changes)
    assert again(store, seen=found(store).standing) == why_not
    assert again(store, seen="waiting-1") == why_not
    assert due(store) == []


def test_a_key_that_did_something_else_sends_nothing(store: Store) -> None:
    put(store, "OUT1")
    send(store, "OUT1", "E1")
    store.audit.write(Act(who="karen", what="logout", key="karen:1"), NOW)
    assert again(store, seen=found(store).standing, key="karen:1") == "again"
    assert due(store) == []


# ------------------------------------------------------------------ after a refusal
@pytest.mark.parametrize("seen", ["refused-1", None])
def test_a_refused_letter_that_is_sent_again_waits_anew_and_its_alarm_rings_anew(
    store: Store, seen: str | None
) -> None:
    put(store, "OUT1")
    send(store, "OUT1", "E1")
    now = later(minutes=31)
    ticker = Ticker(store, lambda: now, RULES)
    assert len(ticker.step().raised) == 1
    answer(store, "OUT1", "refused", minutes=32)
    assert again(store, seen=seen) == "again"
    assert (found(store).verdict, found(store).waits_since) == (None, None)
    assert len(ticker.step().cleared) == 1
    send(store, "OUT1", "E2", minutes=41)
    assert (found(store).waits_since, ids(store, REFUSED)) == (later(minutes=41), [])
    now = later(minutes=70)
    assert ticker.step().raised == ()
    now = later(minutes=72)
    (alarm,) = ticker.step().raised
    assert (alarm.subject, alarm.raised_at, found(store).alarm_at) == ("OUT1", now, now)
    answer(store, "OUT1", "delivered", minutes=73)
    assert found(store).verdict == "delivered"
    assert len(ticker.step().cleared) == 1


def test_a_letter_refused_time_and_again_keeps_a_clock_for_each_wait(store: Store) -> None:
    put(store, "OUT1")
    now = NOW
    ticker = Ticker(store, lambda: now, RULES)
    for number in range(3):
        send(store, "OUT1", f"E{number}", minutes=100 * number)
        now = later(minutes=100 * number + 31)
        assert len(ticker.step().raised) == 1
        answer(store, "OUT1", "refused", minutes=100 * number + 40)
        assert again(store, seen=f"refused-{number + 1}", minutes=100 * number + 50) == "again"
        assert len(ticker.step().cleared) == 1


# ------------------------------------------------------------------ at the same moment
@pytest.mark.broker
def test_two_processes_that_press_at_once_have_one_effect(postgres_url: str) -> None:
    with open_store(postgres_url) as one, open_store(postgres_url) as two:
        put(one, "OUT1")
        send(one, "OUT1", "E1")
        seen, ready, told = found(one).standing, threading.Barrier(2), []

        def press(store: Store, key: str) -> None:
            ready.wait(10)
            told.append(again(store, seen=seen, key=key))

        threads = [threading.Thread(target=press, args=given) for given in ((one, "ida:1"), (two, "bo:1"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert sorted(told) == ["again", "pending"]
        assert due(one) == ["OUT1"]
        assert len(one.audit.latest("OUT1")) == 1


@pytest.mark.broker
def test_a_receipt_under_way_is_waited_for_before_it_is_decided(postgres_url: str) -> None:
    """The receipt's transaction has written and not yet committed when the press comes: the press finds it."""
    with open_store(postgres_url) as one, open_store(postgres_url) as two:
        put(one, "OUT1")
        send(one, "OUT1", "E1")
        seen, told, pressed = found(one).standing, [], threading.Event()

        def press() -> None:
            told.append(again(two, seen=seen))

        thread = threading.Thread(target=press)

        def at_commit(connection: Connection) -> None:
            thread.start()
            pressed.set()
            thread.join(0.5)
            assert told == []

        event.listen(one.by_key, "commit", at_commit, once=True)
        answer(one, "OUT1", "delivered")
        thread.join(20)
        assert pressed.is_set()
        assert told == ["delivered"]
        assert due(one) == []


def test_pages_of_many_follow_each_other_without_gap(store: Store) -> None:
    names = [f"OUT{n:03}" for n in range(120)]
    put(store, *names)
    store.outbox.mark_sent([Sent(letter_id=i, envelope_id=f"E{i}", at=NOW) for i in names])
    listed = [i for offset in range(0, 150, 50) for i in ids(store, Watch(), 50, offset)]
    assert listed == names
    with reading(store.engine) as connection:
        assert len(connection.scalars(select(transmissions.c.letter_id)).all()) == 120
        assert set(connection.scalars(select(outbox.c.waits_since))) == {NOW}
    assert store.receipts.count(Watch(waits_since_before=NOW + timedelta(seconds=1))) == 120


@pytest.mark.parametrize(
    ("watch", "index"),
    [
        (Watch(), "outbox_waiting"),
        (Watch(waits_since_before=NOW), "outbox_waiting"),
        (Watch(receiver=SENDER), "outbox_waiting"),
        (REFUSED, "outbox_refused"),
        (Watch(refused=True, receiver=SENDER), "outbox_refused"),
    ],
)
def test_lists_and_counts_read_an_index_of_their_own_rows_and_sort_nothing(
    tmp_path: Path, watch: Watch, index: str
) -> None:
    """However many letters were sent and answered; PostgreSQL with 500 000 of them: docs/performance.md."""
    told: list[tuple[str, Any]] = []
    with open_store(f"sqlite:///{tmp_path}/gateway.sqlite3") as store:
        event.listen(store.engine, "before_cursor_execute", lambda *given: told.append((given[2], given[3])))
        store.receipts.rows(watch, 50, 100)
        (listing, given), *_ = [one for one in told if "OFFSET" in one[0]]
        store.receipts.count(watch)
        with reading(store.engine) as connection:
            for statement, parameters in ((listing, given), told[-1]):
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
                assert all(index in step[3] for step in plan)
