"""Bytes in, one transaction out: batches, duplicates, conflicts, what is given up on, what the relay is offered."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import msgspec
import pytest
from prometheus_client import generate_latest
from structlog.testing import capture_logs

from gateway.errors import ConflictError, NeighbourError
from gateway.inbound import pipeline as pipeline_module
from gateway.inbound.pipeline import Pipeline
from gateway.inbound.source import Delivery
from gateway.metrics import REGISTRY
from gateway.municipality.model import load
from gateway.receive import Entrance, read
from gateway.referral.inbox import Keys, Known, Outcome
from gateway.referral.letters import Outgoing
from gateway.referral.reading import Reading
from gateway.simulate.stories import recorded, stories
from gateway.store.store import Store, open_store
from tests.inbound.harness import Clock

MESSAGES = recorded()
FIRST = MESSAGES["01-type-2-diabetes.xml"]
SECOND = MESSAGES["04-heart.xml"]
RETURNED = MESSAGES["10-overweight-only.xml"]
BROKEN = MESSAGES["15-truncated.xml"]
EPISODE = "24f19dc3b42b5f7b926bcbbedffabe9b"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/gateway.sqlite3") as opened:
        yield opened


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pipeline(store: Store, clock: Clock) -> Pipeline:
    return Pipeline(store, load(), clock)


def medcom(data: bytes) -> Delivery:
    return Delivery(data=data)


def team(number: int = 0, **changes: object) -> Delivery:
    """An event of the first recorded referral."""
    told = list(stories()[0].events(EPISODE, datetime.fromisoformat("2026-11-24T08:00:00+01:00")))[number]
    return Delivery(data=msgspec.json.encode(told | changes), entrance=Entrance.TEAM)


def pending(store: Store) -> int:
    return store.overview.numbers(datetime.fromisoformat("2026-11-23T09:00:00Z")).outbox_pending


def test_a_batch_is_one_transaction(pipeline: Pipeline, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    saves: list[int] = []
    save = store.inbox.save
    monkeypatch.setattr(store.inbox, "save", lambda entries, *rest: saves.append(len(entries)) or save(entries, *rest))
    outcomes = pipeline.handle([medcom(data) for data in MESSAGES.values()])
    assert saves == [len(MESSAGES)]
    assert sum(bool(outcome.resend) for outcome in outcomes) == 1
    assert store.overview.numbers(outcomes[0].message.received_at).messages == len(MESSAGES)


def test_a_batch_and_one_at_a_time_lead_to_the_same(pipeline: Pipeline, store: Store, tmp_path: Path) -> None:
    def letters(outcomes: list[Outcome]) -> list[list[str]]:
        return [[x.letter_id for x in o.outgoing] + list(o.resend) + [p.id for p in o.parked] for o in outcomes]

    together = pipeline.handle([medcom(data) for data in MESSAGES.values()])
    with open_store(f"sqlite:///{tmp_path}/other.sqlite3") as other:
        alone = Pipeline(other, load(), Clock())
        singly = [alone.handle_one(medcom(data)) for data in MESSAGES.values()]
    assert letters(together) == letters(singly)


def test_a_referral_and_what_its_team_tells_may_come_in_one_batch(pipeline: Pipeline, store: Store) -> None:
    outcomes = pipeline.handle([medcom(FIRST), team(0), team(1), team(1)])
    assert [bool(o.parked) for o in outcomes] == [False] * 4
    assert [case.number for o in outcomes for case in o.cases] == [1, 2, 3]
    assert outcomes[3].duplicate
    assert store.overview.numbers(outcomes[0].message.received_at).cases_by_state == {"contacted": 1}


def test_a_message_that_fails_takes_the_batch_with_it_and_leaves_nothing(
    pipeline: Pipeline, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive = pipeline_module.receive

    def poison(reading: Reading, known: Known, *rest: object) -> Outcome:
        if reading.digest == read(SECOND).digest:
            raise KeyError("a bug")
        return receive(reading, known, *rest)

    monkeypatch.setattr(pipeline_module, "receive", poison)
    with pytest.raises(KeyError):
        pipeline.handle([medcom(FIRST), medcom(SECOND)])
    assert pending(store) == 0
    assert store.inbox.known(Keys(digests=frozenset({read(FIRST).digest}))).messages == ()


def test_a_duplicate_gets_the_stored_receipt_and_nothing_else_happens(pipeline: Pipeline, clock: Clock) -> None:
    first = pipeline.handle_one(medcom(FIRST))
    clock.forward(days=3)
    again = pipeline.handle_one(medcom(FIRST))
    assert again.duplicate
    assert again.resend == first.message.receipts
    assert len(again.resend) == 1
    assert (again.outgoing, again.cases, again.parked) == ((), (), ())


def test_a_known_letter_in_another_envelope_gets_the_stored_receipt(pipeline: Pipeline) -> None:
    first = pipeline.handle_one(medcom(FIRST))
    again = pipeline.handle_one(medcom(FIRST.replace(b"PRKUV000000001", b"PRKUV00000009X")))
    assert not again.duplicate
    assert again.resend == first.message.receipts
    assert (again.outgoing, again.cases) == ((), ())


def _between_look_and_save(store: Store, monkeypatch: pytest.MonkeyPatch, times: int, meanwhile: object) -> list[int]:
    known, looks = store.inbox.known, []

    def look(keys: Keys) -> Known:
        found = known(keys)
        looks.append(1)
        if len(looks) <= times:
            meanwhile(len(looks))
        return found

    monkeypatch.setattr(store.inbox, "known", look)
    return looks


def test_who_comes_second_finds_what_the_first_one_saved(
    pipeline: Pipeline, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Pipeline(store, load(), Clock())
    looks = _between_look_and_save(store, monkeypatch, 1, lambda _n: other.handle_one(medcom(FIRST)))
    outcome = pipeline.handle_one(medcom(FIRST))
    assert outcome.duplicate
    assert len(looks) == 3


def test_a_batch_that_runs_into_a_conflict_saves_nothing(
    pipeline: Pipeline, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Pipeline(store, load(), Clock())
    _between_look_and_save(store, monkeypatch, 1, lambda _n: other.handle_one(medcom(FIRST)))
    with pytest.raises(ConflictError):
        pipeline.handle([medcom(SECOND), medcom(FIRST)])
    assert store.inbox.known(Keys(digests=frozenset({read(SECOND).digest}))).messages == ()


def test_a_conflict_that_never_ends_is_told_in_the_end(
    pipeline: Pipeline, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def conflict(*_given: object) -> frozenset[str]:
        raise ConflictError("again")

    monkeypatch.setattr(store.inbox, "save", conflict)
    with capture_logs() as logs, pytest.raises(ConflictError):
        pipeline.handle_one(medcom(FIRST))
    assert [told["event"] for told in logs] == ["message.conflict"] * 4


def test_what_is_given_up_on_is_parked_with_its_bytes_and_may_be_handled_later(
    pipeline: Pipeline, store: Store, clock: Clock
) -> None:
    for _ in range(2):
        outcome = pipeline.give_up(medcom(FIRST))
        assert [p.fault.id for p in outcome.parked] == ["GW-190"]
        assert outcome.outgoing == ()
    assert len(store.overview.parked_items()) == 1

    clock.forward(days=1)
    handled = pipeline.handle_one(medcom(FIRST))
    assert not handled.duplicate
    assert handled.outgoing
    assert pipeline.handle_one(medcom(FIRST)).duplicate


def test_giving_up_on_what_another_process_handled_meanwhile_parks_nothing(pipeline: Pipeline, store: Store) -> None:
    pipeline.handle_one(medcom(FIRST))
    outcome = pipeline.give_up(medcom(FIRST))
    assert (outcome.duplicate, outcome.parked) == (True, ())
    assert store.overview.parked_items() == []


@pytest.mark.parametrize("entrance", list(Entrance))
def test_a_dead_letter_is_parked_not_handled_and_may_come_again(
    pipeline: Pipeline, store: Store, entrance: Entrance
) -> None:
    dead = Delivery(data=FIRST, entrance=entrance, dead=True)
    outcome = pipeline.handle([dead])[0]
    assert [p.fault.id for p in outcome.parked] == ["GW-191"]
    assert (outcome.cases, outcome.outgoing) == ((), ())
    pipeline.handle_one(dead)
    assert [item.fault_id for item in store.overview.parked_items()] == ["GW-191"]
    assert pipeline.handle_one(medcom(FIRST)).cases


def test_a_dead_letter_that_had_been_handled_is_nothing_new(pipeline: Pipeline, store: Store) -> None:
    """Its acknowledgement was lost a thousand times; the handling was not."""
    pipeline.handle_one(medcom(FIRST))
    (outcome,) = pipeline.handle([Delivery(data=FIRST, dead=True)])
    assert (outcome.duplicate, outcome.resend, outcome.parked) == (True, (), ())
    assert store.overview.parked_items() == []


def test_fresh_letters_are_offered_to_the_relay_claimed_and_drafts_are_not(store: Store, clock: Clock) -> None:
    offered: list[tuple[list[Outgoing], datetime]] = []
    pipeline = Pipeline(store, load(), clock, lambda letters, until: offered.append((letters, until)))
    outcomes = pipeline.handle([medcom(FIRST), medcom(RETURNED), medcom(FIRST)])

    ((letters, until),) = offered
    assert until == clock.now + timedelta(seconds=30)
    written = [letter for outcome in outcomes for letter in outcome.outgoing]
    assert letters == [letter for letter in written if not letter.draft]
    assert any(letter.draft for letter in written)
    assert store.outbox.claim(clock.now, until, 100) == [], "they are claimed already"

    pipeline.handle_one(medcom(FIRST))
    assert len(offered) == 1, "a stored receipt goes by the outbox"


def test_without_a_relay_at_hand_letters_wait_to_be_claimed(pipeline: Pipeline, store: Store, clock: Clock) -> None:
    outcome = pipeline.handle_one(medcom(FIRST))
    claimed = store.outbox.claim(clock.now, clock.now, 100)
    assert {x.letter_id for x in claimed} == {x.letter_id for x in outcome.outgoing}


def test_who_hears_the_reason_at_once_needs_no_parked_row(pipeline: Pipeline, store: Store) -> None:
    refused = pipeline.handle_one(team(0), keep_refused=False)
    assert [p.fault.id for p in refused.parked] == ["GW-161"]
    assert store.overview.parked_items() == []
    pipeline.handle_one(medcom(FIRST))
    assert pipeline.handle_one(team(0), keep_refused=False).cases
    assert pipeline.handle_one(team(0), keep_refused=False).duplicate


def test_a_refused_event_that_was_parked_is_looked_at_anew_when_it_comes_again(
    pipeline: Pipeline, store: Store
) -> None:
    assert pipeline.handle_one(team(0)).parked
    pipeline.handle_one(medcom(FIRST))
    again = pipeline.handle_one(team(0))
    assert (again.parked, len(again.cases)) == ((), 1)


def test_a_refused_message_is_parked_with_its_receipt(pipeline: Pipeline, store: Store) -> None:
    outcome = pipeline.handle_one(medcom(BROKEN))
    assert [x.kind for x in outcome.outgoing] == ["XCTL02"]
    (item,) = store.overview.parked_items()
    assert item.fault_id == "GW-102"


def test_too_large_a_message_is_refused(store: Store, clock: Clock) -> None:
    outcome = Pipeline(store, load(), clock, reader=partial(read, limit=1000)).handle_one(medcom(FIRST))
    assert [p.fault.id for p in outcome.parked] == ["GW-104"]


def test_a_store_that_is_down_is_told_and_nothing_is_offered(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: list[object] = []
    pipeline = Pipeline(store, load(), clock, lambda *given: offered.append(given))

    def down(*_given: object) -> frozenset[str]:
        raise NeighbourError("down")

    monkeypatch.setattr(store.inbox, "save", down)
    with pytest.raises(NeighbourError):
        pipeline.handle_one(medcom(FIRST))
    assert offered == []


def test_no_label_of_a_metric_is_a_senders_own_text(pipeline: Pipeline) -> None:
    strange = FIRST.replace(b"MunicipalityReferral", b"Hansen0101010001").replace(b">XREF15<", b">Hansen1<")
    pipeline.handle([medcom(strange), medcom(BROKEN)])
    told = generate_latest(REGISTRY).decode()
    assert 'gateway_messages_total{type="other",verdict="parked"}' in told
    assert "Hansen" not in told


def test_one_log_line_per_message_holds_ids_and_codes_only(pipeline: Pipeline) -> None:
    with capture_logs() as logs:
        pipeline.handle([medcom(FIRST), medcom(BROKEN)])
    first, second = logs
    assert first["event"] == second["event"] == "message.handled"
    assert (first["type"], first["verdict"], first["outcomes"]) == ("XREF15", "accepted", ["accepted"])
    assert (first["envelope"], first["letters"]) == ("PRKUV000000001", ["PRBRV000000001"])
    assert (second["verdict"], second["faults"]) == ("parked", ["GW-102"])
    assert not re.search(r"Demosen|1203659901|diabetes|Prøve", str(logs))


def test_what_may_be_an_attack_is_told_as_a_security_event_with_ids_only(pipeline: Pipeline) -> None:
    told = 'gateway_security_events_total{fault="GW-103"}'
    before = _value(told)
    with capture_logs() as lines:
        pipeline.handle([medcom(b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><Emessage>&e;</Emessage>")])
        pipeline.handle([medcom(BROKEN)])
    (event,) = [line for line in lines if line["event"] == "security.event"]
    assert event.keys() == {"event", "log_level", "fault", "digest", "sender"}
    assert (event["log_level"], event["fault"]) == ("warning", "GW-103")
    assert _value(told) == before + 1


def _value(sample: str) -> float:
    lines = generate_latest(REGISTRY).decode().splitlines()
    return float(next((line.rpartition(" ")[2] for line in lines if line.startswith(sample)), 0))
