"""Our tables: each row proved, look-ups by code system and longest prefix, and what a wrong table says."""

from importlib import resources
from pathlib import Path

import msgspec
import pytest

from fsiii import condition, intervention
from gateway.errors import ConfigurationError
from gateway.mapping.interpretation import ROLES, TABLES, interpretation, load_interpretation
from gateway.mapping.weighing import needs
from gateway.municipality.model import Municipality
from gateway.referral.model import CodeSystem, Diagnosis
from tests.builders import diagnosis, icpc, referral, sks

SKS, ICPC2 = CodeSystem.SKS, CodeSystem.ICPC2


@pytest.mark.parametrize(
    ("system", "code", "row"),
    [
        (SKS, "DE119", "DX-SKS-DE11"),
        (SKS, "DE11", "DX-SKS-DE11"),
        (SKS, "DE1", None),
        (SKS, "de11.9", "DX-SKS-DE11"),
        (SKS, " DE 119 ", "DX-SKS-DE11"),
        (SKS, "DF43", "DX-SKS-DF43"),
        (SKS, "DF431", "DX-SKS-DF431"),
        (SKS, "DF4319", "DX-SKS-DF431"),
        (SKS, "DZ720", "DX-SKS-DZ720"),
        (SKS, "DZ720A", "DX-SKS-DZ720"),
        (SKS, "DZ720B", "DX-SKS-DZ720B"),
        (SKS, "D75", None),
        (ICPC2, "D75", "DX-ICPC-2-D75"),
        (SKS, "DD75", None),
        (ICPC2, "DE119", None),
        (ICPC2, "T90", "DX-ICPC-2-T90"),
        (SKS, "T90", None),
        (SKS, "", None),
    ],
)
def test_longest_prefix_in_the_code_system(system: CodeSystem, code: str, row: str | None) -> None:
    found = interpretation().diagnosis(system, code)
    assert (found.id if found else None) == row


def test_every_row_of_every_table() -> None:
    tables = interpretation()
    assert len(tables.version) == 12
    for (system, prefix), row in tables.diagnoses.items():
        assert (row.system, row.prefix) == (system, prefix)
        assert row.id == f"DX-{row.system}-{prefix}"
        assert row.role in ROLES
        assert row.source.startswith("seed 00")
        assert tables.diagnosis(row.system, prefix) is row
    for group, programme in tables.programmes.items():
        assert programme.group == group
        assert programme.source.startswith("seed 00")
        plan = programme.plan
        assert intervention(plan.first.code).display == plan.first.display
        assert all(intervention(c.code).display == c.display for c in plan.suggested)
        assert all(condition(c.code).display == c.display for c in plan.conditions)
        assert plan.direct == plan.open_access == (programme.name in {"nicotine", "alcohol"})


def test_tables_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        interpretation().programmes["x"] = None  # type: ignore[index]
    assert interpretation() is interpretation()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in TABLES:
        text = resources.files("gateway.mapping").joinpath("tables", name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_tables_of_a_folder(folder: Path) -> None:
    loaded = load_interpretation(folder)
    assert (loaded.version, loaded.diagnoses) == (interpretation().version, interpretation().diagnoses)
    changed = folder / "suggestions.tsv"
    changed.write_text(changed.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert load_interpretation(folder).version != interpretation().version


@pytest.mark.parametrize("name", TABLES)
def test_a_missing_table(name: str, folder: Path) -> None:
    (folder / name).unlink()
    with pytest.raises(ConfigurationError, match=rf"GW-303 table missing: .*{name}"):
        load_interpretation(folder)


def test_an_unknown_role(folder: Path) -> None:
    table = folder / "diagnoses.tsv"
    table.write_text(table.read_text(encoding="utf-8").replace("\treview\t", "\thest\t", 1), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"GW-303 diagnoses.tsv DX-ICPC-2-A21: unknown role 'hest'"):
        load_interpretation(folder)


# ------------------------------------------------------------------ needs
def test_what_the_municipality_does_not_route_is_not_offered() -> None:
    found = needs(referral(diagnoses=sks("DJ449", "DE119")), interpretation(), {"diabetes_2"})
    assert [p.name for p in found.programmes] == ["diabetes_2"]
    assert [(f.name, f.evidence) for f in found.not_offered] == [("copd", "SKS DJ449")]


def test_the_first_code_of_a_programme_is_its_evidence(municipality: Municipality) -> None:
    found = needs(referral(diagnoses=(*icpc("T90"), *sks("DE119"))), interpretation(), municipality.offered)
    (programme,) = found.programmes
    assert programme.by_code
    assert (programme.finding.rule, programme.finding.evidence) == ("DX-ICPC-2-T90", "ICPC-2 T90")
    assert found.tables == interpretation().version


def test_a_code_of_no_table_and_a_code_of_no_system(municipality: Municipality) -> None:
    found = needs(referral(diagnoses=sks("DQ999", "DI639")), interpretation(), municipality.offered)
    assert [(f.rule, f.evidence, f.source) for f in found.unknown_codes] == [
        ("DX-UNKNOWN", "SKS DQ999", "decision.md §4")
    ]
    assert [(f.name, f.rule) for f in found.other_chronic] == [("OTHER_CHRONIC", "DX-SKS-DI63")]
    original = referral()
    foreign = Diagnosis(system=None, code="73211009", text="Diabetes", main=True)
    changed = msgspec.structs.replace(original, diagnoses=(foreign,))
    found = needs(changed, interpretation(), municipality.offered)
    assert [f.evidence for f in found.unknown_codes] == ["ukendt kodesystem 73211009"]


def test_text_only_is_no_code(municipality: Municipality) -> None:
    told = referral(diagnoses=(diagnosis("DE119", "uspecificeretkode", "Type 2-diabetes"),))
    assert told.diagnoses[0].code is None
    assert told.diagnoses[0].system is None
