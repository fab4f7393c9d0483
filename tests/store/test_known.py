"""What was saved is found again under every kind of key, and under no other."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import UpdateBase
from sqlalchemy import event as event_of_sqlalchemy

from gateway.errors import Fault
from gateway.municipality.model import load
from gateway.receive import read, receive
from gateway.referral import answer
from gateway.referral.inbox import Known, Settled
from gateway.referral.letters import Arrival, Carrier, Payload, VansArrival
from gateway.simulate.stories import recorded
from gateway.store import handover, lookups
from gateway.store import outbox as outbox_module
from gateway.store.engine import reading
from gateway.store.outbox import Sent
from gateway.store.store import Store, open_store
from tests.store.material import (
    NOW,
    SENDER,
    case,
    change,
    digest_of,
    entry,
    event,
    keys,
    letter,
    message,
    outgoing,
    recorded_outcome,
)

VANS = VansArrival(
    sender=SENDER,
    sender_type="EAN",
    receiver="5790009999997",
    receiver_type="EAN",
    envelope_id="651c6ba1-51d8-552c-a079-f39b881c82ac",
    message_id="8b5f5b17-841a-5f11-800f-83603981ebbf",
)


def test_nothing_is_known_of_an_empty_store(store: Store) -> None:
    everything = keys(
        digests=["0" * 64],
        letters=[("a", "b")],
        envelopes=[("a", "b")],
        network=["x"],
        episodes=["e"],
        citizens=["0101010001"],
        case_ids=["c"],
        sent=["s"],
    )
    assert store.inbox.known(everything) == Known()
    assert store.inbox.known(keys()) == Known()


def test_a_message_is_known_by_its_bytes_with_the_receipts_it_got(store: Store) -> None:
    store.inbox.save([entry(message=message(receipts=("R1", "R2")))], NOW)

    (found,) = store.inbox.known(keys(digests=[digest_of("message")])).messages
    assert found == message(receipts=("R1", "R2")).as_known()
    assert store.inbox.known(keys(digests=[digest_of("another")])).messages == ()


def test_a_message_is_known_by_sender_and_envelope_id_together(store: Store) -> None:
    store.inbox.save([entry("one"), entry("two")], NOW)

    assert len(store.inbox.known(keys(envelopes=[(SENDER, "Eone")])).messages) == 1
    assert len(store.inbox.known(keys(envelopes=[(SENDER, "Eone"), (SENDER, "Etwo")])).messages) == 2
    assert store.inbox.known(keys(envelopes=[("5790000000000", "Eone"), (SENDER, "E")])).messages == ()


def test_an_envelope_without_id_or_sender_is_no_key(store: Store) -> None:
    nameless = message(arrival=Arrival())
    store.inbox.save([entry(message=nameless)], NOW)
    assert store.inbox.known(keys(envelopes=[("", "")])).messages == ()


@pytest.mark.parametrize("key", [VANS.message_id, VANS.envelope_id])
def test_a_message_is_known_by_both_ids_of_its_vans_envelope(store: Store, key: str) -> None:
    wrapped = message(arrival=Arrival(carrier=Carrier.VANS, sender_gln=SENDER, vans=VANS))
    store.inbox.save([entry(message=wrapped), entry("bare")], NOW)

    (found,) = store.inbox.known(keys(network=[key])).messages
    assert (found.network_message_id, found.network_envelope_id) == (VANS.message_id, VANS.envelope_id)


def test_a_letter_is_known_by_sender_and_id_with_its_verdict(store: Store) -> None:
    fault = Fault(id="GW-120", detail="Patient mangler")
    store.inbox.save(
        [entry(letters=(letter("GOOD", case_id="case-1", receipt_id="R1"), letter("BAD", fault=fault)))], NOW
    )

    known = store.inbox.known(keys(letters=[(SENDER, "GOOD"), (SENDER, "BAD"), ("other", "GOOD")])).letters
    assert known == {
        (SENDER, "GOOD"): letter("GOOD", case_id="case-1", receipt_id="R1").as_known(),
        (SENDER, "BAD"): letter("BAD", fault=fault).as_known(),
    }
    assert not known[SENDER, "BAD"].accepted


def test_a_case_is_found_by_its_id_episode_and_citizen(store: Store) -> None:
    ours = case("case-1")
    stranger = change(
        case("case-2"),
        referral=change(
            ours.referral, episode_id="ffff", citizen=change(ours.referral.citizen, cpr="0202020002", surname="Anden")
        ),
    )
    store.inbox.save([entry(cases=(ours, stranger))], NOW)

    episode = (ours.referral.episode_id or "").upper().replace("-", "").lower()
    for wanted in (
        keys(case_ids=["case-1"]),
        keys(episodes=[episode]),
        keys(citizens=[ours.referral.citizen.identifier]),
    ):
        assert store.inbox.known(wanted).cases == {"case-1": ours}
    assert set(store.inbox.known(keys(case_ids=["case-1"], episodes=["ffff"])).cases) == {"case-1", "case-2"}


def test_a_case_comes_back_whole(store: Store) -> None:
    """Everything that was decided, with times in UTC."""
    outcome = recorded_outcome("09-diabetes-and-low-back-XH1531R.xml")
    store.inbox.save([entry(cases=outcome.cases)], NOW)
    (before,) = outcome.cases
    assert store.inbox.known(keys(case_ids=[before.case_id])).cases[before.case_id] == before


def test_a_sent_letter_is_found_by_letter_message_and_envelope_id(store: Store) -> None:
    told = outgoing("OUT1", case_id="case-1", payload=Payload.FHIR_JSON)
    store.inbox.save([entry(outgoing=(told, outgoing("OUT2")))], NOW)
    store.outbox.mark_sent([Sent(letter_id="OUT1", envelope_id="ENV1", at=NOW)])
    store.outbox.mark_sent([Sent(letter_id="OUT1", envelope_id="ENV2", at=NOW)])

    for name in ("OUT1", "message-OUT1", "ENV1", "ENV2"):
        (found,) = store.inbox.known(keys(sent=[name])).sent
        assert found.letter_id == "OUT1"
        assert found.envelopes == {"ENV1", "ENV2"}
        assert found.case_id == "case-1"
        assert found.verdict is None
    assert store.inbox.known(keys(sent=["ENV3"])).sent == ()


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, 0),
        ({"carrier": Carrier.VANS}, 1),
        ({"carrier": Carrier.SBDH}, 1),
        ({"payload": Payload.FHIR_XML}, 1),
        ({"payload": Payload.EDIFACT}, 0),
    ],
)
def test_a_message_id_that_the_receiver_is_not_told_is_not_answered(
    store: Store, changes: dict[str, object], found: int
) -> None:
    store.inbox.save([entry(outgoing=(outgoing("OUT1", **changes),))], NOW)
    assert len(store.inbox.known(keys(sent=["message-OUT1"])).sent) == found
    assert len(store.inbox.known(keys(sent=["OUT1"])).sent) == 1


@pytest.mark.parametrize(
    ("verdicts", "stands"), [(("delivered", "refused"), "refused"), (("refused", "delivered"), "refused")]
)
def test_a_refusal_stands_and_overrides_a_delivery(store: Store, verdicts: tuple[str, str], stands: str) -> None:
    """The VANS network took the letter, then the receiver's own system refused it: it is not delivered."""
    store.inbox.save([entry(outgoing=(outgoing("OUT1"),))], NOW)
    for name, verdict in zip(("first", "second"), verdicts, strict=True):
        settled = Settled(letter_id="OUT1", verdict=verdict, why=f"{name} receipt")
        store.inbox.save([entry(name, settled=(settled,))], NOW)

    (found,) = store.inbox.known(keys(sent=["OUT1"])).sent
    assert found.verdict == stands


