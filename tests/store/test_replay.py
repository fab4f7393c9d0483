"""A parked message is handled anew once, however often and by how many it is asked for."""

import threading
from datetime import datetime

import pytest
from sqlalchemy import select

from gateway.errors import ConflictError
from gateway.inbound.pipeline import Pipeline
from gateway.inbound.source import Delivery
from gateway.municipality.model import Municipality, load
from gateway.receive import Entrance
from gateway.referral.inbox import Outcome
from gateway.simulate.stories import recorded
from gateway.store.audit import Act
from gateway.store.engine import reading
from gateway.store.replay import ParkedMessage, parked_message
from gateway.store.schema import bodies, messages, outbox, parked
from gateway.store.store import Store
from tests.builders import event
from tests.store.material import NOW, change

WRONG_RECEIVER = recorded()["17-wrong-receiver.xml"]


def with_its_receiver() -> Municipality:
    """The municipality once it answers to the GLN that the letter names."""
    ours = load()
    named = WRONG_RECEIVER.partition(b"<Receiver>")[2].partition(b"<EANIdentifier>")[2][:13].decode()
    return change(ours, glns=(*ours.glns, named))


def pipeline(store: Store, municipality: Municipality | None = None) -> Pipeline:
    return Pipeline(store, municipality or load(), lambda: NOW)


def put_aside(store: Store, data: bytes, entrance: Entrance = Entrance.MEDCOM) -> ParkedMessage:
    pipeline(store).handle_one(Delivery(data=data, entrance=entrance))
    return the_item(store)


def the_item(store: Store) -> ParkedMessage:
    (row,) = store.overview.parked_items(include_closed=True)
    item = parked_message(store.engine, store.codec, row.id)
    assert item is not None
    return item


def act(key: str = "", who: str = "ida") -> Act:
    return Act(who=who, what="parked.replayed", subject="item", why="Lokationsnummeret er nu i kommunefilen", key=key)


def sent(store: Store) -> dict[str, int]:
    with reading(store.engine) as connection:
        kinds = connection.scalars(select(outbox.c.kind).where(outbox.c.kind != "XCTL02")).all()
        repeats = sum(connection.scalars(select(outbox.c.repeats)).all())
    return {kind: kinds.count(kind) for kind in kinds} | {"repeats": repeats}


ONCE = {"XCTL03": 1, "XDIS91": 1, "Task": 1, "repeats": 0}


def test_what_was_refused_is_handled_once_its_cause_is_mended(store: Store) -> None:
    item = put_aside(store, WRONG_RECEIVER)
    assert item.can_be_replayed
    outcome = pipeline(store, with_its_receiver()).replay(item, act("click-1"))
    assert not outcome.parked
    assert sent(store) == ONCE
    after = the_item(store)
    assert (after.state, after.closed_by, after.closed_at) == ("replayed", "ida", NOW)
    assert not after.can_be_replayed
    (row,) = store.audit.latest()
    assert (row.who, row.what, row.why) == ("ida", "parked.replayed", act().why)


def test_a_second_click_and_a_second_operator_change_nothing(store: Store) -> None:
    item = put_aside(store, WRONG_RECEIVER)
    mended = pipeline(store, with_its_receiver())
    mended.replay(item, act("click-1"))
    for again in (act("click-1"), act("click-2", who="bo")):
        with pytest.raises(ConflictError):
            mended.replay(item, again)
    assert sent(store) == ONCE
    assert len(store.audit.latest()) == 1


