"""A letter without receipt: sent again by hand or by itself, the same letter in a new envelope; second receipts."""

import pytest
import structlog
from lxml import etree
from sqlalchemy import select

from gateway.clocks import Ticker
from gateway.inbound.pipeline import Pipeline
from gateway.inbound.source import Delivery
from gateway.mapping.medcom import vans
from gateway.municipality.model import load
from gateway.outbound.relay import Relay
from gateway.outbound.sink import Result
from gateway.referral.inbox import Settled
from gateway.referral.letters import Carrier, Outgoing
from gateway.store.audit import Act
from gateway.store.engine import reading
from gateway.store.outbox import RETRY_AFTER, Sent
from gateway.store.parking import Chosen
from gateway.store.schema import outbox
from gateway.store.store import Store
from gateway.store.transmissions import transmissions
from tests.builders import xctl
from tests.store.material import NOW, entry, later, outgoing

RULES = load().clocks
ACT = Act(who="karen", what="letter.resent", subject="OUT1", why="modtageren mangler det")


def put(store: Store, *letters: Outgoing) -> None:
    store.inbox.save([entry("one", outgoing=letters)], NOW)


def send(store: Store, envelope_id: str, *, letter_id: str = "OUT1", minutes: float = 0) -> None:
    store.outbox.claim(later(minutes=minutes), later(minutes=minutes + 1), 10)
    store.outbox.mark_sent([Sent(letter_id=letter_id, envelope_id=envelope_id, at=later(minutes=minutes))])


def column(store: Store, name: str, letter_id: str = "OUT1") -> object:
    with reading(store.engine) as connection:
        return connection.scalar(select(outbox.c[name]).where(outbox.c.letter_id == letter_id))


# ------------------------------------------------------------------ by hand
def test_a_sent_letter_goes_out_once_more_and_the_act_is_kept(store: Store) -> None:
    put(store, outgoing("OUT1"))
    send(store, "E1")
    assert store.outbox.resend(ACT, later(minutes=40)) == "again"
    assert [x.letter_id for x in store.outbox.claim(later(minutes=40), later(minutes=41), 10)] == ["OUT1"]
    store.outbox.mark_sent([Sent(letter_id="OUT1", envelope_id="E2", at=later(minutes=40))])
    assert store.outbox.claim(later(minutes=80), later(minutes=81), 10) == []
    with reading(store.engine) as connection:
        assert sorted(connection.scalars(select(transmissions.c.envelope_id))) == ["E1", "E2"]
    (act,) = store.audit.latest("OUT1")
    assert (act.who, act.what, act.why) == ("karen", "letter.resent", "modtageren mangler det")


def test_a_letter_on_its_way_is_sent_once_more_after_that(store: Store) -> None:
    put(store, outgoing("OUT1"))
    assert store.outbox.resend(ACT, NOW) == "again"
    send(store, "E1")
    assert column(store, "status") == "pending"
    send(store, "E2")
    assert column(store, "status") == "sent"


def test_a_letter_that_no_transport_took_is_tried_again(store: Store) -> None:
    put(store, outgoing("OUT1"))
    for _ in range(len(RETRY_AFTER) + 1):
        store.outbox.mark_failed("OUT1", "GW-205 refused", NOW)
    assert column(store, "status") == "parked"
    assert store.outbox.resend(ACT, NOW) == "again"
    assert (column(store, "status"), column(store, "attempts")) == ("pending", 0)


@pytest.mark.parametrize(
    ("letter", "why_not"),
    [
        (outgoing("OUT1", draft=True), "draft"),
        (outgoing("OUT1", obstacle="GW-171 ydernummer 012345"), "parked"),
        (outgoing("OUT2"), "unknown"),
    ],
)
def test_what_was_never_ready_is_not_sent(store: Store, letter: Outgoing, why_not: str) -> None:
    put(store, letter)
    assert store.outbox.resend(ACT, NOW) == why_not
    assert [x.letter_id for x in store.outbox.claim(NOW, later(minutes=1), 10)] == (
        ["OUT2"] if why_not == "unknown" else []
    )
    assert store.audit.latest("OUT1") == []


