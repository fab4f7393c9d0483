"""Which certificates the settings name, and which servers present one. Nothing is read or connected to here."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

from gateway.certificates.state import Watched
from gateway.settings import Settings

_AMQPS_PORT, _POSTGRESQL_PORT = 5671, 5432
_PAGE, _BROKER, _DATABASE = "GATEWAY_HTTP_TLS_CERTIFICATE", "GATEWAY_AMQP_URL", "GATEWAY_DATABASE_URL"
#: where these stand the server's certificate decides whether there is a connection
_TLS_MODES = frozenset({"require", "verify-ca", "verify-full"})
_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  (read, not bound)


def configured(settings: Settings) -> tuple[Watched, ...]:
    """Every place where a certificate is in use; empty for an installation without TLS."""
    return (*_page(settings), *_kl(settings), *_broker(settings), *_database(settings))


def _page(settings: Settings) -> Iterator[Watched]:
    """The file, and what the page shows now: a new file counts from the next start."""
    if settings.http and settings.http_tls_certificate is not None:
        host, port = settings.address
        yield Watched(name="page", setting=_PAGE, file=settings.http_tls_certificate)
        yield Watched(name="page_served", setting=_PAGE, server=(_EVERY_ADDRESS.get(host, host), port))


def _kl(settings: Settings) -> Iterator[Watched]:
    if settings.report_certificate is not None:
        yield Watched(name="kl", setting="GATEWAY_REPORT_CERTIFICATE", file=settings.report_certificate)


def _broker(settings: Settings) -> Iterator[Watched]:
    url = _split(settings.amqp_url.get_secret_value()) if settings.amqp_url is not None else None
    if url is None or url.scheme != "amqps":
        return
    yield Watched(name="broker", setting=_BROKER, server=(url.hostname or "localhost", url.port or _AMQPS_PORT))
    options = _ssl_options(url)
    yield from _files("broker", _BROKER, options.get("certfile"), options.get("ca_certs") or options.get("cafile"))


def _ssl_options(url: SplitResult) -> Mapping[str, Any]:
    """As pika reads them; what it cannot read stops the start with GW-301."""
    try:
        found = ast.literal_eval(_parameter(url, "ssl_options") or "{}")
    except (ValueError, SyntaxError):
        return {}
    return found if isinstance(found, dict) else {}


def _database(settings: Settings) -> Iterator[Watched]:
    """The parameters of libpq, where the URL names them."""
    url = _split(settings.store_url)
    if url is None or url.scheme != "postgresql":
        return
    if _parameter(url, "sslmode") in _TLS_MODES and url.hostname:
        server = (url.hostname, url.port or _POSTGRESQL_PORT)
        yield Watched(name="database", setting=_DATABASE, server=server, is_database=True)
    trusted = _parameter(url, "sslrootcert")
    yield from _files("database", _DATABASE, _parameter(url, "sslcert"), trusted if trusted != "system" else "")


def _files(name: str, setting: str, own: object, trusted: object) -> Iterator[Watched]:
    if own:
        yield Watched(name=f"{name}_client", setting=setting, file=Path(str(own)))
    if trusted:
        yield Watched(name=f"{name}_trusted", setting=setting, file=Path(str(trusted)), is_trusted=True)


def _split(text: str) -> SplitResult | None:
    """None for what is no address; whoever connects tells that."""
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        return None
    return url


def _parameter(url: SplitResult, name: str) -> str:
    return (parse_qs(url.query).get(name) or [""])[-1]
