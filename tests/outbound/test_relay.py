"""The relay between a real outbox and a transport that does as it is told: nothing lost, nothing sent twice."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from gateway.errors import BrokerError, StoreError
from gateway.outbound import relay as relay_module
from gateway.outbound.envelopes import Transmission, mint
from gateway.outbound.relay import Relay
from gateway.outbound.sink import Result
from gateway.referral.letters import Carrier, Channel, Outgoing
from gateway.store.engine import reading
from gateway.store.outbox import RETRY_AFTER
from gateway.store.store import Store
from gateway.store.transmissions import transmissions
from tests.inbound.harness import Clock
from tests.neighbours import wait_for
from tests.outbound.relaying import REFUSED, UNANSWERED, UNKNOWN, FakeSink, Put, state
from tests.store.material import entry, outgoing


@pytest.mark.parametrize("offered", [True, False])
def test_letters_are_sent_once_and_marked(
    relay: Relay, sink: FakeSink, store: Store, put: Put, *, offered: bool
) -> None:
    put("OUT1", "OUT2", offered=offered)
    assert relay.step() == 2
    assert relay.step() == 0
    assert sorted(sink.ids()) == ["OUT1", "OUT2"]
    assert {state(store, i).status for i in ("OUT1", "OUT2")} == {"sent"}
    with reading(store.engine) as connection:
        told = dict(connection.execute(select(transmissions.c.letter_id, transmissions.c.envelope_id)).all())
    assert told == {t.letter.letter_id: t.envelope_id for t in sink.taken}


def test_batches_are_no_larger_than_they_may_be(relay: Relay, sink: FakeSink, put: Put) -> None:
    put(*(f"OUT{n:02}" for n in range(25)))
    assert [relay.step() for _ in range(4)] == [10, 10, 5, 0]
    assert len(set(sink.ids())) == 25


def test_a_letter_handed_over_whose_claim_has_run_out_is_left_to_the_outbox(
    relay: Relay, sink: FakeSink, store: Store, clock: Clock, put: Put
) -> None:
    """Another process may have it: it is claimed like any other, and sent once."""
    put("OUT1", offered=True)
    clock.forward(seconds=26)
    assert relay.step() == 0, "the claim is about to end"
    theirs = store.outbox.claim(clock.now + timedelta(seconds=5), clock.now + timedelta(seconds=60), 10)
    assert [x.letter_id for x in theirs] == ["OUT1"]
    clock.forward(seconds=5)
    assert relay.step() == 0, "someone else has it"
    clock.forward(minutes=1)
    assert relay.step() == 1
    assert sink.ids() == ["OUT1"]


def test_the_time_of_a_claim_is_the_stores_to_say(relay: Relay, store: Store, clock: Clock, put: Put) -> None:
    store.outbox.claim_time = timedelta(seconds=3)
    put("OUT1", offered=True)
    clock.forward(seconds=2)
    assert relay.step() == 1
    put("OUT2", offered=True)
    clock.forward(seconds=2.6)
    assert relay.step() == 0
    clock.forward(seconds=1)
    assert relay.step() == 1


def test_due_letters_do_not_wait_behind_a_stream_of_fresh_ones(
    running: Relay, sink: FakeSink, clock: Clock, put: Put
) -> None:
    """Duplicates' receipts, retries and what other processes left go by the outbox."""
    put("DUE")
    number = 0

    def busy_and_sent() -> bool:
        nonlocal number
        number += 1
        put(f"FRESH{number}", offered=True)
        return "DUE" in sink.ids()

    wait_for(busy_and_sent, "the letter that is due", within_s=5)


