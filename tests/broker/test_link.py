"""Links come back by themselves, end in order, and live on a thread that an error does not stop."""

import gc
import time

import pytest
from structlog.testing import capture_logs

from gateway.broker import link as link_module
from gateway.broker.link import IoThread, parameters_of
from gateway.broker.publisher import Fate, Publication, Publisher
from gateway.errors import ConfigurationError
from tests.broker.proxy import Proxy
from tests.neighbours import AMQP_URL, Broker, wait_for

pytestmark = pytest.mark.broker


def send_one(publisher: Publisher, broker: Broker) -> list[Fate]:
    return publisher.send([Publication(exchange="", key=broker.topology.medcom_out, body=b"x", message_id="M")])


def test_a_link_comes_back_however_often_it_is_cut(publisher: Publisher, broker: Broker, proxy: Proxy) -> None:
    for _ in range(3):
        proxy.cut()
        wait_for(lambda: not publisher.up.is_set(), "the loss to be noticed")
        wait_for(publisher.up.is_set, "the link to come back")
        assert send_one(publisher, broker) == [Fate.CONFIRMED]


def test_a_link_tries_for_as_long_as_it_takes(publisher: Publisher, proxy: Proxy) -> None:
    proxy.refusing = True
    proxy.cut()
    wait_for(lambda: not publisher.up.is_set(), "the loss to be noticed")
    time.sleep(1)
    assert not publisher.up.is_set()
    proxy.refusing = False
    wait_for(publisher.up.is_set, "the link to come back")


def test_a_link_waits_for_a_broker_that_is_not_there_yet(io: IoThread, proxy: Proxy) -> None:
    proxy.refusing = True
    link = Publisher(io, proxy.url)
    link.start()
    time.sleep(0.3)
    proxy.refusing = False
    wait_for(link.up.is_set, "the link")
    link.stop()


def test_waits_grow_up_to_two_seconds() -> None:
    wait, waits = link_module._FIRST_WAIT, []
    for _ in range(8):
        waits.append(wait)
        wait = min(wait * 2, link_module._LONGEST_WAIT)
    assert waits[:3] == [0.2, 0.4, 0.8]
    assert max(waits) == 2.0


def test_an_error_in_a_callback_does_not_stop_the_thread(io: IoThread, publisher: Publisher, broker: Broker) -> None:
    def fail() -> None:
        raise LookupError("a bug of ours")

    with capture_logs() as logs:
        for _ in range(2):
            io.call(fail)
        assert send_one(publisher, broker) == [Fate.CONFIRMED]
    assert [told["event"] for told in logs] == ["broker.callback_failed"] * 2


def test_stopping_closes_the_connection_and_leaves_nothing_open(broker: Broker, proxy: Proxy) -> None:
    thread = IoThread()
    thread.start()
    link = Publisher(thread, proxy.url)
    link.start()
    wait_for(link.up.is_set, "the link")
    link.stop()
    link.stop()
    assert not link.up.is_set()
    thread.stop()
    thread.call(link.stop)
    del link, thread
    gc.collect()  # an open socket would be a ResourceWarning, which is an error here


@pytest.mark.parametrize("seconds", [0.0, 0.05])
def test_stopping_while_connecting_does_not_hang(proxy: Proxy, seconds: float) -> None:
    proxy.stall()
    thread = IoThread()
    thread.start()
    link = Publisher(thread, proxy.url)
    link.start()
    time.sleep(seconds)
    started = time.monotonic()
    link.stop()
    thread.stop()
    assert time.monotonic() - started < 4
    proxy.flow()


def test_a_link_that_was_stopped_before_it_started_stays_away(io: IoThread) -> None:
    link = Publisher(io, AMQP_URL)
    link.stop()
    link.start()
    time.sleep(0.3)
    assert not link.up.is_set()


def test_a_url_that_cannot_be_read_is_a_wrong_set_up(io: IoThread) -> None:
    with pytest.raises(ConfigurationError, match="GW-301"):
        Publisher(io, "amqp://user:hunter2@host:port/")
    assert parameters_of(AMQP_URL).virtual_host == "/"
