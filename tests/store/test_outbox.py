"""Letters leave the outbox exactly as often as they should: claimed by one, sent once, retried, parked, sent again."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, select

from gateway.referral.case import State
from gateway.referral.letters import Outgoing
from gateway.store import outbox as outbox_module
from gateway.store.engine import reading, writing
from gateway.store.outbox import CLAIM, RETRY_AFTER, Sent
from gateway.store.schema import outbox
from gateway.store.store import Store, open_store
from gateway.store.transmissions import mark, transmissions
from tests.store.material import NOW, case, change, entry, later, outgoing

SOON = later(seconds=30)


def put(store: Store, *letters: Outgoing, claimed_until: datetime | None = None, at: datetime = NOW) -> None:
    names = "-".join(x.letter_id for x in letters)
    store.inbox.save([entry(f"message for {names}", outgoing=letters)], at, claimed_until)


def row(store: Store, letter_id: str = "OUT1") -> dict[str, object]:
    with reading(store.engine) as connection:
        return dict(connection.execute(select(outbox).where(outbox.c.letter_id == letter_id)).one()._mapping)


def claim(store: Store, now: datetime = NOW, limit: int = 100) -> list[str]:
    return [letter.letter_id for letter in store.outbox.claim(now, now + CLAIM, limit)]


def test_a_claimed_letter_is_the_one_that_was_saved(store: Store) -> None:
    letter = outgoing("OUT1", case_id="case-1", episode_id="episode", wants_receipt=True)
    put(store, letter)
    assert store.outbox.claim(NOW, SOON, 10) == [letter]
    assert store.outbox.letter("OUT1") == letter
    assert store.outbox.letter("OUT2") is None


def test_a_claimed_letter_belongs_to_one_until_the_claim_runs_out(store: Store) -> None:
    put(store, outgoing("OUT1"))
    assert claim(store) == ["OUT1"]
    assert claim(store) == []
    assert claim(store, NOW + CLAIM) == []
    assert claim(store, NOW + CLAIM + timedelta(milliseconds=1)) == ["OUT1"]


def test_a_claim_by_a_clock_that_was_set_back_since_does_not_hold(store: Store) -> None:
    put(store, outgoing("OUT1"), claimed_until=later(days=400), at=later(days=400))
    put(store, outgoing("OUT2"), claimed_until=later(seconds=59))
    assert claim(store) == ["OUT1"]
    assert claim(store, later(seconds=31)) == ["OUT1"]


def test_letters_written_for_a_relay_at_hand_are_claimed_from_the_start(store: Store) -> None:
    put(store, outgoing("OUT1"), claimed_until=SOON)
    assert claim(store) == []
    assert claim(store, SOON + timedelta(seconds=1)) == ["OUT1"]


def test_the_oldest_are_claimed_first_and_no_more_than_asked_for(store: Store) -> None:
    for minutes in (5, 1, 3):
        put(store, outgoing(f"MIN{minutes}"), at=later(minutes=minutes))
    assert claim(store, later(minutes=10), limit=2) == ["MIN1", "MIN3"]
    assert claim(store, later(minutes=10), limit=2) == ["MIN5"]


def test_claimers_under_load_never_share_a_letter(store: Store, store_url: str) -> None:
    total, claimers, limit = 400, 4, 7
    put(store, *(outgoing(f"OUT{n:03}") for n in range(total)))
    start = threading.Barrier(claimers)

    def drain(_number: int) -> list[str]:
        mine: list[str] = []
        with open_store(store_url) as own:
            start.wait(timeout=10)
            while batch := claim(own, limit=limit):
                assert len(batch) <= limit
                mine += batch
                own.outbox.mark_sent([Sent(letter_id=i, envelope_id=f"E-{i}", at=NOW) for i in batch])
        return mine

    with ThreadPoolExecutor(claimers) as pool:
        taken = Counter(letter for batch in pool.map(drain, range(claimers)) for letter in batch)
    assert len(taken) == total
    assert set(taken.values()) == {1}
    assert store.overview.numbers(NOW).outbox_pending == 0


def test_a_letter_that_two_marked_in_the_same_moment_keeps_both_envelopes(store: Store) -> None:
    """A claim ran out while a process stood still: both sent the letter, and a receipt may name either envelope."""
    names = [f"OUT{n}" for n in range(20)]
    put(store, *(outgoing(name) for name in names))
    second = [Sent(letter_id=name, envelope_id=f"second {name}", at=later(seconds=2)) for name in reversed(names)]
    with ThreadPoolExecutor(1) as pool:
        with writing(store.by_key) as connection:
            mark(connection, outbox_module._MARK_SENT, {name: f"first {name}" for name in names}, later(seconds=1))
            marked = pool.submit(store.outbox.mark_sent, second)
            end = time.monotonic() + 10
            while not (waits_for_us(connection) or marked.done() or time.monotonic() > end):
                time.sleep(0.01)
        marked.result(timeout=10)
    with reading(store.engine) as connection:
        went = connection.execute(select(transmissions.c.letter_id, transmissions.c.envelope_id)).all()
    assert sorted((n, e) for n, e in went) == sorted((n, f"{nth} {n}") for n in names for nth in ("first", "second"))
    assert {row(store, name)["envelope_id"] for name in names} == {f"second {name}" for name in names}


def waits_for_us(connection: Connection) -> bool:
    """Someone waits for what this transaction holds; SQLite has one writer at a time and tells of nobody."""
    if connection.dialect.name == "sqlite":
        return True
    held_up = "SELECT count(*) FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))"
    return bool(connection.exec_driver_sql(held_up).scalar_one())


def test_marking_once_more_after_a_lost_answer_never_stands_in_the_way_of_a_later_transmission(store: Store) -> None:
    """Marked, overtaken by someone else's mark, marked once more: then the earlier one is kept already."""
    put(store, outgoing("OUT1"))
    for number, envelope_id in enumerate(("a", "b", "a", "c")):
        store.outbox.mark_sent([Sent(letter_id="OUT1", envelope_id=envelope_id, at=later(minutes=number))])
    assert row(store)["envelope_id"] == "c"
    with reading(store.engine) as connection:
        assert set(connection.scalars(select(transmissions.c.envelope_id))) == {"a", "b", "c"}


