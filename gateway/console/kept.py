"""A figure that many watchers ask for, worked out once in a while for all of them."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


class Kept(Generic[_Value]):
    """One value, some seconds old at most. Thread-safe."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._last: tuple[float, _Value] | None = None

    def get(self, work_out: Callable[[], _Value]) -> _Value:
        """The value, worked out anew when it is too old; those who ask meanwhile wait for it.

        >>> kept = Kept(60.0)
        >>> kept.get(lambda: 1), kept.get(lambda: 2)
        (1, 1)
        """
        with self._lock:
            if self._last is None or time.monotonic() - self._last[0] > self._seconds:
                self._last = (time.monotonic(), work_out())
            return self._last[1]
