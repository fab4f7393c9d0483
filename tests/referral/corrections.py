"""What the tests of corrected referrals share: the correction that comes, and what the teams get of it."""

import json

from gateway.referral.case import Case, State
from gateway.referral.inbox import Known, Outcome
from tests.builders import (
    RECEIVED,
    emessage,
    handle,
    sks,
    tell,
    xref15,
)

LATER = RECEIVED.replace(day=18)
#: DM545 is a low back disorder that training follows; the text says that it has been looked into
BACK = {"diagnoses": sks("DM545"), "text": "Færdigudredt."}


def correction(case: Case, letter_id: str = "RETTET00000001", **changes: object) -> Outcome:
    letter = xref15(letter_id=letter_id, status="rettetbrev", **changes)
    return handle(emessage(letter, envelope_id=letter_id), Known(cases={case.case_id: case}), at=LATER)


def tasks(outcome: Outcome, team: str) -> list[dict[str, object]]:
    (message,) = [x for x in outcome.outgoing if x.kind == "Task" and x.receiver == team]
    resources = [entry["resource"] for entry in json.loads(message.content)["entry"]]
    return [resource for resource in resources if resource["resourceType"] == "Task"]


def teams(outcome: Outcome) -> list[str]:
    return [x.receiver for x in outcome.outgoing if x.kind == "Task"]


def note(task: dict[str, object]) -> str:
    return task["note"][0]["text"] if "note" in task else ""


def after(case: Case, *told: str, **changes: object) -> Case:
    for kind in told:
        (case,) = tell(case, kind, **changes).cases
    return case


def states(case: Case) -> list[tuple[str, State]]:
    return [(a.team, a.state) for a in case.assignments]
