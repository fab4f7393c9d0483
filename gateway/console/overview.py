"""The overview page: what is there, how old, what waits for a person. Counts and ages only."""

from datetime import datetime
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from gateway.referral.workdays import COPENHAGEN
from gateway.store.overview import Numbers

STATE_NAMES = {
    "for_review": "til vurdering",
    "drafted_return": "svar til godkendelse",
    "info_requested": "afventer oplysninger",
    "referral_requested": "afventer henvisning",
    "accepted": "visiteret",
    "contacted": "kontaktet",
    "talk_booked": "samtale aftalt",
    "talk_held": "samtale holdt",
    "course_started": "forløb i gang",
    "course_completed": "forløb gennemført",
    "closing_talk_held": "afsluttende samtale holdt",
    "follow_up": "opfølgning",
    "closed": "afsluttet",
    "not_reached": "ikke truffet",
    "declined_by_citizen": "afslået af borgeren",
    "stopped": "stoppet",
    "cancelled_by_referrer": "annulleret af henviser",
    "reassigned": "overgivet",
    "returned": "besvaret",
}


@cache
def templates() -> Environment:
    """The page's templates; undefined names are errors, everything is escaped."""
    loader = PackageLoader("gateway.console", "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined)


def overview_page(numbers: Numbers | None, name: str, now: datetime, down: list[str]) -> str:
    """The page as HTML; without numbers, while the store does not answer, it says what is down."""
    by_state = numbers.cases_by_state if numbers else {}
    states = [(STATE_NAMES.get(state, state), count) for state, count in sorted(by_state.items())]
    return (
        templates()
        .get_template("overview.html")
        .render(
            name=name,
            now=now.astimezone(COPENHAGEN),
            numbers=numbers,
            states=states,
            down=down,
            age=lambda since: danish_age(since, now),
        )
    )


def danish_age(since: datetime | None, now: datetime) -> str:
    """How long ago, in words.

    >>> from datetime import UTC, timedelta
    >>> noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    >>> danish_age(noon - timedelta(hours=3), noon), danish_age(None, noon)
    ('3 timer', '–')
    """
    if since is None:
        return "–"
    minutes = int((now - since).total_seconds() // 60)
    for size, one, many in ((1440, "dag", "dage"), (60, "time", "timer"), (1, "minut", "minutter")):
        if minutes >= size:
            count = minutes // size
            return f"{count} {one if count == 1 else many}"
    return "under et minut"
