"""How a page is made: templates, language, Danish local time, and what every page shows."""

import secrets
from datetime import datetime
from functools import cache

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from gateway.console.language import LANGUAGES, translate
from gateway.console.parts import parts_of
from gateway.console.wording import WORDINGS
from gateway.referral.workdays import COPENHAGEN
from gateway.store.accounts import Right

LANGUAGE_COOKIE = "language"


@cache
def templates() -> Environment:
    """The page's templates; undefined names are errors, everything is escaped."""
    loader = PackageLoader("gateway.console", "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"moment": _moment, "clock": danish_clock, "zip": zip}
    return environment


def language_of(request: Request) -> str:
    """``da``, unless English was chosen."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    return chosen if chosen in LANGUAGES else LANGUAGES[0]


def render(request: Request, name: str, status: int = 200, **values: object) -> HTMLResponse:
    """A page as the asker may see it."""
    parts = parts_of(request)
    now = parts.clock()
    language = language_of(request)
    session = getattr(request.state, "session", None)
    known: dict[str, object] = {
        "_": lambda text: translate(text, language),
        "word": lambda kind, key: translate(WORDINGS[kind].get(key, key), language),
        "age": lambda since: age(since, now, language),
        "language": language,
        "municipality": parts.municipality.name,
        "team_name": lambda key: parts.municipality.teams[key].display if key in parts.municipality.teams else key,
        "now": now,
        "here": request.url.path,
        "address": f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path,
        "session": session,
        "may": lambda right: session is not None and Right(right) in session.account.rights,
        "new_key": lambda: secrets.token_urlsafe(24),
    }
    html = templates().get_template(name).render(**known | values)
    return HTMLResponse(html, status_code=status, headers={"Cache-Control": "no-store"})


def page_number(request: Request) -> int:
    """Which page of a list is asked for; the first where nothing sensible is said."""
    text = request.query_params.get("page", "")
    return max(1, int(text)) if text.isdecimal() and len(text) < 7 else 1  # noqa: PLR2004  (a million pages)


@pass_context
def _moment(context: Context, moment: datetime | None) -> str:
    told = danish_moment(moment)
    return told.replace(" kl. ", " ") if context["language"] == "en" else told


def danish_moment(moment: datetime | None) -> str:
    """Danish local time.

    >>> from datetime import UTC
    >>> danish_moment(datetime(2026, 7, 1, 12, 5, tzinfo=UTC)), danish_moment(None)
    ('01.07.2026 kl. 14:05', '–')
    """
    return f"{moment.astimezone(COPENHAGEN):%d.%m.%Y kl. %H:%M}" if moment else "–"


def danish_clock(moment: datetime | None) -> str:
    """Day and time, short.

    >>> from datetime import UTC
    >>> danish_clock(datetime(2026, 7, 1, 12, 5, tzinfo=UTC)), danish_clock(None)
    ('01.07. 14:05', '–')
    """
    return f"{moment.astimezone(COPENHAGEN):%d.%m. %H:%M}" if moment else "–"


_UNITS = {
    "da": ((1440, "dag", "dage"), (60, "time", "timer"), (1, "minut", "minutter")),
    "en": ((1440, "day", "days"), (60, "hour", "hours"), (1, "minute", "minutes")),
}
_SOON = {"da": "under et minut", "en": "less than a minute"}


def age(since: datetime | None, now: datetime, language: str = "da") -> str:
    """How far a moment is from now, in words.

    >>> from datetime import UTC, timedelta
    >>> noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    >>> age(noon - timedelta(hours=3), noon), age(noon + timedelta(days=1), noon, "en"), age(None, noon)
    ('3 timer', '1 day', '–')
    """
    if since is None:
        return "–"
    minutes = int(abs((now - since).total_seconds()) // 60)
    for size, one, many in _UNITS[language]:
        if minutes >= size:
            count = minutes // size
            return f"{count} {one if count == 1 else many}"
    return _SOON[language]
