"""``gateway status``: queues with depth and age, cases by state, letters without receipt, parked."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from gateway.broker.topology import depths, topology_of
from gateway.clocks import system_now
from gateway.municipality.model import Municipality
from gateway.proof import proved_municipality
from gateway.referral.letters import Channel
from gateway.settings import Settings
from gateway.store.overview import Numbers, Overview
from gateway.store.store import open_store

NAME = "status"


class QueueLine(msgspec.Struct, frozen=True, kw_only=True):
    """A queue or folder: how many wait, and since when the oldest (where that can be told)."""

    name: str
    ready: int
    consumers: int | None = None
    oldest: datetime | None = None


def command(context: typer.Context, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Show queues with depth and age, cases by state, letters without receipt, and parked items."""
    settings = context.obj()
    municipality = proved_municipality(settings.municipality)
    now = system_now()
    with open_store(settings.store_url) as store:
        numbers = store.overview.numbers(now - timedelta(minutes=municipality.clocks.receipt_minutes))
        queues = list(queue_lines(settings, municipality, store.overview))
    if as_json:
        print(msgspec.json.encode({"queues": queues, **msgspec.structs.asdict(numbers)}).decode())
        return
    for line in in_words(queues, numbers, now):
        print(line)


def queue_lines(settings: Settings, municipality: Municipality, overview: Overview) -> Iterator[QueueLine]:
    """What waits at the transport: RabbitMQ's queues, or the spool's folders.

    How long the oldest message of an incoming queue has waited nobody can tell without disturbing the queue.
    """
    if settings.amqp_url is not None:
        topology = topology_of(municipality, settings.amqp_prefix)
        places: dict[str, tuple[Channel, str | None]] = {topology.medcom_out: (Channel.MEDCOM, None)}
        places |= {topology.team_queue(team): (Channel.TEAM, team) for team in municipality.teams}
        for name, depth in depths(settings.amqp_url.get_secret_value(), topology).items():
            oldest = overview.handed_over(*places[name], depth.ready) if name in places else None
            yield QueueLine(name=name, ready=depth.ready, consumers=depth.consumers, oldest=oldest)
        return
    for name in ("in", "work", "parked", "out/medcom", *(f"out/teams/{team}" for team in municipality.teams)):
        yield _folder_line(settings.spool_folder, name)


def _folder_line(spool: Path, name: str) -> QueueLine:
    folder = spool / name
    files = [f for f in folder.iterdir() if f.is_file() and not f.name.endswith(".why.json")] if folder.is_dir() else []
    times = [datetime.fromtimestamp(f.stat().st_mtime, UTC) for f in files]
    return QueueLine(name=name, ready=len(files), oldest=min(times, default=None))


def in_words(queues: list[QueueLine], numbers: Numbers, now: datetime) -> Iterator[str]:
    """The same for people."""
    yield "Køer"
    for line in queues:
        consumers = f", {line.consumers} forbrugere" if line.consumers is not None else ""
        yield f"  {line.name:<32} {line.ready:>6} venter{consumers}{_aged(line.oldest, now)}"
    yield f"Beskeder modtaget                  {numbers.messages:>6}"
    yield "Forløb"
    for state, count in sorted(numbers.cases_by_state.items()):
        yield f"  {state:<32} {count:>6}"
    yield f"Breve på vej ud                    {numbers.outbox_pending:>6}{_aged(numbers.outbox_oldest, now)}"
    yield f"Breve, der ikke kunne sendes       {numbers.outbox_parked:>6}"
    yield f"Svar til godkendelse               {numbers.drafts:>6}"
    yield f"Breve uden kvittering              {numbers.without_receipt:>6}{_aged(numbers.without_receipt_oldest, now)}"
    yield f"Parkeret                           {numbers.parked:>6}{_aged(numbers.parked_oldest, now)}"


def _aged(since: datetime | None, now: datetime) -> str:
    return f", ældste {int((now - since).total_seconds() // 60)} min" if since else ""