class Envelopes:
    """A transport that keeps what it is given."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes]] = []

    def send(self, given: list) -> list[Result]:  # type: ignore[type-arg]  # transmissions, as the relay makes them
        self.sent += [(t.envelope_id, t.data) for t in given]
        return [Result(transmission=t, sent=True) for t in given]


def test_the_same_letter_goes_in_a_new_envelope(store: Store) -> None:
    letter = outgoing("OUT1", carrier=Carrier.VANS, message_id="7f6e5d4c-3b2a-4190-8f7e-6d5c4b3a2910")
    put(store, letter)
    sink = Envelopes()
    relay = Relay(store.outbox, sink, lambda: NOW, poll_s=0)
    assert relay.step() == 1
    assert store.outbox.resend(ACT, NOW) == "again"
    assert relay.step() == 1
    (first_id, first), (second_id, second) = sink.sent
    assert first_id != second_id
    opened = [vans.decode(etree.fromstring(data)) for data in (first, second)]
    assert all(isinstance(one, vans.VansMessage) for one in opened)
    assert opened[0].payload == opened[1].payload
    assert opened[0].arrival.message_id == opened[1].arrival.message_id == letter.message_id
    assert [one.arrival.envelope_id for one in opened] == [first_id, second_id]


# ------------------------------------------------------------------ by itself
@pytest.mark.parametrize("times", [0, 1, 2])
def test_by_itself_a_letter_goes_again_as_often_as_the_setting_says(store: Store, times: int) -> None:
    put(store, outgoing("OUT1", wants_receipt=True), outgoing("OUT2"))
    now = NOW
    ticker = Ticker(store, lambda: now, RULES, times)
    raised = 0
    for number in range(5):
        for letter in store.outbox.claim(now, now + RETRY_AFTER[0], 10):
            sent = Sent(letter_id=letter.letter_id, envelope_id=f"{letter.letter_id}-{number}", at=now)
            store.outbox.mark_sent([sent])
        now = later(minutes=31 * (number + 1))
        raised += len(ticker.step().raised)
    with reading(store.engine) as connection:
        sent_in = connection.scalars(select(transmissions.c.envelope_id).where(transmissions.c.letter_id == "OUT1"))
        assert len(sent_in.all()) == 1 + times
        sent_in = connection.scalars(select(transmissions.c.envelope_id).where(transmissions.c.letter_id == "OUT2"))
        assert len(sent_in.all()) == 1
    assert raised == 1
    store.inbox.save([entry("receipt", settled=(Settled(letter_id="OUT1", verdict="delivered"),))], now)
    assert len(ticker.step().cleared) == 1


def test_a_letter_with_a_receipt_is_left_alone(store: Store) -> None:
    put(store, outgoing("OUT1", wants_receipt=True))
    send(store, "E1")
    store.inbox.save([entry("receipt", settled=(Settled(letter_id="OUT1", verdict="refused"),))], NOW)
    assert store.outbox.resend_unanswered(later(minutes=60), later(minutes=60), 2) == []


# ------------------------------------------------------------------ receipts
@pytest.mark.parametrize(
    ("verdicts", "stands"),
    [
        (("delivered", "delivered"), "delivered"),
        (("delivered", "refused"), "refused"),
        (("refused", "delivered"), "refused"),
        (("refused", "refused"), "refused"),
    ],
)
def test_the_first_verdict_stands_unless_a_refusal_follows(
    store: Store, verdicts: tuple[str, str], stands: str
) -> None:
    put(store, outgoing("OUT1", wants_receipt=True))
    send(store, "E1")
    for number, verdict in enumerate(verdicts):
        settled = Settled(letter_id="OUT1", verdict=verdict, why=f"receipt {number}")
        store.inbox.save([entry(f"receipt {number}", settled=(settled,))], later(minutes=number))
    assert column(store, "verdict") == stands
    changed = verdicts == ("delivered", "refused")
    assert column(store, "verdict_why") == f"receipt {int(changed)}"


def test_what_is_noted_as_a_second_receipt_changes_nothing(store: Store) -> None:
    put(store, outgoing("OUT1", wants_receipt=True))
    settled = Settled(letter_id="OUT1", verdict="refused", again=True)
    store.inbox.save([entry("receipt", settled=(settled,))], NOW)
    assert column(store, "verdict") is None


def test_a_receipt_that_fits_nothing_waits_where_people_look(store: Store) -> None:
    pipeline = Pipeline(store, load(), lambda: NOW)
    pipeline.handle_one(Delivery(data=xctl("XCTL03", "EJVORES0000001", answers="EJVORES0000002")))
    (item,) = store.parking.rows(Chosen(), 10)
    assert (item.fault_id, item.detail, item.state) == ("GW-170", "XCTL03", "open")


def test_a_second_receipt_is_told_in_the_log(store: Store) -> None:
    put(store, outgoing("OUT1", wants_receipt=True))
    send(store, "UDGAAENDE00001")
    pipeline = Pipeline(store, load(), lambda: NOW)
    with structlog.testing.capture_logs() as lines:
        for number in range(2):
            data = xctl("XCTL03", "OUT1", envelope_id=f"KVIT{number:010}")
            pipeline.handle_one(Delivery(data=data.replace(b"KVITBREV000001", b"KVITBREV%06d" % number)))
    assert [line["settled"] for line in lines] == [["OUT1 delivered"], ["OUT1 delivered again"]]
