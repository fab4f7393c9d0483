"""A parked message is handled anew once, however often and by how many it is asked for."""

import threading

import pytest
from sqlalchemy import select, update

from gateway.errors import ConflictError
from gateway.inbound.pipeline import Pipeline
from gateway.inbound.source import Delivery
from gateway.municipality.model import Municipality, load
from gateway.receive import Entrance
from gateway.referral.inbox import Outcome
from gateway.simulate.stories import recorded
from gateway.store.audit import Act
from gateway.store.engine import reading, writing
from gateway.store.replay import ParkedMessage, parked_message
from gateway.store.schema import letters, messages, outbox, parked
from gateway.store.store import Store
from tests.builders import event
from tests.correspondence_builders import xdis91_message
from tests.store.material import NOW, change

GOOD = recorded()["01-type-2-diabetes.xml"]
WRONG_RECEIVER = recorded()["17-wrong-receiver.xml"]


def with_its_receiver() -> Municipality:
    """The municipality once it answers to the GLN that the letter names."""
    ours = load()
    named = WRONG_RECEIVER.partition(b"<Receiver>")[2].partition(b"<EANIdentifier>")[2][:13].decode()
    return change(ours, glns=(*ours.glns, named))


def pipeline(store: Store, municipality: Municipality | None = None) -> Pipeline:
    return Pipeline(store, municipality or load(), lambda: NOW)


def given_up(store: Store, data: bytes = GOOD) -> ParkedMessage:
    """A message that a bug had us give up on: nobody was told anything."""
    pipeline(store).give_up(Delivery(data=data))
    return the_item(store)


def put_aside(store: Store, data: bytes, entrance: Entrance = Entrance.MEDCOM) -> ParkedMessage:
    pipeline(store).handle_one(Delivery(data=data, entrance=entrance))
    return the_item(store)


def the_item(store: Store) -> ParkedMessage:
    (row,) = store.overview.parked_items(include_closed=True)
    item = parked_message(store.engine, store.codec, row.id)
    assert item is not None
    return item


def act(key: str = "", who: str = "ida") -> Act:
    return Act(who=who, what="parked.replayed", subject="item", why="Fejlen er rettet", key=key)


def sent(store: Store) -> dict[str, int]:
    with reading(store.engine) as connection:
        kinds = connection.scalars(select(outbox.c.kind)).all()
        repeats = sum(connection.scalars(select(outbox.c.repeats)).all())
    return {kind: kinds.count(kind) for kind in kinds} | {"repeats": repeats}


ONCE = {"XCTL03": 1, "XDIS91": 1, "Task": 1, "repeats": 0}


def test_what_was_given_up_on_is_handled_once_its_cause_is_mended(store: Store) -> None:
    item = given_up(store)
    assert item.can_be_replayed
    outcome = pipeline(store).replay(item, act("click-1"))
    assert not outcome.parked
    assert sent(store) == ONCE
    after = the_item(store)
    assert (after.state, after.closed_by, after.closed_at) == ("replayed", "ida", NOW)
    assert after.obstacle == "settled"
    (row,) = store.audit.latest()
    assert (row.who, row.what, row.why) == ("ida", "parked.replayed", act().why)


def test_a_second_click_and_a_second_operator_change_nothing(store: Store) -> None:
    item = given_up(store)
    pipeline(store).replay(item, act("click-1"))
    for again in (act("click-1"), act("click-2", who="bo")):
        with pytest.raises(ConflictError):
            pipeline(store).replay(item, again)
    assert sent(store) == ONCE
    assert len(store.audit.latest()) == 1


