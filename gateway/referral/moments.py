"""Danish dates: as a letter writes them, and as a team tells them."""

from datetime import date, datetime

from gateway.referral.workdays import COPENHAGEN

_MONTHS = {
    1: "januar", 2: "februar", 3: "marts", 4: "april", 5: "maj", 6: "juni",
    7: "juli", 8: "august", 9: "september", 10: "oktober", 11: "november", 12: "december",
}  # fmt: skip


def danish_date(day: date) -> str:
    """A date as Danes write it.

    >>> danish_date(date(2026, 12, 4))
    '4. december 2026'
    """
    return f"{day.day}. {_MONTHS[day.month]} {day.year}"


def parse_moment(told: str | None) -> datetime | None:
    """A team's date (midnight in Denmark) or date-time with zone; None for nothing."""
    if told is None:
        return None
    moment = datetime.fromisoformat(told)
    return moment if moment.tzinfo else moment.replace(tzinfo=COPENHAGEN)
