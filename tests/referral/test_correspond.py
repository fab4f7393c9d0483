"""A GP's reply: joined to its case and handed to the team; without a case it is for review, and never dropped."""

import json
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

from gateway.referral.case import Case, State
from gateway.referral.inbox import Known, Outcome
from tests.builders import BACK_TEAM, CONSULTANTS, EPISODE, faults, handle, kinds, only, opened, sks, tell
from tests.correspondence_builders import xdis91, xdis91_message

OTHER_EPISODE = "00000000000000000000000000000001"
OTHER_SENDER = "5790000121526"


def known(*cases: Case) -> Known:
    return Known(cases={case.case_id: case for case in cases})


def send(*cases: Case, **changes: object) -> Outcome:
    return handle(xdis91_message(xdis91(**changes)), known(*cases))


def resources(outcome: Outcome) -> dict[str, dict[str, Any]]:
    letter = only(outcome, "Communication")
    assert Bundle.model_validate_json(letter.content).entry
    entries = json.loads(letter.content)["entry"]
    return {entry["resource"]["resourceType"]: entry["resource"] for entry in entries}


def test_a_reply_reaches_the_team_of_its_case() -> None:
    case = opened()
    outcome = send(case)
    assert kinds(outcome) == ["XCTL03", "Communication"]
    assert faults(outcome) == []
    (after,) = outcome.cases
    assert after.number == case.number + 1
    (entry,) = after.letters
    assert (entry.letter_id, entry.linked_by, entry.replaces) == ("KOR00000000001", "episode", None)
    assert outcome.letters[0].case_id == case.case_id
    assert only(outcome, "Communication").receiver == CONSULTANTS
    found = resources(outcome)
    assert found["Communication"]["payload"] == [{"contentString": "Borgeren ønsker rygestop."}]
    assert found["Communication"]["priority"] == "routine"
    assert found["Task"]["groupIdentifier"]["value"] == case.case_id
    assert [i["value"] for i in found["Task"]["identifier"]] == [a.id for a in case.assignments]
    assert found["Task"]["businessStatus"]["text"] == "correspondence"
    assert found["Task"]["focus"]["reference"] == f"urn:uuid:{found['Communication']['id']}"


@pytest.mark.parametrize("spelling", [EPISODE.upper(), f" {EPISODE}"])
def test_the_episode_is_known_in_every_spelling(spelling: str) -> None:
    assert send(opened(), episode=spelling).cases[0].letters[0].linked_by == "episode"


@pytest.mark.parametrize("episode", [None, OTHER_EPISODE])
def test_without_the_episode_sender_citizen_and_open_case_decide(episode: str | None) -> None:
    outcome = send(opened(), episode=episode)
    assert outcome.cases[0].letters[0].linked_by == "citizen"
    assert "nævner ikke et kendt forløb" in resources(outcome)["Task"]["description"]


def test_the_team_is_told_that_the_answer_has_come() -> None:
    asked = tell(opened(), "info_requested").cases[0]
    task = resources(send(asked))["Task"]
    assert task["businessStatus"]["text"] == "answer-received"
    assert "svaret er kommet" in task["description"]


@pytest.mark.parametrize(("before", "steps"), [("accepted", ()), ("contacted", ("contacted",))])
def test_what_waited_for_the_answer_goes_on_where_it_stood(before: str, steps: tuple[str, ...]) -> None:
    case = opened()
    for step in (*steps, "info_requested"):
        case = tell(case, step).cases[0]
    assert case.state is State.INFO_REQUESTED
    outcome = send(case)
    assert outcome.cases[0].state.value == before
    assert only(outcome, "Communication").receiver == CONSULTANTS


def test_a_letter_nobody_asked_for_changes_no_state() -> None:
    case = tell(opened(), "contacted").cases[0]
    outcome = send(case)
    assert outcome.cases[0].state is State.CONTACTED
    assert resources(outcome)["Task"]["businessStatus"]["text"] == "correspondence"


def test_a_case_in_review_is_the_review_teams() -> None:
    case = opened(diagnoses=(), text="Henvises.")
    assert only(send(case), "Communication").receiver == case.decision.review_team


