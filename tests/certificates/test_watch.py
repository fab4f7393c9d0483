"""The look at all certificates: a change is told once, the clock judges anew, nobody waits."""

import threading
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.certificates import watch as module
from gateway.certificates.state import Reading, Watched
from gateway.certificates.watch import CertificateWatch
from gateway.settings import load_settings
from tests.certificate_builders import NOW, closed_port, issued, kept
from tests.inbound.harness import Clock
from tests.neighbours import wait_for


class Watching:
    """A watch over KL's certificate, beside a broker that does not answer."""

    def __init__(self, folder: Path) -> None:
        self.file, self.clock = folder / "kl.pem", Clock()
        assert self.clock.now == NOW
        broker = f"amqps://127.0.0.1:{closed_port()}/"
        settings = load_settings(report_certificate=self.file, report_key=folder / "kl.key", amqp_url=broker)
        self.watch = CertificateWatch(settings, self.clock, every_s=0.01)

    def lies(self, days: float) -> None:
        kept(self.file, *issued("kl", days, now=self.clock.now))

    def told(self) -> list[tuple[Any, ...]]:
        with capture_logs() as logs:
            self.watch.step()
        return [(told["event"], told["certificate"], told["state"], told["days"]) for told in logs]


@pytest.fixture
def watching(tmp_path: Path) -> Watching:
    return Watching(tmp_path)


def test_a_change_is_told_once(watching: Watching) -> None:
    watching.lies(40)
    assert watching.told() == []
    watching.clock.forward(days=20)
    assert watching.told() == [("certificate.needs_someone", "kl", "soon", 20)]
    assert watching.told() == []
    watching.clock.forward(days=15)
    assert watching.told() == [("certificate.needs_someone", "kl", "urgent", 5)]
    watching.file.unlink()
    assert watching.told() == [("certificate.needs_someone", "kl", "unreadable", None)]
    watching.lies(700)
    assert watching.told() == [("certificate.fine", "kl", "fine", 700)]
    assert watching.told() == []


def test_what_was_read_is_judged_by_the_clock_without_being_read_again(
    watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching.lies(40)
    states = {one.watched.name: one.state.value for one in watching.watch.look()}
    assert states == {"broker": "silent", "kl": "fine"}
    monkeypatch.setattr(module, "read", None)
    watching.clock.forward(days=41)
    assert [(one.watched.name, one.state.value) for one in watching.watch.look()] == [
        ("kl", "expired"),
        ("broker", "silent"),
    ]


def test_an_error_ends_neither_the_watch_nor_anything_else(watching: Watching, monkeypatch: pytest.MonkeyPatch) -> None:
    watching.lies(3)
    real, tries = module.read, iter([True])

    def read(watched: Watched) -> Reading:
        if next(tries, False):
            raise RuntimeError("a bug")
        return real(watched)

    monkeypatch.setattr(module, "read", read)
    with capture_logs() as logs:
        thread = threading.Thread(target=watching.watch.run)
        thread.start()
        try:
            wait_for(lambda: len(logs) >= 2, "the next look")
        finally:
            watching.watch.stop()
            thread.join(10)
    assert [told["event"] for told in logs] == ["certificates.failed", "certificate.needs_someone"]
    assert not thread.is_alive()
