"""``gateway replay ID…``: handle parked messages anew, each once."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from gateway.clocks import system_now
from gateway.commands.operator import operator
from gateway.errors import ConflictError
from gateway.inbound.pipeline import Pipeline
from gateway.proof import proved_municipality
from gateway.receive import read
from gateway.referral.inbox import Outcome
from gateway.store.audit import Act
from gateway.store.store import Store, open_store

NAME = "replay"
OBSTACLES = {
    "settled": "er afsluttet",
    "accepted": "hører til et brev, der er modtaget; intet at genafspille",
    "refused": "er afvist over for afsenderen, og en kvittering ombestemmer sig ikke; afsenderen skal sende igen",
    "gone": "er slettet",
}


def command(
    context: typer.Context,
    ids: Annotated[list[str], typer.Argument(metavar="ID…", help="parked items, see `gateway parked`")],
    why: Annotated[str, typer.Option(help="the reason; kept in the log")] = "",
    corrected: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="handle this corrected copy instead; the original stays"),
    ] = None,
) -> None:
    """Handle parked messages anew; the running service sends the letters they lead to."""
    if corrected is not None and len(ids) != 1:
        raise typer.BadParameter("one ID, because the file corrects one message", param_hint="--corrected")
    settings = context.obj()
    municipality = proved_municipality(settings.municipality)
    data = corrected.read_bytes() if corrected else None
    with open_store(settings.store_url) as store:
        reader = partial(read, limit=settings.message_limit, sbdh=settings.sbdh)
        pipeline = Pipeline(store, municipality, system_now, reader=reader)
        refused = [why_not for item_id in ids if (why_not := _replay(store, pipeline, item_id, (why, data)))]
    for line in refused:
        typer.echo(f"gateway: {line}", err=True)
    if refused:
        raise typer.Exit(1)


def _replay(store: Store, pipeline: Pipeline, item_id: str, given: tuple[str, bytes | None]) -> str:
    """Why it was not done; empty when it was."""
    why, data = given
    item = store.parking.item(item_id)
    if item is None:
        return f"{item_id}: findes ikke"
    if item.obstacle:
        return f"{item_id}: {OBSTACLES[item.obstacle]}"
    act = Act(who=operator(), what="parked.corrected" if data else "parked.replayed", subject=item_id, why=why)
    try:
        outcome = pipeline.replay(item, act, data)
    except ConflictError:
        return f"{item_id}: {OBSTACLES['settled']}"
    if outcome.parked:
        return f"{item_id}: fejlede igen: {outcome.parked[0].fault.id} {outcome.parked[0].fault.text}"
    print(f"genafspillet: {item_id}; {_letters(outcome)}")
    return ""


def _letters(outcome: Outcome) -> str:
    return ", ".join(f"{x.kind} til {x.receiver}" for x in outcome.outgoing) or "ingen breve"