def test_a_letter_that_cannot_be_wrapped_does_not_stop_the_others(
    relay: Relay, sink: FakeSink, store: Store, clock: Clock, put: Put
) -> None:
    put("GOOD1", offered=True)
    put("BAD", offered=True, kind="NO-SUCH-TYPE")
    put("GOOD2", offered=True)
    relay.step()
    assert sink.ids() == ["GOOD1", "GOOD2"]
    assert (state(store, "BAD").attempts, state(store, "BAD").last_error) == (1, "GW-190 KeyError")
    for wait in RETRY_AFTER:
        clock.now += wait
        relay.step()
    assert state(store, "BAD").status == "parked"


def test_a_letter_that_the_transport_refuses_is_tried_again_later_and_parked_in_the_end(
    relay: Relay, sink: FakeSink, store: Store, clock: Clock, put: Put
) -> None:
    put("GOOD", "BAD")
    sink.fates["BAD"] = REFUSED
    relay.step()
    assert (state(store, "BAD").status, state(store, "BAD").last_error) == ("pending", "GW-205 refused")
    assert relay.step() == 0
    for wait in RETRY_AFTER:
        clock.now += wait
        assert relay.step() == 1
    assert state(store, "BAD").status == "parked"
    assert sink.ids() == ["GOOD"]


@pytest.mark.parametrize("offered", [True, False])
def test_a_transport_that_is_down_counts_against_no_letter(
    relay: Relay, sink: FakeSink, store: Store, put: Put, *, offered: bool
) -> None:
    put("OUT1", offered=offered)
    sink.down = True
    for _ in range(8):
        with pytest.raises(BrokerError):
            relay.step()
    assert (state(store, "OUT1").attempts, state(store, "OUT1").status) == (0, "pending")
    sink.down = False
    assert relay.step() == 1
    assert sink.ids() == ["OUT1"]


