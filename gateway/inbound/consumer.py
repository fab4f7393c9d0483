"""The consumer's loop: take, handle, and only after the commit acknowledge."""

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_when_event_set, wait_random_exponential

from gateway.errors import NeighbourError
from gateway.inbound.disposition import Disposition, disposition
from gateway.inbound.pipeline import Pipeline
from gateway.inbound.source import MAX_ATTEMPTS, Delivery, Done, Source
from gateway.metrics import NEIGHBOUR_DOWN

log = structlog.get_logger()
T = TypeVar("T")


class Consumer:
    """Moves messages from a source through the pipeline until told to stop."""

    def __init__(self, source: Source, pipeline: Pipeline, batch_size: int, wait_s: float = 0.5) -> None:
        self._source = source
        self._pipeline = pipeline
        self._batch_size = batch_size
        self._wait_s = wait_s
        self._stop = threading.Event()
        #: the neighbour that holds up the work just now; empty while it goes on
        self.waits_for = ""

    def run(self) -> None:
        """Work until ``stop``; what is not acknowledged then comes again."""
        while not self._stop.is_set():
            self.step()

    def stop(self) -> None:
        """Finish the batch under way and end."""
        self._stop.set()

    def step(self) -> int:
        """One batch: how many messages were taken."""
        deliveries = self._patiently(lambda: self._source.take(self._batch_size, self._wait_s)) or []
        if deliveries:
            self._handle(deliveries)
        return len(deliveries)

    def _handle(self, deliveries: Sequence[Delivery]) -> None:
        """All in one transaction; if that fails, one at a time, so that a poison message harms only itself."""
        try:
            outcomes = self._patiently(lambda: self._pipeline.handle(deliveries))
        except Exception as error:  # noqa: BLE001  (whatever it is, it is found and counted singly)
            log.info("batch.singly", size=len(deliveries), reason=type(error).__name__)
            self._handle_singly(deliveries)
            return
        self._acknowledge([Done(delivery=d, parked=o.parked) for d, o in zip(deliveries, outcomes or [], strict=False)])

    def _handle_singly(self, deliveries: Sequence[Delivery]) -> None:
        """In order, and no further than the first that stays open: an acknowledgement covers all that came before."""
        for delivery in deliveries:
            if not self._handle_alone(delivery):
                return

    def _handle_alone(self, delivery: Delivery) -> bool:
        """One message; whether it is acknowledged now."""
        try:
            outcome = self._patiently(lambda: self._pipeline.handle_one(delivery))
        except Exception as error:
            log.exception("message.failed", attempt=delivery.attempt + 1)
            return self._failed(delivery, error)
        return self._acknowledge([Done(delivery=delivery, parked=outcome.parked)] if outcome else [])

    def _acknowledge(self, saved: list[Done]) -> bool:
        return bool(saved) and self._settle(lambda: self._source.done(saved))

    def _failed(self, delivery: Delivery, error: Exception) -> bool:
        """Retry later or park; a dead letter has had all its attempts. Whether it is acknowledged now."""
        attempt = MAX_ATTEMPTS if delivery.dead else delivery.attempt + 1
        if disposition(error, attempt) is Disposition.RETRY:
            log.warning("message.retry", attempt=attempt, reason=type(error).__name__)
            return self._settle(lambda: self._source.retry(delivery, attempt))
        log.error("message.parked", attempt=attempt, reason=type(error).__name__)
        outcome = self._patiently(lambda: self._pipeline.give_up(delivery))
        return self._acknowledge([Done(delivery=delivery, parked=outcome.parked)] if outcome else [])

    def _settle(self, work: Callable[[], None]) -> bool:
        """Do it; False when told to stop before it could be done."""

        def done() -> bool:
            work()
            return True

        return self._patiently(done) or False

    def _sleep(self, seconds: float) -> None:
        self._stop.wait(seconds)

    def _patiently(self, work: Callable[[], T]) -> T | None:
        """Do it as often as it takes while a neighbour is down; None when told to stop meanwhile."""
        retrying = Retrying(
            retry=retry_if_exception_type(NeighbourError),
            wait=wait_random_exponential(multiplier=0.2, max=2),
            stop=stop_when_event_set(self._stop),
            sleep=self._sleep,
            before_sleep=self._tell,
            retry_error_callback=lambda _state: None,
        )
        result = retrying(work)
        self.waits_for = ""
        return result

    def _tell(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, NeighbourError):
            self.waits_for = error.neighbour
            NEIGHBOUR_DOWN.labels(id=error.id).inc()
            log.warning("neighbour.down", id=error.id, attempt=state.attempt_number, why=str(error))
