"""The service in a process of its own that kills itself at a step.

Waits and claims are short, so that what a dead process held comes soon.
"""

import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import event

from gateway.bootstrap import Service, service
from gateway.logs import set_up_logging
from gateway.settings import load_settings


class Fuse:
    """Burns down by one each time; at the end the process is gone, with no chance to tidy up."""

    def __init__(self, length: int) -> None:
        self._left = length

    def burn(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)


Arm = Callable[[Service, Fuse], None]


def _after(owner: object, name: str, fuse: Fuse, *, pause_s: float = 0.0) -> None:
    """Die after this call, if it was given or gave back anything at all."""
    original = getattr(owner, name)

    def call(*given: Any, **named: Any) -> Any:  # noqa: ANN401
        result = original(*given, **named)
        if result or any(given):
            time.sleep(pause_s)
            fuse.burn()
        return result

    setattr(owner, name, call)


def _taken(running: Service, fuse: Fuse) -> None:
    source = running.transport.source
    take = source.take

    def call(limit: int, wait_s: float) -> Any:  # noqa: ANN401
        taken = take(limit, wait_s)
        if taken:
            fuse.burn()
        return taken

    source.take = call


def _claimed(running: Service, fuse: Fuse) -> None:
    """Nothing is handed over, so that everything must be claimed."""
    running.pipeline._offer = None
    claim = running.store.outbox.claim

    def call(*given: Any) -> Any:  # noqa: ANN401
        claimed = claim(*given)
        if claimed:
            fuse.burn()
        return claimed

    running.store.outbox.claim = call


def _marking(running: Service, fuse: Fuse) -> None:
    """Inside ``mark_sent``, everything written, before the COMMIT; or before the statement that commits itself."""
    mark_sent = running.store.outbox.mark_sent
    marking: list[bool] = []

    def call(done: Any) -> None:  # noqa: ANN401
        marking[:] = [True] if done else []
        mark_sent(done)
        marking.clear()

    def last(*_: object) -> None:
        if marking:
            fuse.burn()

    running.store.outbox.mark_sent = call
    moment = "before_cursor_execute" if running.store.by_key.dialect.name == "postgresql" else "commit"
    event.listen(running.store.by_key, moment, last)


def _written(running: Service, fuse: Fuse) -> None:
    """One file is there, or the batch is on the wire: nothing is confirmed, nothing is marked."""
    sink = running.transport.sink
    if running.settings.amqp_url is None:
        _after(sink, "_write", fuse)
    else:
        _after(sink._publisher, "_publish", fuse)


#: every step between two of: read, commit, acknowledge; claim, publish, confirm, mark sent
STEPS: dict[str, Arm] = {
    "taken": _taken,
    "read": lambda running, fuse: _after(running.pipeline, "_read", fuse),
    "written before the commit": lambda running, fuse: _after(running.store.inbox, "_save_rest", fuse),
    "committed": lambda running, fuse: _after(running.store.inbox, "save", fuse),
    "acknowledging": lambda running, fuse: _after(running.transport.source, "done", fuse),
    "acknowledged": lambda running, fuse: _after(running.transport.source, "done", fuse, pause_s=0.2),
    "claimed": _claimed,
    "minted": lambda running, fuse: _after(running.relay, "_mint", fuse),
    "published": _written,
    "confirmed": lambda running, fuse: _after(running.transport.sink, "send", fuse),
    "marked before the commit": _marking,
    "marked": lambda running, fuse: _after(running.store.outbox, "mark_sent", fuse),
}
#: only where acknowledging is moving one file after the other
FOLDER_STEPS: dict[str, Arm] = {
    "acknowledged by half": lambda running, fuse: _after(running.transport.source, "_settle", fuse),
}


def _hurry(running: Service) -> None:
    running.store.outbox.claim_time = timedelta(seconds=1)
    running.relay._poll_s = running.consumer._wait_s = 0.05
    running.relay._batch_size = 4


def serve(environment: dict[str, str], step: str, nth: int) -> None:
    """The process: the real service with these settings, armed where a step is named, until SIGTERM."""
    os.environ.update(environment)
    set_up_logging("WARNING")
    with service(load_settings()) as running:
        _hurry(running)
        if step:
            (STEPS | FOLDER_STEPS)[step](running, Fuse(nth))
        signal.signal(signal.SIGTERM, lambda *_: running.stop())
        running.start()
        if not running.wait():
            raise SystemExit(1)
