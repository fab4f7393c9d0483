"""What is counted of cases, when, and what is not: small cases told by hand against the figures they give."""

from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from gateway.mapping.statistics_csv import TITLES, as_csv
from gateway.municipality.model import load
from gateway.referral.case import Case, EarlierVersion
from gateway.referral.statistics import MEASURES, Figure, statistics
from tests.builders import BACK_TEAM, CONSULTANTS, RECEIVED, icpc, opened, sks
from tests.referral.told import after

ISHOEJ = load()
AS_OF = date(2027, 6, 1)
COMPLETED = ("accepted", "talk_held", "course_started", "course_completed")
NICOTINE = "6d24992e-e0a2-43e7-bc27-0234622a8655"


def case(*steps: str | tuple[str, dict[str, object]], codes: Any = sks("DE119"), **given: Any) -> Case:  # noqa: ANN401, B008
    return after(opened(diagnoses=codes, **given), *steps)[0]


def figures(*cases: Case, as_of: date = AS_OF) -> dict[tuple[str, str, str], float]:
    found = statistics(cases, ISHOEJ, as_of)
    keys = {(f.period, f.measure, f.group): f.value for f in found}
    assert len(keys) == len(found)
    return keys


def of(measure: str, *cases: Case, period: str = "2026", as_of: date = AS_OF) -> dict[str, float]:
    return {g: value for (p, m, g), value in figures(*cases, as_of=as_of).items() if (p, m) == (period, measure)}


# ------------------------------------------------------------------ referrals
def test_a_referral_counts_in_the_month_and_year_in_which_it_came() -> None:
    found = figures(case(), case())
    assert found["2026-11", "received", ""] == found["2026", "received", ""] == 2
    assert not {period for period, _, _ in found} - {"2026-11", "2026"}


def test_a_month_is_a_danish_month() -> None:
    last = msgspec.structs.replace(case(), received_at=datetime.fromisoformat("2026-11-30T23:30:00+00:00"))
    assert of("received", last, period="2026-12") == {"": 1}


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        (sks("DE119"), "relevant"),
        (sks("DM545"), "low_back"),
        (sks("DE119", "DM545"), "relevant"),
        (sks("DE669"), "not_offered"),
        (icpc("A97"), "relevant"),
    ],
)
def test_every_referral_is_relevant_for_low_back_alone_or_for_what_is_not_offered(codes: Any, kind: str) -> None:  # noqa: ANN401
    found = figures(case(codes=codes))
    assert {m for p, m, _ in found if p == "2026" and m in {"relevant", "low_back", "not_offered"}} == {kind}


def test_what_a_person_found_an_offer_for_is_relevant() -> None:
    assert of("not_offered", case("review_decided", codes=sks("DE669"))) == {}
    assert of("relevant", case("review_decided", codes=sks("DE669"))) == {"": 1}


def test_what_is_not_offered_counts_in_no_part() -> None:
    found = figures(case(codes=sks("DE669")))
    assert {measure for _, measure, _ in found} == {"received", "not_offered"}


def test_programmes_count_each_and_none_counts_too() -> None:
    cases = (case(codes=sks("DE119", "DM545")), case(codes=sks("DM545")), case(codes=icpc("A97")))
    assert of("programme", *cases) == {"diabetes_2": 1, "low_back": 2, "none": 1}


def test_referrers_teams_and_outcomes() -> None:
    municipal = {"sender_id": "183", "sender_code": "kommunenummer"}
    cases = (case(), case(codes=sks("DM545")), case(**municipal))
    assert of("referrer", *cases) == {"practice": 2, "municipal": 1}
    assert of("team", *cases) == {CONSULTANTS: 2, BACK_TEAM: 1}
    assert of("outcome", *cases) == {"accepted": 2, "review": 1}


def test_a_team_that_handed_its_assignment_over_counts_no_more() -> None:
    assert of("team", case(("reassigned", {"to_team": BACK_TEAM}))) == {BACK_TEAM: 1}


def test_a_corrected_referral_counts_when_it_first_came_and_by_who_sent_it() -> None:
    new = case()
    earlier = EarlierVersion(
        number=1,
        received_at=RECEIVED - timedelta(days=60),
        referral=opened(sender_id="183", sender_code="kommunenummer").referral,
        arrival=new.arrival,
        decision=new.decision,
        assignments=new.assignments,
        replaced_at=RECEIVED,
    )
    renewed = msgspec.structs.replace(new, earlier=(earlier,))
    assert of("received", renewed, period="2026-09") == {"": 1}
    assert of("referrer", renewed) == {"municipal": 1}


# ------------------------------------------------------------------ courses
def test_courses_count_when_they_begin_and_end() -> None:
    found = figures(case(*COMPLETED))
    assert (found["2026-11", "course_started", ""], found["2027-01", "course_completed", ""]) == (1, 1)
    assert ("2026", "course_completed", "") not in found