def test_many_at_once_have_one_effect(store: Store) -> None:
    item = put_aside(store, WRONG_RECEIVER)
    mended = pipeline(store, with_its_receiver())
    done: list[Outcome] = []
    refused: list[Exception] = []
    start = threading.Barrier(4)

    def click(number: int) -> None:
        start.wait()
        try:
            done.append(mended.replay(item, act(f"click-{number}")))
        except ConflictError as error:
            refused.append(error)

    threads = [threading.Thread(target=click, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(done), len(refused)) == (1, 3)
    assert sent(store) == ONCE


def test_what_fails_again_waits_again_and_no_second_receipt_leaves(store: Store) -> None:
    item = put_aside(store, WRONG_RECEIVER)
    with reading(store.engine) as connection:
        before = connection.execute(select(outbox.c.letter_id, outbox.c.status, outbox.c.repeats)).all()
    outcome = pipeline(store).replay(item, act())
    assert [p.fault.id for p in outcome.parked] == ["GW-130"]
    after = the_item(store)
    assert (after.state, after.closed_by) == ("open", None)
    with reading(store.engine) as connection:
        assert connection.execute(select(outbox.c.letter_id, outbox.c.status, outbox.c.repeats)).all() == before


def test_the_replayed_message_is_known_afterwards(store: Store) -> None:
    item = put_aside(store, WRONG_RECEIVER)
    mended = pipeline(store, with_its_receiver())
    mended.replay(item, act())
    assert mended.handle_one(Delivery(data=WRONG_RECEIVER)).duplicate


def test_a_corrected_copy_is_handled_and_the_original_stays_as_it_came(store: Store) -> None:
    item = put_aside(store, WRONG_RECEIVER)
    named = WRONG_RECEIVER.partition(b"<Receiver>")[2].partition(b"<EANIdentifier>")[2][:13]
    outcome = pipeline(store).replay(item, act(), corrected=WRONG_RECEIVER.replace(named, b"5790009999997"))
    assert not outcome.parked
    assert sent(store) == ONCE
    assert the_item(store).data == WRONG_RECEIVER
    with reading(store.engine) as connection:
        assert connection.scalar(select(messages.c.handled).where(messages.c.digest == item.digest))
        assert len(connection.execute(select(bodies.c.digest)).all()) == 2


def test_a_corrected_copy_that_fails_too_is_not_kept(store: Store) -> None:
    item = put_aside(store, WRONG_RECEIVER)
    outcome = pipeline(store).replay(item, act(), corrected=WRONG_RECEIVER + b" ")
    assert [p.fault.id for p in outcome.parked] == ["GW-130"]
    assert the_item(store).state == "open"
    assert store.audit.latest() == []


def test_a_broken_message_is_handled_anew_as_a_whole(store: Store) -> None:
    item = put_aside(store, recorded()["15-truncated.xml"])
    whole = recorded()["15-truncated.xml"]
    outcome = pipeline(store).replay(item, act())
    assert [p.fault.id for p in outcome.parked] == ["GW-102"]
    assert the_item(store).data == whole


def test_a_teams_event_is_handled_anew_too(store: Store) -> None:
    item = put_aside(store, event("contacted", episode_of_care_id=None, case_id="unknown"), Entrance.TEAM)
    assert item.entrance == "team"
    outcome = pipeline(store).replay(item, act())
    assert [p.fault.id for p in outcome.parked] == ["GW-161"]
    assert the_item(store).state == "open"


@pytest.mark.parametrize("fault", ["GW-150", "GW-151", "GW-171", "GW-172"])
def test_what_was_accepted_is_no_matter_for_a_replay(store: Store, fault: str) -> None:
    assert not change(put_aside(store, WRONG_RECEIVER), fault_id=fault).can_be_replayed


def test_there_is_no_item_of_an_unknown_id(store: Store) -> None:
    assert parked_message(store.engine, store.codec, "none") is None


def test_an_item_is_shown_though_its_message_is_gone(store: Store) -> None:
    item = put_aside(store, WRONG_RECEIVER)
    with store.engine.begin() as connection:
        connection.execute(bodies.delete())
    gone = parked_message(store.engine, store.codec, item.id)
    assert gone is not None
    assert gone.data == b""


def test_one_process_may_be_slow_to_look(store: Store) -> None:
    """The item is read, then settled by someone else, and only then asked for."""
    item = put_aside(store, WRONG_RECEIVER)
    assert store.overview.discard(item.id, "bo", "sendt igen", datetime.fromisoformat("2026-11-23T10:00:00+01:00"))
    with pytest.raises(ConflictError):
        pipeline(store, with_its_receiver()).replay(item, act())
    assert "XDIS91" not in sent(store)
    with reading(store.engine) as connection:
        assert connection.scalar(select(parked.c.state)) == "discarded"
