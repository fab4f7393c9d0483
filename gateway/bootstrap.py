"""The composition root: settings → a running service, every part handed what it needs. New transport: one line here."""

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import msgspec
import structlog
import uvicorn

from gateway.app import Parts, create_app
from gateway.broker.link import IoThread
from gateway.broker.publisher import Publisher
from gateway.broker.topology import declare, topology_of
from gateway.clocks import system_now
from gateway.errors import ConfigurationError
from gateway.inbound.amqp import AmqpSource
from gateway.inbound.consumer import Consumer
from gateway.inbound.folder import FolderSource
from gateway.inbound.pipeline import Pipeline
from gateway.inbound.source import Source
from gateway.municipality.model import Municipality
from gateway.outbound.amqp import AmqpSink
from gateway.outbound.folder import FolderSink
from gateway.outbound.relay import Relay
from gateway.outbound.sink import Sink
from gateway.proof import proved_municipality
from gateway.settings import Settings
from gateway.store.store import Store, open_store

log = structlog.get_logger()
_BYTES_IN_MEMORY = 200_000_000


class Transport(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides of a transport, what is down of it, and how to let go of it."""

    source: Source
    sink: Sink
    down: Callable[[], list[str]]
    close: Callable[[], None]


class Runnable(Protocol):
    """Something with a loop of its own."""

    def run(self) -> None:
        """Work until stopped."""

    def stop(self) -> None:
        """End soon."""


def open_transport(settings: Settings, municipality: Municipality) -> Transport:
    """RabbitMQ where a URL is given, else the spool folder."""
    if settings.amqp_url is not None:
        return _amqp(settings, settings.amqp_url.get_secret_value(), municipality)
    folder = settings.spool_folder
    source = FolderSource(folder, system_now, settings.message_limit)
    sink = FolderSink(folder, tuple(municipality.teams))
    return Transport(source=source, sink=sink, down=list, close=source.close)


def _amqp(settings: Settings, url: str, municipality: Municipality) -> Transport:
    topology = topology_of(municipality, settings.amqp_prefix)
    declare(url, topology)
    io = IoThread()
    publisher = Publisher(io, url)
    limits = (settings.prefetch, _BYTES_IN_MEMORY)
    source = AmqpSource(io, url, topology, publisher, limits)
    io.start()
    publisher.start()
    source.start()

    def close() -> None:
        source.stop()
        publisher.stop()
        io.stop()

    def down() -> list[str]:
        return [link.name for link in (source, publisher) if not link.up.is_set()]

    return Transport(source=source, sink=AmqpSink(publisher, topology), down=down, close=close)


@contextmanager
def sole_owner(path: Path) -> Iterator[None]:
    """Hold a lock beside a spool folder or SQLite file: one service process each.

    Raises:
        ConfigurationError: GW-305 when another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise ConfigurationError("GW-305", f"another gateway process runs here ({path})") from error
    try:
        yield
    finally:
        os.close(handle)


class Service:
    """The whole gateway: consumer, relay and HTTP side, each on its thread."""

    def __init__(self, settings: Settings, store: Store, municipality: Municipality, transport: Transport) -> None:
        self.settings = settings
        self.store = store
        self.transport = transport
        self.relay = Relay(store.outbox, transport.sink, system_now)
        self.pipeline = Pipeline(store, municipality, system_now, self.relay.offer, settings.message_limit)
        self.consumer = Consumer(transport.source, self.pipeline, settings.batch_size)
        self.failed = threading.Event()
        self._ended = threading.Event()
        parts = Parts(
            settings=settings,
            municipality=municipality,
            store=store,
            pipeline=self.pipeline,
            clock=system_now,
            down=transport.down,
        )
        self.app = create_app(parts)
        self._threads: list[threading.Thread] = []
        self._server: uvicorn.Server | None = None

    def start(self) -> None:
        """Start every loop."""
        for name, part in (("consumer", self.consumer), ("relay", self.relay)):
            self._start(name, part)
        if self.settings.http:
            host, port = self.settings.address
            config = uvicorn.Config(self.app, host=host, port=port, log_config=None, access_log=False, lifespan="off")
            self._server = uvicorn.Server(config)
            self._server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
            self._spawn("http", self._server.run)

    def wait(self) -> bool:
        """Until ``stop``; whether every part ended in order."""
        self._ended.wait()
        self.consumer.stop()
        for thread in self._threads[:1]:
            thread.join(timeout=30)
        self.relay.stop()
        if self._server is not None:
            self._server.should_exit = True
        for thread in self._threads:
            thread.join(timeout=30)
        self.transport.close()
        return not self.failed.is_set()

    def stop(self) -> None:
        """End soon: finish the batch under way, keep the rest for the next start."""
        self._ended.set()

    def _start(self, name: str, part: Runnable) -> None:
        self._spawn(name, part.run)

    def _spawn(self, name: str, work: Callable[[], None]) -> None:
        def watched() -> None:
            try:
                work()
            except BaseException:
                log.exception("part.failed", part=name)
                self.failed.set()
                raise
            finally:
                self.stop()

        thread = threading.Thread(target=watched, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()


@contextmanager
def service(settings: Settings) -> Iterator[Service]:
    """Everything opened, locked where it must be, and closed again."""
    municipality = proved_municipality(settings.municipality)
    with sole_owner_of(settings), open_store(settings.store_url) as store:
        if settings.embedded_file is not None:
            store.outbox.release_all()
        transport = open_transport(settings, municipality)
        yield Service(settings, store, municipality, transport)


@contextmanager
def sole_owner_of(settings: Settings) -> Iterator[None]:
    """Locks for the spool folder and the SQLite file, where there are any."""
    locks = []
    if settings.amqp_url is None:
        locks.append(settings.spool_folder / ".gateway.lock")
    if settings.embedded_file is not None:
        locks.append(settings.embedded_file.with_name(settings.embedded_file.name + ".lock"))
    with _all(locks):
        yield


@contextmanager
def _all(locks: list[Path]) -> Iterator[None]:
    if not locks:
        yield
        return
    with sole_owner(locks[0]), _all(locks[1:]):
        yield
