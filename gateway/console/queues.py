"""What waits at the transport, for the page and ``gateway status``: RabbitMQ's queues, or the spool's folders.

RabbitMQ's management API where it answers, else passive declares, which tell less. Nobody looks at messages: a quorum
queue puts what is given back at its end, and counts it as delivered.
"""

import re
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import httpx
import msgspec

from gateway.broker.topology import Topology, depths, topology_of
from gateway.errors import BrokerError
from gateway.municipality.model import Municipality
from gateway.referral.letters import Channel
from gateway.settings import Settings
from gateway.store.overview import Overview

MANAGEMENT, DECLARES, SPOOL = "management", "declares", "spool"
_TIMEOUT_S = 2.0
#: how long one look serves all who watch, and how long a management API that did not answer is left alone
_FRESH_S, _LEFT_ALONE_S = 4.0, 60.0
_OPTIONAL = ("unacked", "consumers", "rate")
#: how a queue's or folder's name ends → what waits in it (``QUEUE_PURPOSES``)
_PURPOSES = (
    (r"team-events\.in$", "events"),
    (r"(^|referrals\.)in$", "in"),
    (r"\.retry\.\w+$", "retry"),
    (r"referrals\.parked$", "net"),
    (r"^work$", "work"),
    (r"^parked$", "parked"),
    (r"medcom\.out$|^out/medcom$", "out"),
    (r"team\.[^.]+$|^out/teams/", "team"),
)
_COLUMNS = "name,messages_ready,messages_unacknowledged,consumers,message_stats,head_message_timestamp"


class QueueLine(msgspec.Struct, frozen=True, kw_only=True):
    """A queue or folder: how many wait, and since when the oldest (where that can be told)."""

    name: str
    ready: int
    unacked: int | None = None
    consumers: int | None = None
    #: messages per second in
    rate: float | None = None
    oldest: datetime | None = None

    @property
    def purpose(self) -> str:
        """What waits in it, by its name without the installation's own prefix; empty where that is not known."""
        return next((purpose for ending, purpose in _PURPOSES if re.search(ending, self.name)), "")


class Queues(msgspec.Struct, frozen=True, kw_only=True):
    """All queues at one moment; without lines while the broker does not answer."""

    lines: tuple[QueueLine, ...]
    #: ``management``, ``declares`` or ``spool``
    source: str
    down: bool = False

    @property
    def shows(self) -> frozenset[str]:
        """Which of the columns are known for any of them: a spool has neither consumers nor rates."""
        return frozenset(name for name in _OPTIONAL if any(getattr(line, name) is not None for line in self.lines))


class QueueWatch:
    """Looks at the queues for everyone who watches, seldom enough to disturb nobody. Thread-safe."""

    def __init__(
        self, settings: Settings, municipality: Municipality, overview: Overview, *, exact: bool = False
    ) -> None:
        """``exact``: not from the management API, whose counts are some seconds old."""
        self._settings = settings
        self._municipality = municipality
        self._overview = overview
        self._lock = threading.Lock()
        self._last: tuple[float, Queues] | None = None
        self._left_alone_until = float("inf" if exact else "-inf")

    def look(self) -> Queues:
        """The queues now, or a few seconds ago."""
        with self._lock:
            if self._last is None or time.monotonic() - self._last[0] > _FRESH_S:
                queues = self._look()
                self._last = (time.monotonic(), queues)
            return self._last[1]

    def _look(self) -> Queues:
        if self._settings.amqp_url is None:
            folders = tuple(_folder_lines(self._settings.spool_folder, self._municipality))
            return Queues(lines=folders, source=SPOOL)
        topology = topology_of(self._municipality, self._settings.amqp_prefix)
        lines = self._managed(topology)
        if lines is not None:
            return Queues(lines=lines, source=MANAGEMENT)
        try:
            found = depths(self._settings.amqp_url.get_secret_value(), topology)
        except BrokerError:
            return Queues(lines=(), source=DECLARES, down=True)
        return Queues(
            lines=tuple(
                QueueLine(
                    name=name,
                    ready=depth.ready,
                    consumers=depth.consumers,
                    oldest=self._handed_over(topology, name, depth.ready),
                )
                for name, depth in found.items()
            ),
            source=DECLARES,
        )

    def _managed(self, topology: Topology) -> tuple[QueueLine, ...] | None:
        """From the management API; None where it does not answer or does not know every queue."""
        if time.monotonic() < self._left_alone_until:
            return None
        try:
            told = {queue["name"]: queue for queue in _ask(self._settings)}
            return tuple(self._line(topology, told[queue.name]) for queue in topology.queues())
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            self._left_alone_until = time.monotonic() + _LEFT_ALONE_S
            return None

    def _line(self, topology: Topology, told: Mapping[str, Any]) -> QueueLine:
        ready = int(told.get("messages_ready") or 0)
        stamp = told.get("head_message_timestamp")
        oldest = datetime.fromtimestamp(stamp, UTC) if isinstance(stamp, int) and ready else None
        rate = ((told.get("message_stats") or {}).get("publish_details") or {}).get("rate")
        return QueueLine(
            name=told["name"],
            ready=ready,
            unacked=int(told.get("messages_unacknowledged") or 0),
            consumers=int(told.get("consumers") or 0),
            rate=float(rate) if rate is not None else None,
            oldest=oldest or self._handed_over(topology, told["name"], ready),
        )

    def _handed_over(self, topology: Topology, name: str, ready: int) -> datetime | None:
        """Since when the oldest message of a queue of ours waits; we know when we handed it over."""
        places: dict[str, tuple[Channel, str | None]] = {topology.medcom_out: (Channel.MEDCOM, None)}
        places |= {topology.team_queue(team): (Channel.TEAM, team) for team in topology.teams}
        return self._overview.handed_over(*places[name], ready) if name in places else None


def _ask(settings: Settings) -> list[dict[str, Any]]:
    assert settings.amqp_url is not None  # noqa: S101  (asked for RabbitMQ only)
    amqp = urlsplit(settings.amqp_url.get_secret_value())
    given = settings.amqp_management_url
    base = urlsplit(given.get_secret_value()) if given else urlsplit(f"http://{amqp.hostname or ''}:15672")
    login = base if base.username else amqp
    vhost = unquote(amqp.path.removeprefix("/")) or "/"
    root = f"{base.scheme}://{base.hostname}:{base.port or 15672}{base.path.rstrip('/')}"
    answer = httpx.get(
        f"{root}/api/queues/{quote(vhost, safe='')}",
        params={"columns": _COLUMNS},
        auth=(unquote(login.username or "guest"), unquote(login.password or "guest")),
        timeout=_TIMEOUT_S,
    )
    answer.raise_for_status()
    return list(answer.json())


def _folder_lines(spool: Path, municipality: Municipality) -> Iterator[QueueLine]:
    for name in ("in", "work", "parked", "out/medcom", *(f"out/teams/{team}" for team in municipality.teams)):
        yield _folder_line(spool, name)


def _folder_line(spool: Path, name: str) -> QueueLine:
    """Files that were there at the look; one that is taken away meanwhile no longer waits."""
    folder = spool / name
    times = []
    for file in folder.iterdir() if folder.is_dir() else ():
        try:
            if file.is_file() and not file.name.startswith(".") and not file.name.endswith(".why.json"):
                times.append(datetime.fromtimestamp(file.stat().st_mtime, UTC))
        except FileNotFoundError:
            continue
    return QueueLine(name=name, ready=len(times), oldest=min(times, default=None))
