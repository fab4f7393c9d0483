"""``gateway status``: queues with depth and age, cases by state, letters without receipt, parked."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated

import msgspec
import typer

from gateway.clocks import system_now
from gateway.console.alarm_wording import ALARM_KINDS, ALARM_LEVELS
from gateway.console.queues import QueueLine, QueueWatch
from gateway.errors import BrokerError
from gateway.proof import proved_municipality
from gateway.store.overview import Numbers
from gateway.store.store import open_store

NAME = "status"


def command(context: typer.Context, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Show queues with depth and age, cases by state, letters without receipt, and parked items."""
    settings = context.obj()
    municipality = proved_municipality(settings.municipality)
    now = system_now()
    with open_store(settings.store_url) as store:
        numbers = store.overview.numbers(now - timedelta(minutes=municipality.clocks.receipt_minutes))
        queues = QueueWatch(settings, municipality, store.overview, exact=True).look()
    if queues.down:
        raise BrokerError("the broker does not answer, or a queue is missing")
    if as_json:
        print(msgspec.json.encode({"queues": queues.lines, **msgspec.structs.asdict(numbers)}).decode())
        return
    for line in in_words(queues.lines, numbers, now):
        print(line)


def in_words(queues: Sequence[QueueLine], numbers: Numbers, now: datetime) -> Iterator[str]:
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
    yield f"Alarmer                            {sum(alarms.count for alarms in numbers.alarms):>6}"
    for alarms in numbers.alarms:
        told = f"{ALARM_KINDS[alarms.kind]} ({ALARM_LEVELS[alarms.level]})"
        yield f"  {told:<46} {alarms.count:>6}{_aged(alarms.oldest, now)}"


def _aged(since: datetime | None, now: datetime) -> str:
    return f", ældste {int((now - since).total_seconds() // 60)} min" if since else ""
