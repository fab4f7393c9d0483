"""A year of a municipality: simulated referrals and what the teams tell, through the real store, at their times."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from gateway.inbound.pipeline import Pipeline
from gateway.inbound.source import Delivery
from gateway.municipality.model import load
from gateway.outbound.envelopes import mint
from gateway.receive import Entrance
from gateway.referral.inbox import Outcome
from gateway.referral.letters import Carrier, Channel, Outgoing, Payload
from gateway.simulate.carriers import CARRIERS, sent_at, written
from gateway.simulate.messages import Message, Wishes, messages
from gateway.simulate.persons import gln
from gateway.simulate.referrals import Drawn, Run, helped_to
from gateway.simulate.teams import Event, Teams
from gateway.store.store import Store

#: as Ishøj's, with two practices that may get a copy
ISHOEJ = msgspec.structs.replace(load(), addresses={"079741": gln(501), "079742": gln(502)})
FIRST_DAY, DAYS = date(2026, 1, 1), 365
#: how many referrals, evenly over the year
REFERRALS = 400
END_OF_TIME = datetime(9000, 1, 1, tzinfo=UTC)
#: team events are told so many at a time, as a queue hands them over
BATCH = 100


class Year:
    """The store, the teams beside it, and everything that was told and sent."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = datetime.combine(FIRST_DAY, datetime.min.time(), UTC)
        #: case id → the referral that opened it
        self.referrals: dict[str, Message] = {}
        #: case id → the doctor's referral to which its citizen was helped
        self.helped: dict[str, Drawn] = {}
        self.events: list[Event] = []
        self.letters: list[Outgoing] = []
        self._pipeline = Pipeline(store, ISHOEJ, lambda: self.now)
        self._teams = Teams(ISHOEJ, "år")

    def play(self) -> None:
        """All referrals at their times, and between them what the teams have to tell by then; then the rest."""
        for message in referrals():
            self._until(sent_at(message.drawn))
            self._help(message)
            (outcome,) = self._handle([Delivery(data=message.data)])
            self.referrals[outcome.cases[0].case_id] = message
        self._until(END_OF_TIME)

    def _help(self, message: Message) -> None:
        """Now and then a doctor writes the referral that a citizen was helped to ask for, on the day of this one."""
        asked = [e.case_id for e in self.events if told(e)["type"] == "referral_requested"]
        for case_id in asked[1::2]:  # the others are still waited for
            if case_id not in self.helped:
                before = self.referrals[case_id].drawn
                run = Run(seed="hjulpet", day=message.drawn.referral.authorised.date(), municipality=ISHOEJ)
                self.helped[case_id] = helped_to(before, run, run.random(len(self.helped)))
                data = written(self.helped[case_id], CARRIERS["xref15"], ISHOEJ, in_vans=False)
                self.now = max(self.now, sent_at(self.helped[case_id]))
                (outcome,) = self._handle([Delivery(data=data)])
                assert [case.case_id for case in outcome.cases] == [case_id]

    def _until(self, moment: datetime) -> None:
        while due := list(self._next(moment)):
            self.now = max(self.now, due[-1].at)
            self.events += due
            self._handle([Delivery(data=event.data, entrance=Entrance.TEAM) for event in due])
        self.now = max(self.now, moment) if moment < END_OF_TIME else self.now

    def _next(self, moment: datetime) -> Iterator[Event]:
        for number, event in enumerate(self._teams.due(moment)):
            yield event
            if number + 1 == BATCH:
                return

    def _handle(self, deliveries: list[Delivery]) -> list[Outcome]:
        outcomes = self._pipeline.handle(deliveries)
        for outcome in outcomes:
            assert not outcome.parked, outcome.parked
            assert not outcome.duplicate
            self._keep(outcome)
        return outcomes

    def _keep(self, outcome: Outcome) -> None:
        for letter in outcome.outgoing:
            if letter.channel is Channel.TEAM:
                self._teams.take(letter.content)
            elif not letter.draft:
                self.letters.append(letter)


def referrals() -> Iterator[Message]:
    """One or two a day, each day a run of its own, in the order in which they are sent."""
    for day in range(DAYS):
        count = (day + 1) * REFERRALS // DAYS - day * REFERRALS // DAYS
        run = Run(seed=f"år/{day}", day=FIRST_DAY + timedelta(days=day), municipality=ISHOEJ)
        yield from sorted(messages(run, count, Wishes()), key=lambda message: sent_at(message.drawn))


def told(event: Event) -> dict[str, Any]:
    """What a team said, as it said it."""
    said: dict[str, Any] = json.loads(event.data)
    return said


def as_sent(letter: Outgoing, payload: Payload | None = None) -> bytes:
    """The bytes of a transmission; with ``payload`` bare and in that form."""
    if payload is not None:
        letter = msgspec.structs.replace(letter, carrier=Carrier.BARE, payload=payload)
    return mint(letter, letter.at).data
