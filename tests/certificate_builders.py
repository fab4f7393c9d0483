"""Certificates made for a test, and a server that presents one."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Issued(NamedTuple):
    """A certificate and its key, PEM."""

    certificate: bytes
    key: bytes


def issued(name: str, days: float, *, begun: float = 1, now: datetime = NOW) -> Issued:
    """One that ends so many days after ``now`` and began ``begun`` days before it."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Prøve CA")]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=min(-begun, days - 1)))
        .not_valid_after(now + timedelta(days=days))
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Issued(builder.sign(key, SHA256()).public_bytes(Encoding.PEM), pem)


def kept(path: Path, *parts: bytes) -> Path:
    """The parts in one file."""
    path.write_bytes(b"".join(parts))
    return path


@contextmanager
def presenting(folder: Path, shown: Issued, greeting: bytes = b"") -> Iterator[tuple[str, int]]:
    """A server that presents the certificate; with a greeting it answers with that to 8 bytes in the clear first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(kept(folder / "server.pem", *shown))
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    line, _ = listener.accept()
                except OSError:  # the test is over
                    return
                with line, suppress(OSError):
                    if greeting:
                        line.recv(8)
                        line.sendall(greeting)
                    context.wrap_socket(line, server_side=True).close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        host, port = listener.getsockname()
        yield host, port
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])
