"""The real clock, in one place; everything else is handed the time. And the part that looks at the clocks that run."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog

from gateway.errors import NeighbourError
from gateway.municipality.model import Clocks
from gateway.referral.clocks import attachment_clock, receipt_clock
from gateway.store.alarms import Alarm, Tick
from gateway.store.store import Store

log = structlog.get_logger()


def system_now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)  # noqa: TID251  (this is the place)


class Ticker:
    """Looks at the clocks every few seconds: raises alarms and clears them, each once."""

    def __init__(
        self, store: Store, clock: Callable[[], datetime], rules: Clocks, resends: int = 0, every_s: float = 10.0
    ) -> None:
        """``resends``: how many times a letter without a receipt is sent again by itself."""
        self._store = store
        self._resends = resends
        self._clock = clock
        self._rules = rules
        self._every_s = every_s
        self._stop = threading.Event()

    def run(self) -> None:
        """Work until ``stop``. While the store does not answer nothing is lost: the clocks are in it."""
        while not self._stop.is_set():
            try:
                self.step()
            except NeighbourError as error:
                log.warning("neighbour.down", id=error.id, why=str(error))
            self._stop.wait(self._every_s)

    def stop(self) -> None:
        """End after the look under way."""
        self._stop.set()

    def step(self) -> Tick:
        """One look.

        Raises:
            NeighbourError: the store does not answer; the next look makes up for it.
        """
        now = self._clock()
        receipt_due = now - timedelta(minutes=self._rules.receipt_minutes)
        late = self._store.alarms.without_receipt(receipt_due)
        awaited = self._store.alarms.without_file(now - timedelta(hours=self._rules.attachment_hours))
        overdue = [receipt_clock(*letter, self._rules) for letter in late]
        overdue += [attachment_clock(*file, self._rules) for file in awaited]
        tick = self._store.alarms.tick(now, overdue)
        for alarm in tick.raised:
            _tell("alarm.raised", alarm)
        for alarm in tick.cleared:
            _tell("alarm.cleared", alarm)
        if self._resends:
            for letter_id in self._store.outbox.resend_unanswered(receipt_due, now, self._resends):
                log.info("letter.resent", letter=letter_id)
        return tick


def _tell(event: str, alarm: Alarm) -> None:
    """One line, ids only."""
    due = alarm.due_at.isoformat()
    log.warning(event, kind=alarm.kind, level=alarm.level, subject=alarm.subject, case=alarm.case_id, due=due)