def test_many_at_once_have_one_effect(store: Store) -> None:
    item = given_up(store)
    done: list[Outcome] = []
    refused: list[Exception] = []
    start = threading.Barrier(4)

    def click(number: int) -> None:
        start.wait()
        try:
            done.append(pipeline(store).replay(item, act(f"click-{number}")))
        except ConflictError as error:
            refused.append(error)

    threads = [threading.Thread(target=click, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(done), len(refused)) == (1, 3)
    assert sent(store) == ONCE


# ------------------------------------------------------------------ a receipt never changes its mind
def test_who_was_told_of_a_refusal_is_never_told_of_an_acceptance(store: Store) -> None:
    item = put_aside(store, WRONG_RECEIVER)
    assert item.obstacle == "refused"
    mended = pipeline(store, with_its_receiver())
    for corrected in (None, WRONG_RECEIVER + b" "):
        with pytest.raises(ConflictError, match="refused"):
            mended.replay(item, act(), corrected)
    assert sent(store) == {"XCTL02": 1, "repeats": 0}
    assert the_item(store).state == "open"
    assert store.audit.latest() == []


def test_a_refusal_of_the_whole_message_counts_too(store: Store) -> None:
    assert put_aside(store, recorded()["15-truncated.xml"]).obstacle == "refused"


def test_a_first_receipt_may_be_a_refusal(store: Store) -> None:
    outcome = pipeline(store).replay(given_up(store, WRONG_RECEIVER), act())
    assert [p.fault.id for p in outcome.parked] == ["GW-130"]
    assert sent(store) == {"XCTL02": 1, "repeats": 0}
    assert sorted(row.state for row in store.overview.parked_items(include_closed=True)) == ["open", "replayed"]


def test_who_has_a_positive_receipt_gets_no_other(store: Store) -> None:
    """A reply that fitted no case was receipted; once its case is there, it is handled without another receipt."""
    item = put_aside(store, xdis91_message())
    assert item.fault_id == "GW-165"
    assert item.receipts
    before = sent(store)
    outcome = pipeline(store, with_its_receiver()).replay(item, act())
    assert [p.fault.id for p in outcome.parked] == ["GW-165"]
    assert sent(store) == before
    with reading(store.engine) as connection:
        assert connection.scalar(select(letters.c.receipt_id)) == item.receipts[0]
        assert connection.scalar(select(messages.c.receipts)) == f'["{item.receipts[0]}"]'


# ------------------------------------------------------------------ what fails again
def test_what_fails_again_waits_again(store: Store) -> None:
    item = put_aside(store, b"neither XML nor JSON")
    outcome = pipeline(store).replay(item, act())
    assert [p.fault.id for p in outcome.parked] == [item.fault_id]
    after = the_item(store)
    assert (after.state, after.closed_by, after.handled_as) == ("open", None, None)
    assert after.data == b"neither XML nor JSON"


def test_the_replayed_message_is_known_afterwards(store: Store) -> None:
    pipeline(store).replay(given_up(store), act())
    assert pipeline(store).handle_one(Delivery(data=GOOD)).duplicate


def test_a_teams_event_is_handled_anew_too(store: Store) -> None:
    item = put_aside(store, event("contacted", episode_of_care_id=None, case_id="unknown"), Entrance.TEAM)
    assert item.entrance == "team"
    outcome = pipeline(store).replay(item, act())
    assert [p.fault.id for p in outcome.parked] == ["GW-161"]
    assert the_item(store).state == "open"


# ------------------------------------------------------------------ a corrected copy
def test_a_corrected_copy_is_handled_and_the_original_stays_as_it_came(store: Store) -> None:
    original = GOOD[:900]
    item = given_up(store, original)
    outcome = pipeline(store).replay(item, act(), corrected=GOOD)
    assert not outcome.parked
    assert sent(store) == ONCE
    after = the_item(store)
    assert after.data == original
    assert after.handled_as == outcome.message.digest != after.digest
    with reading(store.engine) as connection:
        assert len(connection.execute(select(messages.c.digest)).all()) == 2


def test_a_corrected_copy_that_fails_too_is_not_kept(store: Store) -> None:
    item = given_up(store)
    outcome = pipeline(store).replay(item, act(), corrected=b"nothing readable")
    assert outcome.parked
    assert the_item(store).state == "open"
    assert store.audit.latest() == []


@pytest.mark.parametrize("fault", ["GW-112", "GW-117", "GW-150", "GW-151", "GW-171", "GW-172"])
def test_what_was_accepted_is_no_matter_for_a_replay(store: Store, fault: str) -> None:
    assert change(given_up(store), fault_id=fault).obstacle == "accepted"


def test_there_is_no_item_of_an_unknown_id(store: Store) -> None:
    assert parked_message(store.engine, store.codec, "none") is None


def test_an_item_is_shown_though_its_message_is_gone(store: Store) -> None:
    item = given_up(store)
    with store.engine.begin() as connection:
        connection.execute(messages.update().values(body=None))
    gone = parked_message(store.engine, store.codec, item.id)
    assert gone is not None
    assert (gone.data, gone.obstacle) == (b"", "gone")


def test_one_process_may_be_slow_to_look(store: Store) -> None:
    """The item is read, then settled by someone else, and only then asked for."""
    item = given_up(store)
    assert store.parking.discard(item.id, change(act(), who="bo"), NOW)
    with pytest.raises(ConflictError):
        pipeline(store).replay(item, act())
    assert sent(store) == {"repeats": 0}
    with reading(store.engine) as connection:
        assert connection.scalar(select(parked.c.state)) == "discarded"


def test_a_message_refused_since_then_is_refused_for_the_older_item_too(store: Store) -> None:
    item = given_up(store, WRONG_RECEIVER)
    pipeline(store).handle_one(Delivery(data=WRONG_RECEIVER))
    again = parked_message(store.engine, store.codec, item.id)
    assert again is not None
    assert again.obstacle == "refused"
    with writing(store.engine) as connection:
        connection.execute(update(letters).values(receipt_id=None))
    still = parked_message(store.engine, store.codec, item.id)
    assert still is not None
    assert still.obstacle == "refused"
