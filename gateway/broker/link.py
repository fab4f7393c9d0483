"""A pika connection that is kept up, on a thread of its own.

Only this thread touches pika; others hand it work through ``call``, so that a stalled database never misses heartbeats.
After a loss the link tries again for ever, after 0.2 s and then ever later, at most 2 s.
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import pika
import structlog
from pika.adapters.select_connection import IOLoop

from gateway.errors import ConfigurationError

log = structlog.get_logger()
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 2.0


def parameters_of(url: str) -> pika.URLParameters:
    """Connection parameters from a URL.

    Raises:
        ConfigurationError: GW-301; the text does not repeat the URL, which holds a secret.
    """
    try:
        return pika.URLParameters(url)
    except OSError as error:
        text = f"GATEWAY_AMQP_URL: a file of its ssl_options cannot be used: {type(error).__name__}"
        raise ConfigurationError("GW-301", text) from error
    except (TypeError, ValueError, SyntaxError) as error:
        text = "GATEWAY_AMQP_URL cannot be read; the form is amqp://user:secret@host:5672/vhost (%2f for the vhost /)"
        raise ConfigurationError("GW-301", text) from error


class IoThread:
    """One I/O loop and the links that live on it."""

    def __init__(self) -> None:
        self.loop = IOLoop()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="amqp", daemon=True)

    def _run(self) -> None:
        """Keep the loop going: an error in a callback must not leave links that look alive and are dead."""
        while not self._stopping:
            try:
                self.loop.start()
            except Exception:
                log.exception("broker.callback_failed")

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def call(self, work: Callable[[], None]) -> None:
        """Have the thread do this soon."""
        self.loop.add_callback_threadsafe(work)

    def stop(self) -> None:
        """Stop the loop, wait for the thread, and give its sockets back."""

        def end() -> None:
            self._stopping = True
            self.loop.stop()

        self.call(end)
        self._thread.join(timeout=5)
        if not self._thread.is_alive():
            self.loop.close()


class Link(ABC):
    """One connection with one channel. Subclasses say what to do when the channel opens and closes."""

    name = "link"

    def __init__(self, io: IoThread, url: str) -> None:
        self._io = io
        self._parameters = parameters_of(url)
        self._parameters.client_properties = {"connection_name": f"gateway {self.name}"}
        self._connection: Any = None
        self._channel: Any = None
        self._stopping = False
        self._closed = threading.Event()
        self._wait = _FIRST_WAIT
        #: set while the channel is open, set up and usable
        self.up = threading.Event()

    def start(self) -> None:
        """Connect as soon as the thread gets to it."""
        self._io.call(self._connect)

    def stop(self) -> None:
        """Close the connection, after everything written to it; unacknowledged messages go back to the broker."""
        self._io.call(self._close)
        self._closed.wait(timeout=5)

    # ------------------------------------------------------------ on the I/O thread
    def _close(self) -> None:
        self._stopping = True
        if self._connection is None or self._connection.is_closed:
            self._closed.set()
        elif not self._connection.is_closing:
            self._connection.close()

    def _connect(self) -> None:
        if not self._stopping:
            self._connection = pika.SelectConnection(
                self._parameters,
                on_open_callback=self._on_open,
                on_open_error_callback=self._on_lost,
                on_close_callback=self._on_lost,
                custom_ioloop=self._io.loop,
            )

    def _on_open(self, connection: Any) -> None:  # noqa: ANN401  (pika ships no types)
        connection.channel(on_open_callback=self._on_channel)

    def _on_channel(self, channel: Any) -> None:  # noqa: ANN401  (pika carries no types)
        self._channel = channel
        channel.add_on_close_callback(self._on_channel_closed)
        self.on_up(channel)

    def _on_channel_closed(self, _channel: Any, reason: Exception) -> None:  # noqa: ANN401  (pika carries no types)
        """A channel error (queue gone, precondition) is mended like a lost connection: from the beginning."""
        self._down(reason)
        if self._connection is not None and self._connection.is_open:
            self._connection.close()

    def _on_lost(self, _connection: Any, reason: Exception | str) -> None:  # noqa: ANN401  (pika carries no types)
        self._down(reason)
        if self._stopping:
            self._closed.set()
            return
        self._io.loop.call_later(self._wait, self._connect)
        self._wait = min(self._wait * 2, _LONGEST_WAIT)

    def _down(self, reason: Exception | str) -> None:
        was_up = self.up.is_set()
        self.up.clear()
        self._channel = None
        if was_up and not self._stopping:
            log.warning("broker.lost", link=self.name, reason=type(reason).__name__)
        self.on_down()

    def mark_up(self) -> None:
        """To be called by a subclass when the channel is ready for use."""
        self._wait = _FIRST_WAIT
        self.up.set()
        log.info("broker.up", link=self.name)

    # ------------------------------------------------------------ for subclasses
    @abstractmethod
    def on_up(self, channel: Any) -> None:  # noqa: ANN401  (pika carries no types)
        """The channel is open: set it up, then call ``mark_up``."""

    @abstractmethod
    def on_down(self) -> None:
        """Channel or connection is gone; may be told more than once."""
