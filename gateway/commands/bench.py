"""``gateway bench``: the gateway against a bare bridge on the same broker and database, in one run."""

from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from gateway.bench.run import Figures, Size, bench
from gateway.settings import Settings

NAME = "bench"
_AMQP, _DATABASE = "amqp://guest:guest@127.0.0.1:5672/%2f", "postgresql://postgres@127.0.0.1:5432/postgres"


def command(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="all figures as one JSON object")] = False,
    rounds: Annotated[int, typer.Option(min=1, help="interleaved rounds; medians are told")] = 3,
    messages: Annotated[int, typer.Option(min=200, help="messages per round")] = 4000,
    latency_s: Annotated[int, typer.Option(min=2, help="seconds at each fixed rate")] = 20,
) -> None:
    """Measure throughput, CPU, latency and memory on the RabbitMQ and PostgreSQL at hand.

    It makes queues and a database of its own there and takes them away again. Without settings: those on 127.0.0.1.
    """
    size = Size(rounds=rounds, messages=messages, latency_s=latency_s)
    console = Console(stderr=True)
    figures = bench(*_neighbours(context.obj()), size, lambda step: console.print(step, highlight=False))
    if as_json:
        print(msgspec.json.encode(figures).decode())
    else:
        Console().print(_table(figures))
    if not figures.valid:
        console.print("Void: pipelined/blocking is below 3; the machine was too busy.", highlight=False)
        raise typer.Exit(1)


def _neighbours(settings: Settings) -> tuple[str, str]:
    amqp = settings.amqp_url.get_secret_value() if settings.amqp_url else _AMQP
    return amqp, settings.store_url if settings.database_url else _DATABASE


def _table(figures: Figures) -> Table:
    table = Table("figure", "value")
    for name, value in msgspec.to_builtins(figures).items():
        for row, told in _rows(name, value):
            table.add_row(row, told)
    return table


def _rows(name: str, value: object) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [row for key, inner in value.items() for row in _rows(f"{name} {key}", inner)]
    return [(name, str(value))]
