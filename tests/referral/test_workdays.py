"""The clock of decision.md §7: the 14th day after receipt, moved earlier to a day on which the municipality works."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.municipality.model import Municipality
from gateway.referral.decide import respond_by
from gateway.referral.workdays import COPENHAGEN, add_workdays, is_possible, is_workday, local_date, previous_workday


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        ("2026-11-16T09:20", "2026-11-30"),  # Monday to Monday
        ("2026-11-14T12:00", "2026-11-27"),  # a Saturday: the 28th is one too
        ("2026-11-15T12:00", "2026-11-27"),  # a Sunday
        ("2026-03-20T12:00", "2026-04-01"),  # Good Friday, and Maundy Thursday before it
        ("2026-03-23T12:00", "2026-04-01"),  # Easter Monday
        ("2026-04-17T12:00", "2026-05-01"),  # the Great Prayer Day that was
        ("2026-04-30T12:00", "2026-05-13"),  # Ascension Day
        ("2026-05-11T12:00", "2026-05-22"),  # Whit Monday
        ("2026-05-22T12:00", "2026-06-04"),  # Constitution Day: closed, no public holiday
        ("2026-12-10T12:00", "2026-12-23"),  # Christmas Eve: closed
        ("2026-12-11T12:00", "2026-12-23"),  # Christmas Day
        ("2026-12-12T12:00", "2026-12-23"),  # Boxing Day
        ("2026-12-17T12:00", "2026-12-30"),  # New Year's Eve: closed
        ("2026-12-18T12:00", "2026-12-30"),  # New Year's Day
        ("2028-02-15T12:00", "2028-02-29"),  # a leap day
    ],
)
def test_respond_by(received: str, expected: str, municipality: Municipality) -> None:
    moment = datetime.fromisoformat(received).replace(tzinfo=COPENHAGEN)
    assert respond_by(moment, municipality, section_140=False) == date.fromisoformat(expected)


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        ("2026-11-15T22:59", "2026-11-27"),  # still Sunday in Denmark
        ("2026-11-15T23:00", "2026-11-30"),  # Monday in Denmark
        ("2026-07-05T22:00", "2026-07-20"),  # in summer the day turns an hour earlier
        ("2026-10-24T22:30", "2026-11-06"),  # the night in which summer time ends
        ("2026-03-28T23:30", "2026-04-10"),  # the night in which it begins
    ],
)
def test_the_day_is_the_danish_one(received: str, expected: str, municipality: Municipality) -> None:
    moment = datetime.fromisoformat(received).replace(tzinfo=UTC)
    assert respond_by(moment, municipality, section_140=False) == date.fromisoformat(expected)


def test_section_140_has_seven_days(municipality: Municipality) -> None:
    moment = datetime(2026, 11, 16, 9, tzinfo=COPENHAGEN)
    assert respond_by(moment, municipality, section_140=True) == date(2026, 11, 23)


@given(st.datetimes(min_value=datetime(1950, 1, 1), max_value=datetime(2150, 1, 1), timezones=st.just(COPENHAGEN)))  # noqa: DTZ001
def test_it_is_a_working_day_and_never_later(moment: datetime) -> None:
    closing = ("06-05", "12-24", "12-31")
    day = previous_workday(local_date(moment), closing)
    assert is_workday(day, closing)
    assert local_date(moment) - timedelta(days=8) < day <= local_date(moment)


def test_working_days_ahead() -> None:
    assert add_workdays(date(2026, 4, 1), 1, ()) == date(2026, 4, 7)
    assert add_workdays(date(2026, 12, 22), 2, ("12-24",)) == date(2026, 12, 28)
    assert add_workdays(date(2026, 4, 4), 0, ()) == date(2026, 4, 4)


@pytest.mark.parametrize(("year", "possible"), [(1, False), (1899, False), (1900, True), (2199, True), (2200, False)])
def test_years_that_a_letter_can_mean(*, year: int, possible: bool) -> None:
    assert is_possible(date(year, 6, 1)) is possible
    assert is_possible(datetime(year, 6, 1, tzinfo=UTC)) is possible
