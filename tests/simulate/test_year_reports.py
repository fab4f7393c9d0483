"""KL's reports of the scripted year: a report for each day with something new, all of them as the guide wants them."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.outbound.report_making import ReportMaker
from gateway.referral.events import EventType
from gateway.store.reports import StoredReport
from gateway.store.store import open_store
from tests.kl_builders import BASE, check_with_the_guide
from tests.reference import shared_folder, thorough
from tests.simulate.year import ISHOEJ, Year, told

pytestmark = pytest.mark.xdist_group("year")
Json = dict[str, Any]
LATER = date(2028, 1, 1)


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Year]:
    with open_store(f"sqlite:///{tmp_path_factory.mktemp('reports')}/gateway.sqlite3") as store:
        played = Year(store)
        played.play()
        yield played


@pytest.fixture(scope="module")
def reports(year: Year) -> list[StoredReport]:
    kept = year.store.reports
    maker = ReportMaker(kept, ISHOEJ, BASE, lambda: datetime(2028, 1, 2, tzinfo=UTC))
    return [report for citizen in kept.citizens() for report in maker.make(citizen, LATER)]


def bundles(reports: list[StoredReport]) -> list[Json]:
    return [msgspec.json.decode(report.body) for report in reports]


def test_a_citizens_day_has_one_report(reports: list[StoredReport]) -> None:
    assert len(reports) > 1000
    assert max(Counter((report.citizen, report.day) for report in reports).values()) == 1


def test_every_contact_that_was_told_is_reported_once(year: Year, reports: list[StoredReport]) -> None:
    entries = [entry["resource"] for bundle in bundles(reports) for entry in bundle["entry"]]
    contacts = Counter(one["id"] for one in entries if one["resourceType"] == "Encounter")
    held = {EventType.TALK_HELD, EventType.SESSION_HELD, EventType.CLOSING_TALK_HELD, EventType.FOLLOW_UP_HELD}
    events = [said for event in year.events if (said := told(event))["type"] in held]
    whole = [said for said in events if "period" in said and "contact_class" in said]
    assert set(contacts.values()) == {1}
    assert len(contacts) == len(whole) > 500


def test_the_guide_accepts_every_report(reports: list[StoredReport], tmp_path: Path) -> None:
    check_with_the_guide(shared_folder(), tmp_path, bundles(reports[:: thorough(1, 20)]))
