"""A municipality's simulated autumn, up to the afternoon at which somebody opens the page.

The weeks before go through pipeline, relay and clocks at their times; the day itself through the running service and
its transport. Teams and receivers are the simulator's. The same seed gives the same cases in either store.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zlib import crc32

import msgspec

from gateway.clocks import Ticker
from gateway.inbound.pipeline import Pipeline
from gateway.inbound.source import Delivery
from gateway.municipality.model import load
from gateway.outbound.envelopes import Transmission
from gateway.outbound.relay import Relay
from gateway.outbound.sink import Result
from gateway.receive import Entrance, read
from gateway.referral.ids import Cause, fhir_id
from gateway.referral.letters import Channel
from gateway.referral.workdays import COPENHAGEN
from gateway.simulate.carriers import CARRIERS, sent_at, written
from gateway.simulate.messages import Message, Wishes, messages
from gateway.simulate.receivers import Answer, receipt_for
from gateway.simulate.referrals import Drawn, Run
from gateway.simulate.teams import Teams
from gateway.store.store import Store

ISHOEJ = load()
#: chosen so that every kind of review, drafted answer and fault is among the day's messages
SEED = "efterår 381"
TODAY = date(2026, 11, 24)
#: when people look at the page: Tuesday, 16:05 by the Danish clock
NOW = datetime(2026, 11, 24, 15, 5, tzinfo=UTC)
#: referrals of the weeks before, by day
BEFORE = {
    date(2026, 9, 7): 6,
    date(2026, 9, 28): 6,
    date(2026, 10, 19): 6,
    date(2026, 11, 5): 6,
    date(2026, 11, 16): 6,
    date(2026, 11, 23): 6,
}
#: messages of the day itself
COUNT = 50
#: per cent
FAULTS = {
    "truncated": 4,
    "not-valid": 8,
    "unknown-receiver": 4,
    "other-municipality": 4,
    "impossible-cpr": 4,
    "duplicate": 8,
    "correction": 6,
}
#: when the day's messages and answers are handed over
HOURS = (9, 13, 16)
#: of our letters the receiver refuses one in so many, and never receipts one in so many
_REFUSED, _UNANSWERED = 31, 12
#: so many events come before the referral they are about; in half of them the episode's id is mistyped
EARLY = 6
#: seeds of referrals with long names: one goes to two programmes, one is for review, one gets a draft
LONG = ("langt navn 53", "langt navn 35", "langt navn 65")
#: as long as a name may be in a MedCom letter
LONG_SURNAME, LONG_GIVEN = (
    "Wolfeschlegelsteinhausenbergerdorff-Prøvesen-Å",
    "Anna-Margrethe Alexandra Josefine Kirstine",
)
LONG_PRACTICE = "Lægehuset Skabelonvænget-Eksempelby"


class Clock:
    """The time as it was set, going on from there."""

    def __init__(self, moment: datetime) -> None:
        self.set(moment)

    def set(self, moment: datetime) -> None:
        self._set, self._since = moment, time.monotonic()

    def __call__(self) -> datetime:
        return self._set + timedelta(seconds=time.monotonic() - self._since)


class Side(Protocol):
    """The other side of the transport."""

    def put(self, name: str, data: bytes, *, event: bool = False) -> None:
        """A message for the gateway."""

    def out(self) -> Iterable[tuple[bool, bytes]]:
        """What came out since the last look; whether it is for a team."""


def answers(data: bytes, at: datetime) -> list[Answer]:
    """What the receiver of a letter of ours sends back: most receipt it, some refuse it, some never answer."""
    chance = crc32("".join(letter.letter_id for letter in read(data).letters).encode())
    if chance % _UNANSWERED == 0:
        return []
    return receipt_for(data, ISHOEJ, at, refused=chance % _REFUSED == 0)


class Autumn:
    """The weeks before the day, at their times and without a transport."""

    def __init__(self, store: Store, clock: Clock, teams: Teams) -> None:
        self._clock = clock
        self._teams = teams
        self._pipeline = Pipeline(store, ISHOEJ, clock)
        self._relay = Relay(store.outbox, self, clock)
        self._ticker = Ticker(store, clock, ISHOEJ.clocks)
        self._sent: list[Transmission] = []

    def play(self) -> None:
        for day, count in BEFORE.items():
            run = Run(seed=f"{SEED} {day}", day=day, municipality=ISHOEJ)
            for message in sorted(messages(run, count, Wishes()), key=lambda m: sent_at(m.drawn)):
                self._until(sent_at(message.drawn))
                self._handle(message.data)
        self._until(datetime.combine(TODAY, datetime.min.time(), COPENHAGEN))

    def _until(self, moment: datetime) -> None:
        for event in self._teams.due(moment):
            self._clock.set(event.at + timedelta(minutes=1))
            self._handle(event.data, Entrance.TEAM)
        self._clock.set(moment)
        self._ticker.step()

    def _handle(self, data: bytes, entrance: Entrance = Entrance.MEDCOM) -> None:
        self._pipeline.handle_one(Delivery(data=data, entrance=entrance))
        while self._relay.step():
            sent, self._sent = self._sent, []
            for transmission in sent:
                self._receive(transmission)

    def _receive(self, transmission: Transmission) -> None:
        if transmission.letter.channel is Channel.TEAM:
            self._teams.take(transmission.data)
        for answer in answers(transmission.data, self._clock()):
            self._pipeline.handle_one(Delivery(data=answer.data))

    # ------------------------------------------------------------ the sink of its relay
    def send(self, transmissions: Sequence[Transmission]) -> list[Result]:
        self._sent += transmissions
        return [Result(transmission=sent, sent=True) for sent in transmissions]

    def close(self) -> None:
        """Nothing is held open."""


class Today:
    """The day itself: what comes by the transport, and what teams and receivers answer by it."""

    def __init__(self, side: Side, clock: Clock, teams: Teams) -> None:
        self._side = side
        self._clock = clock
        self._teams = teams

    def play(self, settle: Callable[[], None]) -> None:
        """``settle`` returns when everything that was put is handled and every letter is out."""
        for episode, data in early_events(todays()):
            self._side.put(f"000-{episode}.event.json", data, event=True)
        coming = todays()
        for hour in HOURS:
            self._clock.set(datetime.combine(TODAY, datetime.min.time(), COPENHAGEN) + timedelta(hours=hour))
            settle()
            while coming and sent_at(coming[0].drawn) <= self._clock():
                self._side.put(coming[0].name, coming.pop(0).data)
            settle()
            while self._answer(settle):
                pass
        self._clock.set(NOW)

    def _answer(self, settle: Callable[[], None]) -> int:
        count = 0
        for for_team, data in self._side.out():
            if for_team:
                self._teams.take(data)
            for answer in [] if for_team else answers(data, self._clock()):
                self._side.put(answer.name, answer.data)
                count += 1
        for event in self._teams.due(self._clock()):
            self._side.put(event.name, event.data, event=True)
            count += 1
        settle()
        return count


# ------------------------------------------------------------------ what comes on the day
def todays() -> list[Message]:
    """In the order in which they are sent; the last ones have names as long as they may be."""
    run = Run(seed=SEED, day=TODAY, municipality=ISHOEJ)
    found = sorted(messages(run, COUNT, Wishes(faults=FAULTS)), key=lambda message: sent_at(message.drawn))
    return [*found, *map(_with_long_names, LONG)]


def _with_long_names(seed: str) -> Message:
    run = Run(seed=seed, day=TODAY, municipality=ISHOEJ)
    (message,) = messages(run, 1, Wishes(mix={"xref15": 1}, in_vans=0))
    referral = message.drawn.referral
    citizen = msgspec.structs.replace(referral.citizen, surname=LONG_SURNAME, given_name=LONG_GIVEN)
    sender = msgspec.structs.replace(referral.sender, organisation=LONG_PRACTICE)
    late = datetime.combine(TODAY, datetime.min.time(), COPENHAGEN) + timedelta(hours=15, minutes=50)
    referral = msgspec.structs.replace(referral, citizen=citizen, sender=sender, authorised=late)
    drawn = msgspec.structs.replace(message.drawn, referral=referral)
    data = written(drawn, CARRIERS["xref15"], ISHOEJ, in_vans=False)
    return msgspec.structs.replace(message, drawn=drawn, data=data)


def early(coming: Iterable[Message]) -> list[Drawn]:
    """The referrals about which a team tells something before they have come: plain ones of the afternoon."""
    plain = [m.drawn for m in coming if m.fault is None and not m.carrier.alone and m.carrier.name != "xref01"]
    return [drawn for drawn in plain if drawn.matter.name in {"copd", "diabetes_2", "heart", "cancer"}][-EARLY:]


def early_events(coming: Iterable[Message]) -> Iterable[tuple[str, bytes]]:
    """(episode, event); every other one names an episode that does not exist."""
    for number, drawn in enumerate(early(coming)):
        episode = drawn.referral.episode_id or ""
        told = {
            "event_id": fhir_id(Cause(sender="tidlig", id=episode), "event", ""),
            "episode_of_care_id": mistyped(episode) if number % 2 else episode,
            "team": ISHOEJ.review.team,
            "type": "contacted",
            "occurred": datetime.combine(TODAY, datetime.min.time(), COPENHAGEN).isoformat(),
            "author": {"name": "Karen Prøvekonsulent"},
            "note": "Ringet op før henvisningen kom.",
        }
        yield episode, msgspec.json.encode(told)


def mistyped(episode: str) -> str:
    """The last two characters exchanged for others."""
    return f"{episode[:-2]}zz"
