"""The way of a message as a whole: read, receive, and what is known for the next one."""

import ast
from datetime import timedelta

from gateway.errors import Fault
from gateway.municipality.model import Municipality
from gateway.receive import DEFAULT_LIMIT, Entrance, read, receive
from gateway.referral.answer import digest_of, put_aside
from gateway.referral.inbox import Known
from gateway.simulate.stories import recorded
from tests.builders import (
    RECEIVED,
    SENDER_GLN,
    emessage,
    event,
    faults,
    handle,
    kinds,
    opened,
    tell,
    vans,
    xctl,
    xref15,
)
from tests.reference import ROOT


def test_the_file_a_newcomer_opens_first_is_short() -> None:
    source = (ROOT / "gateway" / "receive.py").read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 80
    names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    assert not names & {"open", "print", "now", "today", "uuid4"}


def test_what_a_reading_tells() -> None:
    reading = read(emessage())
    assert reading.message_type == "XREF15"
    assert reading.sent_at == RECEIVED - timedelta(minutes=5)
    assert reading.digest == digest_of(emessage())
    assert (reading.arrival.sender_gln, reading.arrival.envelope_id) == (SENDER_GLN, "KUV00000000001")
    assert reading.arrival.positive_wanted
    assert read(b"").message_type == "unknown"
    assert read(b"").sent_at is None


def test_the_limit_counts_bytes() -> None:
    data = emessage()
    assert read(data, limit=len(data)).fault is None
    too_long = read(data, limit=len(data) - 1)
    assert too_long.fault == Fault(id="GW-104", detail=f"(højst {len(data) - 1} bytes)")
    assert too_long.arrival.sender_gln == SENDER_GLN
    assert DEFAULT_LIMIT == 10_000_000


def test_only_the_head_of_a_message_beyond_the_limit_is_looked_at() -> None:
    late = emessage(xref15(text="x" * 200_000).replace("<Sender>", f"<Local>{'y' * 200_000}</Local><Sender>"))
    assert read(late, limit=1).arrival.sender_gln is None


def test_a_wrong_size_is_a_warning() -> None:
    assert handle(vans(size=1)).message.warnings == ("SizeInBytes passer ikke til indholdets længde",)
    assert handle(vans()).message.warnings == ()
    assert len(handle(vans(size=1)).cases) == 1


def test_the_moment_of_sending_is_the_network_envelopes() -> None:
    assert read(vans(sent="2026-11-16T09:16:11")).sent_at == RECEIVED - timedelta(minutes=3, seconds=49)
    assert read(vans(sent="2026-11-16T08:16:11Z")).sent_at == RECEIVED - timedelta(minutes=3, seconds=49)
    midnight = read(vans(sent="2026-11-15T24:00:00")).sent_at
    assert midnight is not None
    assert midnight.isoformat() == "2026-11-16T00:00:00+01:00"


def test_nothing_depends_on_when_it_is_done() -> None:
    early, late = handle(emessage()), handle(emessage(), at=RECEIVED + timedelta(days=3))
    assert [x.letter_id for x in early.outgoing] == [x.letter_id for x in late.outgoing]
    assert early.cases[0].case_id == late.cases[0].case_id
    assert early.cases[0].decision.respond_by != late.cases[0].decision.respond_by


def test_a_message_that_was_given_up_is_put_aside() -> None:
    outcome = put_aside(read(b""), Fault(id="GW-190"), RECEIVED)
    assert faults(outcome) == ["GW-190"]
    assert outcome.outgoing == outcome.letters == ()


def test_parked_twice_is_parked_once() -> None:
    first, again = (handle(emessage(xref15(cpr="3102659901"))) for _ in range(2))
    assert [p.id for p in first.parked] == [p.id for p in again.parked]
    several = handle(emessage(xref15(cpr="3102659901"), xref15(letter_id="B2", cpr="3102659901")))
    assert len({p.id for p in several.parked}) == 2
    assert [p.letter_id for p in several.parked] == ["BRV00000000001", "B2"]
    assert {p.sender for p in several.parked} == {SENDER_GLN}


def test_what_is_known_after_a_message() -> None:
    outcome = handle(emessage())
    known = Known().fold(outcome)
    assert [m.envelope_id for m in known.messages] == ["KUV00000000001"]
    (letter,) = known.letters.values()
    assert (letter.accepted, letter.case_id, letter.receipt_id) == (
        True,
        outcome.cases[0].case_id,
        outcome.outgoing[0].letter_id,
    )
    assert known.fold(handle(emessage(), known)).messages == known.messages


def test_a_team_speaks_through_its_own_entrance_only(municipality: Municipality) -> None:
    case = opened()
    known = Known(cases={case.case_id: case})
    assert faults(receive(read(event("contacted"), Entrance.MEDCOM), known, municipality, RECEIVED)) == ["GW-110"]
    assert faults(receive(read(event("contacted"), Entrance.TEAM), known, municipality, RECEIVED)) == []


def test_an_event_is_answered_by_what_it_changes_alone() -> None:
    outcome = tell(opened(), "contacted")
    assert outcome.outgoing == outcome.resend == outcome.parked == ()
    assert outcome.letters[0].key == ("team-event", "E-contacted")
    assert outcome.message.type == "team-event"


def test_the_recorded_messages_of_the_demo(municipality: Municipality) -> None:
    known, seen = Known(), []
    for data in recorded().values():
        outcome = receive(read(data), known, municipality, RECEIVED)
        known = known.fold(outcome)
        seen.append(outcome)
    assert [faults(outcome) for outcome in seen if outcome.parked] == [["GW-102"], ["GW-130"], ["GW-140"]]
    (again,) = (outcome for outcome in seen if any(letter.known for letter in outcome.letters))
    assert (kinds(again), again.cases, len(again.resend)) == ([], (), 1)


def test_a_receipt_opens_nothing() -> None:
    assert handle(xctl("XCTL03")).cases == ()
