"""``gateway run`` as a process of its own is tried in tests/flow; here what it does before it starts."""

import gc

from gateway.commands.run import _set_aside_what_stays


def test_what_stays_is_no_longer_looked_through_for_garbage() -> None:
    before = gc.get_freeze_count()
    try:
        _set_aside_what_stays()
        assert gc.get_freeze_count() > before + 10_000
    finally:
        gc.unfreeze()
