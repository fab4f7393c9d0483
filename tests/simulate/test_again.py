"""What comes again: a duplicate changes nothing and draws the stored receipt, a correction renews its case."""

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

from gateway.inbound.pipeline import Pipeline
from gateway.inbound.source import Delivery
from gateway.municipality.model import load
from gateway.referral.inbox import Outcome
from gateway.simulate.carriers import sent_at
from gateway.simulate.messages import Message, Wishes, messages
from gateway.simulate.referrals import Run
from gateway.store.store import Store, open_store

ISHOEJ = load()
RUN = Run(seed="igen", day=date(2026, 11, 16), municipality=ISHOEJ)
WISHES = Wishes(in_vans=40, faults={"duplicate": 25, "correction": 20})


def handled(store: Store, told: list[Message]) -> list[Outcome]:
    """Each message handled at its own time, a correction later than what it corrects."""
    at = [sent_at(told[0].drawn)]
    pipeline = Pipeline(store, ISHOEJ, lambda: at[0])
    found = []
    for number, message in enumerate(told):
        at[0] = sent_at(message.drawn) + timedelta(seconds=number)
        found.append(pipeline.handle_one(Delivery(data=message.data)))
    return found


def test_duplicates_and_corrections_are_taken_as_such(tmp_path: Path) -> None:
    told = list(messages(RUN, 120, WISHES))
    counted = Counter(message.fault for message in told)
    assert counted["duplicate"] > 15
    assert counted["correction"] > 10
    with open_store(f"sqlite:///{tmp_path}/gateway.sqlite3") as store:
        outcomes = handled(store, told)
        cases = list(store.past.cases())
    assert [fault.fault.id for outcome in outcomes for fault in outcome.parked] == []
    for message, outcome in zip(told, outcomes, strict=True):
        if message.fault == "duplicate":
            assert outcome.duplicate or all(letter.known for letter in outcome.letters)
            assert outcome.cases == ()
        else:
            (case,) = outcome.cases
            assert bool(case.earlier) == (message.fault == "correction")
    assert len(cases) == counted[None]
    assert sum(len(case.earlier) for case in cases) == counted["correction"]
