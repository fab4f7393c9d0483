"""Processes under measurement: started apart, their CPU time and memory read from ``/proc`` (Linux)."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

_PROC = Path("/proc")
_TICK = os.sysconf("SC_CLK_TCK")


class Cpu(msgspec.Struct, frozen=True, kw_only=True):
    """CPU seconds used so far by three parties; None where a party does not run on this machine."""

    workers: float
    broker: float | None
    database: float | None

    def since(self, earlier: "Cpu", messages: int) -> dict[str, float | None]:
        """CPU milliseconds per message of each party between two readings."""
        names = Cpu.__struct_fields__
        return {name: _per(getattr(self, name), getattr(earlier, name), messages) for name in names}


def _per(now: float | None, before: float | None, messages: int) -> float | None:
    return None if now is None or before is None else round((now - before) * 1000 / messages, 3)


def cpu_of(workers: Sequence[int]) -> Cpu:
    """What the workers, a RabbitMQ and a PostgreSQL on this machine have used."""
    return Cpu(
        workers=sum(_seconds(pid) for pid in workers), broker=_seconds_of("beam.smp"), database=_seconds_of("postgres")
    )


def _seconds_of(name: str) -> float | None:
    pids = [int(p.name) for p in _PROC.iterdir() if p.name.isdigit() and _name(p) == name]
    return sum(_seconds(pid) for pid in pids) if pids else None


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return ""


def _seconds(pid: int) -> float:
    """User and system time, that of children which ended included."""
    try:
        told = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return 0.0
    fields = told.rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11:15]) / _TICK


def peak_mb(pid: int) -> float:
    """The most memory a process has held so far, in megabytes."""
    return _status_mb(pid, "VmHWM:")


def memory_mb(pid: int) -> float:
    """The memory a process holds just now, in megabytes."""
    return _status_mb(pid, "VmRSS:")


def _status_mb(pid: int, name: str) -> float:
    lines = (_PROC / str(pid) / "status").read_text().splitlines()
    (kilobytes,) = (line.split()[1] for line in lines if line.startswith(name))
    return round(int(kilobytes) / 1024, 1)


@contextmanager
def running(
    arguments: Sequence[str], count: int, environment: Mapping[str, str] | None = None, *, folder: Path | None = None
) -> Iterator[list[int]]:
    """``count`` processes ``python -m …``; ended in the end. Their process ids."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("GATEWAY_")} | dict(environment or {})
    command = [sys.executable, "-m", *arguments]
    started = [
        subprocess.Popen(command, env=env, cwd=folder, stdout=subprocess.DEVNULL)  # noqa: S603  (our own modules)
        for _ in range(count)
    ]
    try:
        yield [process.pid for process in started]
    finally:
        for process in started:
            process.terminate()
        for process in started:
            _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
