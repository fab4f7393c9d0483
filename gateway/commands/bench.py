"""``gateway bench``: the gateway against a bare bridge on the same broker and database, in one run; growth; a soak."""

from collections.abc import Callable
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from gateway.bench.growth import GrowthSize, growth
from gateway.bench.run import Size, bench
from gateway.bench.soak import SoakSize, soak
from gateway.settings import Settings

_AMQP, _DATABASE = "amqp://guest:guest@127.0.0.1:5672/%2f", "postgresql://postgres@127.0.0.1:5432/postgres"
AsJson = Annotated[bool, typer.Option("--json", help="all figures as one JSON object")]

app = typer.Typer(invoke_without_command=True)


@app.callback()
def command(
    context: typer.Context,
    as_json: AsJson = False,
    rounds: Annotated[int, typer.Option(min=1, help="interleaved rounds; medians are told")] = 3,
    messages: Annotated[int, typer.Option(min=200, help="messages per round")] = 4000,
    latency_s: Annotated[int, typer.Option(min=2, help="seconds at each fixed rate")] = 20,
) -> None:
    """Measure throughput, CPU, latency and memory on the RabbitMQ and PostgreSQL at hand.

    It makes queues and a database of its own there and takes them away again. Without settings: those on 127.0.0.1.
    """
    if context.invoked_subcommand is not None:
        return
    size = Size(rounds=rounds, messages=messages, latency_s=latency_s)
    figures = bench(*_neighbours(context), size, _teller())
    _show(figures, as_json=as_json)
    if not figures.valid:
        Console(stderr=True).print("Void: pipelined/blocking is below 3; the machine was too busy.", highlight=False)
        raise typer.Exit(1)


@app.command("growth")
def growth_command(
    context: typer.Context,
    as_json: AsJson = False,
    few: Annotated[int, typer.Option(min=40, help="stored cases to compare with")] = 10_000,
    many: Annotated[int, typer.Option(min=40, help="stored cases; 21 GB of disk for a million")] = 1_000_000,
    rounds: Annotated[int, typer.Option(min=1, help="rounds of each, one after the other; medians are told")] = 5,
    messages: Annotated[int, typer.Option(min=400, help="messages per round")] = 4000,
    backlog: Annotated[int, typer.Option(min=0, help="messages that wait in the last part; 0 leaves it out")] = 100_000,
) -> None:
    """Throughput and search with few and with many stored cases, and a long queue worked off.

    It makes queues and two databases of its own and takes them away again. Without settings: those on 127.0.0.1.
    """
    size = GrowthSize(few=few, many=many, rounds=rounds, messages=messages, backlog=backlog)
    _show(growth(*_neighbours(context), size, _teller()), as_json=as_json)


@app.command("soak")
def soak_command(
    context: typer.Context,
    as_json: AsJson = False,
    minutes: Annotated[int, typer.Option(min=3, help="how long")] = 20,
    rate: Annotated[int, typer.Option(min=1, help="messages per second")] = 100,
    cases: Annotated[int, typer.Option(min=0, help="cases stored before")] = 0,
) -> None:
    """Even load on one worker: the wait for a receipt and the worker's memory, minute by minute, and how they drift.

    It makes queues and a database of its own and takes them away again. Without settings: those on 127.0.0.1.
    """
    size = SoakSize(minutes=minutes, rate=rate, cases=cases)
    _show(soak(*_neighbours(context), size, _teller()), as_json=as_json)


def _neighbours(context: typer.Context) -> tuple[str, str]:
    settings: Settings = context.obj()
    amqp = settings.amqp_url.get_secret_value() if settings.amqp_url else _AMQP
    return amqp, settings.store_url if settings.database_url else _DATABASE


def _teller() -> Callable[[str], None]:
    console = Console(stderr=True)
    return lambda step: console.print(step, highlight=False)


def _show(figures: msgspec.Struct, *, as_json: bool) -> None:
    if as_json:
        print(msgspec.json.encode(figures).decode())
    else:
        Console().print(_table(figures))


def _table(figures: msgspec.Struct) -> Table:
    table = Table("figure", "value")
    for name, value in msgspec.to_builtins(figures).items():
        for row, told in _rows(name, value):
            table.add_row(row, told)
    return table


def _rows(name: str, value: object) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [row for key, inner in value.items() for row in _rows(f"{name} {key}", inner)]
    if isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        return [row for number, inner in enumerate(value, 1) for row in _rows(f"{name} {number}", inner)]
    return [(name, str(value))]
