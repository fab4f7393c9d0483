"""The team's message as its page describes it, for FHIR referrals as for MedCom ones."""

import json
import re
from pathlib import Path

import pytest
from fhir.resources.R4B.bundle import Bundle

from gateway.referral.case import State
from gateway.referral.letters import Outgoing
from gateway.referral.task_state import TASK_STATES
from tests.builders import handle, opened, tell
from tests.fhir_messages import Json, as_json, lives_in, patient, referral, request
from tests.referral.corrections import correction

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "team-message.md").read_text(encoding="utf-8")
EXAMPLE = DOCS / "team-message.example.json"
MESSAGE = Path(__file__).parents[2] / "messages" / "fhir" / "referral" / "accepted-two-assignments.json"


def tasks_of(data: bytes) -> list[Outgoing]:
    return [letter for letter in handle(data).outgoing if letter.kind == "Task"]


def resources(letter: Outgoing) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for entry in json.loads(letter.content)["entry"]:
        found.setdefault(entry["resource"]["resourceType"], []).append(entry["resource"])
    return found


def test_the_example_is_what_we_send() -> None:
    (letter,) = tasks_of(MESSAGE.read_bytes())
    sent = json.loads(letter.content)
    assert json.loads(EXAMPLE.read_text(encoding="utf-8")) == sent
    assert Bundle.model_validate_json(letter.content).type == "collection"
    task, *_ = resources(letter)["Task"]
    shown, decision = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))
    assert shown == {name: value for name, value in task.items() if name not in {"description", "input"}}
    assert decision == json.loads(task["input"][0]["valueString"])


def test_every_step_has_its_state_and_the_page_tells_it() -> None:
    assert set(TASK_STATES) == set(State)
    rows = re.findall(r"^\| `(\w+)` \| `([\w-]+)` \| (?:`([\w-]+)`)? \|", PAGE, re.MULTILINE)
    assert rows == [(s.value, told.status, told.business_status or "") for s, told in TASK_STATES.items()]


def test_each_state_is_told_apart() -> None:
    assert len({(told.status, told.business_status) for told in TASK_STATES.values()}) == len(State)


def test_of_two_messages_of_a_case_the_newer_one_is_known_by_its_number() -> None:
    """Letters may leave in another order than they were written, after a crash or between two processes."""
    case = opened()
    moved, corrected = tell(case, "reassigned"), correction(case)
    for outcome, number in ((moved, 2), (corrected, 2), (correction(moved.cases[0]), 3)):
        assert {case.number for case in outcome.cases} == {number}
        told = [task for x in outcome.outgoing if x.kind == "Task" for task in resources(x)["Task"]]
        assert told
        assert {task["meta"]["versionId"] for task in told} == {str(number)}


@pytest.mark.parametrize("priority", ["routine", "urgent", "asap", "stat", None])
def test_the_priority_of_a_fhir_referral(priority: str | None) -> None:
    (letter,) = tasks_of(as_json(referral(request=request(priority=priority))))
    found = resources(letter)
    assert [r.get("priority") for r in (*found["ServiceRequest"], *found["Task"])] == [priority] * 2
    assert Bundle.model_validate_json(letter.content)


def test_the_municipality_and_the_protection_of_a_fhir_referral() -> None:
    security = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    told = patient(address=lives_in("0183", "2635"), meta={"security": [security]})
    (letter,) = tasks_of(as_json(referral(patient=told)))
    (citizen,) = resources(letter)["Patient"]
    (extension,) = citizen["address"][0]["extension"]
    assert extension["valueCodeableConcept"]["coding"][0]["code"] == "0183"
    assert citizen["meta"]["security"] == [security]
    assert Bundle.model_validate_json(letter.content)
