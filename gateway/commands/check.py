"""``gateway check``: what is wrong with the set-up, and how to mend it."""

import os
from collections.abc import Iterator
from pathlib import Path

import typer

from gateway.broker.topology import depths, topology_of
from gateway.certificates.state import Standing
from gateway.certificates.watch import CertificateWatch
from gateway.clocks import system_now
from gateway.commands.report import DOUBLE_REPORTING
from gateway.console.certificate_wording import CERTIFICATE_NAMES, CERTIFICATE_STATES, advice
from gateway.console.language import translate
from gateway.errors import GatewayError
from gateway.mapping.interpretation import interpretation
from gateway.mapping.kl.delivery_report import missing_numbers
from gateway.municipality.model import Municipality, load
from gateway.outbound.kl_gateway import open_client, token_in
from gateway.proof import problems, proved_municipality
from gateway.settings import Settings
from gateway.store.store import open_store

NAME = "check"


def command(context: typer.Context) -> None:
    """Check settings, municipality file, tables, code system and connections."""
    settings = context.obj()
    wrong = list(found(settings))
    for line in wrong:
        print(f"FEJL  {line}")
    if wrong:
        raise typer.Exit(1)
    municipality = proved_municipality(settings.municipality)
    if settings.report_sending:
        typer.echo(f"gateway: warning: {DOUBLE_REPORTING}", err=True)
    for one in _certificates(settings):
        if one.needs_someone:
            typer.echo(f"gateway: warning: {certificate_line(one)}", err=True)
    print(f"OK    {municipality.version_label}; tabeller {interpretation().version}; alt svarer")


def found(settings: Settings) -> Iterator[str]:
    """Everything that is wrong, each with how to mend it."""
    try:
        municipality = load(settings.municipality)
    except GatewayError as error:
        yield str(error)
        return
    yield from problems(municipality, interpretation())
    if settings.report_sending:
        yield from _reporting(settings, municipality)
    yield from (certificate_line(one) for one in _certificates(settings) if one.is_broken)
    try:
        open_store(settings.store_url).close()
    except GatewayError as error:
        yield f"GATEWAY_DATABASE_URL: {error}; is it running there, and may its user make tables?"
    if settings.amqp_url is not None:
        try:
            depths(settings.amqp_url.get_secret_value(), topology_of(municipality, settings.amqp_prefix))
        except GatewayError as error:
            yield (
                f"GATEWAY_AMQP_URL: {error}; is RabbitMQ running there, are user, secret and vhost right? "
                "`gateway topology --declare` makes missing queues"
            )
    elif settings.spool_folder.exists() and not _is_writable(settings.spool_folder):
        yield f"GATEWAY_SPOOL: {settings.spool_folder} is no folder that this user may write to"


def _reporting(settings: Settings, municipality: Municipality) -> Iterator[str]:
    """What sending to KL needs, where it is switched on."""
    for place in missing_numbers(municipality):
        yield f"GATEWAY_REPORT_SENDING: {place} of the municipality file is empty; KL's report names teams by SOR id"
    try:
        open_client(settings.report_certificate, settings.report_key).close()
        token_in(settings.report_token_file or Path())()
    except GatewayError as error:
        yield str(error)


def _certificates(settings: Settings) -> list[Standing]:
    return CertificateWatch(settings, system_now).look()


def certificate_line(one: Standing) -> str:
    """Which certificate, how it stands, and what to do."""
    name, state = CERTIFICATE_NAMES[one.watched.name], CERTIFICATE_STATES[one.state.value]
    told = [translate(text, "en") for text in (name, state, advice(one))]
    ends = f" ({one.certificate.ends:%Y-%m-%d})" if one.certificate else ""
    return f"{one.watched.setting}: {told[0]}: {told[1]}{ends}. {told[2]}"


def _is_writable(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
