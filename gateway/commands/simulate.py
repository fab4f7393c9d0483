"""``gateway simulate``: realistic synthetic referrals to a broker, a spool folder or a plain folder."""

from collections import Counter
from collections.abc import Collection
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

from gateway.broker.topology import topology_of
from gateway.clocks import system_now
from gateway.municipality.model import Municipality
from gateway.proof import proved_municipality
from gateway.referral.workdays import local_date
from gateway.settings import Settings
from gateway.simulate.carriers import CARRIERS
from gateway.simulate.delivery import Folder, Queue, Target, paced
from gateway.simulate.faults import SPOILINGS
from gateway.simulate.messages import Wishes, messages
from gateway.simulate.neighbours import Neighbours
from gateway.simulate.referrals import Run

NAME = "simulate"
_HUNDRED = 100.0
#: nothing has moved for so long: the gateway is done, or does not run
_QUIET_S = 3.0


def command(
    context: typer.Context,
    number: Annotated[int, typer.Option("--n", min=0, help="how many messages")],
    amqp: Annotated[str | None, typer.Option(help="RabbitMQ, e.g. amqp://user:secret@host:5672/vhost")] = None,
    spool: Annotated[Path | None, typer.Option(help="spool folder; the messages appear in its in/")] = None,
    out: Annotated[Path | None, typer.Option(help="plain folder; the messages are only written there")] = None,
    rate: Annotated[
        float | None, typer.Option(min=0.01, help="messages per second; default as fast as it goes")
    ] = None,
    mix: Annotated[
        str, typer.Option(help=f"carriers with weights, e.g. xref15=3,fhir-json=1; known: {', '.join(CARRIERS)}")
    ] = "",
    vans: Annotated[float, typer.Option(min=0, max=_HUNDRED, help="per cent in a VANSEnvelope")] = 30,
    faults: Annotated[
        str, typer.Option(help=f"per cent in all, e.g. 5, or of each, e.g. truncated=2; known: {', '.join(SPOILINGS)}")
    ] = "",
    seed: Annotated[str | None, typer.Option(help="the same seed and day give the same messages")] = None,
    day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="when they are written; default today")
    ] = None,
    work: Annotated[
        bool,
        typer.Option("--work", help="with --spool: teams work their cases and receivers receipt, until all is quiet"),
    ] = False,
) -> None:
    """Make simulated referrals: invented citizens, senders and prose, in every carrier the gateway reads."""
    if work and spool is None:
        raise typer.BadParameter("needs --spool", param_hint="--work")
    settings, now = context.obj(), system_now()
    municipality = proved_municipality(settings.municipality)
    wishes = Wishes(mix=_parts("--mix", mix, CARRIERS), in_vans=vans, faults=_faults(faults))
    run = Run(
        seed=seed or f"{now:%Y%m%d%H%M%S%f}", day=day.date() if day else local_date(now), municipality=municipality
    )
    console, made = Console(stderr=True), Counter[str]()
    with closing(_target((amqp, spool, out), settings, municipality)) as target:
        stream = paced(messages(run, number, wishes), rate)
        for message in track(stream, "Simulerer", number, console=console, disable=not console.is_terminal):
            target.put(message.name, message.data, message.content_type)
            made[message.fault or "uden fejl"] += 1
    if number:
        _tell(run, made)
    if work and spool is not None:
        neighbours = Neighbours(spool, municipality, run.seed, system_now)
        with console.status("Teams og modtagere svarer"):
            print(f"{sum(neighbours.work(_QUIET_S))} svar fra teams og modtagere")


def _tell(run: Run, made: Counter[str]) -> None:
    told = ", ".join(f"{name} {count}" for name, count in sorted(made.items()))
    print(f"{made.total()} beskeder: {told}; seed {run.seed}, dag {run.day}")


def _target(
    given: tuple[str | None, Path | None, Path | None], settings: Settings, municipality: Municipality
) -> Target:
    amqp, spool, out = given
    if sum(one is not None for one in given) != 1:
        raise typer.BadParameter("say exactly one of --amqp, --spool and --out")
    if amqp is not None:
        return Queue(amqp, topology_of(municipality, settings.amqp_prefix).referrals_in)
    return Folder(spool / "in" if spool is not None else out or Path())


def _faults(told: str) -> dict[str, float]:
    """Per cent of each fault; one number is shared out among all of them."""
    try:
        total = float(told or 0)
    except ValueError:
        found = _parts("--faults", told, SPOILINGS)
        total = sum(found.values())
    else:
        shares = sum(one.share for one in SPOILINGS.values())
        found = {name: total * one.share / shares for name, one in SPOILINGS.items() if total}
    if not 0 <= total <= _HUNDRED:
        raise typer.BadParameter("the faults are more than 100 per cent", param_hint="--faults")
    return found


def _parts(option: str, told: str, known: Collection[str]) -> dict[str, float]:
    """``name=number`` between commas."""
    found: dict[str, float] = {}
    for part in filter(None, told.split(",")):
        name, _, number = (text.strip() for text in part.partition("="))
        if name not in known:
            raise typer.BadParameter(f"unknown: {name}; known: {', '.join(known)}", param_hint=option)
        try:
            found[name] = float(number)
        except ValueError:
            raise typer.BadParameter(f"{name} needs a number, as in {name}=2", param_hint=option) from None
        if found[name] < 0:
            raise typer.BadParameter(f"{name} needs a number that is not negative", param_hint=option)
    return found
