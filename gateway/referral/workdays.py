"""Danish working days: no weekend, public holiday or municipal closing day. All dates are Danish civil dates."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from holidays import country_holidays

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
_SATURDAY = 5
#: no letter speaks of another year; before 1894 Danish civil time was no whole number of minutes from UTC
_YEARS = range(1900, 2200)


def is_possible(day: date) -> bool:
    """Whether a letter or event can mean this day (or moment); a year like 0001 or 12022 is a fault of a system."""
    return day.year in _YEARS


def local_date(moment: datetime) -> date:
    """The Danish civil date of an aware moment."""
    return moment.astimezone(COPENHAGEN).date()


@cache
def _holidays(year: int) -> frozenset[date]:
    return frozenset(country_holidays("DK", years=year))


def is_workday(day: date, closing_days: Collection[str]) -> bool:
    """Whether the municipality works on this day; ``closing_days`` are ``MM-DD`` (24 December, Constitution Day …)."""
    return day.weekday() < _SATURDAY and day not in _holidays(day.year) and day.isoformat()[5:] not in closing_days


def previous_workday(day: date, closing_days: Collection[str]) -> date:
    """The day itself when it is a working day, else the nearest earlier one."""
    while not is_workday(day, closing_days):
        day -= timedelta(days=1)
    return day


def add_workdays(day: date, count: int, closing_days: Collection[str]) -> date:
    """The ``count``-th working day after ``day``."""
    while count > 0:
        day += timedelta(days=1)
        count -= is_workday(day, closing_days)
    return day
