"""``gateway statistics``: tables and CSV of what the store holds."""

from pathlib import Path

import pytest

from gateway.clocks import system_now
from gateway.inbound.pipeline import Pipeline
from gateway.inbound.source import Delivery
from gateway.municipality.model import load
from gateway.referral.workdays import local_date
from gateway.simulate.stories import recorded
from gateway.store.store import open_store
from tests.commands.conftest import Gateway

YEAR = str(local_date(system_now()).year)


@pytest.fixture
def recorded_store(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path}/spool/gateway.sqlite3") as store:
        Pipeline(store, load(), system_now).handle([Delivery(data=data) for data in recorded().values()])


def test_every_year_is_a_column(gateway: Gateway, recorded_store: None) -> None:
    ended = gateway("statistics")
    assert (ended.status, ended.err) == (0, "")
    assert YEAR in ended.out
    assert f"{YEAR}-" not in ended.out
    assert "Program: KOL" in ended.out
    assert "Team: Genoptræning Ishøj" in ended.out
    assert ended.out.splitlines()[-1].startswith("* færre end 5")


def test_a_year_is_told_by_its_months_and_as_a_whole(gateway: Gateway, recorded_store: None) -> None:
    ended = gateway("statistics", "--year", YEAR, "--csv")
    assert (ended.status, ended.err) == (0, "")
    lines = [line.split(";") for line in ended.out.splitlines()]
    received = {period: value for period, what, _, value, _ in lines if what == "Henvisninger modtaget"}
    month = f"{local_date(system_now()):%Y-%m}"
    assert set(received) == {month, YEAR}
    assert received[month] == received[YEAR]
    assert int(received[YEAR]) > 5


def test_a_year_without_cases_is_empty(gateway: Gateway, recorded_store: None) -> None:
    ended = gateway("statistics", "--year", "2019", "--csv")
    assert (ended.status, ended.out) == (0, "periode;opgørelse;gruppe;antal;bemærkning\n")


def test_nothing_about_a_person_is_told(gateway: Gateway, recorded_store: None) -> None:
    told = gateway("statistics", "--year", YEAR, "--csv").out + gateway("statistics").out
    for case_text in ("Prøve", "99", "5790"):
        assert case_text not in told.replace("9,9", "")
