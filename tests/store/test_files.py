"""Files and the letters that name them, in the store: joined across batches and processes, kept apart from the case."""

import base64
import json
from typing import Any

import pytest
from sqlalchemy import select

from gateway.errors import ConflictError
from gateway.inbound.pipeline import Pipeline
from gateway.inbound.source import Delivery
from gateway.municipality.model import load
from gateway.receive import Entrance
from gateway.referral.attachments import TrackedObject
from gateway.referral.inbox import Outcome
from gateway.store.engine import reading
from gateway.store.schema import cases, files, objects, outbox, parked
from gateway.store.store import Store
from tests.attachment_builders import NAMED, OTHER_ID, PDF, binary, reference, xbin, xbin_message
from tests.builders import BACK_TEAM, CPR, NAME, RECEIVED, emessage, event, xref15
from tests.store.material import NOW, entry, keys

REFERRAL = emessage(xref15(references=reference()))
ATTACHMENT = xbin_message()


def pipeline(store: Store) -> Pipeline:
    return Pipeline(store, load(), lambda: RECEIVED)


def rows(store: Store, *columns: object) -> list[Any]:
    with reading(store.engine) as connection:
        return [tuple(row) for row in connection.execute(select(*columns))]


def file_of(outcome: Outcome) -> bytes:
    (letter,) = [x for x in outcome.outgoing if x.kind == "DocumentReference"]
    (document,) = [
        e["resource"]
        for e in json.loads(letter.content)["entry"]
        if e["resource"]["resourceType"] == "DocumentReference"
    ]
    return base64.b64decode(document["content"][0]["attachment"]["data"])


@pytest.mark.parametrize("messages", [(REFERRAL, ATTACHMENT), (ATTACHMENT, REFERRAL)], ids=["letter first", "last"])
@pytest.mark.parametrize("together", ["one batch", "two batches"])
def test_joined_whichever_comes_first(store: Store, messages: tuple[bytes, ...], together: str) -> None:
    deliveries = [Delivery(data=data) for data in messages]
    batches = [deliveries] if together == "one batch" else [[one] for one in deliveries]
    outcomes = [outcome for batch in batches for outcome in pipeline(store).handle(batch)]
    assert file_of(outcomes[-1]) == PDF
    assert rows(store, objects.c.object_id, objects.c.number) == [(NAMED, 2)]
    assert [s for s, _ in rows(store, parked.c.state, parked.c.closed_why)] == (
        ["settled"] if messages[0] is ATTACHMENT else []
    )


def test_the_file_stands_apart_from_case_and_object(store: Store) -> None:
    for data in (REFERRAL, ATTACHMENT):
        pipeline(store).handle([Delivery(data=data)])
    ((found, size),) = rows(store, files.c.body, files.c.size)
    assert (store.codec.open(found), size) == (PDF, len(PDF))
    encoded = base64.b64encode(PDF)
    for (body,) in (*rows(store, cases.c.body), *rows(store, objects.c.body)):
        assert encoded not in store.codec.open(body)


def test_the_tables_tell_nothing_of_the_citizen(store: Store) -> None:
    for data in (REFERRAL, ATTACHMENT):
        pipeline(store).handle([Delivery(data=data)])
    open_columns = [c for t in (objects, files) for c in t.columns if c.name != "body"]
    told = str([rows(store, column) for column in open_columns])
    assert CPR not in told
    assert NAME not in told


def test_what_is_known_holds_the_file_and_the_case(store: Store) -> None:
    first = pipeline(store).handle([Delivery(data=REFERRAL)])[0]
    pipeline(store).handle([Delivery(data=ATTACHMENT)])
    known = store.inbox.known(keys(objects={NAMED}))
    assert known.objects[NAMED].files[0].file.data == PDF
    assert list(known.cases) == [first.cases[0].case_id]
    assert store.inbox.known(keys(objects={"0" * 32})).objects == {}