def test_released_letters_can_be_claimed_at_once(store: Store) -> None:
    put(store, outgoing("OUT1"), outgoing("OUT2"))
    claim(store)
    store.outbox.release(["OUT1"])
    store.outbox.release([])
    assert claim(store) == ["OUT1"]
    assert row(store)["attempts"] == 0


def test_the_owner_of_a_store_gives_every_claim_back_at_its_start(store: Store) -> None:
    put(store, outgoing("OUT1"), outgoing("OUT2"))
    claim(store)
    store.outbox.release_all()
    assert sorted(claim(store)) == ["OUT1", "OUT2"]


def test_a_sent_letter_is_sent_once_and_its_envelope_remembered(store: Store) -> None:
    put(store, outgoing("OUT1"))
    claim(store)
    store.outbox.mark_sent([Sent(letter_id="OUT1", envelope_id="E1", at=later(seconds=1))])
    store.outbox.mark_sent([])

    assert claim(store, later(days=1)) == []
    found = row(store)
    assert (found["status"], found["sent_at"], found["claimed_until"]) == ("sent", later(seconds=1), None)
    with reading(store.engine) as connection:
        assert list(connection.execute(select(transmissions))) == [("OUT1", "E1", later(seconds=1))]


def test_a_refused_letter_waits_ever_longer_and_is_parked_after_the_fifth_failure(store: Store) -> None:
    assert [wait.total_seconds() for wait in RETRY_AFTER] == [10, 60, 600, 600]
    put(store, outgoing("OUT1"))
    now = NOW
    for number, wait in enumerate(RETRY_AFTER, start=1):
        assert claim(store, now) == ["OUT1"]
        store.outbox.mark_failed("OUT1", "GW-205 unroutable", now)
        found = row(store)
        assert (found["status"], found["attempts"], found["due_at"]) == ("pending", number, now + wait)
        assert claim(store, now + wait - timedelta(seconds=1)) == []
        now += wait
    assert claim(store, now) == ["OUT1"]
    store.outbox.mark_failed("OUT1", "GW-205 unroutable", now)
    found = row(store)
    assert (found["status"], found["last_error"]) == ("parked", "GW-205 unroutable")
    assert claim(store, later(days=1)) == []
    assert store.overview.numbers(now).outbox_parked == 1


