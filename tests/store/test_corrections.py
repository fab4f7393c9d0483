"""A corrected referral in the store: every version of the decision is kept, an older drafted answer is not."""

import msgspec
from sqlalchemy import select

from gateway.municipality.model import load
from gateway.receive import Entrance, read, receive
from gateway.referral.answer import keys_of
from gateway.referral.case import Case
from gateway.referral.inbox import Known, Outcome
from gateway.referral.promises import promises
from gateway.store.rows import Entry
from gateway.store.schema import outbox
from gateway.store.store import Store
from tests.builders import CONSULTANTS, RECEIVED, emessage, event, icpc, sks, xref15
from tests.store.material import later

FIRST = emessage(xref15(diagnoses=icpc("T82")))
CORRECTED = emessage(
    xref15(letter_id="RETTET00000001", status="rettetbrev", diagnoses=icpc("T82", "T83")), envelope_id="RETTET1"
)
AGAIN = emessage(xref15(letter_id="RETTET00000002", status="rettetbrev", diagnoses=sks("DE119")), envelope_id="RETTET2")


def entry(data: bytes, outcome: Outcome, entrance: str = "medcom") -> Entry:
    standing = {case.case_id: promises(case, load()) for case in outcome.cases}
    return Entry(outcome=outcome, data=data, entrance=entrance, promises=standing)


def taken(store: Store, data: bytes, entrance: str = "medcom") -> Outcome:
    """One message through the core and into the store."""
    reading = read(data, Entrance(entrance))
    outcome = receive(reading, store.inbox.known(keys_of(reading)), load(), RECEIVED)
    store.inbox.save([entry(data, outcome, entrance)], later())
    return outcome


def drafts(store: Store) -> list[tuple[str, str]]:
    query = select(outbox.c.status, outbox.c.kind).where(outbox.c.kind == "XDIS91").order_by(outbox.c.status)
    with store.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query)]


def decided(case: Case) -> list[str]:
    return [*(version.decision.outcome for version in case.earlier), case.decision.outcome]


def test_every_version_of_the_decision_is_kept(store: Store) -> None:
    taken(store, FIRST)
    taken(store, event("info_requested"), "team")
    taken(store, CORRECTED)
    (case,) = taken(store, AGAIN).cases
    found = store.inbox.known(keys_of(read(AGAIN))).cases[case.case_id]
    assert found == case
    assert decided(found) == ["return", "return", "accepted"]
    assert [version.number for version in found.earlier] == [2, 3]
    assert [event.type.value for event in found.events] == ["info_requested"]


def test_a_correction_replaces_the_drafted_answer(store: Store) -> None:
    taken(store, FIRST)
    taken(store, CORRECTED)
    assert drafts(store) == [("draft", "XDIS91"), ("superseded", "XDIS91")]
    taken(store, AGAIN)
    assert drafts(store) == [("pending", "XDIS91"), ("superseded", "XDIS91"), ("superseded", "XDIS91")]


def test_a_correction_in_the_same_batch(store: Store) -> None:
    """The first letter's draft and what replaces it are saved together."""
    known, entries = Known(), []
    for data in (FIRST, AGAIN):
        outcome = receive(read(data), known, load(), RECEIVED)
        known = known.fold(outcome)
        entries.append(entry(data, outcome))
    store.inbox.save(entries, later())
    assert drafts(store) == [("pending", "XDIS91"), ("superseded", "XDIS91")]
    (kept,) = store.past.cases()
    assert decided(kept) == ["return", "accepted"]


def test_a_new_draft_stays_where_the_question_had_been_asked(store: Store) -> None:
    taken(store, FIRST)
    taken(store, event("info_requested", team=CONSULTANTS), "team")
    taken(store, CORRECTED)
    assert drafts(store) == [("draft", "XDIS91"), ("pending", "XDIS91"), ("superseded", "XDIS91")]


def test_a_case_written_before_there_were_versions_can_be_read() -> None:
    from gateway.referral.case import Case

    (case,) = receive(read(FIRST), Known(), load(), RECEIVED).cases
    bare = msgspec.to_builtins(case)
    for name in ("earlier", "decided_as", "cancelled_at"):
        del bare[name]
    assert msgspec.json.decode(msgspec.json.encode(bare), type=Case) == case
