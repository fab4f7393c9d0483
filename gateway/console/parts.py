"""What the HTTP side stands on."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import Depends, Request

from gateway.inbound.pipeline import Pipeline
from gateway.municipality.model import Municipality
from gateway.settings import Settings
from gateway.store.store import Store


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What the HTTP side stands on."""

    settings: Settings
    municipality: Municipality
    store: Store
    pipeline: Pipeline
    clock: Callable[[], datetime]
    #: names of neighbours that are down right now
    down: Callable[[], list[str]]


def parts_of(request: Request) -> Parts:
    """The application's parts."""
    parts: Parts = request.app.state.parts
    return parts


PartsOf = Annotated[Parts, Depends(parts_of)]
