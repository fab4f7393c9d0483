"""What people ask the store: counts, ages, and what waits for someone."""

from datetime import timedelta

import pytest

from gateway.errors import Fault
from gateway.referral.case import State
from gateway.referral.inbox import Settled
from gateway.referral.letters import Channel
from gateway.store.engine import reading
from gateway.store.outbox import Sent
from gateway.store.schema import outbox
from gateway.store.store import Store, open_store
from gateway.store.transmissions import nth_latest
from tests.store.material import NOW, SENDER, case, change, entry, later, outgoing, parked


def test_an_empty_store_has_nothing_and_no_ages(store: Store) -> None:
    numbers = store.overview.numbers(NOW)
    assert numbers.messages == numbers.outbox_pending == numbers.parked == numbers.without_receipt == 0
    assert numbers.outbox_oldest is numbers.parked_oldest is numbers.without_receipt_oldest is None
    assert numbers.cases_by_state == {}
    assert store.overview.parked_items() == []


def test_counts_and_ages(store: Store) -> None:
    accepted = case("case-1")
    talked = change(
        case("case-2"), assignments=tuple(change(a, state=State.TALK_HELD) for a in case("case-2").assignments)
    )
    store.inbox.save([entry("one", cases=(accepted, talked), outgoing=(outgoing("OUT1"),))], NOW)
    store.inbox.save([entry("two", cases=(case("case-3"),), outgoing=(outgoing("OUT2"),))], later(minutes=5))
    store.inbox.save([entry("three", parked=(parked("p2"),))], later(minutes=7))
    store.inbox.save([entry("four", parked=(parked("p1"),))], later(minutes=6))

    numbers = store.overview.numbers(NOW)
    assert numbers.messages == 4
    assert numbers.cases_by_state == {"accepted": 2, "talk_held": 1}
    assert (numbers.outbox_pending, numbers.outbox_oldest) == (2, NOW)
    assert (numbers.parked, numbers.parked_oldest) == (2, later(minutes=6))


def test_letters_without_receipt_count_once_they_are_overdue(store: Store) -> None:
    letters = [outgoing(f"OUT{n}", wants_receipt=n != 4) for n in range(5)]
    store.inbox.save([entry(outgoing=tuple(letters))], NOW)
    sent = [Sent(letter_id=f"OUT{n}", envelope_id=f"E{n}", at=NOW) for n in (1, 2, 4)]
    store.outbox.mark_sent(sent)
    store.outbox.mark_sent([Sent(letter_id="OUT3", envelope_id="E3", at=later(minutes=20))])
    store.inbox.save([entry("receipt", settled=(Settled(letter_id="OUT2", verdict="delivered"),))], later(minutes=1))

    limit = timedelta(minutes=30)
    assert store.overview.numbers(later(minutes=10) - limit).without_receipt == 0
    numbers = store.overview.numbers(later(minutes=31) - limit)
    assert (numbers.without_receipt, numbers.without_receipt_oldest) == (1, NOW)
    assert store.overview.numbers(later(hours=2) - limit).without_receipt == 2


def test_of_what_waits_in_a_queue_the_oldest_is_known_by_what_was_handed_over_last(store: Store) -> None:
    teams = {n: change(outgoing(f"T{n}"), channel=Channel.TEAM, receiver="sundhedskonsulenter") for n in (1, 2)}
    letters = (outgoing("M1"), outgoing("M2"), *teams.values())
    store.inbox.save([entry(outgoing=letters)], NOW)
    for minute, letter_id in enumerate(("M1", "T1", "M2", "T2")):
        store.outbox.mark_sent([Sent(letter_id=letter_id, envelope_id=f"E{letter_id}", at=later(minutes=minute))])
    at = store.overview.handed_over
    assert [at(Channel.MEDCOM, None, n) for n in (0, 1, 2, 3)] == [None, later(minutes=2), NOW, None]
    assert at(Channel.TEAM, "sundhedskonsulenter", 2) == later(minutes=1)
    assert at(Channel.TEAM, "genoptraening-ishoej", 1) is None
    store.outbox.mark_sent([Sent(letter_id="M1", envelope_id="again", at=later(minutes=9))])
    assert [at(Channel.MEDCOM, None, n) for n in (1, 2, 3, 4)] == [later(minutes=9), later(minutes=2), NOW, None]


@pytest.mark.broker
def test_the_oldest_in_a_queue_is_found_from_the_latest_backwards(postgres_url: str) -> None:
    """The page asks for every queue every half minute: no answer may read all letters that ever went."""
    with open_store(postgres_url) as store, reading(store.engine) as connection:
        for cheap_while_it_is_empty in ("seqscan", "bitmapscan", "sort"):
            connection.exec_driver_sql(f"SET enable_{cheap_while_it_is_empty} = off")
        compiled = nth_latest(outbox.c.channel == "medcom", 500).compile(connection)
        given = compiled.construct_params()
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {compiled}", given).scalars())
        connection.exec_driver_sql("RESET ALL")
    assert "Index Scan Backward using outbox_sent" in plan, plan
    assert "Backward using earlier_transmissions_at" in plan, plan


def test_parked_items_are_listed_oldest_first_with_their_reason(store: Store) -> None:
    fault = Fault(id="GW-171", detail="ydernummer 012345")
    store.inbox.save([entry("two", parked=(parked("p2", fault=fault, letter_id="L2", case_id="case-1"),))], NOW)
    store.inbox.save([entry("one", parked=(parked("p1"),))], later(minutes=1))

    second, first = store.overview.parked_items()
    assert (second.id, second.fault_id, second.detail) == ("p2", "GW-171", "ydernummer 012345")
    assert (second.sender, second.letter_id, second.case_id) == (SENDER, "L2", "case-1")
    assert (second.parked_at, second.state) == (NOW, "open")
    assert first.id == "p1"
    assert [item.id for item in store.overview.parked_items(limit=1)] == ["p2"]
