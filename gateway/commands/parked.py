"""``gateway parked``: what was put aside with a reason and waits for a person."""

from typing import Annotated

import msgspec
import typer

from gateway.clocks import system_now
from gateway.commands.operator import operator
from gateway.errors import FAULTS
from gateway.store.audit import Act
from gateway.store.store import open_store

app = typer.Typer(help="Parked messages and letters.", invoke_without_command=True)


@app.callback()
def listing(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json")] = False,
    all_items: Annotated[bool, typer.Option("--all", help="closed ones too")] = False,
) -> None:
    """List parked items with the reason and what to do."""
    if context.invoked_subcommand is not None:
        return
    with open_store(context.obj().store_url) as store:
        items = store.overview.parked_items(include_closed=all_items)
    for item in items:
        if as_json:
            print(msgspec.json.encode(item).decode())
            continue
        row = FAULTS[item.fault_id]
        print(f"{item.id}  {item.parked_at:%Y-%m-%d %H:%M}  {item.state}  fra {item.sender or 'ukendt'}")
        print(f"  {item.fault_id} {row.text} {item.detail}".rstrip())
        print(f"  → {row.advice}")
    if not items and not as_json:
        print("Intet er parkeret.")


@app.command()
def discard(
    context: typer.Context,
    item_id: Annotated[str, typer.Argument(metavar="ID")],
    why: Annotated[str, typer.Option(help="the reason; kept with the item")],
) -> None:
    """Close a parked item for good, with a reason. The message itself stays stored."""
    if not why.strip():
        raise typer.BadParameter("a reason is needed", param_hint="--why")
    with open_store(context.obj().store_url) as store:
        act = Act(who=operator(), what="parked.discarded", subject=item_id, why=why)
        closed = store.parking.discard(item_id, act, system_now())
    if not closed:
        typer.echo(f"gateway: no open parked item {item_id}", err=True)
        raise typer.Exit(1)
    print(f"kasseret: {item_id}")
