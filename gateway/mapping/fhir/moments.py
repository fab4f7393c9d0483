"""FHIR's points in time → moments: an instant, a dateTime, or a date that begins at midnight in Denmark."""

from datetime import date, datetime

from gateway.referral.workdays import COPENHAGEN, is_possible

_DATE_LENGTH = 10


def instant(written: str | None) -> datetime | None:
    """The moment; None for a month or year alone, for nothing, and for what nobody can have meant.

    >>> instant("2026-11-16"), instant("2026-11"), instant("16.11.2026")
    (datetime.datetime(2026, 11, 16, 0, 0, tzinfo=zoneinfo.ZoneInfo(key='Europe/Copenhagen')), None, None)
    """
    if written is None or not is_whole_day(written):
        return None
    try:
        moment = datetime.fromisoformat(written.replace(":60", ":59"))
    except ValueError:
        return None
    if not is_possible(moment):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=COPENHAGEN)


def is_whole_day(written: str | None) -> bool:
    """Whether a day is told, and not only its month or year."""
    return written is not None and len(written) >= _DATE_LENGTH


def day(written: str | None) -> date | None:
    """The day in Denmark."""
    moment = instant(written)
    return moment.astimezone(COPENHAGEN).date() if moment else None