def test_a_withdrawn_claim_to_be_handled_makes_a_message_unknown(store: Store) -> None:
    """What was given up on may be handled again, whole: its later row tells sender, envelope and receipts."""
    unread = message(type="unknown", arrival=Arrival())
    store.inbox.save([entry(message=unread, handled=False)], NOW)
    assert store.inbox.known(keys(digests=[digest_of("message")])) == Known()

    store.inbox.save([entry(message=message(receipts=("R1",)))], NOW)
    (found,) = store.inbox.known(keys(envelopes=[(SENDER, "Emessage")])).messages
    assert found.receipts == ("R1",)


def test_a_refused_team_event_may_come_again_under_its_id(store: Store) -> None:
    """The case may have moved on; an accepted one is known for ever."""
    refused = letter("event-1", key=("team-event", "event-1"), type="team-event", fault=Fault(id="GW-162"))
    accepted = letter("event-2", key=("team-event", "event-2"), type="team-event")
    store.inbox.save([entry(letters=(refused, accepted), entrance="team")], NOW)

    known = store.inbox.known(keys(letters=[("team-event", "event-1"), ("team-event", "event-2")]))
    assert list(known.letters) == [("team-event", "event-2")]


@pytest.mark.parametrize("name", sorted(recorded()))
def test_every_recorded_message_is_known_once_it_is_saved(store: Store, name: str) -> None:
    data = recorded()[name]
    outcome = recorded_outcome(name)
    store.inbox.save([entry(message=outcome.message, letters=outcome.letters, cases=outcome.cases, data=data)], NOW)

    reading = read(data)
    again = answer.stored(reading, store.inbox.known(answer.keys_of(reading)), NOW)
    assert again is not None
    assert again.duplicate
    assert again.resend == outcome.message.receipts


def test_a_case_remembers_the_events_that_were_saved(store: Store) -> None:
    store.inbox.save([entry(cases=(case("case-1"),))], NOW)
    after = case("case-1", number=2, events=(event("event-1"),))
    store.inbox.save([entry("event", cases=(after,))], NOW)
    found = store.inbox.known(keys(case_ids=["case-1"])).cases["case-1"]
    assert found.number == 2
    assert [e.event_id for e in found.events] == ["event-1"]