def test_a_course_that_ends_early_counts_by_its_reason() -> None:
    stopped = case("accepted", "talk_held", "course_started", "stopped", "closed")
    found = figures(stopped)
    assert found["2026-11", "stopped", ""] == found["2026-11", "stop_reason", "Aktivt fravalg"] == 1
    assert ("2026", "course_completed", "") not in found


def test_nicotine_courses_count_by_group_and_individual() -> None:
    def course(delivery: str) -> Case:
        began = ("course_started", {"interventions": [NICOTINE], "delivery": delivery})
        return case("accepted", began, codes=sks("DF172"))

    cases = (course("group"), course("group"), course("individual"), case(*COMPLETED))
    assert of("nicotine_course", *cases) == {"group": 2, "individual": 1}


# ------------------------------------------------------------------ waiting time
def waited(days: int) -> Case:
    """The first talk so many days after receipt."""
    start = RECEIVED + timedelta(days=days)
    period = {"start": start.isoformat(), "end": (start + timedelta(minutes=45)).isoformat()}
    return case("accepted", ("talk_held", {"period": period, "occurred": start.isoformat()}))


def test_median_ninetieth_and_share_in_time() -> None:
    found = figures(*(waited(days) for days in (1, 3, 5, 7, 9, 11, 13, 14, 15, 40)))
    assert found["2026", "waited", ""] == 10
    assert found["2026", "wait_median", ""] == 10
    assert found["2026", "wait_p90", ""] == 15
    assert found["2026", "wait_in_time", ""] == 80


def test_an_odd_number_has_one_in_the_middle() -> None:
    assert of("wait_median", *(waited(days) for days in (2, 4, 30))) == {"": 4}


def test_whoever_waits_beyond_the_promise_is_not_in_time_and_one_who_still_may_be_is_not_counted() -> None:
    cases = (waited(5), case())
    assert of("still_waiting", *cases) == {"": 1}
    assert of("wait_in_time", *cases, as_of=RECEIVED.date() + timedelta(days=14)) == {"": 100}
    assert of("wait_in_time", *cases, as_of=RECEIVED.date() + timedelta(days=15)) == {"": 50}
    assert of("wait_in_time", case()) == {"": 0}
    assert of("waited", case()) == {}


def test_a_direct_start_ends_the_waiting_and_one_that_is_over_waits_no_more() -> None:
    direct = case("accepted", ("course_started", {"started": "2026-11-18"}), codes=sks("DF172"))
    assert of("wait_median", direct) == {"": 2}
    over = case("declined_by_citizen")
    assert of("still_waiting", over) == of("wait_in_time", over) == {}


def test_a_talk_told_before_the_receipt_is_no_negative_wait() -> None:
    assert of("wait_median", waited(-3)) == {"": 0}


# ------------------------------------------------------------------ how it is told
def test_figures_come_by_period_and_measure_and_small_ones_are_marked() -> None:
    found = statistics([case() for _ in range(5)] + [case(codes=sks("DJ449"))], ISHOEJ, AS_OF)
    assert [f.period for f in found] == sorted(f.period for f in found)
    places = [list(MEASURES).index(f.measure) for f in found if f.period == "2026"]
    assert places == sorted(places)
    small = {f.group for f in found if f.period == "2026" and f.measure == "programme" and f.small}
    assert small == {"copd"}


def test_nothing_is_told_of_no_cases() -> None:
    assert statistics([], ISHOEJ, AS_OF) == ()


def test_csv_is_what_a_danish_spreadsheet_reads_and_names_everything() -> None:
    cases = [case(*COMPLETED), case(codes=icpc("A97")), case(codes=sks("DM545")), waited(20)]
    text = as_csv(statistics(cases, ISHOEJ, AS_OF), ISHOEJ)
    lines = [line.split(";") for line in text.splitlines()]
    assert lines[0] == ["periode", "opgørelse", "gruppe", "antal", "bemærkning"]
    assert ["2026", "Program", "type 2-diabetes", "2", "færre end 5: kan pege på en person"] in lines
    assert ["2026", "Program", "intet", "1", "færre end 5: kan pege på en person"] in lines
    assert ["2026", "Team", "Genoptræning Ishøj", "1", "færre end 5: kan pege på en person"] in lines
    assert lines[-1][1].startswith(("Forløb", "Stoppet", "Årsag"))
    assert "Første samtale inden for 14 dage, procent;;25;" in text
    assert set(TITLES) == set(MEASURES)


def test_a_reason_is_told_as_kl_words_it() -> None:
    figure = Figure(period="2026", measure="stop_reason", group="Aktivt fravalg", value=7)
    assert "2026;Årsag til stop;Aktivt fravalg;7;\n" in as_csv([figure], ISHOEJ)
