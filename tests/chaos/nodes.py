"""A RabbitMQ node and a PostgreSQL of our own on loopback ports: what is stopped and killed here is nobody else's."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import msgspec
import pika
import psycopg
from pika.exceptions import AMQPError

_RABBIT = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
#: below the range that outgoing connections take theirs from: a node that is down must find its port free again
_PORTS = range(20_000, 32_000)


def missing() -> list[str]:
    """Debian packages that are needed and not there."""
    found = {"rabbitmq-server": _RABBIT.exists(), "postgresql": _postgres_folder() is not None}
    return [name for name, there in found.items() if not there]


def _postgres_folder() -> Path | None:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    return folders[-1] if folders else None


def free_port() -> int:
    """A port nobody listens on and no outgoing connection will take."""
    while True:
        port = secrets.choice(_PORTS)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class Node(ABC):
    """A neighbour in processes that we started; everything it writes stands in its own folder."""

    #: that answers, told from outside
    url: str

    def __init__(self, folder: Path, owner: str) -> None:
        folder.mkdir()
        self._folder = folder
        self._owner = owner if os.getuid() == 0 else None
        if self._owner:
            shutil.chown(folder, self._owner, self._owner)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, within_s: float = 60.0) -> None:
        """Start it and wait until it answers."""
        end = time.monotonic() + within_s
        while not self.answers():
            if self._process is None or self._process.poll() is not None:
                self._process = self._start()
            if time.monotonic() > end:
                raise TimeoutError(f"{type(self).__name__} does not start; see {self._folder}")
            time.sleep(0.05)

    def end(self, how: signal.Signals) -> None:
        """Send its main process a signal and wait until it is gone."""
        if self._process is not None and self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid(), how)
            self._process.wait(timeout=60)

    @abstractmethod
    def answers(self) -> bool:
        """Whether it takes work."""

    @abstractmethod
    def pid(self) -> int:
        """Its main process."""

    @abstractmethod
    def _start(self) -> "subprocess.Popen[bytes]":
        """Start the process."""

    def _run(self, *command: str | Path, environment: Mapping[str, str] | None = None) -> "subprocess.Popen[bytes]":
        as_owner = {"user": self._owner, "group": self._owner, "extra_groups": []} if self._owner else {}
        with (self._folder / "out.log").open("ab") as log:
            return subprocess.Popen(
                [str(part) for part in command],
                env={"PATH": os.environ["PATH"], "HOME": str(self._folder), "LANG": "C.UTF-8"}
                | dict(environment or {}),
                cwd=self._folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **as_owner,  # type: ignore[call-overload]  # mypy cannot match unpacked arguments
            )


class RabbitNode(Node):
    """One RabbitMQ node with its own name, data, cookie and ports."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "rabbitmq")
        self._port, self._distribution_port = free_port(), free_port()
        self.url = f"amqp://guest:guest@127.0.0.1:{self._port}/%2f"

    def answers(self) -> bool:
        """It lets a client in; a node that is booting does not."""
        parameters = pika.URLParameters(self.url)
        parameters.socket_timeout = parameters.stack_timeout = parameters.blocked_connection_timeout = 3
        with suppress(AMQPError, OSError):
            pika.BlockingConnection(parameters).close()
            return True
        return False

    def pid(self) -> int:
        return int((self._folder / "pid").read_text())

    def _start(self) -> "subprocess.Popen[bytes]":
        environment = {
            "RABBITMQ_NODENAME": f"gateway-chaos-{self._port}@localhost",
            "RABBITMQ_NODE_PORT": str(self._port),
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "RABBITMQ_MNESIA_BASE": str(self._folder / "data"),
            "RABBITMQ_LOG_BASE": str(self._folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "plugins"),
            "RABBITMQ_PID_FILE": str(self._folder / "pid"),
            "RABBITMQ_CONFIG_FILE": str(self._folder / "none"),
        }
        return self._run(_RABBIT, environment=environment)


class PostgresNode(Node):
    """One PostgreSQL cluster; what it confirmed is on disk (fsync stays on)."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "postgres")
        self._port = free_port()
        self._bin = _postgres_folder() or Path()
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}/postgres"
        initdb = (self._bin / "initdb", "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        if self._run(*initdb).wait(timeout=120) != 0:
            raise RuntimeError(f"initdb failed; see {folder}")

    def answers(self) -> bool:
        """It answers a query; one that is starting or recovering does not."""
        with suppress(psycopg.Error), psycopg.connect(self.url, connect_timeout=3) as connection:
            connection.execute("SELECT 1")
            return True
        return False

    def pid(self) -> int:
        return self._process.pid if self._process else 0

    def _start(self) -> "subprocess.Popen[bytes]":
        given = ("listen_addresses=127.0.0.1", f"port={self._port}", f"unix_socket_directories={self._folder}")
        return self._run(self._bin / "postgres", "-D", "data", *(part for g in given for part in ("-c", g)))


class Nodes(msgspec.Struct, frozen=True, kw_only=True):
    """The two neighbours."""

    rabbit: RabbitNode
    postgres: PostgresNode


@contextmanager
def nodes(folder: Path) -> Iterator[Nodes]:
    """Both started, and in the end stopped whatever happened."""
    folder.chmod(0o755)  # theirs are other users
    made = Nodes(rabbit=RabbitNode(folder / "rabbitmq"), postgres=PostgresNode(folder / "postgresql"))
    endings: list[Callable[[], None]] = [
        lambda: made.postgres.end(signal.SIGQUIT),
        lambda: made.rabbit.end(signal.SIGTERM),
    ]
    with ExitStack() as stack:
        for ending in endings:
            stack.callback(ending)
        made.postgres.start()
        made.rabbit.start()
        yield made