def test_a_letter_that_gets_through_forgets_its_error(store: Store) -> None:
    put(store, outgoing("OUT1"))
    store.outbox.mark_failed("OUT1", "GW-205 unroutable", NOW)
    claim(store, later(minutes=1))
    store.outbox.mark_sent([Sent(letter_id="OUT1", envelope_id="E1", at=later(minutes=1))])
    assert row(store)["last_error"] is None


def test_a_stored_receipt_that_is_out_is_sent_again_in_another_envelope(store: Store) -> None:
    put(store, outgoing("OUT1"))
    for number in (1, 2):
        assert claim(store, later(minutes=number)) == ["OUT1"]
        store.outbox.mark_failed("OUT1", "GW-205 refused", later(minutes=number))
        assert claim(store, later(minutes=number, seconds=10)) == ["OUT1"]
        store.outbox.mark_sent([Sent(letter_id="OUT1", envelope_id=f"E{number}", at=later(minutes=number))])
        assert claim(store, later(minutes=number, seconds=30)) == []
        store.inbox.save([entry(duplicate=True, resend=("OUT1",))], later(minutes=number, seconds=40))
        assert row(store)["attempts"] == 0, "a new round has all its attempts"
    assert claim(store, later(minutes=3)) == ["OUT1"]


def test_a_stored_receipt_still_on_its_way_is_sent_once_more_after_that(store: Store) -> None:
    put(store, outgoing("OUT1"), claimed_until=SOON)
    for _ in range(2):
        store.inbox.save([entry(duplicate=True, resend=("OUT1",))], NOW)
    for number in (1, 2, 3):
        store.outbox.mark_sent([Sent(letter_id="OUT1", envelope_id=f"E{number}", at=NOW)])
        assert claim(store, later(minutes=number)) == (["OUT1"] if number < 3 else [])


@pytest.mark.parametrize("resend", ["OUT1", "NEVER-WRITTEN"])
def test_asking_again_for_what_cannot_be_sent_changes_nothing(store: Store, resend: str) -> None:
    put(store, outgoing("OUT1", draft=True))
    store.inbox.save([entry(duplicate=True, resend=(resend,))], NOW)
    assert claim(store) == []
    assert row(store)["status"] == "draft"


def test_a_draft_is_never_sent_by_itself_and_superseded_when_a_person_decides(store: Store) -> None:
    drafted = case("case-1")
    waiting = tuple(change(a, state=State.DRAFTED_RETURN) for a in drafted.assignments)
    store.inbox.save(
        [entry(cases=(drafted,), outgoing=(outgoing("DRAFT", draft=True, case_id="case-1"),))], NOW, claimed_until=SOON
    )
    assert claim(store, later(days=1)) == []
    assert store.overview.numbers(NOW).drafts == 1

    still = change(drafted, number=2, assignments=waiting)
    store.inbox.save([entry("still waiting", cases=(still,))], NOW)
    assert row(store, "DRAFT")["status"] == "draft"

    store.inbox.save([entry("decided", cases=(change(drafted, number=3),))], NOW)
    assert row(store, "DRAFT")["status"] == "superseded"
    assert store.overview.numbers(NOW).drafts == 0


def test_the_time_of_a_claim_is_the_owners_to_choose(store: Store, store_url: str) -> None:
    assert store.outbox.claim_time == CLAIM == timedelta(seconds=30)
    with open_store(store_url, timedelta(seconds=2)) as quick:
        assert quick.outbox.claim_time == timedelta(seconds=2)