def test_every_team_of_the_case_gets_it() -> None:
    case = opened(diagnoses=sks("DE119", "DM545"))
    outcome = send(case)
    assert {a.team for a in case.assignments} == {CONSULTANTS, BACK_TEAM}
    assert {o.receiver for o in outcome.outgoing if o.kind == "Communication"} == {CONSULTANTS, BACK_TEAM}


def ended(case: Case) -> Case:
    return tell(case, "declined_by_citizen").cases[0]


def test_a_reply_to_an_ended_case_still_reaches_its_team() -> None:
    case = ended(opened())
    assert case.all_ended
    assert only(send(case), "Communication").receiver == CONSULTANTS


@pytest.mark.parametrize(
    ("case", "changes", "fault"),
    [
        (None, {}, "GW-165"),
        ("ended", {"episode": None}, "GW-165"),
        ("open", {"episode": None, "sender": OTHER_SENDER}, "GW-165"),
        ("twice", {"episode": None}, "GW-166"),
        ("twice", {}, "GW-166"),
        ("open", {"cpr": "0101659907"}, "GW-167"),
    ],
)
def test_what_fits_no_case_is_for_review_and_visible(case: str | None, changes: dict[str, Any], fault: str) -> None:
    cases = {
        None: (),
        "open": (opened(),),
        "ended": (ended(opened()),),
        "twice": (opened(), opened(letter_id="BRV00000000002")),
    }[case]
    outcome = send(*cases, **changes)
    assert kinds(outcome) == ["XCTL03", "Communication"]
    assert faults(outcome) == [fault]
    assert outcome.cases == ()
    assert only(outcome, "Communication").receiver == "sundhedskonsulenter"
    task = resources(outcome)["Task"]
    assert task["businessStatus"]["coding"] == [{"code": "for-review"}]
    assert "groupIdentifier" not in task


def test_of_two_cases_of_an_episode_the_open_one_of_the_sender_is_meant() -> None:
    first, second = ended(opened()), opened(letter_id="BRV00000000002")
    assert send(first, second).cases[0].case_id == second.case_id


def test_a_correction_replaces_visibly() -> None:
    first = send(opened()).cases[0]
    outcome = send(first, letter_id="KOR00000000002", status="rettetbrev")
    assert [x.replaces for x in outcome.cases[0].letters] == [None, "KOR00000000001"]
    task = resources(outcome)["Task"]
    assert task["input"][0]["valueIdentifier"]["value"] == "KOR00000000001"
    assert "erstatter et tidligere brev" in task["description"]


@pytest.mark.parametrize("cases", [(), (opened(),)])
def test_a_correction_of_nothing_says_so(cases: tuple[Case, ...]) -> None:
    task = resources(send(*cases, status="rettetbrev"))["Task"]
    assert "har ikke det brev, der rettes" in task["description"]


def test_what_matters_at_once_is_told() -> None:
    found = resources(send(opened(), citizen_status="doed", priority="høj_prioritet"))
    assert "borgeren er død" in found["Task"]["description"]
    assert found["Task"]["priority"] == found["Communication"]["priority"] == "urgent"


@pytest.mark.parametrize(("changes", "fault"), [({"receiver_id": "461"}, "GW-131"), ({"cpr": "3113650000"}, "GW-140")])
def test_what_is_not_ours_or_impossible_is_refused(changes: dict[str, Any], fault: str) -> None:
    outcome = send(opened(), **changes)
    assert kinds(outcome) == ["XCTL02"]
    assert faults(outcome) == [fault]
    assert outcome.cases == ()


def test_a_reply_that_comes_twice_gets_its_receipt_and_nothing_else() -> None:
    case = opened()
    first = send(case)
    again = handle(xdis91_message(xdis91(), envelope_id="KUV00000000002"), known(case).fold(first))
    assert again.outgoing == ()
    assert again.cases == ()
    assert again.resend == (only(first, "XCTL03").letter_id,)


def test_author_and_attachments_are_told() -> None:
    link = "<Reference><RefDescription>Skema</RefDescription><URL>https://eksempel.dk/1</URL></Reference>"
    payload = resources(send(opened(), subject=None, references=link))["Communication"]["payload"]
    assert payload[1] == {"contentString": "Bilag: Skema https://eksempel.dk/1"}
