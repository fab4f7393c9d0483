"""``gateway demo``: the main job on recorded messages, with the embedded default (spool folder and SQLite)."""

import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from gateway.clocks import system_now
from gateway.errors import GatewayError
from gateway.logs import set_up_logging
from gateway.receive import read
from gateway.referral.model import Referral
from gateway.simulate.stories import recorded, stories
from gateway.spool import write_whole
from gateway.store.accounts import Right
from gateway.store.store import Store

if TYPE_CHECKING:
    from gateway.bootstrap import Service

NAME = "demo"
_LIMIT_S = 60.0


def command(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="end when everything is handled")] = False,
    spool: Annotated[Path | None, typer.Option(help="spool folder; default a new temporary one")] = None,
    http: Annotated[str, typer.Option(help="where the page is served")] = "127.0.0.1:8080",
) -> None:
    """Run the main job on recorded messages: referrals in; receipts, team messages, letters and discharge notes out."""
    from gateway.bootstrap import service  # noqa: PLC0415  (the other commands need no web server: do not load one)

    folder = spool or Path(tempfile.mkdtemp(prefix="gateway-demo-"))
    set_up_logging("ERROR")
    console = Console()
    store = f"sqlite:///{(folder / 'gateway.sqlite3').absolute()}"
    settings = context.obj(spool=folder, database_url=store, http="" if once else http)
    console.print(f"Spoolmappe: [bold]{folder}[/]")
    with service(settings) as running:
        running.start()
        try:
            _play(running, folder, console)
            _tell(running, folder, console)
            if not once:
                _let_in(running.store, console)
                console.print(f"Siden er åben på [bold]http://{http}/[/] – afslut med Ctrl-C.")
                signal.signal(signal.SIGTERM, lambda *_: running.stop())
                signal.signal(signal.SIGINT, lambda *_: running.stop())
                running.wait()
        finally:
            running.stop()
            running.wait()


def _let_in(store: Store, console: Console) -> None:
    """An account for the page, with a password of this run alone."""
    name = "demo"
    password = store.accounts.add(name, "Demo", frozenset(Right), system_now()) or store.accounts.new_password(name)
    console.print(f"Log ind som [bold]{name}[/] med adgangskoden [bold]{password}[/] (vises kun her).")


def _play(running: "Service", folder: Path, console: Console) -> None:
    messages, played = recorded(), stories()
    steps = sum(len(story.steps) for story in played)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("Henvisninger", total=len(messages))
        for name, data in messages.items():
            write_whole(folder / "in" / name, data)
            progress.advance(bar)
        _until(lambda: _is_idle(running, folder), "henvisningerne blev ikke behandlet")
        bar = progress.add_task("Hændelser", total=steps)
        for story in played:
            episode = _episode(messages[story.message])
            for number, event in enumerate(story.events(episode, system_now())):
                name = f"{story.message.removesuffix('.xml')}-{number:02}.event.json"
                write_whole(folder / "in" / name, msgspec.json.encode(event))
                progress.advance(bar)
        _until(lambda: _is_idle(running, folder), "hændelserne blev ikke behandlet")


def _episode(data: bytes) -> str:
    content = read(data).letters[0].content
    assert isinstance(content, Referral)  # noqa: S101  (stories are told about referrals only)
    return content.episode_id or ""


def _is_idle(running: "Service", folder: Path) -> bool:
    waiting = [*(folder / "in").iterdir(), *(folder / "work").iterdir()]
    return not waiting and running.store.overview.numbers(system_now()).outbox_pending == 0


def _until(condition: Callable[[], bool], otherwise: str) -> None:
    end = time.monotonic() + _LIMIT_S
    while not condition():
        if time.monotonic() > end:
            raise GatewayError(f"{otherwise} inden for {_LIMIT_S:.0f} sekunder")
        time.sleep(0.1)


def _tell(running: "Service", folder: Path, console: Console) -> None:
    """What came in and what went out."""
    numbers = running.store.overview.numbers(system_now())
    table = Table(title="Ind og ud", title_justify="left")
    table.add_column("hvad")
    table.add_column("antal", justify="right")
    incoming = [f for place in ("done", "parked") for f in (folder / place).rglob("*") if f.is_file()]
    events = sum(f.name.endswith(".event.json") for f in incoming)
    parked = sum(f.name.endswith(".why.json") for f in incoming)
    table.add_row("henvisninger og andre beskeder ind", str(len(incoming) - events - parked))
    table.add_row("hændelser fra teams ind", str(events))
    for kind, count in sorted(Counter(f.name.partition("-")[0] for f in (folder / "out/medcom").iterdir()).items()):
        table.add_row(f"{kind} ud", str(count))
    for team in sorted((folder / "out/teams").iterdir()):
        table.add_row(f"opgaver til {team.name}", str(sum(1 for _ in team.iterdir())))
    table.add_row("parkeret med begrundelse", str(numbers.parked))
    console.print(table)
    states = ", ".join(f"{state} {count}" for state, count in sorted(numbers.cases_by_state.items()))
    console.print(f"Forløb: {states}")
    for item in running.store.overview.parked_items():
        console.print(f"Parkeret: {item.fault_id} {item.detail}", markup=False)