def test_an_unknown_fate_is_the_same_letter_again_in_another_envelope(
    relay: Relay, sink: FakeSink, store: Store, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    minted: list[Transmission] = []
    monkeypatch.setattr(relay_module, "mint", lambda *given: minted.append(mint(*given)) or minted[-1])
    put("OUT1")
    sink.fates["OUT1"] = UNKNOWN
    for _ in range(7):
        assert relay.step() == 1
    assert state(store, "OUT1").attempts == 0
    sink.fates.clear()
    assert relay.step() == 1
    assert {t.letter.letter_id for t in minted} == {"OUT1"}
    assert len({t.envelope_id for t in minted}) == 8


def test_letters_that_no_confirm_comes_for_go_behind_the_others(
    relay: Relay, sink: FakeSink, store: Store, put: Put, clock: Clock
) -> None:
    """A team's queue without a majority: a batch that its letters are in waits half a minute."""
    stuck = [f"STUCK{n}" for n in range(10)]
    sink.fates = dict.fromkeys(stuck, UNANSWERED)
    put(*stuck)
    with pytest.raises(BrokerError):
        relay.step()
    clock.forward(seconds=1)
    put("OUT1", "OUT2")
    assert relay.step() == 2
    assert sorted(sink.ids()) == ["OUT1", "OUT2"]
    assert relay.step() == 0
    sink.fates.clear()
    clock.forward(seconds=10)
    assert relay.step() == len(stuck)
    assert {state(store, name).attempts for name in stuck} == {0}


def test_the_page_is_told_that_no_confirms_come_until_none_is_missing_for_a_while(
    running: Relay, sink: FakeSink, put: Put, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other letters get through all the while; they do not make it well."""
    sink.fates["OUT1"] = UNANSWERED
    put("OUT1", offered=True)
    wait_for(lambda: running.waits_for == "broker", "the outage to be noticed")
    put("OUT2", offered=True)
    wait_for(lambda: sink.ids() == ["OUT2"], "the other letter")
    time.sleep(0.2)
    assert running.waits_for == "broker"
    monkeypatch.setattr(relay_module, "_SILENT_S", 0.0)
    clock.forward(seconds=11)
    wait_for(lambda: running._silent_until < time.monotonic(), "the next try")
    sink.fates.clear()
    clock.forward(seconds=11)
    wait_for(lambda: "OUT1" in sink.ids() and running.waits_for == "", "all to be well")


@pytest.mark.parametrize("fate", [UNKNOWN, UNANSWERED, REFUSED])
def test_a_letter_that_another_process_has_claimed_meanwhile_is_left_to_it(
    relay: Relay, sink: FakeSink, store: Store, put: Put, clock: Clock, fate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("OUT1", offered=True)
    sink.fates["OUT1"] = fate
    theirs: list[Outgoing] = []

    def slow(batch: Sequence[Transmission]) -> list[Result]:
        clock.forward(seconds=31)
        theirs.extend(store.outbox.claim(clock.now, clock.now + store.outbox.claim_time, 10))
        return [sink._result(transmission) for transmission in batch]

    monkeypatch.setattr(sink, "send", slow)
    with suppress(BrokerError):
        relay.step()
    assert [letter.letter_id for letter in theirs] == ["OUT1"]
    assert store.outbox.claim(clock.now, clock.now + store.outbox.claim_time, 10) == []
    assert (state(store, "OUT1").attempts, state(store, "OUT1").status) == (0, "pending")


def test_the_service_goes_on_when_the_broker_is_back(running: Relay, sink: FakeSink, put: Put) -> None:
    sink.down = True
    put("OUT1", offered=True)
    put("OUT2")
    time.sleep(0.3)
    assert (sink.ids(), running.waits_for) == ([], "broker")
    sink.down = False
    wait_for(lambda: sorted(sink.ids()) == ["OUT1", "OUT2"], "both letters")
    wait_for(lambda: running.waits_for == "", "nothing to wait for")


@pytest.mark.parametrize("step", ["claim", "mark_sent", "release"])
def test_the_service_outlives_a_store_that_is_down(
    running: Relay, sink: FakeSink, store: Store, clock: Clock, put: Put, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_given: object) -> Any:  # noqa: ANN401
        raise StoreError("the database failed: OperationalError")

    with monkeypatch.context() as patched, capture_logs() as logs:
        patched.setattr(store.outbox, step, down)
        sink.down = step == "release"
        put("OUT1", offered=step != "claim")
        wait_for(lambda: any(told["event"] == "neighbour.down" for told in logs), "the outage to be noticed")
    sink.down = False
    clock.forward(seconds=31)
    wait_for(lambda: state(store, "OUT1").status == "sent", "the letter")
    assert set(sink.ids()) == {"OUT1"}


def test_letters_that_are_out_are_not_sent_again_because_the_store_was_down_for_a_while(
    relay: Relay, sink: FakeSink, store: Store, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_given: object) -> None:
        raise StoreError("the database failed: OperationalError")

    put("GOOD", "UNKNOWN", "BAD", offered=True)
    sink.fates = {"UNKNOWN": UNKNOWN, "BAD": REFUSED}
    for step in ("mark_sent", "release", "mark_failed"):
        with monkeypatch.context() as patched:
            patched.setattr(store.outbox, step, down)
            for _ in range(3):
                with pytest.raises(StoreError):
                    relay.step()
    sink.fates.clear()
    assert relay.step() == 1
    assert sink.ids() == ["GOOD", "UNKNOWN"]
    assert [state(store, i).status for i in ("GOOD", "UNKNOWN", "BAD")] == ["sent", "sent", "pending"]
    assert [state(store, i).attempts for i in ("GOOD", "UNKNOWN", "BAD")] == [0, 0, 1]


def test_an_idle_relay_wakes_for_a_fresh_letter(store: Store, sink: FakeSink, clock: Clock) -> None:
    relay = Relay(store.outbox, sink, clock, poll_s=30)
    thread = threading.Thread(target=relay.run)
    thread.start()
    time.sleep(0.2)
    started = time.monotonic()
    letter = outgoing("OUT1")
    store.inbox.save([entry(outgoing=(letter,))], clock.now, clock.now + timedelta(seconds=30))
    relay.offer([letter], clock.now + timedelta(seconds=30))
    wait_for(lambda: sink.ids() == ["OUT1"], "the letter", within_s=5)
    relay.stop()
    thread.join(timeout=5)
    assert time.monotonic() - started < 3, "it wakes to stop, too"


def test_a_stream_of_fresh_letters_makes_no_look_at_the_outbox_each(
    store: Store, sink: FakeSink, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look goes through the index entries of what was sent before: it is made by the clock, not by the letter."""
    looks: list[int] = []
    claim = store.outbox.claim

    def counted(*given: Any) -> list[Outgoing]:  # noqa: ANN401
        looks.append(1)
        return claim(*given)

    monkeypatch.setattr(store.outbox, "claim", counted)
    relay = Relay(store.outbox, sink, clock, poll_s=30)
    thread = threading.Thread(target=relay.run)
    thread.start()
    until = clock.now + timedelta(seconds=30)
    for number in range(10):
        letter = outgoing(f"OUT{number}")
        store.inbox.save([entry(f"m{number}", outgoing=(letter,))], clock.now, until)
        relay.offer([letter], until)
        wait_for(lambda count=number + 1: len(sink.taken) == count, "the letter", within_s=5)
    relay.stop()
    thread.join(timeout=5)
    assert len(looks) == 1


def test_many_hand_over_at_once_and_each_letter_is_sent_once(running: Relay, sink: FakeSink, put: Put) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: put(f"OUT{n:03}", f"OUT{n:03}B", offered=True), range(50)))
    wait_for(lambda: len(sink.taken) >= 100, "all of them")
    time.sleep(0.2)
    assert len(sink.ids()) == len(set(sink.ids())) == 100