def test_only_what_waited_for_this_letter_is_settled(store: Store) -> None:
    pipeline(store).handle([Delivery(data=xbin_message(xbin(binary(), binary(OTHER_ID))))])
    pipeline(store).handle([Delivery(data=REFERRAL)])
    states = dict(rows(store, parked.c.detail, parked.c.state))
    assert states == {NAMED: "settled", OTHER_ID.replace("-", ""): "open"}


@pytest.mark.parametrize("number", [1, 2, 4])
def test_the_other_half_saved_in_between_is_a_conflict(store: Store, number: int) -> None:
    one = TrackedObject(object_id=NAMED)
    store.inbox.save([entry("first", objects=(one,))], NOW)
    second = TrackedObject(object_id=NAMED, number=number)
    if number == 2:
        store.inbox.save([entry("second", objects=(second,))], NOW)
        assert rows(store, objects.c.number) == [(2,)]
        return
    with pytest.raises(ConflictError, match="in between"):
        store.inbox.save([entry("second", objects=(second,))], NOW)
    assert rows(store, objects.c.number) == [(1,)]


def test_two_processes_at_the_same_moment_still_join(store: Store) -> None:
    """Both look before either saves: the second is refused, looks anew and finds the first."""
    letter, attachment = pipeline(store), pipeline(store)
    known = store.inbox.known

    def meanwhile(asked: object) -> object:
        found = known(asked)
        store.inbox.known = known
        letter.handle([Delivery(data=REFERRAL)])
        return found

    store.inbox.known = meanwhile
    assert file_of(attachment.handle_one(Delivery(data=ATTACHMENT))) == PDF


@pytest.mark.parametrize("together", ["one batch", "a batch each"])
def test_a_team_that_is_given_the_case_is_handed_its_file(store: Store, together: str) -> None:
    told = [Delivery(data=data) for data in (REFERRAL, ATTACHMENT)]
    told.append(Delivery(data=event("reassigned"), entrance=Entrance.TEAM))
    batches = [told] if together == "one batch" else [[one] for one in told]
    outcomes = [outcome for batch in batches for outcome in pipeline(store).handle(batch)]
    assert file_of(outcomes[-1]) == PDF
    (letter,) = [x for x in outcomes[-1].outgoing if x.kind == "DocumentReference"]
    assert letter.receiver == BACK_TEAM
    kept = store.outbox.letter(letter.letter_id)
    assert kept == letter


def test_two_attachment_letters_of_one_case_in_one_message(store: Store) -> None:
    """Each changes the case once more; they are saved on top of the number that the first one found."""
    both = reference() + reference(OTHER_ID.replace("-", ""), "Røntgen")
    pipeline(store).handle_one(Delivery(data=emessage(xref15(references=both))))
    letters = (xbin(), xbin(binary(OTHER_ID), letter_id="BIL00000000002"))
    outcome = pipeline(store).handle_one(Delivery(data=xbin_message(*letters)))
    assert [x.kind for x in outcome.outgoing].count("DocumentReference") == 2
    assert rows(store, cases.c.number) == [(3,)]


@pytest.mark.parametrize("first", ["attachment", "reassigned"])
def test_a_file_that_comes_in_the_moment_a_case_changes_teams_reaches_the_new_team(
    store: Store, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of two processes looked before the other had saved; whoever saves last must look again."""
    pipeline(store).handle_one(Delivery(data=REFERRAL))
    both = {
        "attachment": Delivery(data=ATTACHMENT),
        "reassigned": Delivery(data=event("reassigned"), entrance=Entrance.TEAM),
    }
    quick = both.pop(first)
    (slow,) = both.values()
    other, save = pipeline(store), store.inbox.save

    def overtaken(*given: Any) -> Any:  # noqa: ANN401  (as ``save``)
        monkeypatch.setattr(store.inbox, "save", save)
        other.handle_one(quick)
        return save(*given)

    monkeypatch.setattr(store.inbox, "save", overtaken)
    pipeline(store).handle_one(slow)
    with reading(store.engine) as connection:
        told = connection.scalars(select(outbox.c.receiver).where(outbox.c.kind == "DocumentReference")).all()
    assert BACK_TEAM in told
