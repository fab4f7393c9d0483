"""``gateway simulate``: files in a folder or a spool, messages on a queue; wrong use in one line."""

from pathlib import Path

import pytest

from tests.commands.conftest import Gateway
from tests.neighbours import Broker


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_messages_are_written_to_a_folder_and_are_the_same_by_seed_and_day(gateway: Gateway, tmp_path: Path) -> None:
    told = ("--n", "20", "--seed", "a", "--day", "2026-11-16", "--faults", "25", "--vans", "50")
    ended = gateway("simulate", *told, "--out", "first")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.startswith("20 beskeder: ")
    assert ended.out.endswith("; seed a, dag 2026-11-16\n")
    assert gateway("simulate", *told, "--out", "second").status == 0
    first, second = tmp_path / "first", tmp_path / "second"
    assert len(names(first)) == 20
    assert {n: (first / n).read_bytes() for n in names(first)} == {n: (second / n).read_bytes() for n in names(second)}


def test_without_a_seed_every_run_is_another(gateway: Gateway, tmp_path: Path) -> None:
    for folder in ("first", "second"):
        assert gateway("simulate", "--n", "2", "--mix", "xref15=1", "--out", folder).status == 0
    contents = [path.read_bytes() for path in sorted(tmp_path.rglob("*.xml"))]
    assert len(set(contents)) == 4


def test_a_spool_folder_gets_them_in_its_in_and_a_taken_name_is_not_overwritten(
    gateway: Gateway, tmp_path: Path
) -> None:
    for _ in range(2):
        told = ("--n", "3", "--seed", "a", "--mix", "ref01=1", "--vans", "0", "--rate", "200")
        assert gateway("simulate", *told, "--spool", "spool").status == 0
    found = names(tmp_path / "spool" / "in")
    assert len(found) == 6
    assert all(name.endswith(".edi") for name in found)


@pytest.mark.broker
def test_a_broker_gets_them_on_the_queue_of_what_arrives(gateway: Gateway, broker: Broker) -> None:
    settings = {"GATEWAY_AMQP_PREFIX": broker.topology.prefix}
    ended = gateway("simulate", "--n", "5", "--mix", "fhir-json=1", "--vans", "0", "--amqp", broker.url, **settings)
    assert (ended.status, ended.err) == (0, "")
    taken = broker.take(broker.topology.referrals_in, 5)
    assert {properties.content_type for properties, _ in taken} == {"application/fhir+json"}
    assert all(body.startswith(b"{") for _, body in taken)


@pytest.mark.broker
def test_a_queue_that_is_not_there_is_told(gateway: Gateway, broker: Broker) -> None:
    ended = gateway("simulate", "--n", "1", "--amqp", broker.url, GATEWAY_AMQP_PREFIX="findes-ikke.")
    assert ended.status == 1
    assert "findes-ikke.referrals.in takes nothing" in ended.err


def test_a_broker_that_does_not_answer_is_told(gateway: Gateway) -> None:
    ended = gateway("simulate", "--n", "1", "--amqp", "amqp://guest:guest@127.0.0.1:1/%2f")
    assert ended.status == 1
    assert ended.err.startswith("gateway: GW-201 ")


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ((), "exactly one of --amqp, --spool and --out"),
        (("--out", "x", "--spool", "y"), "exactly one of --amqp, --spool and --out"),
        (("--out", "x", "--mix", "brevdue=1"), "unknown: brevdue"),
        (("--out", "x", "--mix", "xref15"), "xref15 needs a number"),
        (("--out", "x", "--mix", "xref15=-1"), "not negative"),
        (("--out", "x", "--faults", "101"), "more than 100 per cent"),
        (("--out", "x", "--faults", "truncated=60,duplicate=60"), "more than 100 per cent"),
        (("--out", "x", "--faults", "udtværet=1"), "unknown: udtværet"),
    ],
)
def test_wrong_use_is_told_in_one_line(gateway: Gateway, tmp_path: Path, told: tuple[str, ...], why: str) -> None:
    ended = gateway("simulate", "--n", "1", *told)
    assert ended.status == 2
    assert why in ended.err
    assert ended.err.count("\n") == 1
    assert not (tmp_path / "x").exists()


def test_teams_and_receivers_answer_around_a_spool_folder(gateway: Gateway, tmp_path: Path) -> None:
    ended = gateway("simulate", "--n", "0", "--spool", "spool", "--work")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out == "0 svar fra teams og modtagere\n"


def test_only_a_spool_folder_can_be_worked(gateway: Gateway) -> None:
    ended = gateway("simulate", "--n", "1", "--out", "x", "--work")
    assert ended.status == 2
    assert "needs --spool" in ended.err
