"""What a case's steps have made so far: content by id, changed step by step."""

from collections.abc import Iterable, Iterator
from datetime import date

import msgspec

from gateway.mapping.kl.content import CarePlan, Condition, Encounter, Item, PlannedIntervention, Progress
from gateway.referral.events import TeamEvent
from gateway.referral.ids import Cause, fhir_id
from gateway.referral.workdays import local_date

_replace = msgspec.structs.replace


class Told:
    """Content of one case. Ids derive from the case and the event that made a thing, and never change."""

    def __init__(self, case_id: str) -> None:
        self._case_id = case_id
        self._undertakings: dict[str, CarePlan | PlannedIntervention] = {}
        self._contacts: dict[str, Encounter] = {}
        #: by FSIII code
        self._conditions: dict[str, Condition] = {}

    def id(self, kind: str, cause: str, part: str = "") -> str:
        """The id of what a cause (event id, assignment id) made."""
        return fhir_id(Cause(sender=self._case_id, id=cause), f"KL {kind}", part)

    def items(self) -> Iterator[Item]:
        """All of it."""
        yield from self._conditions.values()
        yield from self._undertakings.values()
        yield from self._contacts.values()

    # -------------------------------------------------------------- care plans and interventions
    def begin(self, *undertakings: CarePlan | PlannedIntervention) -> None:
        """Things begun, or told anew."""
        self._undertakings |= {one.id: one for one in undertakings}

    def active(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Those of them that are not ended."""
        return tuple(own for own in ids if self._undertakings[own].progress is Progress.ACTIVE)

    def hand_on(self, ids: Iterable[str], performer: str) -> None:
        """Another team goes on with what is not ended."""
        for own in self.active(ids):
            self._undertakings[own] = _replace(self._undertakings[own], performer=performer)

    def end(self, ids: Iterable[str], day: date, progress: Progress, stop_reason: str | None = None) -> None:
        """The end of what is not ended, never before its start; a care plan that is stopped has a reason."""
        for own in self.active(ids):
            one = self._undertakings[own]
            one = _replace(one, progress=progress, end=max(one.start, day))
            self._undertakings[own] = _replace(one, stop_reason=stop_reason) if isinstance(one, CarePlan) else one

    def prolong(self, ids: Iterable[str], day: date) -> None:
        """What was done once more ends later."""
        for own in ids:
            one = self._undertakings[own]
            self._undertakings[own] = _replace(one, end=max(one.end or one.start, day))

    # -------------------------------------------------------------- contacts and conditions
    def contact(self, event: TeamEvent, based_on: str | None) -> None:
        """A contact that was held; without its time and kind there is nothing to tell."""
        if event.period is None or event.contact_class is None:
            return
        own = self.id("contact", event.event_id)
        self._contacts[own] = Encounter(
            id=own,
            start=event.period.start,
            end=event.period.end,
            contact_class=event.contact_class,
            based_on=based_on,
        )

    def found(self, event: TeamEvent) -> tuple[str, ...]:
        """The ids of the conditions that an event names; what was found before is found still."""
        codes = tuple(dict.fromkeys(event.conditions or ()))
        for code in codes:
            known = self._conditions.get(code)
            if known is None:
                own = self.id("condition", event.event_id, code)
                self._conditions[code] = Condition(id=own, code=code, recorded=day_of(event))
            else:
                self._conditions[code] = _replace(known, active=True)
        return tuple(self._conditions[code].id for code in codes)

    def only(self, still: Iterable[str]) -> None:
        """Of everything found these conditions (ids) are left."""
        left = frozenset(still)
        self._conditions = {code: _replace(c, active=c.id in left) for code, c in self._conditions.items()}


def day_of(event: TeamEvent) -> date:
    """The Danish day on which what an event tells of took place."""
    return local_date(event.period.start if event.period else event.occurred)
