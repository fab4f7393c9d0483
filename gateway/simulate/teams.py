"""Simulated teams: they read the Bundles the gateway hands them, work the assignments, and tell about it in events.

A team knows what its message says and no more. What it will do about an assignment is drawn when it gets it, from the
seed and the assignment's id: the same assignment goes the same way in whatever order messages come.
"""

import heapq
from collections.abc import Iterator
from datetime import datetime
from random import Random
from typing import Any

import msgspec

from gateway.municipality.model import Municipality
from gateway.referral.ids import Cause, fhir_id
from gateway.simulate.courses import Step, Work, course, decision

_STAFF = (
    {"name": "Karen Prøvekonsulent", "title": "Sundhedskonsulent", "phone": "99990001"},
    {"name": "Ole Prøveterapeut", "title": "Fysioterapeut"},
    {"name": "Mona Prøvekonsulent", "title": "Sundhedskonsulent"},
)
#: a review or a drafted answer; the team decides by one event for the whole case
_UNDECIDED = frozenset({"for-review", "draft"})


class Event(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """An event as the team will tell it."""

    at: datetime
    #: keeps the steps of one assignment in their order
    ordinal: int
    id: str
    case_id: str
    assignment: str
    data: bytes

    @property
    def name(self) -> str:
        """A file name by which the spool folder takes events in their order."""
        return f"{self.at:%Y%m%dT%H%M%S}-{self.ordinal:02}-{self.id}.event.json"


class Teams:
    """All teams of one municipality with their diaries."""

    def __init__(self, municipality: Municipality, seed: str) -> None:
        self._municipality = municipality
        self._seed = seed
        self._diary: list[Event] = []
        self._begun: set[str] = set()

    def take(self, bundle: bytes) -> None:
        """Read a message and plan what will be done about it; what is cancelled is not done any more."""
        for task in _tasks(msgspec.json.decode(bundle)):
            if task["status"] == "cancelled":
                self._forget(task["identifier"][0]["value"])
            else:
                self._plan(_work(task, self._municipality))

    def due(self, until: datetime) -> Iterator[Event]:
        """What is told up to then, in its order; what comes in between joins in."""
        while self._diary and self._diary[0].at <= until:
            yield heapq.heappop(self._diary)

    @property
    def next_at(self) -> datetime | None:
        """When something is told next."""
        return self._diary[0].at if self._diary else None

    def _plan(self, work: Work) -> None:
        # a case is decided once, whatever number of proposals it has
        key = f"decision {work.case_id}" if work.state in _UNDECIDED else work.assignment
        if key in self._begun or work.state in {"on-hold", "accepted", "in-progress"}:
            return
        self._begun.add(key)
        random = Random(f"{self._seed}/{key}")  # noqa: S311  (made to be repeated)
        steps = decision(work, random) if work.state in _UNDECIDED else course(work, random)
        author = random.choice(_STAFF)
        for ordinal, step in enumerate(steps):
            heapq.heappush(self._diary, _event(work, step, ordinal, author))

    def _forget(self, assignment: str) -> None:
        self._diary = [event for event in self._diary if event.assignment != assignment]
        heapq.heapify(self._diary)


def _event(work: Work, step: Step, ordinal: int, author: dict[str, str]) -> Event:
    about = f"{work.case_id}|{work.assignment}|{work.state}"
    own = fhir_id(Cause(sender=work.team, id=about), step.type, "", ordinal)
    told: dict[str, Any] = {
        "event_id": own,
        "case_id": work.case_id,
        "team": work.team,
        "type": step.type,
        "occurred": step.at.isoformat(),
        "author": author,
        **step.fields,
    }
    if work.state not in _UNDECIDED:
        told["assignment"] = work.assignment
    return Event(
        at=step.at,
        ordinal=ordinal,
        id=own,
        case_id=work.case_id,
        assignment=work.assignment,
        data=msgspec.json.encode(told),
    )


# ------------------------------------------------------------------ the message
def _tasks(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    """The assignments of a team's message; a forwarded letter (Communication) has none to begin."""
    resources = [entry["resource"] for entry in bundle["entry"]]
    if any(resource["resourceType"] == "Communication" for resource in resources):
        return []
    return [resource for resource in resources if resource["resourceType"] == "Task"]


def _work(task: dict[str, Any], municipality: Municipality) -> Work:
    decided = msgspec.json.decode(task["input"][0]["valueString"])
    business = task.get("businessStatus", {}).get("text")
    training = municipality.review.section_140_team
    return Work(
        team=task["owner"]["identifier"]["value"],
        case_id=task["groupIdentifier"]["value"],
        assignment=task["identifier"][0]["value"],
        state="for-review" if business == "for-review" else task["status"],
        code=task["code"]["coding"][0]["code"] if "code" in task else None,
        programmes=tuple(decided["programmes"]),
        reasons=tuple(decided["reasons"]),
        proposals=tuple((a["team"], a["intervention"]["code"]) for a in decided["assignments"]),
        consultants=municipality.review.team,
        training_team=training,
        at=datetime.fromisoformat(task["authoredOn"]),
        closing_days=municipality.closing_days,
    )
