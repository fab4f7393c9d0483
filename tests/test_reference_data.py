"""The proofs that other tests lean on can fail: where the reference data is, and what is valid."""

from pathlib import Path

import pytest

from tests import reference
from tests.builders import emessage, vans
from tests.reference import check_with_medcom, own_violations, shared_folder


def test_a_named_folder_must_be_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GATEWAY_TEST_SHARED", str(tmp_path))
    with pytest.raises(pytest.fail.Exception, match="holds no folder data"):
        shared_folder()
    (tmp_path / "data").mkdir()
    assert shared_folder() == tmp_path


def test_without_a_name_it_stands_beside_the_project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GATEWAY_TEST_SHARED", raising=False)
    monkeypatch.setattr(reference, "ROOT", tmp_path / "project")
    with pytest.raises(pytest.skip.Exception, match="no reference data"):
        shared_folder()
    (tmp_path / "shared" / "data").mkdir(parents=True)
    assert shared_folder() == tmp_path / "shared"


def test_our_proof_of_validity_looks_into_the_payload() -> None:
    bad = emessage().replace(b"<Patient>", b"<Patient><Hest/>")
    assert own_violations(emessage()) == own_violations(vans()) == []
    assert own_violations(bad)
    assert own_violations(vans(bad))


def test_medcoms_proof_of_validity_fails_too(shared: Path, tmp_path: Path) -> None:
    check_with_medcom(shared, tmp_path, [emessage(), vans()])
    bad = emessage().replace(b"<Patient>", b"<Patient><Hest/>")
    for document in (bad, vans(bad)):
        with pytest.raises(AssertionError, match="Hest"):
            check_with_medcom(shared, tmp_path, [emessage(), document])
    with pytest.raises(AssertionError, match="nothing to check"):
        check_with_medcom(shared, tmp_path, [])
