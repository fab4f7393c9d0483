"""The command line: ``gateway …``. Exit status 0 done, 1 something was refused, 2 wrong use; errors on one line."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from gateway.commands import (
    accounts,
    bench,
    check,
    demo,
    event,
    explain,
    parked,
    replay,
    report,
    resend,
    run,
    simulate,
    statistics,
    status,
    topology,
)
from gateway.errors import ConfigurationError, GatewayError, NeighbourError
from gateway.logs import set_up_logging
from gateway.settings import load_settings

app = typer.Typer(
    name="gateway",
    help="FHIR/MedCom integration gateway for Danish municipalities.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def options(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option(help="TOML file with settings; GATEWAY_* wins over it")] = None,
) -> None:
    """Options of every command."""
    set_up_logging("WARNING")
    context.obj = lambda **given: load_settings(config, **given)


for module in (run, demo, explain, check, topology, event, status, replay, resend, simulate, statistics):
    app.command(module.NAME)(module.command)
app.add_typer(parked.app, name="parked")
app.add_typer(bench.app, name="bench")
app.add_typer(accounts.app, name="accounts")
app.add_typer(report.app, name="report")


def main() -> None:
    """The console script."""
    raise SystemExit(_run())


def _run() -> int:
    try:
        status = app(standalone_mode=False)
    except ConfigurationError as error:
        return _tell(str(error), 2)
    except NeighbourError as error:
        return _tell(f"{error.id} {error}", 1)
    except (GatewayError, OSError) as error:
        return _tell(str(error), 1)
    except TyperException as error:
        return _tell(error.format_message(), error.exit_code)
    except typer.Abort:
        return _tell("aborted", 1)
    return status if isinstance(status, int) else 0


def _tell(error: str, status: int) -> int:
    """An error in one line; nothing where the help was shown instead."""
    if error.strip():
        print(f"gateway: {' '.join(error.split())}", file=sys.stderr)
    return status
