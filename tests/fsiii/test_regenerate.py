"""scripts/regenerate-fsiii on a small publication; tests/fsiii/test_reference.py runs it on KL's own."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import fsiii

Json = dict[str, Any]
Publish = Callable[..., Path]

PACKAGE = Path(fsiii.__file__).parent
SCRIPT = Path(__file__).parents[2] / "scripts" / "regenerate-fsiii"
TOBACCO = "c203c6b5-3be0-40a8-8204-e93751deabf5"
NEW = "00000000-0000-4000-8000-000000000000"
INTERVENTIONS = "http://fhir.kl.dk/prevention/ValueSet/KLInterventionCodes119"
SERVICE_TYPES = "http://fhir.kl.dk/prevention/ValueSet/ServiceTypes119"


def value_set(url: str, *includes: Json, **more: object) -> Json:
    return {"resourceType": "ValueSet", "url": url, "compose": {"include": list(includes), **more}}


def listed(system: str, *codes: str) -> Json:
    return {"system": system, "concept": [{"code": code} for code in codes]}


def below(system: str, code: str) -> Json:
    return {"system": system, "filter": [{"property": "concept", "op": "descendent-of", "value": code}]}


def current_interventions() -> list[str]:
    return [code for code, row in fsiii.interventions_119().items() if not row.retired]


@pytest.fixture
def term(publish: Publish, code_system: Json, care_social_system: Json) -> Path:
    return publish(code_system, care_social_system)


def test_it_is_executable() -> None:
    assert os.access(SCRIPT, os.X_OK)
    assert SCRIPT.read_text(encoding="utf-8").startswith("#!/usr/bin/env python3\n")


def test_the_committed_files_byte_for_byte(term: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), str(term), "--into", str(tmp_path / "made")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    made = {path.name: path.read_bytes() for path in (tmp_path / "made").rglob("*") if path.is_file()}
    committed = {path.name: path.read_bytes() for path in (*PACKAGE.glob("data/*.tsv"), PACKAGE / "SOURCES.toml")}
    assert made == committed


def test_check_of_equal_tables(regenerate: ModuleType, term: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert regenerate.main([str(term), "--check"]) == 0
    assert capsys.readouterr().out == "the tables are as published\n"


def test_check_prints_what_differs_and_writes_nothing(
    regenerate: ModuleType, term: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(PACKAGE, copy)
    table = copy / "data" / "interventions_119.tsv"
    table.write_text(table.read_text(encoding="utf-8").replace("Behovssamtale", "Samtale"), encoding="utf-8")
    before = table.read_bytes()
    assert regenerate.main([str(term), "--check", "--into", str(copy)]) == 1
    printed = capsys.readouterr().out.splitlines()
    assert "--- data/interventions_119.tsv" in printed
    assert "-ee5606ac-1bed-487e-aa3c-72dcc30ec037\tcurrent\t\tSamtale" in printed
    assert "+ee5606ac-1bed-487e-aa3c-72dcc30ec037\tcurrent\t\tBehovssamtale" in printed
    assert table.read_bytes() == before


@pytest.mark.parametrize(
    "change", [lambda data: data.replace(b"\n", b"\r\n"), lambda data: data[:-1], lambda data: b""]
)
def test_check_sees_every_byte(
    regenerate: ModuleType, term: Path, tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(PACKAGE, copy)
    table = copy / "data" / "referred_from.tsv"
    table.write_bytes(change(table.read_bytes()))
    assert regenerate.main([str(term), "--check", "--into", str(copy)]) == 1


def test_check_of_a_table_that_is_not_there(regenerate: ModuleType, term: Path, tmp_path: Path) -> None:
    assert regenerate.main([str(term), "--check", "--into", str(tmp_path)]) == 1


def test_a_new_version_and_title_reach_the_tables_and_sources(
    regenerate: ModuleType, publish: Publish, code_system: Json, care_social_system: Json, tmp_path: Path
) -> None:
    code_system["version"] = "20270101"
    code_system["concept"][0]["concept"][0]["display"] = "Ny titel"
    folder = publish(code_system, care_social_system)
    assert regenerate.main([str(folder), "--into", str(tmp_path / "made")]) == 0
    table = (tmp_path / "made" / "data" / "interventions_119.tsv").read_text(encoding="utf-8")
    sources = (tmp_path / "made" / "SOURCES.toml").read_text(encoding="utf-8")
    assert "\tNy titel\n" in table
    assert sources.count('version = "20270101"') == 5
    assert sources.count('version = "20250530"') == 1
    assert fsiii.sources()[3].sha256 not in sources


def test_the_value_set_decides_what_is_current(regenerate: ModuleType, term: Path, publish: Publish) -> None:
    publish(value_set(INTERVENTIONS, listed(fsiii.FSIII_SYSTEM, *current_interventions()[1:], TOBACCO)))
    lines = regenerate.subtree_lines(regenerate.read([term]), regenerate.SUBTREES[0])
    status = {line[0]: line[1:3] for line in lines}
    assert status[current_interventions()[0]] == ("retired", "")
    assert status[TOBACCO] == ("current", "")


def test_a_value_set_may_take_a_whole_subtree(regenerate: ModuleType, term: Path, publish: Publish) -> None:
    publish(value_set(INTERVENTIONS, below(fsiii.FSIII_SYSTEM, "102ea764-d2cf-4a24-979d-68c2e8d638cf")))
    lines = regenerate.subtree_lines(regenerate.read([term]), regenerate.SUBTREES[0])
    assert {line[1] for line in lines[1:]} == {"current"}


def test_guides_may_lie_in_a_folder_of_their_own(regenerate: ModuleType, term: Path, tmp_path: Path) -> None:
    guide = tmp_path / "guide"
    guide.mkdir()
    resource = value_set(INTERVENTIONS, listed(fsiii.FSIII_SYSTEM, *current_interventions()))
    (guide / "ValueSet-KLInterventionCodes119.json").write_text(json.dumps(resource), encoding="utf-8")
    assert INTERVENTIONS in regenerate.read([term, guide]).value_sets
    assert regenerate.main([str(term), str(guide), "--check"]) == 0


def test_contact_classes_come_from_hl7_and_kl(regenerate: ModuleType, term: Path, publish: Publish) -> None:
    hl7 = {"valueSet": [regenerate.ACT_ENCOUNTER_VALUE_SET]}
    kl = listed(fsiii.CARE_SOCIAL_SYSTEM, fsiii.CONTACT_PHONE, fsiii.CONTACT_SCREEN)
    publish(value_set(regenerate.GROUPS["contact_class"], hl7, kl))
    assert regenerate.main([str(term), "--check"]) == 0


def refused(regenerate: ModuleType, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as caught:
        regenerate.main([str(folder), "--check"])
    assert caught.value.code == 2
    return " ".join(capsys.readouterr().err.split())


def test_a_folder_that_is_not_there(regenerate: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no such folder" in refused(regenerate, tmp_path / "nowhere", capsys)


def test_a_folder_without_the_code_system(
    regenerate: ModuleType, publish: Publish, code_system: Json, capsys: pytest.CaptureFixture[str]
) -> None:
    text = refused(regenerate, publish(code_system), capsys)
    assert f"none of the folders holds the code system {fsiii.CARE_SOCIAL_SYSTEM}" in text


@pytest.mark.parametrize("text", ["", "{}", "[]", "\xff"])
def test_a_file_that_is_no_resource(
    regenerate: ModuleType, term: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (term / "ValueSet-broken.json").write_text(text, encoding="latin-1")
    assert "ValueSet-broken.json is no ValueSet in JSON" in refused(regenerate, term, capsys)


def test_a_new_concept_is_not_guessed_about(
    regenerate: ModuleType,
    publish: Publish,
    code_system: Json,
    care_social_system: Json,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code_system["concept"][0]["concept"].append({"code": NEW, "display": "Ny indsats"})
    text = refused(regenerate, publish(code_system, care_social_system), capsys)
    assert f"{NEW}: new in interventions_119.tsv; give the folder that holds {INTERVENTIONS}" in text


def test_a_current_concept_that_is_gone(
    regenerate: ModuleType,
    publish: Publish,
    code_system: Json,
    care_social_system: Json,
    capsys: pytest.CaptureFixture[str],
) -> None:
    gone = code_system["concept"][0]["concept"].pop()
    text = refused(regenerate, publish(code_system, care_social_system), capsys)
    assert f"{gone['code']}: current in interventions_119.tsv, not in the code system's subtree" in text


def test_an_administrative_code_that_is_gone(
    regenerate: ModuleType, term: Path, publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(value_set(SERVICE_TYPES, listed(fsiii.CARE_SOCIAL_SYSTEM, NEW)))
    assert f"members of {SERVICE_TYPES}, not in the code system" in refused(regenerate, term, capsys)


def test_legacy_keys_that_do_not_match(
    regenerate: ModuleType,
    publish: Publish,
    code_system: Json,
    care_social_system: Json,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code_system["concept"][5]["concept"].pop()
    assert "are not the same" in refused(regenerate, publish(code_system, care_social_system), capsys)


@pytest.mark.parametrize("title", ["to\tceller", " blank", "to\nlinjer", "to\u2028linjer"])
def test_a_title_that_does_not_fit_a_cell(
    regenerate: ModuleType,
    publish: Publish,
    code_system: Json,
    care_social_system: Json,
    capsys: pytest.CaptureFixture[str],
    title: str,
) -> None:
    code_system["concept"][0]["concept"][0]["display"] = title
    assert "does not fit a cell" in refused(regenerate, publish(code_system, care_social_system), capsys)


@pytest.mark.parametrize(
    "include",
    [
        {"system": fsiii.FSIII_SYSTEM},
        {"valueSet": ["http://example.org/another"]},
        {"system": fsiii.FSIII_SYSTEM, "filter": [{"property": "concept", "op": "is-a", "value": NEW}]},
        below("http://example.org/another", NEW),
        {**listed(fsiii.FSIII_SYSTEM, NEW), "valueSet": ["http://example.org/another"]},
    ],
)
def test_a_value_set_composed_in_another_way(
    regenerate: ModuleType, term: Path, publish: Publish, capsys: pytest.CaptureFixture[str], include: Json
) -> None:
    publish(value_set(INTERVENTIONS, include))
    assert "composed in a way that is not understood" in refused(regenerate, term, capsys)


def test_a_value_set_with_exclusions(
    regenerate: ModuleType, term: Path, publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(value_set(INTERVENTIONS, exclude=[listed(fsiii.FSIII_SYSTEM, TOBACCO)]))
    assert "exclude is not understood" in refused(regenerate, term, capsys)


def test_a_table_that_sources_does_not_name(regenerate: ModuleType) -> None:
    with pytest.raises(regenerate.UnusableError, match=r"SOURCES\.toml has no entry for new\.tsv"):
        regenerate.restamp("", "new.tsv", "20270101", "0" * 64)


def test_help_explains_current_and_retired(regenerate: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        regenerate.main(["--help"])
    assert "How current is told from retired" in capsys.readouterr().out
