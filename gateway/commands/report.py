"""``gateway report build|send``: the §119 delivery reports for KL. Sending is off unless switched on."""

import time
from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.progress import track

from gateway.clocks import system_now
from gateway.commands.operator import operator
from gateway.outbound.kl_gateway import KlGateway, Verdict, open_client, token_in
from gateway.outbound.report_making import ReportMaker
from gateway.outbound.report_sending import send as send_reports
from gateway.proof import proved_municipality
from gateway.referral.workdays import local_date
from gateway.settings import Settings
from gateway.spool import spool_errors, write_whole
from gateway.store.audit import Act
from gateway.store.reports import StoredReport
from gateway.store.store import Store, open_store

app = typer.Typer(help="The §119 report for KL.", no_args_is_help=True)
#: in front of ``Type/id`` while no address of KL's gateway is set
_NOWHERE = "https://kl-gateway.invalid/fhir"
_SHOWN = {Verdict.DELIVERED: "sendt", Verdict.DUPLICATE: "modtaget i forvejen", Verdict.REFUSED: "afvist"}
T = TypeVar("T")


@app.command()
def build(
    context: typer.Context,
    day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="report this day, and earlier ones not reported; default yesterday"),
    ] = None,
    case: Annotated[str | None, typer.Option(metavar="ID", help="only the citizen of this case; all days")] = None,
    out: Annotated[Path, typer.Option(help="folder for the files; they hold CPR numbers")] = Path("reports"),
) -> None:
    """Make the delivery reports of days that are over, keep them, and write them as files. Nothing is sent."""
    settings: Settings = context.obj()
    municipality = proved_municipality(settings.municipality)
    until = _finished(day.date() if day else None)
    with open_store(settings.store_url) as store:
        maker = ReportMaker(store.reports, municipality, settings.report_url or _NOWHERE, system_now)
        citizens = store.reports.citizens() if case is None else [_citizen(store, case)]
        left_out = 0
        written: dict[str, StoredReport] = {}
        for citizen in _tracked(citizens, "Samler", len(citizens)):
            made = {report.report_id for report in maker.make(citizen, until)}
            kept = store.reports.of(citizen)
            wanted = (r for r in kept if case is not None or r.day == until or r.report_id in made)
            written |= {report.report_id: report for report in wanted}
            left_out += not maker.can_report(citizen)
        _write(out, written.values())
        act = Act(who=operator(), what="report.built", subject=case or until.isoformat(), why=f"{len(written)} filer")
        store.audit.write(act, system_now())
    _tell(out, written.values(), left_out)


#: said whenever reports can leave the house
DOUBLE_REPORTING = (
    "every report sent here that the record system (Cura) also sends counts twice at KL: "
    "send only when the record system's own reporting is switched off"
)


@app.command()
def send(context: typer.Context) -> None:
    """Send the reports that were built to KL's gateway. Off by default: the record system already reports."""
    settings: Settings = context.obj()
    token_file = settings.report_token_file
    if not settings.report_sending or token_file is None:
        typer.echo(f"gateway: sending is switched off (GATEWAY_REPORT_SENDING); {DOUBLE_REPORTING}", err=True)
        raise typer.Exit(1)
    typer.echo(f"gateway: warning: {DOUBLE_REPORTING}", err=True)
    answers = Counter[Verdict]()
    with (
        open_store(settings.store_url) as store,
        open_client(settings.report_certificate, settings.report_key) as client,
    ):
        kl = KlGateway(client, settings.report_url, token_in(token_file), time.sleep)
        waiting = len(store.reports.waiting())
        try:
            for report_id, answer in _tracked(send_reports(store.reports, kl, system_now), "Sender", waiting):
                answers[answer.verdict] += 1
                if answer.verdict is Verdict.REFUSED:
                    typer.echo(f"gateway: {report_id} afvist: {answer.why}", err=True)
        finally:
            act = Act(who=operator(), what="report.sent", why=f"{answers.total()} af {waiting}")
            store.audit.write(act, system_now())
            print(", ".join(f"{_SHOWN[verdict]} {answers[verdict]}" for verdict in Verdict))
    if answers[Verdict.REFUSED]:
        raise typer.Exit(1)


def _finished(day: date | None) -> date:
    """A day that is over: what still may happen today belongs in today's report."""
    today = local_date(system_now())
    if day is not None and day >= today:
        raise typer.BadParameter("the day is not over", param_hint="--day")
    return day or today - timedelta(days=1)


def _citizen(store: Store, case: str) -> str:
    citizen = store.reports.citizen_of(case)
    if citizen is None:
        raise typer.BadParameter("there is no case with this id", param_hint="--case")
    return citizen


def _tracked(things: Iterable[T], what: str, total: int) -> Iterable[T]:
    """With a progress bar, on a terminal only."""
    console = Console(stderr=True)
    return track(things, what, total, console=console, disable=not console.is_terminal)


def _write(folder: Path, reports: Iterable[StoredReport]) -> None:
    with spool_errors():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for report in reports:
            write_whole(folder / f"{report.day}-{report.report_id}.json", report.body)


def _tell(out: Path, reports: Iterable[StoredReport], left_out: int) -> None:
    days = [report.day for report in reports]
    for day in sorted(set(days)):
        print(f"{day}: {days.count(day)} rapporter i {out}/")
    if not days:
        print("intet nyt at indberette")
    if left_out:
        typer.echo(f"gateway: {left_out} borgere uden CPR-nummer kan ikke indberettes", err=True)
