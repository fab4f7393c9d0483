"""Certificates as they lie in files and as servers present them."""

import socket
from pathlib import Path

import pytest

from gateway.certificates import reading
from gateway.certificates.reading import read
from gateway.certificates.state import Problem, Reading, Watched
from tests.certificate_builders import NOW, closed_port, issued, kept, presenting


def read_file(path: Path) -> Reading:
    return read(Watched(name="page", setting="X", file=path))


def ask(server: tuple[str, int], *, is_database: bool = False) -> Reading:
    return read(Watched(name="broker", setting="X", server=server, is_database=is_database))


def test_a_chain_with_a_key_in_the_same_file(tmp_path: Path) -> None:
    leaf, issuer = issued("ishøj.example", 90), issued("Prøve CA", 900)
    found = read_file(kept(tmp_path / "a.pem", leaf.key, leaf.certificate, issuer.certificate))
    assert [(c.subject, c.issuer, (c.ends - NOW).days) for c in found.certificates] == [
        ("CN=ishøj.example", "CN=Prøve CA", 90),
        ("CN=Prøve CA", "CN=Prøve CA", 900),
    ]
    assert (found.certificates[0].starts - NOW).days == -1
    assert "PRIVATE" not in repr(found)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "no_certificate"),
        (b"no PEM at all", "no_certificate"),
        (issued("a", 1).key, "no_certificate"),
        (issued("a", 1).certificate[:200], "no_certificate"),
        (issued("a", 1).certificate.replace(b"M", b"m"), "no_certificate"),
        (None, "missing"),
    ],
)
def test_a_file_that_holds_none(tmp_path: Path, content: bytes | None, problem: str) -> None:
    path = tmp_path / "a.pem"
    if content is not None:
        path.write_bytes(content)
    assert read_file(path) == Reading(problem=Problem(problem))


def test_a_folder_or_a_file_beside_a_file_is_told(tmp_path: Path) -> None:
    file = kept(tmp_path / "a.pem", issued("a", 1).certificate)
    assert read_file(tmp_path).problem is Problem.FORBIDDEN
    assert read_file(file / "b.pem").problem is Problem.MISSING


def test_what_a_server_presents_is_seen_though_it_is_not_trusted(tmp_path: Path) -> None:
    with presenting(tmp_path, issued("broker", -2)) as server:
        (found,) = ask(server).certificates
        assert (found.subject, (found.ends - NOW).days) == ("CN=broker", -2)


@pytest.mark.parametrize(("answer", "seen"), [(b"S", True), (b"N", False)])
def test_postgresql_is_asked_for_tls_first(tmp_path: Path, answer: bytes, *, seen: bool) -> None:
    with presenting(tmp_path, issued("db", 9), greeting=answer) as server:
        assert bool(ask(server, is_database=True).certificates) == seen


def test_a_server_that_does_not_answer_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(("127.0.0.1", closed_port())) == Reading(problem=Problem.SILENT)
    assert ask(("a" * 70 + ".example", 1)).problem is Problem.SILENT
    monkeypatch.setattr(reading, "_TIMEOUT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as plain:  # takes the connection; nobody ever shakes hands
        assert ask(plain.getsockname()).problem is Problem.SILENT
