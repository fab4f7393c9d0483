"""The command line: ``gateway …``. Exit status 0 done, 1 something was refused, 2 wrong use; errors on one line."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway.commands import check, demo, event, explain, parked, run, status, topology
from gateway.errors import ConfigurationError, GatewayError
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
    context.obj = lambda **given: load_settings(config, **given)


for module in (run, demo, explain, check, topology, event, status):
    app.command(module.NAME)(module.command)
app.add_typer(parked.app, name="parked")


def main() -> None:
    """The console script."""
    try:
        app()
    except ConfigurationError as error:
        print(f"gateway: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except GatewayError as error:
        print(f"gateway: {error}", file=sys.stderr)
        raise SystemExit(1) from None
