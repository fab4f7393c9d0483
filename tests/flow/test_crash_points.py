"""Killed between any two steps and started again, the service has lost nothing and sent no second letter.

What an uncrashed run yields is the expectation: the same rows, the same letters under the same ids; a letter may come
twice, then in another envelope and with the same content.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.clocks import system_now
from gateway.municipality.model import load
from gateway.receive import read, receive
from gateway.referral.inbox import Known
from gateway.simulate.stories import recorded
from tests.flow.crash import FOLDER_STEPS, STEPS
from tests.flow.world import BrokerWorld, SpoolWorld, World, events, letters_of, play, referrals
from tests.neighbours import Broker


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with closing(SpoolWorld(tmp_path_factory.mktemp("undisturbed") / "spool")) as world:
        play(world)
        yield world


def check(world: World, undisturbed: World) -> None:
    assert world.rows() == undisturbed.rows()
    out = letters_of(world.out())
    assert set(out) == set(letters_of(undisturbed.out()))
    assert {name for name, contents in out.items() if len(contents) > 1} == set()
    assert world.waiting() == 0


@pytest.mark.xdist_group("crash-spool")
@pytest.mark.parametrize("step", [*STEPS, *FOLDER_STEPS])
def test_spool_and_sqlite(tmp_path: Path, undisturbed: World, step: str) -> None:
    with closing(SpoolWorld(tmp_path / "spool")) as world:
        play(world, step)
        check(world, undisturbed)


@pytest.mark.broker
@pytest.mark.xdist_group("crash-broker")
@pytest.mark.parametrize("step", STEPS)
def test_rabbitmq_and_postgresql(broker: Broker, postgres_url: str, undisturbed: World, step: str) -> None:
    with closing(BrokerWorld(broker, postgres_url)) as world:
        play(world, step)
        check(world, undisturbed)


@pytest.mark.broker
@pytest.mark.xdist_group("crash-broker")
def test_without_a_crash_both_worlds_yield_the_same(broker: Broker, postgres_url: str, undisturbed: World) -> None:
    with closing(BrokerWorld(broker, postgres_url)) as world:
        play(world)
        check(world, undisturbed)


@pytest.mark.xdist_group("crash-spool")
def test_the_undisturbed_run_is_worth_comparing_with(undisturbed: World) -> None:
    """Every referral receipted, stored once, handed on; a duplicate, faulty ones, two discharge notes."""
    rows = undisturbed.rows()
    assert len(rows["messages"]) == len(referrals()) + len(events()) == 20
    assert len(rows["cases"]) == 5
    assert len(rows["events"]) == len(events())
    assert sorted(row[1] for row in rows["parked"]) == ["GW-102", "GW-130"]
    kinds = [str(row[1]) for row in rows["outbox"]]
    assert {kind: kinds.count(kind) for kind in sorted(set(kinds))} == {
        "Task": 5,
        "VANSReceipt": 1,
        "XCTL02": 2,
        "XCTL03": 4,
        "XDIS15": 2,
        "XDIS91": 5,
    }
    statuses = {row[3] for row in rows["outbox"]}
    assert statuses == {"sent", "draft"}
    sent = sum(row[3] == "sent" for row in rows["outbox"])
    assert len(letters_of(undisturbed.out())) == sent
    assert len(undisturbed.out()) == sent + 1, "the duplicate's stored receipt, again"


@pytest.mark.broker
@pytest.mark.xdist_group("crash-broker")
def test_processes_side_by_side_share_the_work_and_do_none_of_it_twice(broker: Broker, postgres_url: str) -> None:
    """Every message is sent twice, so that both run into the same letters at the same time; one process is killed."""
    messages = recorded().values()
    with closing(BrokerWorld(broker, postgres_url)) as world:
        for data in (*messages, *reversed(messages)):
            world.put(data)
        world.crash("written before the commit", 2)
        world.run(len(messages), processes=3)
        rows, out = world.rows(), letters_of(world.out())

    expected = [receive(read(data), Known(), load(), system_now()) for data in messages]
    letters = {x.letter_id for outcome in expected for x in outcome.outgoing}
    duplicate = expected[list(recorded()).index("16-duplicate-of-01.xml")]
    letters -= {x.letter_id for x in duplicate.outgoing} - {x.letter_id for x in expected[0].outgoing}
    assert {row[0] for row in rows["outbox"]} == letters
    assert len(rows["messages"]) == len(messages)
    assert len(out) == sum(row[3] == "sent" for row in rows["outbox"])
    assert {name for name, contents in out.items() if len(contents) > 1} == set()
