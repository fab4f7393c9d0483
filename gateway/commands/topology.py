"""``gateway topology``: exchanges, queues and bindings, printed or declared."""

from typing import Annotated

import msgspec
import typer

from gateway.broker.topology import declare, topology_of
from gateway.errors import ConfigurationError
from gateway.proof import proved_municipality

NAME = "topology"


def command(
    context: typer.Context,
    do_declare: Annotated[bool, typer.Option("--declare", help="declare it on the broker at GATEWAY_AMQP_URL")] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Print the AMQP names and arguments this installation uses, or declare them (idempotent)."""
    settings = context.obj()
    topology = topology_of(proved_municipality(settings.municipality), settings.amqp_prefix)
    if do_declare:
        if settings.amqp_url is None:
            raise ConfigurationError("GW-301", "GATEWAY_AMQP_URL is not set")
        declare(settings.amqp_url.get_secret_value(), topology)
    exchanges, queues = list(topology.exchanges()), list(topology.queues())
    if as_json:
        print(msgspec.json.encode({"exchanges": exchanges, "queues": queues}).decode())
        return
    for exchange in exchanges:
        print(f"exchange  {exchange.name}  topic, durable")
    for queue in queues:
        bound = f"  ← {queue.exchange} [{queue.key}]" if queue.exchange else ""
        arguments = ", ".join(f"{key}={value}" for key, value in sorted(queue.arguments.items()))
        print(f"queue     {queue.name}{bound}  {arguments}")
