"""Certificates read from files and asked of servers. A private key in the same file is passed over, never read.

``cryptography`` is loaded when there is a certificate to read: it takes 10 MB, and most gateways use none.
"""

import socket
import ssl
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from gateway.certificates.state import Certificate, Problem, Reading, Watched

if TYPE_CHECKING:
    from cryptography import x509

_TIMEOUT_S = 3.0
#: PostgreSQL's SSLRequest: its length, and the number that stands for it
_SSL_REQUEST = struct.pack(">ii", 8, 80877103)


def read(watched: Watched) -> Reading:
    """What the place holds now."""
    return _read_file(watched) if watched.file is not None else _ask_server(watched)


def _read_file(watched: Watched) -> Reading:
    assert watched.file is not None  # noqa: S101  (asked for files only)
    try:
        data = watched.file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return Reading(problem=Problem.MISSING)
    except OSError:
        return Reading(problem=Problem.FORBIDDEN)
    return _told(lambda: _from_pem(data))


def _ask_server(watched: Watched) -> Reading:
    """The server's own certificate, whether or not we would trust it: whoever connects for work decides that."""
    assert watched.server is not None  # noqa: S101  (a place is a file or a server)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection(watched.server, timeout=_TIMEOUT_S) as line:
            if watched.is_database and not _begins_tls(line):
                return Reading(problem=Problem.SILENT)
            with context.wrap_socket(line, server_hostname=watched.server[0]) as secured:
                shown = secured.getpeercert(binary_form=True) or b""
    except (OSError, ValueError):  # ValueError: a host name that cannot be one
        return Reading(problem=Problem.SILENT)
    return _told(lambda: _from_der(shown))


def _begins_tls(line: socket.socket) -> bool:
    line.sendall(_SSL_REQUEST)
    return line.recv(1) == b"S"


def _from_pem(data: bytes) -> "list[x509.Certificate]":
    from cryptography import x509  # noqa: PLC0415  (not loaded before it is needed)

    return x509.load_pem_x509_certificates(data)


def _from_der(data: bytes) -> "list[x509.Certificate]":
    from cryptography import x509  # noqa: PLC0415  (not loaded before it is needed)

    return [x509.load_der_x509_certificate(data)]


def _told(load: "Callable[[], list[x509.Certificate]]") -> Reading:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415  (not loaded before it is needed)

    try:
        return Reading(certificates=tuple(_certificate(one) for one in load()))
    except (ValueError, UnsupportedAlgorithm):
        return Reading(problem=Problem.NO_CERTIFICATE)


def _certificate(found: "x509.Certificate") -> Certificate:
    return Certificate(
        subject=found.subject.rfc4514_string(),
        issuer=found.issuer.rfc4514_string(),
        starts=found.not_valid_before_utc,
        ends=found.not_valid_after_utc,
    )
