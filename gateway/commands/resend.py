"""``gateway resend LETTER…``: letters of ours once more, each in a new envelope; the letter's id stays."""

from collections.abc import Mapping
from typing import Annotated

import typer

from gateway.clocks import system_now
from gateway.commands.operator import operator
from gateway.store.audit import Act
from gateway.store.store import open_store

NAME = "resend"
_WHY_NOT: Mapping[str, str] = {
    "unknown": "findes ikke",
    "draft": "er et udkast, som venter på godkendelse",
    "superseded": "er et udkast, som ikke gælder mere",
    "parked": "kan ikke sendes: modtagerens lokationsnummer mangler",
}


def command(
    context: typer.Context,
    ids: Annotated[list[str], typer.Argument(metavar="LETTER…", help="our letter ids, as in log and alarms")],
    why: Annotated[str, typer.Option(help="the reason; kept in the log of acts")] = "",
) -> None:
    """Send letters again, the same letter in a new envelope; the running service sends them."""
    with open_store(context.obj().store_url) as store:
        done = {
            i: store.outbox.resend(Act(who=operator(), what="letter.resent", subject=i, why=why), system_now())
            for i in dict.fromkeys(ids)
        }
    for letter_id, outcome in done.items():
        if outcome == "again":
            print(f"sendes igen: {letter_id}")
        else:
            typer.echo(f"gateway: {letter_id}: {_WHY_NOT[outcome]}", err=True)
    if set(done.values()) != {"again"}:
        raise typer.Exit(1)
