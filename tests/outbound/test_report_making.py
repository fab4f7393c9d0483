"""Reports made night by night from the store: in order, once, complete, whatever KL answered to the last one."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import delete

from gateway.errors import ConfigurationError
from gateway.inbound.pipeline import Pipeline
from gateway.inbound.source import Delivery
from gateway.municipality.model import load
from gateway.outbound.report_making import ReportMaker
from gateway.receive import Entrance
from gateway.store.engine import writing
from gateway.store.reports import DELIVERED, REFUSED, StoredReport
from gateway.store.schema import cases
from gateway.store.store import Store, open_store
from tests.builders import emessage, event, xref15
from tests.kl_builders import BASE, at, period

MONDAY = date(2026, 11, 16)
TUESDAY, WEDNESDAY, FRIDAY = (MONDAY + timedelta(days=n) for n in (1, 2, 4))
OTHER_EPISODE = "9d1b2c3a4e5f60718293a4b5c6d7e8f9"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.broker)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    on_sqlite = f"sqlite:///{tmp_path}/gateway.sqlite3"
    with open_store(on_sqlite if request.param == "sqlite" else request.getfixturevalue("postgres_url")) as opened:
        yield opened


@pytest.fixture
def maker(store: Store) -> ReportMaker:
    return ReportMaker(store.reports, load(), BASE, lambda: datetime(2026, 12, 1, tzinfo=UTC))


def take(store: Store, data: bytes, moment: str, entrance: Entrance = Entrance.MEDCOM) -> None:
    outcome = Pipeline(store, load(), lambda: at(moment)).handle_one(Delivery(data=data, entrance=entrance))
    assert not outcome.parked, outcome.parked[0].fault.text


def referred(store: Store, **changes: object) -> str:
    take(store, emessage(xref15(**changes)), "2026-11-16T09:20")
    (citizen,) = store.reports.citizens()
    return citizen


def talk(store: Store, moment: str, **changes: object) -> None:
    told = {"occurred": at(moment).isoformat(), "period": period(f"{moment[:11]}09:00")} | changes
    take(store, event("talk_held", **told), moment, Entrance.TEAM)


def kinds(report: StoredReport) -> list[str]:
    entries: list[dict[str, Any]] = json.loads(report.body)["entry"]
    return sorted(entry["resource"]["resourceType"] for entry in entries)


def test_each_day_is_reported_once_and_in_order(store: Store, maker: ReportMaker) -> None:
    citizen = referred(store)
    talk(store, "2026-11-18T10:00")
    made = maker.make(citizen, FRIDAY)
    assert [report.day for report in made] == [MONDAY, WEDNESDAY]
    assert "Encounter" in kinds(made[1])
    assert "ServiceRequest" not in kinds(made[1])
    assert store.reports.of(citizen) == made
    assert maker.make(citizen, FRIDAY) == []


def test_what_has_not_happened_by_then_waits(store: Store, maker: ReportMaker) -> None:
    citizen = referred(store)
    talk(store, "2026-11-18T10:00")
    assert [r.day for r in maker.make(citizen, TUESDAY)] == [MONDAY]
    assert [r.day for r in maker.make(citizen, FRIDAY)] == [WEDNESDAY]


def test_late_news_about_a_closed_day_come_with_the_next(store: Store, maker: ReportMaker) -> None:
    citizen = referred(store)
    maker.make(citizen, MONDAY)
    talk(store, "2026-11-16T10:00")
    assert maker.make(citizen, MONDAY) == []
    (report,) = maker.make(citizen, FRIDAY)
    assert (report.day, "Encounter" in kinds(report)) == (FRIDAY, True)


def test_what_kl_refused_is_told_again_under_a_new_id(store: Store, maker: ReportMaker) -> None:
    citizen = referred(store)
    (first,) = maker.make(citizen, MONDAY)
    store.reports.settle(first.report_id, REFUSED, "422", at("2026-11-17T01:00"))
    (again,) = maker.make(citizen, MONDAY)
    assert (again.day, again.ordinal) == (MONDAY, 1)
    assert again.report_id != first.report_id
    without_id = [json.loads(report.body) | {"id": ""} for report in (first, again)]
    assert without_id[0] == without_id[1]


def test_what_kl_refused_of_a_day_that_a_later_one_has_closed_comes_with_the_next(
    store: Store, maker: ReportMaker
) -> None:
    citizen = referred(store)
    talk(store, "2026-11-18T10:00")
    first, second = maker.make(citizen, WEDNESDAY)
    store.reports.settle(first.report_id, REFUSED, "422", at("2026-11-19T01:00"))
    store.reports.settle(second.report_id, DELIVERED, "201", at("2026-11-19T01:00"))
    (again,) = maker.make(citizen, FRIDAY)
    assert (again.day, "ServiceRequest" in kinds(again)) == (FRIDAY, True)


def test_two_cases_of_a_citizen_are_one_report(store: Store, maker: ReportMaker) -> None:
    citizen = referred(store)
    letter = xref15(letter_id="BRV00000000002", episode=OTHER_EPISODE)
    take(store, emessage(letter, envelope_id="KUV00000000002"), "2026-11-16T10:20")
    (report,) = maker.make(citizen, MONDAY)
    assert kinds(report).count("ServiceRequest") == 2
    assert kinds(report).count("Patient") == 1


def test_the_patients_id_is_no_number_of_the_citizens(store: Store, maker: ReportMaker) -> None:
    citizen = referred(store)
    (report,) = maker.make(citizen, MONDAY)
    patient = json.loads(report.body)["entry"][0]
    assert patient["resource"]["id"].replace("-", "") == citizen
    assert patient["fullUrl"] == f"{BASE}/Patient/{patient['resource']['id']}"


def test_an_erased_case_is_no_error(store: Store, maker: ReportMaker) -> None:
    """Retention takes a case away; KL is not told that it never was."""
    citizen = referred(store)
    letter = xref15(letter_id="BRV00000000002", episode=OTHER_EPISODE)
    take(store, emessage(letter, envelope_id="KUV00000000002"), "2026-11-17T10:20")
    made = maker.make(citizen, TUESDAY)
    oldest = store.reports.cases_of(citizen)[0].case_id
    with writing(store.engine) as connection:
        connection.execute(delete(cases).where(cases.c.case_id == oldest))
    assert len(made) == 2
    assert maker.make(citizen, FRIDAY) == []


def test_a_citizen_without_cpr_is_left_out(store: Store, maker: ReportMaker) -> None:
    citizen = referred(store, cpr=None, replacement_cpr="1203651AB1")
    assert not maker.can_report(citizen)
    assert maker.make(citizen, FRIDAY) == []


def test_a_team_that_the_file_no_longer_has_stops_the_making(store: Store) -> None:
    citizen = referred(store)
    ishoej = load()
    left = {"genoptraening-ishoej": ishoej.teams["genoptraening-ishoej"]}
    file = msgspec.structs.replace(ishoej, teams=left)
    maker = ReportMaker(store.reports, file, BASE, lambda: at("2026-11-17T01:00"))
    with pytest.raises(ConfigurationError, match="sundhedskonsulenter"):
        maker.make(citizen, MONDAY)


def test_a_new_sor_id_of_a_team_rewrites_no_history(store: Store, maker: ReportMaker) -> None:
    citizen = referred(store)
    talk(store, "2026-11-17T10:00")
    letter = xref15(letter_id="BRV00000000002", episode=OTHER_EPISODE)
    take(store, emessage(letter, envelope_id="KUV00000000002"), "2026-11-17T10:20")
    maker.make(citizen, TUESDAY)
    ishoej = load()
    teams = {key: msgspec.structs.replace(team, sor="543210000019006") for key, team in ishoej.teams.items()}
    file = msgspec.structs.replace(ishoej, teams=teams)
    (report,) = ReportMaker(store.reports, file, BASE, lambda: at("2026-12-01T01:00")).make(citizen, FRIDAY)
    assert kinds(report) == ["CarePlan", "Organization", "Patient"]


def test_without_sor_ids_nothing_is_made(store: Store) -> None:
    ishoej = load()
    teams = {key: msgspec.structs.replace(team, sor="") for key, team in ishoej.teams.items()}
    with pytest.raises(ConfigurationError, match=r"teams\.sundhedskonsulenter\.sor, teams\.genoptraening-ishoej\.sor"):
        ReportMaker(store.reports, msgspec.structs.replace(ishoej, teams=teams), BASE, lambda: at("2026-11-17T01:00"))
