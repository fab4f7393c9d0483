"""Logs: one JSON object per line on standard error, and nobody in them."""

import io
import json
import logging
import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog
from lxml import etree

from gateway.clocks import system_now
from gateway.inbound import pipeline as pipeline_module
from gateway.inbound.consumer import Consumer
from gateway.inbound.folder import FolderSource
from gateway.inbound.pipeline import Pipeline
from gateway.logs import mask, places, set_up_logging
from gateway.municipality.model import load
from gateway.outbound.folder import FolderSink
from gateway.outbound.relay import Relay
from gateway.receive import read
from gateway.referral.model import Referral
from gateway.simulate.stories import recorded, stories
from gateway.store.store import open_store


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Logging as the service sets it up, caught; put back afterwards."""
    told = io.StringIO()
    monkeypatch.setattr(sys, "stderr", told)
    root, handlers, level = logging.getLogger(), logging.getLogger().handlers[:], logging.getLogger().level
    set_up_logging("DEBUG")
    structlog.configure(cache_logger_on_first_use=False)
    yield lambda: [json.loads(line) for line in told.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("pika").setLevel(logging.NOTSET)
    structlog.reset_defaults()


Lines = Callable[[], list[dict[str, Any]]]
CPR = "0101010001"


# ------------------------------------------------------------------ masking
@pytest.mark.parametrize(
    ("value", "masked"),
    [
        (CPR, "******-****"),
        ("010101-0001", "******-****"),
        ("cpr 3112991234 in a text", "cpr ******-**** in a text"),
        ("letter PRBRV000000001", "letter PRBRV000000001"),
        ("5790009999997", "5790009999997"),
        ("3213991234", "3213991234"),
        ("a0101010001b", "a0101010001b"),
        ("24f19dc3b42b5f7b926bcbbedffabe9b", "24f19dc3b42b5f7b926bcbbedffabe9b"),
        (7, 7),
        (None, None),
    ],
)
def test_what_looks_like_a_cpr_is_masked_and_ids_are_not(value: object, masked: object) -> None:
    assert mask(None, "info", {"event": value}) == {"event": masked}


@pytest.mark.parametrize("key", ["cpr", "name", "surname", "note", "text", "address", "phone", "email", "body", "data"])
def test_what_is_a_persons_by_its_nature_is_masked_at_any_depth(key: str) -> None:
    for event in (
        {key: "secret"},
        {"a": {key: ["secret"]}},
        {"a": [({key: {"b": "secret"}},)]},
        {"a": {"b": [{"c": {key: "secret"}}]}},
    ):
        assert "secret" not in str(mask(None, "info", event))


def test_masking_goes_into_every_kind_of_collection() -> None:
    event = {"list": [CPR], "tuple": (CPR, (CPR,)), "set": {CPR}, "dict": {"a": {"b": [CPR]}}}
    assert CPR not in str(mask(None, "info", event))


# ------------------------------------------------------------------ lines
def test_a_line_is_one_json_object_with_time_and_level(lines: Lines) -> None:
    structlog.get_logger().info("message.handled", letters=["PRBRV000000001"], text="klinisk", cpr=CPR)
    (line,) = lines()
    assert line["event"] == "message.handled"
    assert (line["level"], line["letters"]) == ("info", ["PRBRV000000001"])
    assert (line["text"], line["cpr"]) == ("***", "***")
    assert datetime.fromisoformat(line["timestamp"]).tzinfo is not None


def test_letters_of_the_alphabet_stay_readable(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    structlog.get_logger().info("æøå")
    assert lines()[0]["event"] == "æøå"


def test_of_an_exception_stand_its_class_and_places_never_its_text(lines: Lines) -> None:
    def inner(secret: str) -> None:
        raise KeyError(secret)

    try:
        try:
            inner(f"{CPR} Hansen")
        except KeyError as error:
            raise RuntimeError("patient Hansen") from error
    except RuntimeError:
        structlog.get_logger().exception("message.failed", attempt=1)
    (line,) = lines()
    outer, cause = line["exception"]
    assert (outer["type"], cause["type"]) == ("RuntimeError", "KeyError")
    assert cause["at"][-1].endswith(" inner")
    assert re.search(r"test_logs\.py:\d+ inner$", cause["at"][-1])
    assert "Hansen" not in json.dumps(line)
    assert CPR not in json.dumps(line)


def test_causes_that_go_in_circles_or_are_suppressed_end() -> None:
    one, two = ValueError("x"), ValueError("y")
    one.__cause__, two.__cause__ = two, one
    assert len(places((ValueError, one, None))) == 5
    alone = ValueError("x")
    alone.__context__ = one
    alone.__suppress_context__ = True
    assert [told["type"] for told in places((ValueError, alone, None))] == ["ValueError"]


def test_other_peoples_logs_take_the_same_form(lines: Lines) -> None:
    """uvicorn, alembic and whoever else uses the standard library."""
    logger = logging.getLogger("uvicorn.error")
    logger.warning("request for %s", CPR)
    try:
        int("patient Hansen")
    except ValueError:
        logger.exception("Exception in ASGI application")
    logger.info("below the level")
    first, second = lines()
    assert (first["event"], first["level"]) == ("request for ******-****", "warning")
    assert second["exception"][0]["type"] == "ValueError"
    assert "Hansen" not in json.dumps(second)


def test_pika_is_silent(lines: Lines) -> None:
    """Its own tales of lost connections hold no more than our links tell once."""
    logging.getLogger("pika.adapters").error("stream disconnected")
    assert lines() == []


@pytest.mark.parametrize(("level", "told"), [("WARNING", 1), ("INFO", 2), ("DEBUG", 3)])
def test_levels(lines: Lines, monkeypatch: pytest.MonkeyPatch, level: str, told: int) -> None:
    caught = io.StringIO()
    monkeypatch.setattr(sys, "stderr", caught)
    set_up_logging(level)
    structlog.configure(cache_logger_on_first_use=False)
    log = structlog.get_logger()
    log.debug("a")
    log.info("b")
    log.warning("c")
    assert len(caught.getvalue().splitlines()) == told


# ------------------------------------------------------------------ the whole job
def persons() -> set[str]:
    """Every CPR, surname, given name, street and clinical word of the recorded messages, and the teams' notes."""
    found: set[str] = set()
    for data in recorded().values():
        found |= set(re.findall(r"<CivilRegistrationNumber>(\d{10})<", data.decode("latin-1")))
        for letter in read(data).letters:
            if isinstance(letter.content, Referral):
                citizen = letter.content.citizen
                found |= {citizen.identifier, citizen.surname, citizen.address.street or "", citizen.given_name or ""}
                found |= {word for text in letter.content.texts for word in re.findall(r"\w{8,}", text.text)}
    for story in stories():
        found |= {story.author["name"], *(step["note"] for step in story.steps if "note" in step)}
    return found - {""}


