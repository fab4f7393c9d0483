"""What the consumer needs of a transport. Two implementations from the first day: RabbitMQ and the spool folder."""

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from gateway.receive import Entrance
from gateway.referral.inbox import Parked

#: after this many failures a message is parked
MAX_ATTEMPTS = 5


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One message handed over by a transport, not yet acknowledged."""

    data: bytes
    entrance: Entrance = Entrance.MEDCOM
    #: failures so far
    attempt: int = 0
    #: the broker gave up on it (dead letter): to be parked, not handled
    dead: bool = False
    #: whatever the transport needs to acknowledge it
    handle: Any = None


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that is safe in the store, with what was parked of it."""

    delivery: Delivery
    parked: tuple[Parked, ...] = ()


class Source(Protocol):
    """A transport's inbound side. All calls come from the consumer's thread."""

    def take(self, limit: int, wait_s: float) -> list[Delivery]:
        """Up to ``limit`` messages; what is there now, or the first that comes within ``wait_s``."""

    def done(self, settled: Sequence[Done]) -> None:
        """Acknowledge, in the order they were taken, after the commit and never before."""

    def retry(self, delivery: Delivery, attempt: int) -> None:
        """Hand the message back for a delayed attempt (1 to 4); ``NeighbourError`` when that cannot be made safe."""

    def close(self) -> None:
        """Stop taking; what was taken and not acknowledged comes again."""
