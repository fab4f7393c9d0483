"""Which certificates the settings name: every place where one is in use, and none where there is no TLS."""

from pathlib import Path

import pytest

from gateway.certificates.configured import configured
from gateway.settings import load_settings


def places(**settings: object) -> dict[str, str]:
    found = configured(load_settings(**settings))
    return {one.name: str(one.file) if one.file else "{}:{}".format(*one.server or ()) for one in found}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"amqp_url": "amqp://gateway:hunter2@broker/"},
        {"database_url": "postgresql://gateway@db/gateway"},
        {"http": "", "http_tls_certificate": "a.pem", "http_tls_key": "a.key"},
        {"amqp_url": "amqps://broker:port/"},
        {"database_url": "postgresql://[db/gateway?sslmode=require"},
    ],
)
def test_without_tls_there_is_none(settings: dict[str, object]) -> None:
    assert places(**settings) == {}


@pytest.mark.parametrize(
    ("http", "server"),
    [("0.0.0.0:8443", "127.0.0.1:8443"), ("[::]:8443", "::1:8443"), ("10.1.2.3:443", "10.1.2.3:443")],
)
def test_the_page_by_its_file_and_by_what_it_shows(http: str, server: str) -> None:
    found = places(http=http, http_tls_certificate="page.pem", http_tls_key="page.key")
    assert found == {"page": "page.pem", "page_served": server}


def test_kls_gateway() -> None:
    assert places(report_certificate="kl.pem", report_key="kl.key") == {"kl": "kl.pem"}


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("amqps://gateway:hunter2@broker/v", {"broker": "broker:5671"}),
        ("amqps://broker:5999/?ssl_options=nonsense(", {"broker": "broker:5999"}),
        ("amqps://broker/?ssl_options=[1]", {"broker": "broker:5671"}),
        (
            "amqps://broker/?ssl_options={'cafile': 'ca.pem', 'certfile': 'own.pem', 'keyfile': 'own.key'}",
            {"broker": "broker:5671", "broker_client": "own.pem", "broker_trusted": "ca.pem"},
        ),
        ("amqps://broker/?ssl_options={'ca_certs': 'ca.pem'}", {"broker": "broker:5671", "broker_trusted": "ca.pem"}),
    ],
)
def test_rabbitmq(url: str, found: dict[str, str]) -> None:
    assert places(amqp_url=url) == found | {}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?sslmode=prefer", {}),
        ("?sslmode=verify-full&sslrootcert=system", {"database": "db:5432"}),
        ("?sslcert=own.pem&sslkey=own.key", {"database_client": "own.pem"}),
        ("?sslmode=verify-ca&sslrootcert=ca.pem", {"database": "db:5432", "database_trusted": "ca.pem"}),
    ],
)
def test_the_database(query: str, found: dict[str, str]) -> None:
    assert places(database_url=f"postgresql://gateway:hunter2@db/gateway{query}") == found


def test_no_secret_goes_along(tmp_path: Path) -> None:
    url = "amqps://gateway:hunter2@broker/?ssl_options={'certfile': 'own.pem', 'password': 'hunter2'}"
    settings = load_settings(amqp_url=url, database_url="postgresql://gateway:hunter2@db/g?sslmode=require")
    assert "hunter2" not in repr(configured(settings))