def test_what_is_not_sent_at_the_end_is_free_for_the_next_process(
    relay: Relay, sink: FakeSink, store: Store, clock: Clock, put: Put
) -> None:
    put("OUT1", "OUT2", offered=True)
    relay.stop()
    relay.run()
    assert sink.ids() == []
    assert len(store.outbox.claim(clock.now, clock.now, 10)) == 2


def test_ending_while_the_store_is_down_is_ending(relay: Relay, store: Store, put: Put) -> None:
    put("OUT1", offered=True)

    def down(*_given: object) -> None:
        raise StoreError("down")

    store.outbox.release = down
    relay.stop()
    relay.run()


# ------------------------------------------------------------------ envelopes
def test_every_transmission_gets_an_envelope_id_of_its_own(clock: Clock) -> None:
    bare = [mint(outgoing("OUT1"), clock.now) for _ in range(50)]
    assert len({t.envelope_id for t in bare}) == 50
    assert all(len(t.envelope_id) == 14 and t.envelope_id.isalnum() and t.envelope_id.isupper() for t in bare)
    assert all(t.envelope_id.encode() in t.data for t in bare)


def test_a_team_message_is_sent_under_its_own_id_and_as_it_is(clock: Clock) -> None:
    letter = outgoing("id", channel=Channel.TEAM, content=b'{"resourceType": "Bundle"}')
    sent = mint(letter, clock.now)
    assert (sent.envelope_id, sent.data) == ("id", letter.content)
    assert (sent.content_type, sent.suffix) == ("application/fhir+json", "json")


def test_a_vans_envelope_keeps_the_message_and_changes_the_envelope(clock: Clock) -> None:
    letter = outgoing("OUT1", carrier=Carrier.VANS, message_id="8b5f5b17-841a-5f11-800f-83603981ebbf")
    one, two = (mint(letter, clock.now) for _ in range(2))
    assert one.envelope_id != two.envelope_id
    assert one.data.replace(one.envelope_id.encode(), b"") == two.data.replace(two.envelope_id.encode(), b"")
    assert letter.message_id.encode() in one.data
    assert (one.content_type, one.suffix) == ("application/xml", "xml")
