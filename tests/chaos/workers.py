"""``gateway run`` in processes of its own, started again at once when it ends: what a service manager does."""

import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tests.chaos.nodes import free_port

_LOOK_S = 0.05


class Worker:
    """One process of the gateway, watched."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self._address = f"127.0.0.1:{free_port()}"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("GATEWAY_")}
        self._environment = inherited | dict(environment) | {"GATEWAY_HTTP": self._address}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._stop = threading.Event()
        self._killed = False
        #: exit statuses of a process that nobody killed
        self.ended_by_itself: list[int] = []
        self._watch = threading.Thread(target=self._keep, daemon=True)

    def start(self) -> None:
        self._watch.start()

    def kill(self) -> None:
        """As the kernel does when memory is short: no chance to tidy up."""
        self._killed = True
        if self._process is not None:
            self._process.kill()

    def is_ready(self) -> bool:
        """What a load balancer would be told."""
        address = f"http://{self._address}/health/ready"
        with suppress(OSError), urllib.request.urlopen(address, timeout=2) as answer:  # a 503 is an OSError too
            return bool(answer.status == 200)
        return False

    def stop(self) -> int:
        """End in order; the exit status."""
        self._stop.set()
        self._watch.join(timeout=10)
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def peak_mb(self) -> float:
        """The most memory the present process has held."""
        if self._process is None:
            return 0.0
        told = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8")
        (peak,) = (line.split()[1] for line in told.splitlines() if line.startswith("VmHWM"))
        return int(peak) / 1024

    def _keep(self) -> None:
        while not self._stop.wait(_LOOK_S):
            if self._process is not None and (status := self._process.poll()) is not None:
                if not self._killed:
                    self.ended_by_itself.append(status)
                self._process, self._killed = None, False
            if self._process is None:
                self._process = self._run()

    def _run(self) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "gateway", "run"], env=self._environment, stdout=log, stderr=log
            )