def test_the_recorded_messages_leave_nobody_in_the_logs(
    lines: Lines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything through the whole service, one message failing on the way with an error that quotes it."""
    receive = pipeline_module.receive

    def fail_at_times(reading: Any, *rest: Any) -> Any:  # noqa: ANN401
        if reading.letters and reading.letters[0].letter_id == "PRBRV000000004":
            raise ValueError(f"cannot handle {reading!r}")
        return receive(reading, *rest)

    monkeypatch.setattr(pipeline_module, "receive", fail_at_times)
    with open_store(f"sqlite:///{tmp_path}/gateway.sqlite3") as store:
        source = FolderSource(tmp_path, system_now, 10_000_000)
        relay = Relay(store.outbox, FolderSink(tmp_path, tuple(load().teams)), system_now)
        consumer = Consumer(source, Pipeline(store, load(), system_now, relay.offer), 100, wait_s=0)
        for name, data in recorded().items():
            (tmp_path / "in" / name).write_bytes(data)
        consumer.step()
        for story in stories():
            episode = etree.fromstring(recorded()[story.message]).findtext(".//{*}EpisodeOfCareIdentifier") or ""
            for number, event in enumerate(story.events(episode, datetime(2026, 11, 24, 8, tzinfo=UTC))):
                name = f"{story.message}-{number:02}.event.json"
                (tmp_path / "in" / name).write_bytes(msgspec.json.encode(event))
        while consumer.step():
            pass
        while relay.step():
            pass
    events = [line["event"] for line in lines()]
    assert events.count("message.handled") > 40
    assert {"letter.sent", "message.failed", "message.retry"} <= set(events)
    told = json.dumps(lines(), ensure_ascii=False)
    assert len(persons()) > 80
    assert sorted(name for name in persons() if name in told) == []
