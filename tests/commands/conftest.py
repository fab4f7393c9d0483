"""``gateway …`` in processes of their own, forked from one that has loaded everything already."""

import multiprocessing
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from gateway import commands
from tests.neighbours import bare_broker, broker, empty_postgres_url, plain_logs, postgres_url, worker_database

__all__ = ["bare_broker", "broker", "empty_postgres_url", "plain_logs", "postgres_url", "worker_database"]

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.flow.warm"])


class Ended(NamedTuple):
    """How a command ended and what it said."""

    status: int | None
    out: str
    err: str


Gateway = Callable[..., Ended]


def _main(arguments: tuple[str, ...], folder: Path, settings: dict[str, str]) -> None:
    os.chdir(folder)
    for name in [name for name in os.environ if name.startswith("GATEWAY_")]:
        del os.environ[name]
    os.environ.update(settings, COLUMNS="120", NO_COLOR="1", TERM="dumb")
    for number, name in ((1, ".out"), (2, ".err")):
        with (folder / name).open("wb") as file:
            os.dup2(file.fileno(), number)
    sys.argv = ["gateway", *arguments]
    commands.main()


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    """Run a command in the test's folder with these settings and no others."""

    def run(*arguments: object, within_s: float = 60, **settings: str) -> Ended:
        told = tuple(str(argument) for argument in arguments)
        process = _FORKS.Process(target=_main, args=(told, tmp_path, settings), daemon=True)
        process.start()
        process.join(timeout=within_s)
        if process.is_alive():
            process.kill()
            pytest.fail(f"gateway {' '.join(told)} did not end within {within_s} s")
        status = process.exitcode
        process.close()
        out, err = ((tmp_path / name).read_text() for name in (".out", ".err"))
        assert "Traceback" not in err, err
        return Ended(status, out, err)

    return run
