"""Discarding takes two people; every change has its audit row in the same transaction."""

import pytest

from gateway.errors import ConflictError, Fault
from gateway.store.audit import Act
from gateway.store.parking import Chosen
from gateway.store.replay import ParkedMessage
from gateway.store.store import Store
from tests.store.material import NOW, SENDER, entry, later, parked


@pytest.fixture
def filled(store: Store) -> Store:
    store.inbox.save([entry("one", parked=(parked("p1"),))], NOW)
    store.inbox.save([entry("two", parked=(parked("p2", fault=Fault(id="GW-102"), case_id="case-7"),))], later(hours=1))
    return store


def asks(who: str, key: str = "") -> Act:
    return Act(who=who, what="parked.discard_asked", subject="p1", why="sendt igen", key=key)


def confirms(who: str) -> Act:
    return Act(who=who, what="parked.discarded", subject="p1")


def item(store: Store, item_id: str = "p1") -> ParkedMessage:
    found = store.parking.item(item_id)
    assert found is not None
    return found


def test_one_asks_and_another_confirms(filled: Store) -> None:
    filled.parking.ask_discard("p1", asks("ida", "k1"), NOW)
    assert (item(filled).asked_by, item(filled).asked_why, item(filled).state) == ("ida", "sendt igen", "open")
    for refused in (asks("ida", "k1"), asks("bo", "k2")):
        with pytest.raises(ConflictError):
            filled.parking.ask_discard("p1", refused, NOW)
    with pytest.raises(ConflictError):
        filled.parking.confirm_discard("p1", confirms("ida"), NOW)
    filled.parking.confirm_discard("p1", confirms("bo"), later(minutes=5))
    after = item(filled)
    assert (after.state, after.closed_by, after.closed_why) == ("discarded", "bo", "sendt igen")
    assert [(row.who, row.what) for row in filled.audit.latest("p1")] == [
        ("bo", "parked.discarded"),
        ("ida", "parked.discard_asked"),
    ]


def test_nobody_confirms_what_nobody_asked(filled: Store) -> None:
    with pytest.raises(ConflictError):
        filled.parking.confirm_discard("p1", confirms("bo"), NOW)
    with pytest.raises(ConflictError):
        filled.parking.decline_discard("p1", confirms("bo"), NOW)
    assert filled.audit.latest() == []


def test_what_is_declined_waits_on_and_may_be_asked_again(filled: Store) -> None:
    filled.parking.ask_discard("p1", asks("ida"), NOW)
    filled.parking.decline_discard("p1", Act(who="bo", what="parked.discard_declined", subject="p1"), NOW)
    assert (item(filled).state, item(filled).asked_by) == ("open", None)
    filled.parking.ask_discard("p1", asks("bo"), NOW)


def test_whoever_runs_the_machine_may_do_it_alone_and_it_is_written_down(filled: Store) -> None:
    act = Act(who="root", what="parked.discarded", subject="p1", why="sendt igen")
    assert filled.parking.discard("p1", act, NOW)
    assert not filled.parking.discard("p1", act, NOW)
    assert not filled.parking.discard("no such", act, NOW)
    assert [row.who for row in filled.audit.latest()] == ["root"]


def test_items_are_listed_by_state_sender_and_fault(filled: Store) -> None:
    parking = filled.parking
    assert [row.id for row in parking.rows(Chosen(), 10)] == ["p1", "p2"]
    assert [row.id for row in parking.rows(Chosen(), 1, 1)] == ["p2"]
    assert [row.id for row in parking.rows(Chosen(fault_id="GW-102", sender=SENDER), 10)] == ["p2"]
    assert parking.count(Chosen(sender="other")) == 0
    for n, item_id in enumerate(("p1", "p2")):
        parking.discard(item_id, Act(who="root", what="parked.discarded", subject=item_id, why="w"), later(hours=n))
    assert [row.id for row in parking.rows(Chosen(state="discarded"), 10)] == ["p2", "p1"]
    assert parking.count(Chosen()) == 0


def test_an_item_names_the_case_it_speaks_of(filled: Store) -> None:
    assert filled.parking.led_to(item(filled)) == []
    assert filled.parking.led_to(item(filled, "p2")) == ["case-7"]
    assert filled.parking.told(item(filled)) == []
