"""What happens to a message that could not be handled: held while a neighbour is down, retried later, or parked."""

from enum import StrEnum

from gateway.errors import NeighbourError
from gateway.inbound.source import MAX_ATTEMPTS


class Disposition(StrEnum):
    """The three ways to go on."""

    #: stop taking, back off, and try the same batch again; counts against no message
    HOLD = "hold"
    #: hand it back for a delayed attempt
    RETRY = "retry"
    #: commit it as parked
    PARK = "park"


def disposition(error: Exception, attempt: int) -> Disposition:
    """How to go on after the ``attempt``-th failure (1 is the first)."""
    if isinstance(error, NeighbourError):
        return Disposition.HOLD
    return Disposition.RETRY if attempt < MAX_ATTEMPTS else Disposition.PARK
