"""``gateway check``: what is wrong with the set-up, and how to mend it."""

from collections.abc import Iterator

import typer

from gateway.broker.topology import depths, topology_of
from gateway.errors import GatewayError
from gateway.mapping.interpretation import interpretation
from gateway.municipality.model import load
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
    print(f"OK    {municipality.version_label}; tabeller {interpretation().version}; alt svarer")


def found(settings: Settings) -> Iterator[str]:
    """Everything that is wrong, each with how to mend it."""
    try:
        municipality = load(settings.municipality)
    except GatewayError as error:
        yield str(error)
        return
    yield from problems(municipality, interpretation())
    try:
        open_store(settings.store_url).close()
    except GatewayError as error:
        yield f"GATEWAY_DATABASE_URL: {error}"
    if settings.amqp_url is not None:
        try:
            depths(settings.amqp_url.get_secret_value(), topology_of(municipality, settings.amqp_prefix))
        except GatewayError as error:
            yield f"GATEWAY_AMQP_URL: {error}; `gateway topology --declare` makes missing queues"
