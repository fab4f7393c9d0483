"""What the relay needs of a transport. Two implementations from the first day: RabbitMQ and the spool folder."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from gateway.outbound.envelopes import Transmission


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one transmission."""

    transmission: Transmission
    #: the transport has it for good
    sent: bool
    #: it may be there or not: try again, counting nothing against the letter
    unknown: bool = False
    #: unknown, because the transport is there and said nothing in time
    unanswered: bool = False
    why: str = ""


class Sink(Protocol):
    """A transport's outbound side. All calls come from the relay's thread."""

    def send(self, transmissions: Sequence[Transmission]) -> list[Result]:
        """Hand over a batch; ``NeighbourError`` when the transport as a whole is down and nothing went out."""

    def close(self) -> None:
        """Give up connections."""
