"""The tables against KL's published files and the reference lists made from them; skipped where those are absent."""

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType

import pytest

import fsiii

Concepts = Callable[[], Mapping[str, fsiii.Intervention] | Mapping[str, fsiii.Condition]]

PACKAGE = Path(fsiii.__file__).parent
VALUE_SETS = {
    "CancellationTypes": "stop_reason",
    "CarePlanCategories119": "plan_category",
    "DeliveryTypes119": "delivery_type",
    "EncounterClassCodes": "contact_class",
    "ServiceTypes119": "service_type",
}


def reference(shared: Path, name: str) -> list[dict[str, str]]:
    with (shared / "data" / "codes" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def published(shared: Path) -> list[str]:
    kl = shared / "data" / "kl"
    return [str(kl / "term-2.3.0"), str(kl / "prevention-2.1.1" / "definitions")]


def test_regenerated_byte_for_byte(regenerate: ModuleType, shared: Path, tmp_path: Path) -> None:
    assert regenerate.main([*published(shared), "--into", str(tmp_path)]) == 0
    for path in (*PACKAGE.glob("data/*.tsv"), PACKAGE / "SOURCES.toml"):
        assert (tmp_path / path.relative_to(PACKAGE)).read_bytes() == path.read_bytes()


def test_check_against_the_published_files(
    regenerate: ModuleType, shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert regenerate.main([*published(shared), "--check"]) == 0
    assert capsys.readouterr().out == "the tables are as published\n"


def test_without_the_guide_the_committed_status_stands(regenerate: ModuleType, shared: Path) -> None:
    assert regenerate.main([published(shared)[0], "--check"]) == 0


@pytest.mark.parametrize(
    ("table", "name", "level"),
    [
        (fsiii.interventions_119, "fsiii_119_indsatser.csv", "1"),
        (fsiii.conditions_119, "fsiii_119_tilstande.csv", "2"),
        (fsiii.interventions_140, "fsiii_140_indsatser.csv", "1"),
        (fsiii.conditions_140, "fsiii_140_tilstande.csv", "2"),
    ],
)
def test_interventions_and_conditions(table: Concepts, name: str, level: str, shared: Path) -> None:
    expected = {
        row["code"]: (row["display"], row["allowed_in_gateway_ig"] == "no")
        for row in reference(shared, name)
        if row["level"] == level
    }
    assert {code: (row.display, row.retired) for code, row in table().items()} == expected


@pytest.mark.parametrize(
    ("table", "name"),
    [(fsiii.conditions_119, "fsiii_119_tilstande.csv"), (fsiii.conditions_140, "fsiii_140_tilstande.csv")],
)
def test_areas(table: Callable[[], Mapping[str, fsiii.Condition]], name: str, shared: Path) -> None:
    rows = {row["code"]: row for row in reference(shared, name)}
    for code, row in table().items():
        assert (row.area, row.area_display) == (rows[code]["parent_code"], rows[code]["parent_display"])
        assert rows[row.area]["display"] == row.area_display


def test_referred_from(shared: Path) -> None:
    rows = reference(shared, "fsiii_henvendelse_henvisning_fra.csv")
    assert {row["code"]: (row["legacy_key"], row["display"]) for row in rows} == {
        code: (row.key, row.display) for code, row in fsiii.referred_from().items()
    }


@pytest.mark.parametrize(("value_set", "group"), VALUE_SETS.items())
def test_administrative_codes(value_set: str, group: fsiii.CareSocialGroup, shared: Path) -> None:
    rows = reference(shared, "prevention_ig_value_sets_expanded.csv")
    expected = {
        (row["system"], row["code"], row["display"]) for row in rows if row["value_set"].endswith(f"/{value_set}")
    }
    codes: Mapping[str, fsiii.CareSocialCode] = fsiii.care_social_codes(group)
    assert {(row.system, row.code, row.display) for row in codes.values()} == expected


def test_no_definition_text_is_kept(shared: Path) -> None:
    cells = {
        cell
        for path in PACKAGE.glob("data/*.tsv")
        for line in path.read_text(encoding="utf-8").splitlines()
        for cell in line.split("\t")
    }
    names = ["fsiii_119_indsatser.csv", "fsiii_119_tilstande.csv", "fsiii_140_indsatser.csv", "fsiii_140_tilstande.csv"]
    definitions = {row["definition"] for name in names for row in reference(shared, name)}
    # KL defines some groupings by their own title; a title is what we do keep
    titles = {row["display"] for name in names for row in reference(shared, name)}
    assert not (definitions - titles) & cells
    assert max(len(cell) for cell in cells) < 80
