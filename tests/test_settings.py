"""Settings: read once, from the environment and a file, refused by name when they are wrong, secrets never told."""

import os
from pathlib import Path

import pytest

from gateway.errors import ConfigurationError
from gateway.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GATEWAY_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "gateway.toml"


def refused(**given: object) -> str:
    with pytest.raises(ConfigurationError) as raised:
        load_settings(**given)
    assert raised.value.id == "GW-301"
    text = str(raised.value)
    assert "hunter2" not in text
    return text


def test_without_any_setting_it_is_the_embedded_default() -> None:
    settings = load_settings()
    assert settings.amqp_url is None
    assert settings.spool_folder == Path("spool")
    assert settings.store_url == f"sqlite:///{Path('spool/gateway.sqlite3').absolute()}"
    assert settings.embedded_file == Path("spool/gateway.sqlite3").absolute()
    assert settings.address == ("127.0.0.1", 8080)
    assert settings.team_events_token is None


def test_environment_and_file_add_up_and_the_environment_wins(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.write_text('batch_size = 7\nprefetch = 9\namqp_prefix = "fil."\n', encoding="utf-8")
    monkeypatch.setenv("GATEWAY_PREFETCH", "11")
    monkeypatch.setenv("GATEWAY_AMQP_PREFIX", "æøå.")
    settings = load_settings(config, amqp_prefix="given.")
    assert (settings.batch_size, settings.prefetch, settings.amqp_prefix) == (7, 11, "given.")
    assert load_settings(config).amqp_prefix == "æøå."


def test_what_a_command_does_not_say_is_left_to_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_HTTP", "127.0.0.1:9000")
    assert load_settings(http=None).http == "127.0.0.1:9000"
    assert load_settings(http="").http == ""


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().batch_size = 3  # the point


@pytest.mark.parametrize("name", ["AMQP_URL", "SPOOL", "DATABASE_URL", "MUNICIPALITY", "TEAM_EVENTS_TOKEN"])
def test_an_empty_setting_is_none(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """As compose files and unit files leave them."""
    monkeypatch.setenv(f"GATEWAY_{name}", "")
    assert getattr(load_settings(), name.lower()) is None


def test_unknown_keys_of_the_file_are_refused_by_name(config: Path) -> None:
    config.write_text('amqp_uri = "amqp://user:hunter2@host/"\n', encoding="utf-8")
    assert "GATEWAY_AMQP_URI: Extra inputs are not permitted" in refused(config=config)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            {"amqp_url": "https://user:hunter2@host"},
            "GATEWAY_AMQP_URL: Value error, must begin with amqp:// or amqps://",
        ),
        (
            {"database_url": "mysql://user:hunter2@host"},
            "GATEWAY_DATABASE_URL: Value error, must begin with sqlite:///",
        ),
        ({"database_url": "hunter2"}, "GATEWAY_DATABASE_URL: Value error, must begin with"),
        ({"amqp_url": 7}, "GATEWAY_AMQP_URL: Input should be a valid string"),
        ({"amqp_prefix": "a b"}, "GATEWAY_AMQP_PREFIX: Value error, at most 100 characters, no blanks"),
        ({"amqp_prefix": "a" * 101}, "GATEWAY_AMQP_PREFIX: Value error, at most 100 characters, no blanks"),
        ({"message_limit": 100_000_001}, "GATEWAY_MESSAGE_LIMIT: Input should be less than or equal to 100000000"),
        ({"message_limit": 1}, "GATEWAY_MESSAGE_LIMIT: Input should be greater than or equal to 10000"),
        ({"batch_size": 0}, "GATEWAY_BATCH_SIZE"),
        ({"prefetch": "many"}, "GATEWAY_PREFETCH: Input should be a valid integer"),
        ({"report_url": "http://kl.example/fhir"}, "GATEWAY_REPORT_URL must begin with https://"),
        ({"report_sending": True}, "GATEWAY_REPORT_SENDING needs GATEWAY_REPORT_URL and GATEWAY_REPORT_TOKEN_FILE"),
        ({"report_key": "key.pem"}, "set GATEWAY_REPORT_CERTIFICATE and GATEWAY_REPORT_KEY, or neither"),
        ({"log_level": "LOUD"}, "GATEWAY_LOG_LEVEL: String should match pattern"),
    ],
)
def test_a_wrong_value_is_refused_by_name_without_being_told(given: dict[str, object], told: str) -> None:
    assert told in refused(**given)


def test_every_wrong_value_is_told_at_once() -> None:
    told = refused(batch_size=0, prefetch=0)
    assert "GATEWAY_BATCH_SIZE" in told
    assert "GATEWAY_PREFETCH" in told


def test_two_transports_at_a_time_are_refused(tmp_path: Path) -> None:
    told = refused(amqp_url="amqp://user:hunter2@host/", spool=tmp_path)
    assert "set GATEWAY_AMQP_URL or GATEWAY_SPOOL, not both" in told


@pytest.mark.parametrize("http", ["0.0.0.0:8080", "192.168.1.7:80", "gateway.example:8080", "[::]:8080", ":8080"])
def test_http_beyond_loopback_is_refused(http: str) -> None:
    assert "http" in refused(http=http)


@pytest.mark.parametrize("http", ["8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536"])
def test_http_is_host_and_port(http: str) -> None:
    assert "http must be host:port" in refused(http=http)


@pytest.mark.parametrize(
    ("http", "address"),
    [
        ("127.0.0.1:80", ("127.0.0.1", 80)),
        ("localhost:65535", ("localhost", 65535)),
        ("[::1]:8080", ("::1", 8080)),
    ],
)
def test_loopback_has_several_names(http: str, address: tuple[str, int]) -> None:
    assert load_settings(http=http).address == address


def test_secrets_are_not_told_by_printing(config: Path) -> None:
    config.write_text(
        'amqp_url = "amqp://user:hunter2@host/"\ndatabase_url = "postgresql://user:hunter2@host/db"\n'
        'team_events_token = "hunter2"\nmetrics_token = "hunter2"\n',
        encoding="utf-8",
    )
    settings = load_settings(config)
    assert "hunter2" not in repr(settings) + str(settings) + settings.model_dump_json()
    assert settings.store_url == "postgresql://user:hunter2@host/db"
    assert settings.embedded_file is None


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'amqp_url = "amqp://user:hunter2', "is no TOML in UTF-8"),
        (b"amqp_url = hunter2", "is no TOML in UTF-8"),
        ('amqp_prefix = "ishøj.hunter2"'.encode("iso-8859-1"), "is no TOML in UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_without_its_content(config: Path, content: bytes, told: str) -> None:
    config.write_bytes(content)
    text = refused(config=config)
    assert told in text
    assert str(config) in text


def test_a_file_that_is_not_there_is_told(config: Path) -> None:
    assert f"the settings file {config} does not exist" in refused(config=config)


def test_with_rabbitmq_and_no_database_the_file_lies_in_the_working_folder() -> None:
    settings = load_settings(amqp_url="amqp://host/")
    assert settings.embedded_file == Path("gateway.sqlite3").absolute()


def test_every_setting_explains_itself() -> None:
    assert all(field.description for field in Settings.model_fields.values())
