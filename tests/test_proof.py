"""Tables, municipality file and code system proved against each other: every kind of misfit is named."""

from importlib import resources
from pathlib import Path

import msgspec
import pytest

from gateway.errors import ConfigurationError
from gateway.mapping.interpretation import Interpretation, interpretation
from gateway.municipality.model import Municipality, Route, Team, Waiver
from gateway.proof import problems, proved_municipality
from gateway.referral.model import ReferrerKind
from gateway.referral.needs import Coded

replace = msgspec.structs.replace


def test_all_is_well(municipality: Municipality) -> None:
    assert problems(municipality, interpretation()) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"routes": {}}, "the programme copd is neither in [routes] nor in not_offered of the municipality file"),
        ({"not_offered": ()}, "the programme overweight is neither in [routes] nor in not_offered"),
        (
            {"not_offered": ("overweight", "mental_wellbeing", "hest")},
            "the municipality file names the programme hest, which programmes.tsv does not have",
        ),
        ({"waivers": {"overweight": Waiver()}}, "[waivers.overweight] has no route"),
        ({"glns": ("5790009999990",)}, "glns 5790009999990: no GLN (13 digits with a GS1 check digit)"),
        ({"glns": ("579000999",)}, "glns 579000999: no GLN"),
        ({"addresses": {"012008": "5790009992030"}}, "addresses 012008: no GLN"),
        ({"teams": {"t": Team(display="T", sor="1234")}}, "teams.t.sor: no SOR id (Verhoeff check digit)"),
        ({"senders": {"079741": "gp"}}, "senders 079741: unknown kind 'gp'; one of hospital, municipal"),
    ],
)  # fmt: skip
def test_what_does_not_fit(changes: dict[str, object], problem: str, municipality: Municipality) -> None:
    found = problems(replace(municipality, **changes), interpretation())
    assert any(problem in one for one in found), found


def test_a_file_that_does_not_fit_is_refused(tmp_path: Path, municipality: Municipality) -> None:
    assert proved_municipality(None) == municipality
    text = resources.files("gateway.municipality").joinpath("ishoej.toml").read_text(encoding="utf-8")
    path = tmp_path / "municipality.toml"
    path.write_text(text.replace('"overweight", ', ""), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"GW-302 the programme overweight is neither in \[routes\] nor"):
        proved_municipality(path)


def test_the_letterheads_sor(municipality: Municipality) -> None:
    wrong = replace(municipality, letterhead=replace(municipality.letterhead, sor="543210000016005"))
    assert problems(wrong, interpretation()) == ["letterhead.sor: no SOR id (Verhoeff check digit)"]
    none = replace(municipality, letterhead=replace(municipality.letterhead, sor=""))
    assert problems(none, interpretation()) == []


def test_versions_of_our_letters(municipality: Municipality) -> None:
    versions = {"5790009992011": "XD1531L", "5790009992028": "XD1532L"}
    letters = {"5790009992011": "XD9135L", "5790009992028": "XD1531L"}
    told = replace(municipality, versions=replace(municipality.versions, xdis15=versions, xdis91=letters))
    assert problems(told, interpretation()) == [
        "versions.xdis15.5790009992028: unknown version 'XD1532L'; one of XD1530L, XD1531L",
        "versions.xdis91.5790009992028: unknown version 'XD1531L'; one of XD9134L, XD9135L",
    ]


def test_a_group_without_a_programme(municipality: Municipality) -> None:
    tables: Interpretation = interpretation()
    fewer = {group: row for group, row in tables.programmes.items() if group != "copd"}
    found = problems(municipality, replace(tables, programmes=fewer))
    assert "diagnoses.tsv DX-SKS-DJ44: the group copd has no programme in programmes.tsv" in found
    assert "diagnoses.tsv DX-SKS-DJ43: the group copd has no programme in programmes.tsv" not in found
    assert "the municipality file names the programme copd, which programmes.tsv does not have" in found


def test_a_first_intervention_that_is_no_current_code(municipality: Municipality) -> None:
    tables = interpretation()
    copd = tables.programmes["copd"]
    plan = replace(copd.plan, first=Coded(code="hest", display="Hest"))
    changed = replace(tables, programmes={**tables.programmes, "copd": replace(copd, plan=plan)})
    assert problems(municipality, changed) == [
        "programmes.tsv copd: the first intervention is no current FSIII §119 code"
    ]


def test_senders_of_every_kind(municipality: Municipality) -> None:
    senders = {kind.value: kind.value for kind in ReferrerKind}
    assert problems(replace(municipality, senders=senders), interpretation()) == []


def test_a_programme_may_have_several_flags(municipality: Municipality) -> None:
    routes = {**municipality.routes, "copd": Route(team="sundhedskonsulenter", flags=("A", "B"))}
    assert problems(replace(municipality, routes=routes), interpretation()) == []
