"""Every row of every table is proved."""

import re
from collections import Counter
from importlib.resources import files

import pytest

import fsiii

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
HEADERS = {
    "care_social_codes.tsv": ["group", "system", "code", "display"],
    "conditions_119.tsv": ["code", "status", "successor", "area", "area_display", "display"],
    "conditions_140.tsv": ["code", "status", "successor", "area", "area_display", "display"],
    "interventions_119.tsv": ["code", "status", "successor", "display"],
    "interventions_140.tsv": ["code", "status", "successor", "display"],
    "referred_from.tsv": ["code", "key", "display"],
}
CONCEPTS = ["conditions_119.tsv", "conditions_140.tsv", "interventions_119.tsv", "interventions_140.tsv"]
CONDITIONS = ["conditions_119.tsv", "conditions_140.tsv"]


def read(table: str) -> str:
    return files("fsiii").joinpath("data", table).read_bytes().decode("utf-8")


def rows(table: str) -> list[dict[str, str]]:
    lines = [line.split("\t") for line in read(table).removesuffix("\n").split("\n")]
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


def test_the_tables_are_the_files() -> None:
    assert list(fsiii.tables()) == sorted(path.name for path in files("fsiii").joinpath("data").iterdir())
    assert list(fsiii.tables()) == sorted(HEADERS)


@pytest.mark.parametrize("table", fsiii.tables())
def test_layout(table: str) -> None:
    text = read(table)
    lines = text.split("\n")
    assert "\r" not in text
    assert lines.pop() == "", "the last line ends with LF"
    assert lines[0].split("\t") == HEADERS[table]
    assert lines[1:] == sorted(lines[1:], key=lambda line: line.split("\t"))
    assert all(len(line.split("\t")) == len(HEADERS[table]) for line in lines)


@pytest.mark.parametrize("table", fsiii.tables())
def test_titles_are_filled_and_trimmed(table: str) -> None:
    for row in rows(table):
        assert row["display"]
        assert all(cell == cell.strip() and cell.isprintable() for cell in row.values())


@pytest.mark.parametrize("table", fsiii.tables())
def test_codes_are_lower_case_uuids(table: str) -> None:
    # HL7's contact classes are words; everything of KL's is a UUID
    for row in rows(table):
        if row.get("system") != fsiii.ACT_ENCOUNTER_SYSTEM:
            assert UUID.fullmatch(row["code"]), row


def test_no_code_stands_twice_in_all_the_tables() -> None:
    codes = Counter(row["code"] for table in fsiii.tables() for row in rows(table))
    assert [code for code, times in codes.items() if times > 1] == []


@pytest.mark.parametrize("table", CONCEPTS)
def test_status_and_successor(table: str) -> None:
    by_code = {row["code"]: row for row in rows(table)}
    for row in by_code.values():
        assert row["status"] in {"current", "retired"}
        if row["successor"]:
            assert row["status"] == "retired"
            assert by_code[row["successor"]]["status"] == "current"


@pytest.mark.parametrize("table", CONCEPTS)
def test_current_titles_are_unique(table: str) -> None:
    # a title may return within an area (§140 "Spise og drikke"), but then the older one is retired
    current = Counter(row["display"] for row in rows(table) if row["status"] == "current")
    assert max(current.values()) == 1


@pytest.mark.parametrize("table", CONDITIONS)
def test_areas(table: str) -> None:
    areas = {(row["area"], row["area_display"]) for row in rows(table)}
    codes = {row["code"] for name in fsiii.tables() for row in rows(name)}
    assert all(UUID.fullmatch(area) and display for area, display in areas)
    assert len({area for area, _ in areas}) == len({display for _, display in areas}) == len(areas)
    assert not {area for area, _ in areas} & codes, "an area is no condition"


@pytest.mark.parametrize(
    ("table", "current", "retired"),
    [
        ("interventions_119.tsv", 14, 1),
        ("conditions_119.tsv", 20, 1),
        ("interventions_140.tsv", 10, 0),
        ("conditions_140.tsv", 17, 33),
    ],
)
def test_how_many(table: str, current: int, retired: int) -> None:
    status = Counter(row["status"] for row in rows(table))
    assert (status["current"], status["retired"]) == (current, retired)


def test_how_many_conditions_in_each_area_of_119() -> None:
    areas = Counter(row["area_display"] for row in rows("conditions_119.tsv") if row["status"] == "current")
    assert areas == {"Kroppen": 8, "Sundhedsadfærd": 6, "Mental sundhed": 4, "Hverdagsliv": 2}


def test_how_many_administrative_codes() -> None:
    groups = Counter(row["group"] for row in rows("care_social_codes.tsv"))
    assert groups == {
        "contact_class": 13,
        "delivery_type": 4,
        "plan_category": 2,
        "service_type": 1,
        "stop_reason": 9,
    }


def test_systems() -> None:
    systems = Counter(row["system"] for row in rows("care_social_codes.tsv"))
    assert systems == {fsiii.CARE_SOCIAL_SYSTEM: 18, fsiii.ACT_ENCOUNTER_SYSTEM: 11}


def test_keys_of_referred_from() -> None:
    assert sorted(row["key"] for row in rows("referred_from.tsv")) == sorted(f"A{number}" for number in range(1, 16))


def test_kls_typo_is_kept() -> None:
    assert fsiii.condition("43ad3091-f684-4d6f-8885-20ecd1cf2255").display == "Kropspfattelse"
