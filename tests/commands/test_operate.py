"""What an operator does beside the service: check, topology, event, status, parked."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from gateway.clocks import system_now
from gateway.console.alarm_wording import ALARM_KINDS, ALARM_LEVELS
from gateway.inbound.pipeline import Pipeline
from gateway.inbound.source import Delivery
from gateway.municipality.model import load
from gateway.referral.clocks import ClockKind
from gateway.simulate.stories import recorded, stories
from gateway.store.alarms import LEVELS
from gateway.store.engine import reading
from gateway.store.schema import outbox
from gateway.store.store import open_store
from tests.commands.conftest import Gateway
from tests.neighbours import Broker

EPISODE = "24f19dc3b42b5f7b926bcbbedffabe9b"


def told_by_the_team(number: int, **changes: object) -> bytes:
    events = list(stories()[0].events(EPISODE, datetime.fromisoformat("2026-11-24T08:00:00+01:00")))
    return msgspec.json.encode(events[number] | changes)


@pytest.fixture
def store_url(tmp_path: Path) -> str:
    """The default SQLite file, with all recorded messages handled."""
    url = f"sqlite:///{tmp_path}/spool/gateway.sqlite3"
    with open_store(url) as store:
        Pipeline(store, load(), system_now).handle([Delivery(data=data) for data in recorded().values()])
    return url


# ------------------------------------------------------------------ check
def test_a_set_up_that_is_right_is_told_with_its_versions(gateway: Gateway) -> None:
    ended = gateway("check")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.startswith("OK    Ishøj Kommune ")


@pytest.mark.broker
def test_with_neighbours_a_set_up_is_right_once_the_topology_is_declared(
    gateway: Gateway, bare_broker: Broker, empty_postgres_url: str
) -> None:
    settings = {
        "GATEWAY_AMQP_URL": bare_broker.url,
        "GATEWAY_AMQP_PREFIX": bare_broker.topology.prefix,
        "GATEWAY_DATABASE_URL": empty_postgres_url,
    }
    before = gateway("check", **settings)
    assert before.status == 1
    assert "`gateway topology --declare` makes missing queues" in before.out
    assert gateway("topology", "--declare", **settings).status == 0
    assert gateway("check", **settings).status == 0
    assert gateway("status", **settings).status == 0


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"GATEWAY_DATABASE_URL": "postgresql://n:hunter2@127.0.0.1:1/x"}, "GATEWAY_DATABASE_URL: the database failed"),
        ({"GATEWAY_AMQP_URL": "amqp://n:hunter2@127.0.0.1:1/"}, "GATEWAY_AMQP_URL: the broker does not answer"),
        ({"GATEWAY_AMQP_URL": "amqp://n:hunter2@127.0.0.1:port/"}, "GATEWAY_AMQP_URL cannot be read; the form is"),
        ({"GATEWAY_AMQP_URL": "amqps://127.0.0.1:1/?ssl_options=x("}, "GATEWAY_AMQP_URL cannot be read; the form is"),
        (
            {"GATEWAY_AMQP_URL": "amqps://n:hunter2@127.0.0.1:1/?ssl_options={'cafile': 'no-such.pem'}"},
            "GATEWAY_AMQP_URL: a file of its ssl_options cannot be used: FileNotFoundError",
        ),
        ({"GATEWAY_SPOOL": "/dev/null"}, "GATEWAY_SPOOL: /dev/null is no folder that this user may write to"),
        ({"GATEWAY_MUNICIPALITY": "no-such.toml"}, "GW-302 the municipality file no-such.toml"),
    ],
)
def test_what_is_wrong_is_named_with_how_to_mend_it(gateway: Gateway, settings: dict[str, str], told: str) -> None:
    ended = gateway("check", **settings)
    assert ended.status == 1
    (line, *_) = [line for line in ended.out.splitlines() if told in line]
    assert line.startswith("FEJL  ")
    assert "hunter2" not in ended.out + ended.err


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('low_back = { team = "genoptraening-ishoej" }', ""), "offers.low_back has no route"),
        (('gln = "5790009999997"', 'gln = "5790009999990"'), "letterhead.gln is not among glns"),
        (('team = "genoptraening-ishoej"', 'team = "nowhere"'), "names the unknown team 'nowhere'"),
        (('name = "Ishøj Kommune"', 'name = "Ishøj Kommune"\nsurprise = 1'), "surprise"),
        (('name = "Ishøj Kommune"', 'name = "Ishøj Kommune'), "the municipality file changed.toml"),
    ],
)
def test_a_municipality_file_that_does_not_fit_is_told_where(
    gateway: Gateway, tmp_path: Path, change: tuple[str, str], told: str
) -> None:
    original = (Path(load.__code__.co_filename).with_name("ishoej.toml")).read_text(encoding="utf-8")
    assert change[0] in original
    (tmp_path / "changed.toml").write_text(original.replace(*change, 1), encoding="utf-8")
    ended = gateway("check", GATEWAY_MUNICIPALITY="changed.toml")
    assert ended.status == 1
    assert told in ended.out
    assert gateway("run", GATEWAY_MUNICIPALITY="changed.toml", GATEWAY_HTTP="").status == 2, "and it stops the start"


# ------------------------------------------------------------------ topology
def test_the_topology_is_printed(gateway: Gateway) -> None:
    told = gateway("topology", GATEWAY_AMQP_PREFIX="ishoej.").out
    assert "exchange  ishoej.medcom.out  topic, durable\n" in told
    assert (
        "queue     ishoej.medcom.out  ← ishoej.medcom.out [#]  x-overflow=reject-publish, x-queue-type=quorum\n" in told
    )
    assert (
        "x-dead-letter-routing-key=ishoej.referrals.in, x-dead-letter-strategy=at-least-once, x-message-ttl=60000"
        in told
    )


def test_the_topology_as_json(gateway: Gateway) -> None:
    told = json.loads(gateway("topology", "--json").out)
    assert [exchange["name"] for exchange in told["exchanges"]] == ["medcom.out", "teams"]
    queues = {queue["name"]: queue for queue in told["queues"]}
    assert len(queues) == 12
    assert queues["referrals.in"]["arguments"]["x-delivery-limit"] == 1000
    assert queues["team.sundhedskonsulenter"]["exchange"] == "teams"


@pytest.mark.broker
def test_a_changed_topology_is_refused(gateway: Gateway, bare_broker: Broker) -> None:
    topology = bare_broker.topology
    bare_broker.channel.queue_declare(topology.parked, durable=True)
    ended = gateway("topology", "--declare", GATEWAY_AMQP_URL=bare_broker.url, GATEWAY_AMQP_PREFIX=topology.prefix)
    assert ended.status == 2
    assert ended.err.startswith("gateway: GW-304 the broker refused the topology: PRECONDITION_FAILED")


# ------------------------------------------------------------------ event
def test_a_team_event_is_taken_once(gateway: Gateway, store_url: str, tmp_path: Path) -> None:
    (tmp_path / "event.json").write_bytes(told_by_the_team(0))
    assert gateway("event", "event.json") == (0, "modtaget; breve: ingen\n", "")
    assert gateway("event", "event.json") == (0, "kendt hændelse; intet ændret\n", "")
    with open_store(store_url) as store:
        assert store.overview.parked_items()[0].fault_id == "GW-102", "nothing new is parked"


def test_the_letters_an_event_leads_to_wait_for_the_service(gateway: Gateway, store_url: str, tmp_path: Path) -> None:
    with open_store(store_url) as store:
        before = store.overview.numbers(system_now()).outbox_pending
    declined = told_by_the_team(0, type="declined_by_citizen", event_id="e1", note="ønsker det ikke")
    (tmp_path / "event.json").write_bytes(declined)
    ended = gateway("event", "event.json")
    assert ended == (0, "modtaget; breve: XDIS15 til 5790009991014\n", "")
    with open_store(store_url) as store:
        assert store.overview.numbers(system_now()).outbox_pending == before + 1


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"{}", "GW-160"),
        (b"\xff", "GW-160"),
        (told_by_the_team(0, surprise=1), "surprise"),
        (told_by_the_team(0, episode_of_care_id="unknown"), "GW-161"),
        (told_by_the_team(7), "course_completed i tilstanden accepted; mulige trin: "),
    ],
)
def test_a_refused_event_tells_why_ends_with_1_and_leaves_nothing(
    gateway: Gateway, store_url: str, tmp_path: Path, data: bytes, told: str
) -> None:
    with open_store(store_url) as store:
        before = store.overview.numbers(system_now())
    (tmp_path / "event.json").write_bytes(data)
    ended = gateway("event", "event.json")
    assert (ended.status, ended.out) == (1, "")
    assert told in ended.err
    assert ended.err.count("\n") == 1
    with open_store(store_url) as store:
        assert store.overview.numbers(system_now()) == before


# ------------------------------------------------------------------ status
def test_the_status_of_a_spool(gateway: Gateway, store_url: str, tmp_path: Path) -> None:
    (tmp_path / "spool" / "in").mkdir()
    for number in range(3):
        (tmp_path / "spool" / "in" / f"{number}.xml").touch()
    told = gateway("status").out
    assert "Beskeder modtaget                      18" in told
    assert "Parkeret                                3, ældste 0 min" in told
    (line,) = [line for line in told.splitlines() if line.startswith("  in ")]
    assert line.split() == ["in", "3", "venter,", "ældste", "0", "min"]

    numbers = json.loads(gateway("status", "--json").out)
    assert numbers["queues"][0]["name"] == "in"
    assert numbers["queues"][0]["ready"] == 3
    assert numbers["queues"][0]["oldest"] is not None
    assert numbers["messages"] == 18
    assert sum(numbers["cases_by_state"].values()) == 14
    assert numbers["drafts"] > 0


def test_the_status_tells_the_alarms_that_are_on(gateway: Gateway, store_url: str) -> None:
    assert "Alarmer                                 0\n" in gateway("status").out
    with open_store(store_url) as store:
        raised = store.alarms.tick(system_now() + timedelta(days=30)).raised
    late = sum(alarm.kind == "decision" for alarm in raised)
    told = gateway("status").out
    assert f"Alarmer                            {len(raised):>6}\n" in told
    assert f"  vurdering mangler (fristen er overskredet)     {late:>6}, ældste " in told
    counted = json.loads(gateway("status", "--json").out)["alarms"]
    assert {"kind": "decision", "level": "overdue", "count": late} in [
        {key: row[key] for key in ("kind", "level", "count")} for row in counted
    ]


def test_every_alarm_has_words() -> None:
    assert set(ALARM_KINDS) == {kind.value for kind in ClockKind}
    assert tuple(ALARM_LEVELS) == LEVELS


@pytest.mark.broker
def test_the_status_of_a_broker(gateway: Gateway, broker: Broker, store_url: str) -> None:
    topology = broker.topology
    broker.publish(topology.referrals_in, b"x", delivery_mode=2)
    settings = {
        "GATEWAY_AMQP_URL": broker.url,
        "GATEWAY_AMQP_PREFIX": topology.prefix,
        "GATEWAY_DATABASE_URL": store_url,
    }
    numbers = json.loads(gateway("status", "--json", **settings).out)
    queues = {queue["name"]: queue for queue in numbers["queues"]}
    assert len(queues) == 12
    assert queues[topology.referrals_in]["ready"] == 1
    assert "1 venter, 0 forbrugere" in gateway("status", **settings).out


# ------------------------------------------------------------------ resend
def test_letters_are_sent_again_by_their_ids(gateway: Gateway, store_url: str) -> None:
    with open_store(store_url) as store, reading(store.engine) as connection:
        waiting = outbox.c.status == "pending"
        letter, draft = (
            connection.scalars(select(outbox.c.letter_id).where(mine).order_by(outbox.c.letter_id).limit(1)).one()
            for mine in (waiting, outbox.c.status == "draft")
        )
    done = gateway("resend", letter, "--why", "lægen mangler den")
    assert done == (0, f"sendes igen: {letter}\n", "")
    refused = gateway("resend", letter, "NOSUCHLETTER", draft)
    assert (refused.status, refused.out) == (1, f"sendes igen: {letter}\n")
    assert refused.err.splitlines() == [
        "gateway: NOSUCHLETTER: findes ikke",
        f"gateway: {draft}: er et udkast, som venter på godkendelse",
    ]
    with open_store(store_url) as store:
        assert [act.why for act in store.audit.latest(letter)] == ["", "lægen mangler den"]


# ------------------------------------------------------------------ parked
def test_parked_items_are_listed_with_reason_and_advice(gateway: Gateway, store_url: str) -> None:
    told = gateway("parked").out
    assert "GW-102 Beskeden er ikke velformet XML eller JSON." in told
    assert "→ " in told
    items = [json.loads(line) for line in gateway("parked", "--json").out.splitlines()]
    assert sorted(item["fault_id"] for item in items) == ["GW-102", "GW-130", "GW-140"]
    assert {item["state"] for item in items} == {"open"}


def test_a_parked_item_is_discarded_with_a_reason(gateway: Gateway, store_url: str) -> None:
    first: dict[str, Any] = json.loads(gateway("parked", "--json").out.splitlines()[0])
    assert gateway("parked", "discard", first["id"], "--why", "  ").status == 2
    done = gateway("parked", "discard", first["id"], "--why", "sendt igen af lægen")
    assert done == (0, f"kasseret: {first['id']}\n", "")
    again = gateway("parked", "discard", first["id"], "--why", "en gang til")
    assert again == (1, "", f"gateway: no open parked item {first['id']}\n")
    assert first["id"] not in gateway("parked").out
    assert first["id"] in gateway("parked", "--all").out


def parked_ids(gateway: Gateway) -> dict[str, str]:
    items = [json.loads(line) for line in gateway("parked", "--json").out.splitlines()]
    return {item["fault_id"]: item["id"] for item in items}


def test_a_parked_message_is_replayed_once(gateway: Gateway, tmp_path: Path) -> None:
    good = recorded()["01-type-2-diabetes.xml"]
    with open_store(f"sqlite:///{tmp_path}/spool/gateway.sqlite3") as store:
        Pipeline(store, load(), system_now).give_up(Delivery(data=good))
    item = parked_ids(gateway)["GW-190"]
    done = gateway("replay", item, "--why", "fejlen er rettet")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(f"genafspillet: {item}; XCTL03 til ")
    assert gateway("replay", item) == (1, "", f"gateway: {item}: er afsluttet\n")
    assert gateway("replay", "unknown") == (1, "", "gateway: unknown: findes ikke\n")


def test_what_was_refused_is_not_replayed(gateway: Gateway, store_url: str) -> None:
    item = parked_ids(gateway)["GW-130"]
    refused = gateway("replay", item)
    assert refused.status == 1
    assert "afsenderen skal sende igen" in refused.err


def test_a_corrected_copy_comes_from_a_file(gateway: Gateway, tmp_path: Path) -> None:
    good = recorded()["01-type-2-diabetes.xml"]
    with open_store(f"sqlite:///{tmp_path}/spool/gateway.sqlite3") as store:
        Pipeline(store, load(), system_now).give_up(Delivery(data=good[:900]))
    item = parked_ids(gateway)["GW-190"]
    copy = tmp_path / "copy.xml"
    copy.write_bytes(good[:800])
    assert "fejlede igen" in gateway("replay", item, "--corrected", str(copy)).err
    copy.write_bytes(good)
    assert gateway("replay", item, "other", "--corrected", str(copy)).status == 2
    assert gateway("replay", item, "--corrected", str(copy)).status == 0


def test_an_empty_list_says_so(gateway: Gateway) -> None:
    assert gateway("parked") == (0, "Intet er parkeret.\n", "")
    assert gateway("parked", "--json") == (0, "", "")
