"""The main job as an operator sees it: ``gateway run``, a file sent with a plain client, letters that come out."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import httpx
import msgspec
import pytest
from lxml import etree

from gateway.mapping.medcom.schema import violations
from gateway.simulate.stories import recorded, stories
from gateway.spool import write_whole
from tests.neighbours import Broker, wait_for

NAME = "01-type-2-diabetes.xml"
REFERRAL = recorded()[NAME]
ROOT = etree.fromstring(REFERRAL)
EPISODE = ROOT.findtext(".//{*}EpisodeOfCareIdentifier")
SENDER = ROOT.findtext(".//{*}Sender/{*}EANIdentifier")
RECEIVER = ROOT.findtext(".//{*}Receiver/{*}EANIdentifier")


def up_to_course_completed() -> list[bytes]:
    (story,) = [story for story in stories() if story.message == NAME]
    told = list(story.events(EPISODE or "", datetime.fromisoformat("2026-11-24T08:00:00+01:00")))
    last = [event["type"] for event in told].index("course_completed")
    return [msgspec.json.encode(event) for event in told[: last + 1]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def gateway_run(folder: Path, **settings: str) -> Iterator[str]:
    """``gateway run`` until the end of the block, ended by SIGTERM; where its page is served."""
    http = f"127.0.0.1:{free_port()}"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GATEWAY_")} | settings
    beside = Path(sys.executable).with_name("gateway")
    command = [str(beside)] if beside.exists() else [sys.executable, "-m", "gateway"]
    log = folder / "log"
    with log.open("wb") as told:
        process = subprocess.Popen(
            [*command, "run", "--http", http], env=environment, cwd=folder, stdout=told, stderr=told
        )
        try:
            wait_for(lambda: _is_ready(process, http), "the service to be ready", within_s=30)
            yield http
        finally:
            process.send_signal(signal.SIGTERM)
            status = process.wait(timeout=30)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert status == 0, lines
    assert {"service.started", "service.stopping"} <= {line["event"] for line in lines}
    assert not re.search(r"1203659901|Demosen|Prøve", log.read_text())


def _is_ready(process: subprocess.Popen[bytes], http: str) -> bool:
    assert process.poll() is None, "the service ended by itself"
    try:
        return httpx.get(f"http://{http}/health/ready").status_code == 200
    except httpx.TransportError:
        return False


def check_first_answers(out: list[bytes], to_team: list[bytes]) -> None:
    """One receipt, the policy's status letter, one message to the team."""
    letters = {etree.fromstring(data)[1].tag.rpartition("}")[2]: etree.fromstring(data) for data in out}
    assert set(letters) == {"PositiveReceipt", "ClinicalEmail"}
    assert len(out) == 2
    for root in letters.values():
        assert not violations(root, root.tag[1:].partition("}")[0])
        assert root.findtext(".//{*}Receiver/{*}EANIdentifier") == SENDER
    text = "".join(letters["ClinicalEmail"].itertext())
    assert "visiteret til Afklarende samtale hos sundhedskonsulenterne" in text
    (bundle,) = [json.loads(data) for data in to_team]
    (task,) = [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Task"]
    assert task["status"] == "requested"


def check_discharge_note(out: list[bytes]) -> None:
    (data,) = out
    note = etree.fromstring(data)
    assert note.findtext(".//{*}StatisticalCode") == "XDIS15"
    assert not violations(note, note.tag[1:].partition("}")[0])
    assert note.findtext(".//{*}EpisodeOfCareIdentifier") == EPISODE
    assert note.findtext(".//{*}Sender/{*}EANIdentifier") == RECEIVER
    assert note.findtext(".//{*}Receiver/{*}EANIdentifier") == SENDER


@pytest.mark.broker
def test_with_rabbitmq_and_postgresql(bare_broker: Broker, empty_postgres_url: str, tmp_path: Path) -> None:
    topology = bare_broker.topology
    assert shutil.which("amqp-publish"), "amqp-publish is missing: run ./scripts/test, which installs amqp-tools"

    def amqp_publish(queue: str, data: bytes, content_type: str) -> None:
        command = ["amqp-publish", f"--url={bare_broker.url}", f"--routing-key={queue}", "--persistent"]
        subprocess.run([*command, f"--content-type={content_type}"], input=data, check=True, timeout=10)

    settings = {"GATEWAY_AMQP_URL": bare_broker.url, "GATEWAY_AMQP_PREFIX": topology.prefix}
    with gateway_run(tmp_path, GATEWAY_DATABASE_URL=empty_postgres_url, **settings) as http:
        amqp_publish(topology.referrals_in, REFERRAL, "application/xml")
        out = bare_broker.take(topology.medcom_out, 2)
        ((properties, to_team),) = bare_broker.take(topology.team_queue("sundhedskonsulenter"), 1)
        check_first_answers([body for _, body in out], [to_team])
        assert {told.correlation_id for told, _ in out} == {None, EPISODE}
        assert properties.correlation_id == EPISODE

        for event in up_to_course_completed():
            amqp_publish(topology.team_events_in, event, "application/json")
        check_discharge_note([body for _, body in bare_broker.take(topology.medcom_out, 1)])
        assert httpx.get(f"http://{http}/").status_code == 303, "the page asks for a login"
    assert all(bare_broker.depth(queue.name) == 0 for queue in topology.queues()), "nothing more, nothing left"


def test_with_a_spool_folder_and_sqlite(tmp_path: Path) -> None:
    spool = tmp_path / "spool"

    def lying_in(name: str) -> list[Path]:
        return sorted(path for path in (spool / name).iterdir() if path.suffix != ".part")

    with gateway_run(tmp_path, GATEWAY_SPOOL=str(spool)):
        write_whole(spool / "in" / NAME, REFERRAL)
        wait_for(lambda: len(lying_in("out/medcom")) == 2, "receipt and status letter")
        wait_for(lambda: lying_in("out/teams/sundhedskonsulenter"), "the team's message")
        first = lying_in("out/medcom")
        team = [path.read_bytes() for path in lying_in("out/teams/sundhedskonsulenter")]
        check_first_answers([path.read_bytes() for path in first], team)

        for number, event in enumerate(up_to_course_completed()):
            write_whole(spool / "in" / f"{number:02}.event.json", event)
        wait_for(lambda: len(lying_in("out/medcom")) == 3, "the discharge note")
        check_discharge_note([path.read_bytes() for path in lying_in("out/medcom") if path not in first])
    assert lying_in("in") == lying_in("work") == lying_in("parked") == []
    assert sum(1 for path in (spool / "done").rglob("*") if path.is_file()) == 1 + len(up_to_course_completed())
