"""The command line as a whole: help everywhere, one clear line for every error, and what the exit status means."""

import sqlite3
from pathlib import Path

import pytest

from gateway.settings import Settings
from tests.commands.conftest import Gateway

COMMANDS = ["run", "demo", "explain", "check", "topology", "event", "status", "parked", "parked discard", "replay"]


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_command_explains_itself(gateway: Gateway, command: str) -> None:
    ended = gateway(*command.split(), "--help")
    assert (ended.status, ended.err) == (0, "")
    assert f"Usage: gateway {command}".strip() in ended.out


def test_without_a_command_the_help_is_shown(gateway: Gateway) -> None:
    ended = gateway()
    assert ended.status == 2
    assert all(f" {command} " in ended.out for command in COMMANDS if " " not in command)


def test_the_help_of_run_lists_every_setting_with_its_default(gateway: Gateway) -> None:
    told = gateway("run", "--help").out
    for name, field in Settings.model_fields.items():
        assert f"GATEWAY_{name.upper()}" in told
        assert field.description
    assert "(default 127.0.0.1:8080)" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("nonsense", "No such command 'nonsense'."),
        ("event", "Missing argument 'FILE'."),
        ("event no-such-file", "file 'no-such-file' does not exist."),
        ("event .", "file '.' is a directory."),
        ("run extra", "Got unexpected extra argument(s) (extra)"),
        ("status --nonsense", "No such option: --nonsense"),
        ("parked discard x", "Missing option '--why'."),
        ("--config no-such.toml check", "GW-301 the settings file no-such.toml does not exist"),
        ("--config . check", "GW-301 the settings file . does not exist"),
        ("topology --declare", "GW-301 GATEWAY_AMQP_URL is not set"),
    ],
)
def test_wrong_use_is_told_in_one_line_and_ends_with_2(gateway: Gateway, arguments: str, told: str) -> None:
    ended = gateway(*arguments.split())
    assert ended.status == 2
    assert ended.out == ""
    assert ended.err.endswith(f"{told}\n")
    assert ended.err.startswith("gateway: ")
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"GATEWAY_AMQP_URL": "http://user:hunter2@host"}, "GATEWAY_AMQP_URL: Value error, must begin with amqp:// or"),
        ({"GATEWAY_AMQP_URL": "amqp://user:hunter2@host:port/"}, "GATEWAY_AMQP_URL cannot be read"),
        ({"GATEWAY_DATABASE_URL": "mysql://user:hunter2@host"}, "GATEWAY_DATABASE_URL: Value error, must begin with"),
        ({"GATEWAY_DATABASE_URL": "postgresql://user:hunter2@host:port/x"}, "GW-301 the database URL cannot be read"),
        ({"GATEWAY_HTTP": "0.0.0.0:8080"}, "http beyond loopback"),
        ({"GATEWAY_HTTP": "8080"}, "http must be host:port"),
        ({"GATEWAY_MUNICIPALITY": "no-such.toml"}, "GW-302 the municipality file no-such.toml"),
        ({"GATEWAY_LOG_LEVEL": "LOUD"}, "GATEWAY_LOG_LEVEL"),
        ({"GATEWAY_SPOOL": "a", "GATEWAY_AMQP_URL": "amqp://h/"}, "set GATEWAY_AMQP_URL or GATEWAY_SPOOL, not both"),
    ],
)
def test_a_wrong_set_up_stops_the_start_with_one_line_that_names_the_setting(
    gateway: Gateway, settings: dict[str, str], told: str
) -> None:
    ended = gateway("run", **settings)
    assert ended.status == 2
    assert told in ended.err
    assert ended.err.count("\n") == 1
    assert "hunter2" not in ended.err


@pytest.mark.parametrize(
    ("command", "settings", "told"),
    [
        ("run", {"GATEWAY_AMQP_URL": "amqp://127.0.0.1:1/%2f"}, "GW-201 the broker does not answer"),
        ("run", {"GATEWAY_DATABASE_URL": "postgresql://n@127.0.0.1:1/x"}, "GW-202 the database failed"),
        ("status", {"GATEWAY_DATABASE_URL": "postgresql://n@127.0.0.1:1/x"}, "GW-202 the database failed"),
        ("status", {"GATEWAY_AMQP_URL": "amqp://127.0.0.1:1/%2f"}, "GW-201 the broker does not answer"),
        ("run", {"GATEWAY_SPOOL": "/dev/null/spool"}, "GW-203 the spool folder failed: NotADirectoryError"),
        ("status", {"GATEWAY_SPOOL": "/dev/null/spool"}, "GW-202 the folder of the database file cannot be made"),
    ],
)
def test_a_neighbour_that_does_not_answer_is_told_in_one_line_and_ends_with_1(
    gateway: Gateway, command: str, settings: dict[str, str], told: str
) -> None:
    ended = gateway(command, GATEWAY_HTTP="", **settings)
    assert ended.status == 1
    assert ended.err.startswith(f"gateway: {told}")
    assert ended.err.count("\n") == 1


def test_a_file_that_is_no_database_is_told(gateway: Gateway, tmp_path: Path) -> None:
    (tmp_path / "gateway.sqlite3").write_bytes(b"something else" * 100)
    ended = gateway("status", GATEWAY_DATABASE_URL=f"sqlite:///{tmp_path}/gateway.sqlite3")
    assert (ended.status, ended.err) == (1, "gateway: GW-202 the database failed: DatabaseError\n")


def test_settings_may_stand_in_a_file_and_the_environment_wins(gateway: Gateway, tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_text('spool = "from-file"\n', encoding="utf-8")
    assert gateway("--config", "gateway.toml", "status").status == 0
    assert gateway("--config", "gateway.toml", "status", GATEWAY_SPOOL="from-environment").status == 0
    for name in ("from-file", "from-environment"):
        assert sqlite3.connect(tmp_path / name / "gateway.sqlite3").close() is None
        assert (tmp_path / name / "gateway.sqlite3").stat().st_size > 0
