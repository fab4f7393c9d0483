"""What the relay may rely on, asked of the spool folder and of RabbitMQ alike."""

import threading
from pathlib import Path

import pytest

from gateway.errors import NeighbourError, SpoolError
from gateway.referral.letters import Channel
from gateway.spool import write_whole
from tests.broker.proxy import Proxy
from tests.neighbours import wait_for
from tests.outbound.harness import AmqpOutbound, FolderOutbound, Outbound, transmission
from tests.store.material import outgoing

TEAM = "sundhedskonsulenter"


def test_letters_go_where_they_belong_as_they_were_written(outbound: Outbound) -> None:
    batch = [transmission(1), transmission(2, TEAM), transmission(3, "genoptraening-ishoej"), transmission(4)]
    results = outbound.sink.send(batch)
    assert [(r.transmission, r.sent, r.unknown) for r in results] == [(t, True, False) for t in batch]
    assert outbound.medcom() == [b"transmission 1", b"transmission 4"]
    assert outbound.team(TEAM) == [b"transmission 2"]
    assert outbound.team("genoptraening-ishoej") == [b"transmission 3"]
    outbound.sink.close()


def test_nothing_to_send_is_nothing_sent(outbound: Outbound) -> None:
    assert outbound.sink.send([]) == []


def test_a_letter_to_nobody_fails_with_its_reason_and_stops_nobody(outbound: Outbound) -> None:
    """A team that the municipality file no longer has."""
    results = outbound.sink.send([transmission(1, "nedlagt-team"), transmission(2, TEAM), transmission(3)])
    assert [(r.sent, r.unknown) for r in results] == [(False, False), (True, False), (True, False)]
    assert results[0].why == "unroutable"
    assert outbound.team(TEAM) == [b"transmission 2"]
    assert outbound.medcom() == [b"transmission 3"]


def test_the_same_team_message_again_is_the_same_message(outbound: Outbound) -> None:
    first, again = transmission(1, TEAM), transmission(1, TEAM)
    for one in (first, again):
        assert outbound.sink.send([one])[0].sent
    assert set(outbound.team(TEAM)) == {b"transmission 1"}


# ------------------------------------------------------------------ the spool folder
def test_files_are_named_by_our_own_ids(folder: FolderOutbound) -> None:
    folder.sink.send([transmission(1), transmission(2, TEAM)])
    found = sorted(str(p.relative_to(folder.folder)) for p in folder.folder.rglob("*") if p.is_file())
    assert found == [
        "out/medcom/XDIS91-ENV00000000001.xml",
        f"out/teams/{TEAM}/OUT00000000002.json",
    ]


def test_a_receiver_never_sees_half_a_file(folder: FolderOutbound, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    rename = Path.rename

    def look(self: Path, target: Path) -> Path:
        seen.append([path.name for path in target.parent.iterdir()])
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", look)
    folder.sink.send([transmission(1)])
    assert seen == [[".XDIS91-ENV00000000001.xml.part"]]
    assert [p.name for p in (folder.folder / "out/medcom").iterdir()] == ["XDIS91-ENV00000000001.xml"]


def test_a_full_disk_is_a_neighbour_that_is_down(folder: FolderOutbound, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_path: Path, _data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gateway.outbound.folder.write_whole", full)
    with pytest.raises(SpoolError, match="OSError"):
        folder.sink.send([transmission(1), transmission(2)])


def test_what_was_written_before_the_disk_was_full_is_sent(
    folder: FolderOutbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Path] = []

    def full_after_one(path: Path, data: bytes) -> None:
        if written:
            raise OSError(28, "No space left on device")
        write_whole(path, data)
        written.append(path)

    monkeypatch.setattr("gateway.outbound.folder.write_whole", full_after_one)
    results = folder.sink.send([transmission(n) for n in (1, 2, 3)])
    assert [(r.sent, r.unknown) for r in results] == [(True, False), (False, True), (False, True)]
    assert folder.medcom() == [b"transmission 1"]


# ------------------------------------------------------------------ RabbitMQ
@pytest.mark.broker
def test_messages_tell_what_they_are(amqp: AmqpOutbound) -> None:
    letter = outgoing("OUT1", episode_id="39dadacc87614d0e96f0f202b24a79c0")
    task = outgoing("task-id", kind="Task", channel=Channel.TEAM, receiver=TEAM)
    amqp.sink.send([transmission(1, letter=letter), transmission(2, letter=task)])

    topology = amqp.broker.topology
    ((properties, _),) = amqp.broker.take(topology.medcom_out, 1)
    assert (properties.delivery_mode, properties.content_type) == (2, "application/xml")
    assert (properties.message_id, properties.type) == ("ENV00000000001", "XDIS91")
    assert properties.correlation_id == "39dadacc87614d0e96f0f202b24a79c0"
    ((properties, _),) = amqp.broker.take(topology.team_queue(TEAM), 1)
    assert (properties.content_type, properties.type) == ("application/fhir+json", "Task")
    assert properties.correlation_id is None


@pytest.mark.broker
def test_receivers_can_choose_by_type_and_gln(amqp: AmqpOutbound) -> None:
    """The key is ``<type>.<receiver gln>``: an access point may bind to what is its own."""
    channel = amqp.broker.channel
    mine = channel.queue_declare("", exclusive=True).method.queue
    channel.queue_bind(mine, amqp.broker.topology.medcom_out, routing_key="XDIS91.5790009991014")
    others = outgoing("OUT2", receiver="5790009991021")
    amqp.sink.send([transmission(1), transmission(2, letter=others)])
    assert [body for _, body in amqp.broker.take(mine, 1)] == [b"transmission 1"]
    assert amqp.broker.get(mine) is None


@pytest.mark.broker
def test_a_broker_that_goes_away_before_the_confirm_leaves_the_fate_unknown(amqp: AmqpOutbound, proxy: Proxy) -> None:
    proxy.stall()
    wait_cut = _cut_later(proxy)
    (result,) = amqp.sink.send([transmission(1)])
    assert (result.sent, result.unknown) == (False, True)
    wait_cut.join()


@pytest.mark.broker
def test_a_broker_that_is_away_takes_nothing(amqp: AmqpOutbound, proxy: Proxy) -> None:
    proxy.refusing = True
    proxy.cut()
    publisher = amqp.sink._publisher
    wait_for(lambda: not publisher.up.is_set(), "the loss to be noticed")
    with pytest.raises(NeighbourError) as raised:
        amqp.sink.send([transmission(1)])
    assert raised.value.id == "GW-201"


def _cut_later(proxy: Proxy) -> threading.Timer:
    timer = threading.Timer(0.3, proxy.cut)
    timer.start()
    return timer
