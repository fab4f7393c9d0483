"""The composition root: settings → a running service, every part handed what it needs. New transport: one line here."""

import fcntl
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import msgspec
import structlog
import uvicorn
from fastapi import FastAPI

from gateway.app import create_app
from gateway.broker.link import IoThread
from gateway.broker.publisher import Publisher
from gateway.broker.topology import declare, topology_of
from gateway.certificates.watch import CertificateWatch
from gateway.clocks import Ticker, system_now
from gateway.console.parts import Parts
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
from gateway.receive import read
from gateway.settings import Settings
from gateway.spool import spool_errors
from gateway.store.store import Store, open_store

log = structlog.get_logger()
_BYTES_IN_MEMORY = 200_000_000


class Transport(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides of a transport, what is down of it, and how to let go of it."""

    source: Source
    sink: Sink
    down: Callable[[], list[str]]
    close: Callable[[], None]


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
    with spool_errors():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(handle, path)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, path: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise ConfigurationError("GW-305", f"another gateway process runs here ({path})") from error


class Service:
    """The whole gateway: consumer, relay, clocks and HTTP side, each on its thread."""

    def __init__(self, settings: Settings, store: Store, municipality: Municipality, transport: Transport) -> None:
        self.settings = settings
        self.store = store
        self.transport = transport
        self.relay = Relay(store.outbox, transport.sink, system_now)
        reader = partial(read, limit=settings.message_limit, sbdh=settings.sbdh)
        self.pipeline = Pipeline(store, municipality, system_now, self.relay.offer, reader)
        self.consumer = Consumer(transport.source, self.pipeline, settings.batch_size)
        self.ticker = Ticker(store, system_now, municipality.clocks, settings.auto_resend)
        self.failed = threading.Event()
        self._ended = threading.Event()
        parts = Parts(
            settings=settings,
            municipality=municipality,
            store=store,
            pipeline=self.pipeline,
            clock=system_now,
            down=self.down,
        )
        self.app = create_app(parts)
        self.certificates: CertificateWatch = self.app.state.certificates
        self._threads: dict[str, threading.Thread] = {}
        self._server: uvicorn.Server | None = None

    def down(self) -> list[str]:
        """What is down: links without a connection, and whatever holds up the work though it may answer a ping."""
        held_up_by = {self.consumer.waits_for, self.relay.waits_for} - {""}
        return [*self.transport.down(), *sorted(held_up_by)]

    def start(self) -> None:
        """Start every loop.

        Raises:
            ConfigurationError: GW-301 when nothing can listen at the HTTP address, or when others can reach the page
                and nobody could log in; nothing is started then.
        """
        if self.settings.beyond_loopback and not self.store.accounts.any():
            raise ConfigurationError("GW-301", "the page needs an account first: gateway accounts add NAME --rights …")
        listener = _listen(self.settings) if self.settings.http else None
        self._spawn("relay", self.relay.run)
        self._spawn("consumer", self.consumer.run)
        self._spawn("ticker", self.ticker.run)
        self._spawn("certificates", self.certificates.run)
        if listener is not None:
            config = _http_config(self.app, self.settings)
            server = self._server = uvicorn.Server(config)
            self._spawn("http", lambda: server.run(sockets=[listener]))

    def wait(self) -> bool:
        """Until ``stop``; whether every part ended in order."""
        self._ended.wait()
        self.close()
        return not self.failed.is_set()

    def stop(self) -> None:
        """End soon: finish the batch under way, keep the rest for the next start."""
        self._ended.set()

    def close(self) -> None:
        """End now: first what takes in, then the relay, which gives back what it has not sent."""
        self.stop()
        self.consumer.stop()
        self.ticker.stop()
        self.certificates.stop()
        if self._server is not None:
            self._server.should_exit = True
        self._join("consumer", "http", "ticker", "certificates")
        self.relay.stop()
        self._join("relay")

    def _join(self, *names: str) -> None:
        for name in names:
            if name in self._threads:
                self._threads[name].join(timeout=30)

    def _spawn(self, name: str, work: Callable[[], None]) -> None:
        def watched() -> None:
            try:
                work()
            except BaseException:  # a thread's outermost frame; raised on, the error's text would be printed
                log.exception("part.failed", part=name)
                self.failed.set()
            finally:
                self.stop()

        self._threads[name] = threading.Thread(target=watched, name=name, daemon=True)
        self._threads[name].start()


def _http_config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """No log line of its own (an address may hold an id); forwarded headers are believed from the named proxy only."""
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=10,
        server_header=False,
        ssl_certfile=settings.http_tls_certificate,
        ssl_keyfile=settings.http_tls_key,
        proxy_headers=bool(settings.http_proxy),
        forwarded_allow_ips=settings.http_proxy or None,
    )


def _listen(settings: Settings) -> socket.socket:
    host, port = settings.address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        text = f"GATEWAY_HTTP: cannot listen on {settings.http}: {error.strerror}"
        raise ConfigurationError("GW-301", text) from error


@contextmanager
def service(settings: Settings) -> Iterator[Service]:
    """Everything opened, locked where it must be, and closed again."""
    municipality = proved_municipality(settings.municipality)
    with sole_owner_of(settings), open_store(settings.store_url) as store:
        if settings.embedded_file is not None:
            store.outbox.release_all()
        with closing(open_transport(settings, municipality)) as transport:
            running = Service(settings, store, municipality, transport)
            try:
                yield running
            finally:
                running.close()


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
