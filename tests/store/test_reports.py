"""Delivery reports are kept for good, once for each citizen and day; only their fate is written down."""

from datetime import date

import pytest

from gateway.errors import ConflictError
from gateway.store.reports import BUILT, DELIVERED, REFUSED, StoredReport
from gateway.store.store import Store
from tests.store.material import NOW, case, change, entry, later

CITIZEN = "0123456789abcdef0123456789abcdef"


def report(number: int = 1, day: str = "2026-03-02", **changes: object) -> StoredReport:
    given = {
        "report_id": f"report-{number}",
        "citizen": CITIZEN,
        "day": date.fromisoformat(day),
        "ordinal": 0,
        "case_ids": frozenset({"a", "b"}),
        "body": b'{"resourceType":"Bundle"}' * 20,
    }
    return StoredReport(**given | changes)


def test_a_report_is_kept_as_it_was_made(store: Store) -> None:
    store.reports.add(report(), NOW)
    assert store.reports.get("report-1") == report()
    assert store.reports.of(CITIZEN) == store.reports.of_day(date(2026, 3, 2)) == [report()]
    assert store.reports.of("another") == store.reports.of_day(date(2026, 3, 3)) == []
    with pytest.raises(KeyError):
        store.reports.get("another")


def test_a_citizen_has_one_report_of_a_day_until_it_is_refused(store: Store) -> None:
    store.reports.add(report(), NOW)
    for second in (report(), report(2)):
        with pytest.raises(ConflictError):
            store.reports.add(second, NOW)
    store.reports.add(report(2, ordinal=1), NOW)
    store.reports.add(report(3, day="2026-03-01"), NOW)
    assert [r.report_id for r in store.reports.of(CITIZEN)] == ["report-3", "report-1", "report-2"]


def test_the_first_answer_stands(store: Store) -> None:
    for number, day in ((1, "2026-03-03"), (2, "2026-03-02")):
        store.reports.add(report(number, day), NOW)
    assert store.reports.waiting() == ["report-2", "report-1"]
    store.reports.settle("report-2", REFUSED, "422 invariant", later(minutes=1))
    store.reports.settle("report-2", DELIVERED, "201", later(minutes=2))
    assert store.reports.waiting() == ["report-1"]
    told = store.reports.get("report-2")
    assert (told.status, told.answer) == (REFUSED, "422 invariant")
    assert store.reports.get("report-1").status == BUILT


def test_a_citizens_cases_are_found_by_one_of_them_oldest_first(store: Store) -> None:
    newer = case("00000000-0000-0000-0000-000000000001", received_at=later(hours=1))
    someone = case().referral
    other = change(someone, citizen=change(someone.citizen, cpr="0101010001"))
    stranger = case("00000000-0000-0000-0000-000000000002", referral=other)
    store.inbox.save([entry(cases=(newer, case(), stranger))], NOW)
    citizen = store.reports.citizen_of(newer.case_id)
    assert citizen is not None
    assert store.reports.cases_of(citizen) == (case(), newer)
    assert store.reports.citizens() == sorted({citizen, store.reports.citizen_of(stranger.case_id)})
    assert store.reports.citizen_of("unknown") is None
