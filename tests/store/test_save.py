"""One transaction per batch: all of it or nothing, whoever else is at work."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import event as sql_event
from sqlalchemy import func, select

from gateway.errors import ConflictError, Fault
from gateway.referral.inbox import Settled
from gateway.store.engine import reading
from gateway.store.inbox import Entry
from gateway.store.outbox import Sent
from gateway.store.schema import cases as case_table
from gateway.store.schema import messages, metadata, outbox
from gateway.store.schema import parked as parked_table
from gateway.store.store import Store, open_store
from tests.store.material import NOW, SENDER, case, entry, event, keys, later, letter, message, outgoing, parked


def counts(store: Store) -> dict[str, int]:
    with reading(store.engine) as connection:
        return {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in metadata.sorted_tables
            if table.name != "installation"
        }


def rows(store: Store, *columns: object) -> list[Any]:
    with reading(store.engine) as connection:
        return list(connection.execute(select(*columns)))


FULL: dict[str, Any] = {
    "letters": (letter("LETTER", case_id="case-1"),),
    "cases": (case("case-1"),),
    "outgoing": (outgoing("OUT1"), outgoing("OUT2", draft=True)),
    "parked": (parked(),),
}


def test_one_message_fills_every_table(store: Store) -> None:
    new = store.inbox.save([entry(**FULL)], NOW, later(seconds=30))

    assert new == {"OUT1", "OUT2"}
    assert counts(store) == {
        "messages": 1,
        "letters": 1,
        "cases": 1,
        "objects": 0,
        "files": 0,
        "clocks": 1,
        "outbox": 2,
        "earlier_transmissions": 0,
        "parked": 1,
        "notes": 0,
        "audit": 0,
        "accounts": 0,
        "sessions": 0,
        "reports": 0,
        "report_bodies": 0,
    }


def test_the_message_itself_is_kept_as_it_came(store: Store) -> None:
    data = "<Emessage>æøå</Emessage>".encode("iso-8859-1") * 100
    store.inbox.save([entry(data=data)], NOW)
    ((body,),) = rows(store, messages.c.body)
    assert body != data
    assert store.codec.open(body) == data


def test_a_failure_after_any_statement_leaves_nothing(store: Store) -> None:
    left = [0]

    def pull_the_plug(*_cursor: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise RuntimeError("the plug is pulled")

    sql_event.listen(store.by_key, "after_cursor_execute", pull_the_plug)
    for statement in range(1, 100):
        left[0] = statement
        try:
            store.inbox.save([entry(**FULL)], NOW)
            break
        except RuntimeError:
            assert set(counts(store).values()) == {0}
    sql_event.remove(store.by_key, "after_cursor_execute", pull_the_plug)

    by_table = store.by_key.dialect.name == "sqlite"
    assert statement > (5 if by_table else 1), "it was tried after each"
    assert counts(store)["outbox"] == 2


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(entry("message"), id="the same message"),
        pytest.param(entry("another", letters=(letter("LETTER"),)), id="the same letter"),
        pytest.param(entry("another", cases=(case("case-1"),)), id="the same new case"),
        pytest.param(entry("another", cases=(case("case-1", number=3),)), id="a case that has another number now"),
        pytest.param(entry("another", cases=(case("case-9", number=2),)), id="a case that is not there"),
    ],
)
def test_what_someone_saved_in_between_is_a_conflict_and_nothing_is_saved(store: Store, second: Entry) -> None:
    store.inbox.save([entry(**FULL)], NOW)
    before = counts(store)
    fresh = entry("fresh", letters=(letter("FRESH"),), outgoing=(outgoing("FRESH"),))
    with pytest.raises(ConflictError):
        store.inbox.save([fresh, second], NOW)
    assert counts(store) == before


def race(store_url: str, work: Callable[[Store, int], object], workers: int = 4) -> list[object]:
    """Run the same on several connections at once; results, or the conflicts they ran into."""
    barrier = threading.Barrier(workers)

    def one(number: int) -> object:
        with open_store(store_url) as mine:
            barrier.wait(timeout=10)
            try:
                return work(mine, number)
            except ConflictError as conflict:
                return conflict

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(one, range(workers)))


def test_of_several_that_save_the_same_letter_exactly_one_wins(store: Store, store_url: str) -> None:
    def save(mine: Store, number: int) -> object:
        one = letter("LETTER")
        answered = outgoing(f"OUT-OF-{number}")
        return mine.inbox.save([entry(f"message-{number}", letters=(one,), outgoing=(answered,))], NOW)

    results = race(store_url, save)
    winners = [result for result in results if not isinstance(result, ConflictError)]
    assert len(winners) == 1
    assert counts(store)["messages"] == counts(store)["outbox"] == 1


def test_of_several_that_take_a_case_further_exactly_one_wins(store: Store, store_url: str) -> None:
    store.inbox.save([entry(cases=(case("case-1"),))], NOW)

    def save(mine: Store, number: int) -> object:
        after = case("case-1", number=2, events=(event(f"event-{number}"),))
        return mine.inbox.save([entry(f"event-{number}", cases=(after,), entrance="team")], NOW)

    results = race(store_url, save)
    assert len([result for result in results if not isinstance(result, ConflictError)]) == 1
    kept = store.inbox.known(keys(case_ids=["case-1"])).cases["case-1"]
    assert (kept.number, len(kept.events)) == (2, 1)


def test_batches_that_overlap_in_any_order_end_in_conflicts_never_in_a_deadlock(store: Store, store_url: str) -> None:
    """Rows are written in key order."""
    entries = [entry(f"message-{n}", letters=(letter(f"L{n}"),)) for n in range(30)]

    def save(mine: Store, number: int) -> object:
        return mine.inbox.save(entries if number % 2 else entries[::-1], NOW)

    results = race(store_url, save)
    assert len([result for result in results if not isinstance(result, ConflictError)]) == 1
    assert counts(store)["messages"] == 30


def test_duplicates_inside_one_batch_are_folded(store: Store) -> None:
    """The same message, the same letter in two messages, and a case that is opened and changed."""
    opened = case("case-1")
    changed = case("case-1", number=2, events=(event("event-1"),))
    repeated = entry("one", duplicate=True, resend=("OUT1",))
    batch = [
        entry("one", letters=(letter("L1"),), cases=(opened,), outgoing=(outgoing("OUT1"),)),
        repeated,
        repeated,
        entry("two", letters=(letter("L1", known=True),), resend=("OUT1",)),
        entry("event", cases=(changed,), entrance="team"),
    ]
    assert store.inbox.save(batch, NOW) == {"OUT1"}

    found = counts(store)
    assert (found["messages"], found["letters"], found["cases"]) == (3, 1, 1)
    assert rows(store, case_table.c.number) == [(2,)]
    assert rows(store, outbox.c.repeats) == [(3,)]
    (kept,) = store.past.cases()
    assert (kept.decided_as, kept.earlier, [event.event_id for event in kept.events]) == (1, (), ["event-1"])


def test_a_duplicate_changes_nothing_but_the_outbox(store: Store) -> None:
    store.inbox.save([entry(outgoing=(outgoing("OUT1"),))], NOW)
    before = counts(store)
    store.inbox.save([entry(duplicate=True, resend=("OUT1",))], later(minutes=1))
    assert counts(store) == before


def test_history_keeps_every_event_once_with_who_when_and_why(store: Store) -> None:
    store.inbox.save([entry(cases=(case("case-1"),))], NOW)
    told: tuple[Any, ...] = ()
    for number, name in enumerate(("event-1", "event-2"), start=2):
        told = (*told, event(name, note="fordi"))
        store.inbox.save([entry(name, cases=(case("case-1", number=number, events=told),))], NOW)

    (kept,) = store.past.cases()
    assert [(e.event_id, e.type.value, e.team, e.note) for e in kept.events] == [
        ("event-1", "contacted", "sundhedskonsulenter", "fordi"),
        ("event-2", "contacted", "sundhedskonsulenter", "fordi"),
    ]


def test_letters_that_are_there_already_are_not_written_again(store: Store) -> None:
    """Handling anything twice yields the same letter ids: the first one stays, with its body and its state."""
    store.inbox.save([entry("one", outgoing=(outgoing("OUT1", content=b"first"),))], NOW)
    store.outbox.mark_sent([Sent(letter_id="OUT1", envelope_id="E1", at=NOW)])

    new = store.inbox.save([entry("two", outgoing=(outgoing("OUT1", content=b"second"), outgoing("OUT2")))], NOW)
    assert new == {"OUT2"}
    found = store.outbox.letter("OUT1")
    assert found is not None
    assert found.content == b"first"
    assert rows(store, func.count(outbox.c.letter_id)) == [(2,)]


def test_parking_the_same_twice_is_parking_once(store: Store) -> None:
    store.inbox.save([entry(parked=(parked("p1"),), handled=False)], NOW)
    store.inbox.save([entry(parked=(parked("p1"),), handled=False)], later(hours=1))
    assert rows(store, parked_table.c.id, parked_table.c.parked_at) == [("p1", NOW)]


def test_a_receipt_settles_the_letter_it_speaks_of(store: Store) -> None:
    store.inbox.save([entry(outgoing=(outgoing("OUT1"), outgoing("OUT2")))], NOW)
    settled = Settled(letter_id="OUT1", verdict="refused", why="XCTL02 syntaksfejl")
    store.inbox.save([entry("receipt", settled=(settled,))], later(minutes=5))
    found = rows(store, outbox.c.letter_id, outbox.c.verdict, outbox.c.verdict_at, outbox.c.verdict_why)
    assert sorted(found, key=lambda row: row[0]) == [
        ("OUT1", "refused", later(minutes=5), "XCTL02 syntaksfejl"),
        ("OUT2", None, None, None),
    ]


def test_times_keep_their_moment_whatever_zone_they_came_in(store: Store) -> None:
    summer = message(received_at=NOW.astimezone().replace(microsecond=123_456))
    store.inbox.save([entry(message=summer, cases=(case("case-1"),))], NOW)
    assert rows(store, case_table.c.received_at) == [(case("case-1").received_at,)]


def test_a_message_that_was_given_up_on_is_told_whole_when_it_is_handled_at_last(store: Store) -> None:
    store.inbox.save([entry(message=message(type="unknown", fault=Fault(id="GW-190")), handled=False)], NOW)
    store.inbox.save([entry(message=message(received_at=later(hours=1)))], later(hours=1))
    table = metadata.tables["messages"]
    columns = (table.c.type, table.c.sender, table.c.fault_id, table.c.handled, table.c.received_at)
    assert rows(store, *columns) == [("XREF15", SENDER, None, True, later(hours=1))]
