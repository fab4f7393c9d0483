"""``gateway event FILE``: a team event by hand."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.clocks import system_now
from gateway.inbound.pipeline import Pipeline
from gateway.inbound.source import Delivery
from gateway.proof import proved_municipality
from gateway.receive import Entrance
from gateway.store.store import open_store

NAME = "event"


def command(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="JSON, see the schema")],
) -> None:
    """Take a team event from a JSON file into the store; the running service sends the letters it leads to."""
    settings = context.obj()
    municipality = proved_municipality(settings.municipality)
    with open_store(settings.store_url) as store:
        pipeline = Pipeline(store, municipality, system_now)
        outcome = pipeline.handle_one(Delivery(data=file.read_bytes(), entrance=Entrance.TEAM), keep_refused=False)
    if outcome.parked:
        typer.echo(f"gateway: {outcome.parked[0].fault.id} {outcome.parked[0].fault.text}", err=True)
        raise typer.Exit(1)
    if outcome.duplicate or any(letter.known for letter in outcome.letters):
        print("kendt hændelse; intet ændret")
        return
    letters = ", ".join(f"{letter.kind} til {letter.receiver}" for letter in outcome.outgoing)
    print(f"modtaget; breve: {letters or 'ingen'}")
