"""The simulated teams: they do what their message lets them do, the same way every time, and hear a cancellation."""

import json
from collections import Counter
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import pytest

from gateway.municipality.model import load
from gateway.receive import Entrance, read, receive
from gateway.referral.inbox import Known
from gateway.referral.letters import Channel
from gateway.simulate.carriers import CARRIERS, sent_at, written
from gateway.simulate.referrals import Drawn, Run, drawn_referral
from gateway.simulate.teams import Event, Teams

ISHOEJ = load()
RUN = Run(seed="hold", day=date(2026, 11, 16), municipality=ISHOEJ)
FOR_EVER = datetime(9000, 1, 1, tzinfo=UTC)


@cache
def drawn(matter: str, number: int = 0) -> Drawn:
    """The number-th referral of the run that is about this matter."""
    found = (d for d in (drawn_referral(RUN, n, RUN.random(n)) for n in range(5000)) if d.matter.name == matter)
    return [next(found) for _ in range(number + 1)][-1]


def handed_over(told: Drawn) -> tuple[Known, list[bytes]]:
    """What the gateway knows of a referral, and what it hands to the teams."""
    data = written(told, CARRIERS["fhir-json"], ISHOEJ, in_vans=False)
    outcome = receive(read(data), Known(), ISHOEJ, sent_at(told))
    bundles = [letter.content for letter in outcome.outgoing if letter.channel is Channel.TEAM]
    return Known().fold(outcome), bundles


def played(told: Drawn, seed: str = "a") -> tuple[Known, list[Event]]:
    """A referral worked to its end; every event is one that the gateway takes."""
    known, bundles = handed_over(told)
    teams, events = Teams(ISHOEJ, seed), []
    for bundle in bundles:
        teams.take(bundle)
    for event in teams.due(FOR_EVER):
        outcome = receive(read(event.data, Entrance.TEAM), known, ISHOEJ, event.at)
        assert outcome.parked == (), event.data
        known = known.fold(outcome)
        events.append(event)
        for letter in outcome.outgoing:
            if letter.channel is Channel.TEAM:
                teams.take(letter.content)
    assert teams.next_at is None
    return known, events


@pytest.mark.parametrize("matter", ["diabetes_2", "low_back", "nicotine", "alcohol", "diabetes_and_low_back"])
def test_every_event_is_possible_and_the_case_ends_with_a_note(matter: str) -> None:
    seeds = Counter[str]()
    for number in range(12):
        known, _ = played(drawn(matter, number % 3), str(number))
        (case,) = known.cases.values()
        assert case.all_ended
        assert case.discharged_at is not None
        seeds[case.state] += 1
    assert len(seeds) > 1, "not every course goes the same way"


@pytest.mark.parametrize("matter", ["text_only", "type_1_diabetes", "unknown_code", "hba1c_below", "not_offered"])
def test_what_waits_for_a_person_is_decided_once(matter: str) -> None:
    firsts = set()
    for number in range(20):
        known, events = played(drawn(matter), str(number))
        (case,) = known.cases.values()
        assert case.all_ended
        firsts.add(json.loads(events[0].data)["type"])
        assert json.loads(events[0].data)["case_id"] == case.case_id
    assert len(firsts) > 1


def test_who_needs_a_referral_is_helped_to_one() -> None:
    known, events = played(drawn("municipal_referrer"))
    assert [json.loads(event.data)["type"] for event in events] == ["referral_requested"]
    (case,) = known.cases.values()
    assert case.state == "referral_requested"


def test_what_is_urgent_is_decided_the_same_day() -> None:
    _, events = played(drawn("urgent"))
    assert events[0].at.date() == RUN.day


def test_a_team_does_the_same_again_by_the_same_seed() -> None:
    told = drawn("copd")
    assert [e.data for e in played(told)[1]] == [e.data for e in played(told)[1]]
    assert [e.data for e in played(told)[1]] != [e.data for e in played(told, "b")[1]]


def test_the_same_message_twice_begins_nothing_anew() -> None:
    _, bundles = handed_over(drawn("heart"))
    once, twice = Teams(ISHOEJ, "a"), Teams(ISHOEJ, "a")
    for bundle in bundles:
        once.take(bundle)
        twice.take(bundle)
        twice.take(bundle)
    assert list(once.due(FOR_EVER)) == list(twice.due(FOR_EVER))


def task_of(bundle: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    whole = json.loads(bundle)
    (task,) = (e["resource"] for e in whole["entry"] if e["resource"]["resourceType"] == "Task")
    return whole, task


def test_what_is_cancelled_is_not_done_any_more() -> None:
    _, (bundle,) = handed_over(drawn("heart"))
    whole, task = task_of(bundle)
    task["status"] = "cancelled"
    teams = Teams(ISHOEJ, "a")
    teams.take(bundle)
    assert teams.next_at is not None
    teams.take(json.dumps(whole).encode())
    assert teams.next_at is None


@pytest.mark.parametrize("status", ["on-hold", "accepted", "in-progress"])
def test_what_is_under_way_already_is_not_begun(status: str) -> None:
    _, (bundle,) = handed_over(drawn("heart"))
    whole, task = task_of(bundle)
    task["status"] = status
    teams = Teams(ISHOEJ, "a")
    teams.take(json.dumps(whole).encode())
    assert teams.next_at is None


def test_a_forwarded_letter_begins_nothing() -> None:
    _, (bundle,) = handed_over(drawn("heart"))
    whole, _ = task_of(bundle)
    whole["entry"].append({"resource": {"resourceType": "Communication"}})
    teams = Teams(ISHOEJ, "a")
    teams.take(json.dumps(whole).encode())
    assert teams.next_at is None


def test_events_are_named_so_that_a_spool_folder_takes_them_in_their_order() -> None:
    _, events = played(drawn("diabetes_2"))
    by_assignment: dict[str, list[Event]] = {}
    for event in events:
        by_assignment.setdefault(event.assignment, []).append(event)
    for one in by_assignment.values():
        names = [event.name for event in one]
        assert names == sorted(names)
        assert all(name.endswith(".event.json") for name in names)