@pytest.mark.parametrize("length", [36, 65, 300])
def test_ids_of_any_length_can_be_stored(store: Store, length: int) -> None:
    """Whatever a broken message tells fits the columns; a length that only one database refuses would park it there."""
    long = "9" * length
    data = (
        f"<Emessage><Envelope><Identifier>{long}</Identifier></Envelope><X{long}><Letter><Identifier>{long}</Identifier>"
        f"<VersionCode>{long}</VersionCode></Letter><Sender><EANIdentifier>{long}</EANIdentifier></Sender></X{long}>"
        "</Emessage>"
    ).encode()
    outcome = receive(read(data), Known(), load(), NOW)
    store.inbox.save(
        [entry(message=outcome.message, letters=outcome.letters, outgoing=outcome.outgoing, parked=outcome.parked)], NOW
    )
    assert store.overview.numbers(NOW).parked == len(outcome.parked) > 0


def test_what_nearly_every_message_asks_is_one_statement(store: Store) -> None:
    """Each more is a way to the server and back, which a message of its own has to wait for."""
    reading_of_it = read(recorded()["09-diabetes-and-low-back-XH1531R.xml"])
    assert len(statements_of(store, lambda: store.inbox.known(answer.keys_of(reading_of_it)))) == 1


def test_marking_letters_as_sent_is_one_statement_where_the_database_can(store: Store) -> None:
    store.inbox.save([entry(outgoing=(outgoing("OUT1"), outgoing("OUT2")))], NOW)
    sent = [Sent(letter_id=name, envelope_id=f"E-{name}", at=NOW) for name in ("OUT1", "OUT2")]
    in_one = store.by_key.dialect.name == "postgresql"
    assert len(statements_of(store, lambda: store.outbox.mark_sent(sent))) == (1 if in_one else 2)
    assert {one.letter_id for one in store.inbox.known(keys(sent=["E-OUT1", "E-OUT2"])).sent} == {"OUT1", "OUT2"}


def statements_of(store: Store, work: Callable[[], object]) -> list[str]:
    """What the message path's connections are asked meanwhile; a transaction's begin and end are left out."""
    said: list[str] = []

    def hear(*given: Any) -> None:  # noqa: ANN401  (SQLAlchemy hands over six things of its own)
        said.append(given[2])

    event_of_sqlalchemy.listen(store.by_key, "before_cursor_execute", hear)
    try:
        work()
    finally:
        event_of_sqlalchemy.remove(store.by_key, "before_cursor_execute", hear)
    return [statement for statement in said if not statement.startswith("BEGIN")]


@pytest.mark.broker
@pytest.mark.parametrize("name", ["_ASKED_BY_ALL", "_CASES", "_SENT_IN", "_ENVELOPES", "_SENT"])
def test_no_look_up_reads_a_table_from_end_to_end_though_it_was_planned_while_that_was_empty(
    postgres_url: str, name: str
) -> None:
    """PostgreSQL keeps a prepared plan until the tables are analysed; without autovacuum that is never."""
    lists = ("digests", "envelopes", "network", "letters", "cases", "episodes", "citizens", "ids")
    with open_store(postgres_url) as store, reading(store.by_key) as connection:
        compiled = getattr(lookups, name).compile(connection)
        given = compiled.construct_params({key: ["x"] for key in lists if key in compiled.params})
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {compiled}", given).scalars())
    assert_all_by_key(plan)


@pytest.mark.broker
@pytest.mark.parametrize("statement", [outbox_module._MARK_SENT.at_once, handover._MARK_SENT.at_once])
def test_letters_are_marked_as_sent_by_their_keys_though_that_was_planned_while_there_were_none(
    postgres_url: str, statement: UpdateBase
) -> None:
    with open_store(postgres_url) as store, reading(store.by_key) as connection:
        compiled = statement.compile(connection)
        values: dict[str, object] = {"ids": ["x"], "envelopes": "{}", "at": NOW}
        given = compiled.construct_params({key: values[key] for key in values if key in compiled.params})
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {compiled}", given).scalars())
    assert_all_by_key(plan)


def assert_all_by_key(plan: str) -> None:
    """No other scan of a table than by an index that is given keys."""
    of_tables = [line for line in plan.splitlines() if " Scan" in line]
    scans = [line for line in of_tables if not any(x in line for x in ("Subquery", "CTE"))]
    assert scans
    assert "Seq Scan" not in plan
    assert len(scans) == plan.count("Index Cond"), plan


@pytest.mark.broker
def test_letters_that_are_due_are_found_in_the_order_of_their_index_though_that_was_planned_while_there_were_none(
    postgres_url: str,
) -> None:
    """Read in its own order, the index remembers which entries are over; a bitmap of it passes them all each time."""
    with open_store(postgres_url) as store, reading(store.by_key) as connection:
        due = store.outbox.due(NOW, NOW).limit(200)
        compiled = due.compile(connection)
        given = compiled.construct_params()
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {compiled}", given).scalars())
    assert "Index Scan using outbox_due" in plan, plan
    assert "Sort" not in plan
