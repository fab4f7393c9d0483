"""The short form of ``scripts/chaos``: everything breaks once under load. And the tally: it must see each harm."""

import tempfile
from pathlib import Path

import msgspec
import pytest

from tests.chaos.nodes import missing
from tests.chaos.run import FAULTS, Plan, run
from tests.chaos.tally import NEGATIVE, POSITIVE, Out, Sent, Stored, Tally, count, letter_out
from tests.chaos.traffic import _messages


@pytest.mark.broker
@pytest.mark.skipif(bool(missing()), reason=f"not installed on this machine: {', '.join(missing())}")
@pytest.mark.xdist_group("chaos")
def test_everything_breaks_once_under_load() -> None:
    with tempfile.TemporaryDirectory() as folder:  # under pytest's own, other users may not go
        report = run(Plan(faults=1, referrals=200, rate=20.0, pause_s=0.5), Path(folder))
    assert report.faults == dict.fromkeys(FAULTS, 1)
    assert report.tally.faults == {}
    assert report.ended_by_itself == []
    assert report.tally.receipted == report.tally.stored == report.tally.sent >= 200
    assert report.tally.repeated_by_sender > 10


KINDS = frozenset({POSITIVE, "XDIS91", "Task"})


def out(key: str, kind: str, letter_id: str, envelope: str = "E", content: bytes = b"") -> Out:
    return Out(key=key, kind=kind, letter_id=letter_id, envelope_id=envelope, content=content, at=2.0)


def all_of(key: str) -> list[Out]:
    return [out(key, kind, f"{kind}-{key}") for kind in sorted(KINDS)]


SENT = {"A": Sent(key="A", kinds=KINDS, at=1.0), "B": Sent(key="B", kinds=frozenset({NEGATIVE}), at=1.5, envelopes=2)}
OUT = [*all_of("A"), out("B", NEGATIVE, "N")]
STORED = Stored(letters=frozenset("AB"), parked_by_fault={"GW-140": 1})


def test_a_good_run_has_no_faults() -> None:
    tally = count(SENT, OUT, STORED)
    assert tally.faults == {}
    assert (tally.sent, tally.receipted, tally.stored, tally.delivered, tally.repeated_by_sender) == (2, 2, 2, 4, 1)
    assert (tally.median_s, tally.slowest_s) == (0.75, 1.0)


def test_the_same_letter_in_another_envelope_is_allowed_and_counted() -> None:
    tally = count(SENT, [*OUT, out("B", NEGATIVE, "N", "E2"), out("B", NEGATIVE, "N", "E2")], STORED)
    assert (tally.faults, tally.sent_again_same_letter) == ({}, 1)


@pytest.mark.parametrize(
    ("letters", "stored", "faults"),
    [
        (OUT[1:], STORED, {"lost": 1}),
        (OUT, msgspec.structs.replace(STORED, letters=frozenset("A")), {"lost": 1}),
        ([*OUT, out("A", "XDIS91", "another")], STORED, {"twice": 1}),
        ([*OUT, out("A", NEGATIVE, "no")], STORED, {"unexpected": 1, "receipts_changed": 1}),
        ([*OUT, out("C", POSITIVE, "stray")], STORED, {"unexpected": 1}),
        ([*OUT, out("B", NEGATIVE, "N", "E2", b"else")], STORED, {"contents_changed": 1}),
        (OUT, msgspec.structs.replace(STORED, unsent=3), {"unsent": 3}),
        (OUT, msgspec.structs.replace(STORED, parked_by_fault={}), {"unexpectedly_parked": 1}),
        (OUT, msgspec.structs.replace(STORED, parked_by_fault={"GW-140": 1, "GW-190": 1}), {"unexpectedly_parked": 1}),
    ],
)
def test_each_harm_is_seen(letters: list[Out], stored: Stored, faults: dict[str, int]) -> None:
    tally: Tally = count(SENT, letters, stored)
    assert tally.faults == faults


def test_the_letters_of_the_gateway_are_told_apart() -> None:
    receipt = (
        b"<Emessage><Envelope><Identifier>X1</Identifier></Envelope><PositiveReceipt><Letter>"
        b"<Identifier>OURS</Identifier></Letter><OriginalLetterIdentifier>B0123456789ABC</OriginalLetterIdentifier>"
    )
    found = letter_out(POSITIVE, "X1", receipt, 0.0)
    assert (found.key, found.letter_id, b"X1" in found.content) == ("0123456789ABC", "OURS", False)
    team = letter_out("Task", "T1", b'{"system":"urn:x:episode-of-care","value":"0123456789abcdef"}', 0.0)
    assert (team.key, team.letter_id) == ("0123456789ABC", "T1")


def test_the_load_holds_refused_and_repeated_referrals() -> None:
    messages = _messages("run")
    made = [next(messages) for _ in range(300)]
    keys = [sent.key for sent, _ in made]
    assert len(set(keys)) == len(keys) - 23
    assert len({body for _, body in made}) == len(made)
    refused = [body for sent, body in made if NEGATIVE in sent.kinds]
    assert all(b">3102659901<" in body for body in refused)
    assert 25 < len(refused) < 35
