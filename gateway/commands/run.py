"""``gateway run``: the service."""

import gc
import signal
from types import FrameType
from typing import Annotated

import structlog
import typer

from gateway.logs import set_up_logging
from gateway.settings import Settings

NAME = "run"
log = structlog.get_logger()


def _settings_help() -> str:
    lines = [
        f"  GATEWAY_{name.upper():<20} {field.description}{_shown(field.default)}"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["\b", "Settings, by environment or in the TOML file of --config:", *lines])


def _shown(default: object) -> str:
    return "" if default in {None, ""} else f" (default {default})"


def _set_aside_what_stays() -> None:
    """Word tables and programs are never garbage: looking through them held every message up for 120 ms at a time."""
    gc.collect()
    gc.freeze()


def command(
    context: typer.Context,
    http: Annotated[str | None, typer.Option(help="host:port; overrides GATEWAY_HTTP")] = None,
) -> None:
    """Run the service: consumer, relay and web page, until it is told to stop."""
    from gateway.bootstrap import service  # noqa: PLC0415  (the other commands need no web server: do not load one)

    settings = context.obj(http=http)
    set_up_logging(settings.log_level)
    with service(settings) as running:

        def stop(number: int, _frame: FrameType | None) -> None:
            log.info("service.stopping", signal=signal.Signals(number).name)
            running.stop()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        _set_aside_what_stays()
        running.start()
        log.info("service.started", http=settings.http, transport="rabbitmq" if settings.amqp_url else "spool")
        if not running.wait():
            raise typer.Exit(1)


command.__doc__ = f"{command.__doc__}\n\n{_settings_help()}"
