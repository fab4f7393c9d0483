"""The doctor's referral to which a citizen was helped: it goes on in the case that asked for it."""

import pytest

from gateway.municipality.model import load
from gateway.referral.case import Case, State
from gateway.referral.inbox import Known, Outcome
from gateway.referral.statistics import statistics
from tests.builders import (
    BACK_TEAM,
    CONSULTANTS,
    EPISODE,
    OTHER_GLN,
    RECEIVED,
    emessage,
    handle,
    icpc,
    kinds,
    only,
    opened,
    sks,
    tell,
    xref15,
)
from tests.referral.corrections import LATER, after, correction, note, states, tasks

DOCTORS_EPISODE = "0a1b2c3d4e5f40718293a4b5c6d7e8f9"
HOME_CARE = {"sender_id": "183", "sender_code": "kommunenummer", "diagnoses": sks("DJ449")}


def asked(**changes: object) -> Case:
    """A case of home care's that waits for a doctor's referral."""
    case = after(opened(**HOME_CARE | changes), "referral_requested")
    assert case.state is State.REFERRAL_REQUESTED
    return case


def doctors(*cases: Case, **changes: object) -> Outcome:
    """The doctor's own referral, with an episode number of its own."""
    told = {"sender": OTHER_GLN, "episode": DOCTORS_EPISODE, "letter_id": "LAEGE000000001", "diagnoses": sks("DJ449")}
    letter = xref15(**told | changes)
    return handle(emessage(letter, envelope_id="LAEGEKUVERT001"), Known(cases={c.case_id: c for c in cases}), at=LATER)


def test_it_goes_on_in_the_case_that_asked_for_it() -> None:
    case = asked()
    outcome = doctors(case)
    (new,) = outcome.cases
    assert (new.case_id, new.number) == (case.case_id, case.number + 1)
    assert states(new) == [(CONSULTANTS, State.ACCEPTED)]
    assert new.assignments[0].id == case.assignments[0].id
    assert new.decision.reasons == ()
    assert outcome.letters[0].case_id == case.case_id
    assert outcome.parked == ()


def test_the_history_holds_what_came_first() -> None:
    case = asked()
    (new,) = doctors(case).cases
    (earlier,) = new.earlier
    assert (earlier.referral, earlier.decision, earlier.assignments) == (case.referral, case.decision, case.assignments)
    assert new.events == case.events
    assert (new.referral.episode_id, earlier.referral.episode_id) == (DOCTORS_EPISODE, EPISODE)


def test_the_days_count_from_the_doctors_letter() -> None:
    (new,) = doctors(asked()).cases
    assert (new.received_at, new.decision.respond_by.isoformat()) == (LATER, "2026-12-02")


def test_the_team_is_told_and_the_doctor_gets_the_letters() -> None:
    outcome = doctors(asked())
    assert kinds(outcome) == ["XCTL03", "XDIS91", "Task"]
    assert only(outcome, "XDIS91").receiver == OTHER_GLN
    assert "visiteret til Afklarende samtale" in only(outcome, "XDIS91").content.decode()
    (task,) = tasks(outcome, CONSULTANTS)
    assert task["status"] == "requested"
    assert note(task).startswith("Henvisningen, som borgeren blev hjulpet til, er kommet.\n")
    (new,) = outcome.cases
    ended = tell(
        after(new, "talk_held", episode_of_care_id=DOCTORS_EPISODE), "closed", episode_of_care_id=DOCTORS_EPISODE
    )
    assert only(ended, "XDIS15").receiver == OTHER_GLN


def test_another_team_may_get_it() -> None:
    (new,) = doctors(asked(), diagnoses=sks("DJ449", "DM545"), text="Færdigudredt.").cases
    assert states(new) == [(CONSULTANTS, State.ACCEPTED), (BACK_TEAM, State.ACCEPTED)]


def test_it_may_have_to_be_seen_by_a_person_itself() -> None:
    (new,) = doctors(asked(), text="Meget svær KOL.").cases
    assert states(new) == [(CONSULTANTS, State.FOR_REVIEW)]
    assert new.decision.reasons == ("COPD_VERY_SEVERE",)


@pytest.mark.parametrize("codes", [icpc("A97"), sks("DJ449")])
def test_where_nothing_is_known_of_one_of_them_it_is_the_same_matter(codes: tuple[object, ...]) -> None:
    case = asked(diagnoses=codes)
    assert doctors(case).cases[0].case_id == case.case_id
    other = doctors(case, diagnoses=icpc("A97")).cases[0]
    assert other.case_id == case.case_id


@pytest.mark.parametrize(
    "changes",
    [
        {"diagnoses": sks("DE119")},
        {"cpr": "0304519902"},
        {"sender_id": "183", "sender_code": "kommunenummer"},
    ],
    ids=["about another matter", "about another citizen", "of someone whose referral is not enough"],
)
def test_another_referral_opens_a_case_of_its_own(changes: dict[str, object]) -> None:
    case = asked()
    (new,) = doctors(case, **changes).cases
    assert new.case_id != case.case_id
    assert new.number == 1


def test_a_case_that_asked_for_nothing_is_left_alone() -> None:
    case = opened(**HOME_CARE)
    assert case.state is State.FOR_REVIEW
    assert doctors(case).cases[0].case_id != case.case_id


def test_of_several_that_wait_the_newest_goes_on() -> None:
    first = asked()
    second = asked(letter_id="BRV00000000002")
    newer = handle(emessage(xref15(**HOME_CARE | {"letter_id": "BRV00000000003"})), at=RECEIVED.replace(hour=15)).cases[
        0
    ]
    newer = after(newer, "referral_requested")
    assert doctors(first, second, newer).cases[0].case_id == newer.case_id


def test_it_comes_once_whatever_happens_then() -> None:
    case = asked()
    (new,) = doctors(case).cases
    (again,) = doctors(new, letter_id="LAEGE000000002").cases
    assert again.case_id != case.case_id, "nobody waits for it any more"


def test_a_correction_of_the_doctors_referral_finds_the_case() -> None:
    (new,) = doctors(asked()).cases
    outcome = correction(new, sender=OTHER_GLN, episode=DOCTORS_EPISODE, diagnoses=sks("DJ449"))
    assert outcome.cases[0].case_id == new.case_id
    assert note(tasks(outcome, CONSULTANTS)[0]).startswith("Henviseren har rettet henvisningen.")


def test_it_stays_one_referral_of_who_came_first() -> None:
    (new,) = doctors(asked()).cases
    found = {(f.measure, f.group): f.value for f in statistics([new], load(), LATER.date()) if f.period == "2026"}
    assert (found["received", ""], found["referrer", "municipal"], found["outcome", "accepted"]) == (1, 1, 1)
