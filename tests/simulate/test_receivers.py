"""The simulated receivers: every letter of ours is receipted in its own standard, and the gateway takes the receipt."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from gateway.clocks import system_now
from gateway.inbound.pipeline import Pipeline
from gateway.inbound.source import Delivery
from gateway.municipality.model import load
from gateway.outbound.envelopes import Transmission, mint
from gateway.referral.letters import Channel
from gateway.simulate.carriers import CARRIERS, sent_at, written
from gateway.simulate.neighbours import Neighbours
from gateway.simulate.receivers import receipt_for
from gateway.simulate.referrals import Run, drawn_referral
from gateway.store.engine import reading
from gateway.store.outbox import Sent
from gateway.store.schema import outbox
from gateway.store.store import Store, open_store
from tests.reference import own_violations

ISHOEJ = load()
RUN = Run(seed="kvittering", day=date(2026, 11, 16), municipality=ISHOEJ)
DRAWN = drawn_referral(RUN, 3, RUN.random(3))
NOW = sent_at(DRAWN)
KINDS = {"medcom-xml": "XCTL", "edifact": "CTL", "fhir-json": "Acknowledgement", "fhir-xml": "Acknowledgement"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/gateway.sqlite3") as opened:
        yield opened


def sent_by_us(store: Store, name: str, *, in_vans: bool) -> list[Transmission]:
    """A referral taken in, and what went out to its sender."""
    data = written(DRAWN, CARRIERS[name], ISHOEJ, in_vans=in_vans)
    outcome = Pipeline(store, ISHOEJ, lambda: NOW).handle_one(Delivery(data=data))
    out = [mint(letter, NOW) for letter in outcome.outgoing if letter.channel is Channel.MEDCOM]
    store.outbox.mark_sent([Sent(letter_id=t.letter.letter_id, envelope_id=t.envelope_id, at=NOW) for t in out])
    return out


def verdicts(store: Store) -> dict[str, str | None]:
    wanted = select(outbox.c.kind, outbox.c.verdict).where(outbox.c.wants_receipt)
    with reading(store.engine) as connection:
        return dict(map(tuple, connection.execute(wanted)))


@pytest.mark.parametrize("in_vans", [False, True])
@pytest.mark.parametrize("name", CARRIERS)
def test_a_letter_is_receipted_in_its_own_standard(store: Store, name: str, in_vans: bool) -> None:  # noqa: FBT001
    assert DRAWN.matter.outcome == "accepted"
    out = sent_by_us(store, name, in_vans=in_vans)
    answers = [receipt_for(t.data, ISHOEJ, NOW) for t in out]
    letters = [t.letter.wants_receipt for t in out]
    assert [bool(found) for found in answers] == letters, "receipts are not receipted"
    assert sum(letters) == 1
    pipeline = Pipeline(store, ISHOEJ, lambda: NOW + timedelta(minutes=1))
    for answer in (a for found in answers for a in found):
        if answer.name.endswith(".xml") and not answer.name.startswith("acknowledgement"):
            assert own_violations(answer.data) == []
        expected = "VANSReceipt" if in_vans else KINDS[CARRIERS[name].payload]
        assert in_vans or answer.name.startswith(expected.lower())
        assert pipeline.handle_one(Delivery(data=answer.data)).parked == ()
    assert list(verdicts(store).values()) == ["delivered"]


@pytest.mark.parametrize("name", ["xref15", "ref01", "fhir-json"])
def test_a_receiver_may_refuse_a_letter(store: Store, name: str) -> None:
    pipeline = Pipeline(store, ISHOEJ, lambda: NOW)
    for sent in sent_by_us(store, name, in_vans=False):
        for answer in receipt_for(sent.data, ISHOEJ, NOW, refused=True):
            assert [item.fault.id for item in pipeline.handle_one(Delivery(data=answer.data)).parked] == ["GW-172"]
    assert list(verdicts(store).values()) == ["refused"]


def test_around_a_spool_folder_everything_that_comes_out_is_answered_once(store: Store, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    for place in ("in", "work", "out/medcom", "out/teams/sundhedskonsulenter"):
        (spool / place).mkdir(parents=True)
    for sent in sent_by_us(store, "xref15", in_vans=False):
        (spool / "out/medcom" / f"{sent.letter.kind}.xml").write_bytes(sent.data)
    (spool / "out/medcom" / "half.xml.part").write_bytes(b"<Emess")
    (task,) = (x for x in store.outbox.claim(NOW, NOW + timedelta(days=1), 10) if x.channel is Channel.TEAM)
    (spool / "out/teams/sundhedskonsulenter" / "task.json").write_bytes(task.content)
    neighbours = Neighbours(spool, ISHOEJ, "a", system_now)
    told = list(neighbours.work(0.5))
    names = [path.name for path in (spool / "in").iterdir()]
    assert sum(told) == len(names) == told[0]
    assert sum(name.startswith("xctl03-") for name in names) == 1
    assert sum(name.endswith(".event.json") for name in names) == len(names) - 1 > 0
    assert neighbours.step() == 0
