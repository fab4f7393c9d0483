"""The real clock, in one place; everything else is handed the time."""

from datetime import UTC, datetime


def system_now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)  # noqa: TID251  (this is the place)
