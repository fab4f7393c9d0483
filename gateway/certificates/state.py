"""How a certificate stands at a moment: whole days left, and whether someone must act. Pure; the time is handed in.

Of a chain the certificate that ends first counts, because the whole chain is refused with it. Of a file of trusted
issuers the one that ends last counts: beside a new issuer the old one may stay until it is over.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

import msgspec

#: whole days left from which it is time to order a new one, and from which it is high time
SOON_DAYS, URGENT_DAYS = 30, 7
_DAY = timedelta(days=1)


class State(StrEnum):
    """How it stands, the worst first."""

    #: nothing can be read where the setting points
    UNREADABLE = "unreadable"
    EXPIRED = "expired"
    #: its time has not begun
    NOT_YET = "not_yet"
    #: 7 whole days or fewer
    URGENT = "urgent"
    #: 30 whole days or fewer
    SOON = "soon"
    #: the server that presents it does not answer, which others tell
    SILENT = "silent"
    FINE = "fine"


class Problem(StrEnum):
    """Why nothing was read."""

    MISSING = "missing"
    FORBIDDEN = "forbidden"
    NO_CERTIFICATE = "no_certificate"
    SILENT = "silent"


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """One place where a certificate is in use: a file, or a server that presents it."""

    #: stable, for metrics and log: ``page``, ``page_served``, ``kl``, ``broker`` …
    name: str
    #: the setting that names it
    setting: str
    file: Path | None = None
    #: host and port
    server: tuple[str, int] | None = None
    #: the server is PostgreSQL, which begins in the clear
    is_database: bool = False
    #: the file holds issuers that we trust, not a chain that we show
    is_trusted: bool = False


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of a certificate; never its key."""

    #: RFC 4514
    subject: str
    issuer: str
    starts: datetime
    ends: datetime


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What was found at a place: certificates, or why there are none."""

    certificates: tuple[Certificate, ...] = ()
    problem: Problem | None = None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A watched place at a moment."""

    watched: Watched
    state: State
    problem: Problem | None = None
    #: the certificate that counts; None where none could be read
    certificate: Certificate | None = None
    #: whole days, rounded down; below zero when it is over
    days: int | None = None

    @property
    def is_broken(self) -> bool:
        """Whether what it is for fails already."""
        return self.state in {State.UNREADABLE, State.EXPIRED, State.NOT_YET}

    @property
    def needs_someone(self) -> bool:
        """Whether someone must act, now or soon."""
        return self.is_broken or self.state in {State.URGENT, State.SOON}


def standing(watched: Watched, reading: Reading, now: datetime) -> Standing:
    """How the place stands at ``now``."""
    if reading.problem is not None or not reading.certificates:
        problem = reading.problem or Problem.NO_CERTIFICATE
        state = State.SILENT if problem is Problem.SILENT else State.UNREADABLE
        return Standing(watched=watched, state=state, problem=problem)
    counts = _that_counts(watched, reading.certificates)
    days = (counts.ends - now) // _DAY
    begun = now >= (counts.starts if watched.is_trusted else max(c.starts for c in reading.certificates))
    state = _state(days) if begun or now >= counts.ends else State.NOT_YET
    return Standing(watched=watched, state=state, certificate=counts, days=days)


def _that_counts(watched: Watched, certificates: tuple[Certificate, ...]) -> Certificate:
    by_end = sorted(certificates, key=lambda certificate: certificate.ends)
    return by_end[-1] if watched.is_trusted else by_end[0]


def _state(days: int) -> State:
    if days < 0:
        return State.EXPIRED
    if days <= URGENT_DAYS:
        return State.URGENT
    return State.SOON if days <= SOON_DAYS else State.FINE


def worst_first(standings: list[Standing]) -> list[Standing]:
    """In the order in which someone should look at them."""
    order = list(State)
    return sorted(standings, key=lambda one: (order.index(one.state), one.days or 0, one.watched.name))
