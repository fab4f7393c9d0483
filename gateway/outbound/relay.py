"""The relay: takes letters from the outbox, puts each in a new envelope, hands them to the transport, marks them sent.

Independent of the consumer. Fresh letters are handed over directly and are claimed already; whatever was left by a
process that died is claimed when its claim runs out. A crash between sending and marking sends the same letter again in
another envelope: same letter id, so the receiver knows it.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import structlog

from gateway.errors import BrokerError, NeighbourError
from gateway.metrics import NEIGHBOUR_DOWN, SEND_FAILED, SENT
from gateway.outbound.envelopes import Transmission, mint
from gateway.outbound.sink import Result, Sink
from gateway.referral.letters import Outgoing
from gateway.store.outbox import RETRY_AFTER, Outbox, Sent

log = structlog.get_logger()
_LONGEST_WAIT_S = 2.0
#: the last part of a claim counts as gone: someone else may take the letter while we send it
_MARGIN = 1 / 6
#: the next try with what was not confirmed has ended by then: it waits for 10 s, and for its confirm 30 s
_SILENT_S = 45.0


class Relay:
    """Moves letters from the outbox to a sink until told to stop."""

    def __init__(
        self, outbox: Outbox, sink: Sink, clock: Callable[[], datetime], batch_size: int = 200, poll_s: float = 0.5
    ) -> None:
        self._outbox = outbox
        self._sink = sink
        self._clock = clock
        self._batch_size = batch_size
        self._poll_s = poll_s
        self._offered: deque[tuple[Outgoing, datetime]] = deque()
        self._unsettled: list[Result] = []
        #: when the latest claim on the letters of the batch under way runs out
        self._held_until = datetime.min.replace(tzinfo=UTC)
        #: until then the transport counts as one that does not answer, though it may have taken other letters
        self._silent_until = float("-inf")
        self._looked = float("-inf")
        self._was_full = False
        self._wake = threading.Event()
        self._stop = threading.Event()
        #: the neighbour that holds up the letters just now; empty while they leave
        self.waits_for = ""

    def offer(self, letters: list[Outgoing], until: datetime) -> None:
        """Fresh letters, saved and claimed for this process until then; from any thread."""
        self._offered.extend((letter, until) for letter in letters)
        self._wake.set()

    def run(self) -> None:
        """Work until ``stop``; what is not sent then stays in the outbox, free for anyone."""
        wait = self._poll_s
        while not self._stop.is_set():
            try:
                busy = self.step()
            except NeighbourError as error:
                self.waits_for = error.neighbour
                NEIGHBOUR_DOWN.labels(id=error.id).inc()
                log.warning("neighbour.down", id=error.id, why=str(error))
                wait = min(wait * 2, _LONGEST_WAIT_S)
                self._stop.wait(wait)
                continue
            wait = self._poll_s
            if time.monotonic() > self._silent_until:
                self.waits_for = ""
            if not (busy and self._is_more):
                self._wake.wait(self._poll_s)
                self._wake.clear()
        self._give_back()

    def stop(self) -> None:
        """Finish the batch under way and end."""
        self._stop.set()
        self._wake.set()

    def step(self) -> int:
        """One batch: how many letters were handed to the transport, once the last batch's fate is written down.

        Raises:
            NeighbourError: store or transport do not answer; the letters are given back or their claim runs out.
        """
        self._settle()
        letters = self._next()
        if not letters:
            return 0
        transmissions = self._mint(letters)
        try:
            self._unsettled = self._sink.send(transmissions)
        except NeighbourError:
            self._outbox.release([letter.letter_id for letter in letters], self._held_until)
            raise
        self._settle()
        return len(letters)

    def _next(self) -> list[Outgoing]:
        """Letters handed over, while our claim on them holds; and, as often as we poll, due ones from the outbox."""
        now = self._clock()
        claim = self._outbox.claim_time
        fresh: list[Outgoing] = []
        while self._offered and len(fresh) < self._batch_size:
            letter, until = self._offered.popleft()
            if until - claim * _MARGIN > now:
                fresh.append(letter)
        self._held_until = now + claim  # whatever was claimed so far runs out before
        if fresh and time.monotonic() < self._looked + self._poll_s:
            return fresh
        self._looked = time.monotonic()
        due = self._outbox.claim(now, self._held_until, self._batch_size)
        self._was_full = len(due) == self._batch_size
        return fresh + due

    @property
    def _is_more(self) -> bool:
        """Whether there may be letters to take at once; else the next offer or the next look is waited for."""
        return bool(self._offered) or self._was_full

    def _give_back(self) -> None:
        """Letters handed over and not sent: the next process need not wait for our claim to run out."""
        with suppress(NeighbourError):
            self._settle()
            offered = [letter.letter_id for letter, _ in self._offered]
            self._outbox.release(offered, max((until for _, until in self._offered), default=None))

    def _mint(self, letters: Sequence[Outgoing]) -> list[Transmission]:
        """Each letter in its envelope; one that cannot be wrapped is our own fault and must not stop the others."""
        minted = []
        for letter in letters:
            try:
                minted.append(mint(letter, self._clock()))
            except Exception as error:
                log.exception("letter.unwrappable", kind=letter.kind, letter=letter.letter_id)
                self._failed(letter, f"GW-190 {type(error).__name__}")
        return minted

    def _settle(self) -> None:
        """Write down what became of a batch; while the store is down nothing else is sent, and none of it again."""
        sent = [r.transmission for r in self._unsettled if r.sent]
        self._outbox.mark_sent([Sent(letter_id=t.letter.letter_id, envelope_id=t.envelope_id, at=t.at) for t in sent])
        self._tell(sent)
        self._unsettled = [r for r in self._unsettled if not r.sent]
        silent = self._give_back_unknown()
        while self._unsettled:
            self._failed(self._unsettled[0].transmission.letter, f"GW-205 {self._unsettled[0].why}")
            del self._unsettled[0]
        if silent:
            self._silent_until = time.monotonic() + _SILENT_S
            raise BrokerError("letters were taken and not confirmed in time")

    def _give_back_unknown(self) -> bool:
        """At once, or, where the transport said nothing all the while, behind the others; whether there are such."""
        unknown = [r for r in self._unsettled if r.unknown]
        silent = [r.transmission.letter.letter_id for r in unknown if r.unanswered]
        self._outbox.release(silent, self._held_until, self._clock() + RETRY_AFTER[0])
        lost = [r.transmission.letter.letter_id for r in unknown if not r.unanswered]
        self._outbox.release(lost, self._held_until)
        self._unsettled = [r for r in self._unsettled if not r.unknown]
        return bool(silent)

    def _failed(self, letter: Outgoing, why: str) -> None:
        self._outbox.mark_failed(letter.letter_id, why, self._clock(), self._held_until)
        SEND_FAILED.labels(kind=letter.kind).inc()
        log.warning("letter.failed", kind=letter.kind, letter=letter.letter_id, why=why)

    @staticmethod
    def _tell(sent: Sequence[Transmission]) -> None:
        for transmission in sent:
            letter = transmission.letter
            SENT.labels(kind=letter.kind).inc()
            log.info("letter.sent", kind=letter.kind, letter=letter.letter_id, envelope=transmission.envelope_id)
