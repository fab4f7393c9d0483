"""The municipality file: Ishøj's is right, and whatever contradicts itself is refused with its place."""

from importlib import resources
from pathlib import Path

import msgspec
import pytest

from gateway.errors import ConfigurationError
from gateway.municipality.model import Municipality, inconsistencies, load
from gateway.municipality.texts import OCCASIONS, RETURN_REASONS, STEP_OCCASIONS, LetterText

BUILT_IN = resources.files("gateway.municipality").joinpath("ishoej.toml").read_text(encoding="utf-8")
replace = msgspec.structs.replace


def written(folder: Path, old: str, new: str) -> Path:
    assert old in BUILT_IN, old
    path = folder / "municipality.toml"
    path.write_text(BUILT_IN.replace(old, new, 1), encoding="utf-8")
    return path


def test_the_built_in_file(municipality: Municipality) -> None:
    assert inconsistencies(municipality) == []
    assert municipality == load()
    assert municipality.version_label == f"Ishøj Kommune {municipality.version}"
    assert municipality.glns == ("5790009999997",)
    diabetes = {"diabetes_2", "diabetes_secondary", "prediabetes"}
    assert municipality.offered == {*diabetes, "alcohol", "cancer", "copd", "heart", "low_back", "nicotine"}
    assert municipality.waivers["heart"].postcodes == ("2620",)
    assert set(OCCASIONS) <= set(municipality.letters) <= {*OCCASIONS, *STEP_OCCASIONS}
    assert set(municipality.offers) == municipality.offered
    assert set(municipality.returns) == set(RETURN_REASONS)


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    other = load(written(tmp_path, 'name = "Ishøj Kommune"', 'name = "Prøveby Kommune"'))
    assert other.name == "Prøveby Kommune"


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('code = "0183"', "", "missing required field `code`"),
        ('code = "0183"', "code = 183", "$.code"),
        ('code = "0183"', 'code = "0183"\nfarve = "grøn"', "unknown field `farve`"),
        ("[teams.sundhedskonsulenter]", "[teams.sundhedskonsulenter]\nfarve = 1", "$.teams[...]"),
        ("respond_days = 14", 'respond_days = "14"', "$.clocks.respond_days"),
        ("[review]", "[review", "line"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, old: str, new: str, place: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        load(written(tmp_path, old, new))
    assert raised.value.id == "GW-302"
    assert "municipality.toml" in str(raised.value)
    assert place in str(raised.value)


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"GW-302 .*absent\.toml"):
        load(tmp_path / "absent.toml")
    latin = tmp_path / "latin.toml"
    latin.write_bytes(BUILT_IN.encode("iso-8859-1"))
    with pytest.raises(ConfigurationError, match=r"GW-302 .*latin\.toml"):
        load(latin)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('cancer = { team = "sund', 'cancer = { team = "hest', "routes.cancer names the unknown team 'hest"),
        ('[review]\nteam = "s', '[review]\nteam = "x', "review.team names the unknown team"),
        ('section_140_team = "g', 'section_140_team = "x', "review.section_140_team names the unknown team"),
        ('gln = "5790009999997"', 'gln = "5790009992011"', "letterhead.gln is not among glns"),
        ('["overweight",', '["cancer", "overweight",', "cancer is both routed and not offered"),
        ('vans = "vans"', 'vans = "none"', "receipts.vans must be 'vans' or 'both'"),
        ('identifier_code = "kommunenummer"', 'identifier_code = "kommune"', "letterhead.identifier_code must be one"),
        ("[receipts]", '[forwards]\nXREF22 = "x"\n[receipts]', "forwards.XREF22 names the unknown team"),
        ("[receipts]", '[formats]\n1 = "pdf"\n[receipts]', "formats.1 must be one of edifact, fhir-json"),
        ('["06-05",', '["6-5",', "closing_days: '6-5' is no MM-DD"),
        ('["06-05",', '["02-30",', "closing_days: '02-30' is no MM-DD"),
        ("[letters.review]", "[letters.hest]", "letters.review is missing"),
        ("[letters.review]", "[letters.hest]", "letters.hest: no such occasion"),
        ("modtaget {received} og", "modtaget {recieved} og", "letters.review: unknown placeholder {recieved}"),
        ("modtaget {received} og", "modtaget {} og", "letters.review: unknown placeholder {}"),
        ("modtaget {received} og", "modtaget {received:d} og", "{received} must stand without a format"),
        ("modtaget {received} og", "modtaget {received!r} og", "{received} must stand without a format"),
        ("modtaget {received} og", "modtaget {received og", "letters.review: braces do not match"),
        ('"Henvisning modtaget"', '"Modtaget {received}"', "letters.review: unknown placeholder {received}"),
        ('"Henvisning modtaget"', f'"{"m" * 71}"', "letters.review: the subject is longer than 70 characters"),
        ("Borgeren er visiteret", "Borgeren er bevilget", "letters.accepted: a gateway never says that"),
        ('to = ["referrer", "copy"]', 'to = ["læge", "referrer"]', "letters.discharge: to: 'læge' is neither"),
        ('to = ["referrer", "copy"]', 'to = ["copy"]', "letters.discharge: to: the referrer must get this letter"),
        ("{courses}", "", "letters.discharge: the text must hold {courses}"),
        ("er visiteret til {interventions},", "er visiteret,", "letters.accepted: the text must hold {interventions}"),
        ("[letters.withdrawn]", "[letters.talk_booked]", "letters.talk_booked: unknown placeholder {told}"),
        ('heart = """\n', 'hjerte = """\n', "offers.heart is missing"),
        ('heart = """\n', 'hjerte = """\n', "offers.hjerte has no route"),
        ('heart = """\n', 'heart = """\n{note}', "offers.heart: unknown placeholder {note}"),
        ('heart = """\n', f"heart = \"\"\"\n{'x' * 2000}", "offers.heart: longer than 2000 characters"),
        ("NOT_OFFERED =", "NOT_OFERED =", "returns.NOT_OFFERED is missing"),
        ("NOT_OFFERED =", "NOT_OFERED =", "returns.NOT_OFERED: no such reason"),
        ("til ({evidence})", "til ({bevis})", "returns.NOT_OFFERED: unknown placeholder {bevis}"),
    ],
)  # fmt: skip
def test_what_contradicts_itself(tmp_path: Path, old: str, new: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        load(written(tmp_path, old, new))
    assert raised.value.id == "GW-302"
    assert problem in str(raised.value)


def test_all_problems_are_named_at_once(municipality: Municipality) -> None:
    broken = replace(municipality, letters={}, returns={}, routes={}, glns=())
    problems = inconsistencies(broken)
    without_route = len(municipality.offers)
    assert len(problems) == 1 + len(OCCASIONS) + len(RETURN_REASONS) + without_route


def test_every_occasion_may_use_its_placeholders(municipality: Municipality) -> None:
    for name, allowed in {**OCCASIONS, **STEP_OCCASIONS}.items():
        words = LetterText(subject="Emne", text=" ".join(f"{{{field}}}" for field in sorted(allowed)))
        assert inconsistencies(replace(municipality, letters={**municipality.letters, name: words})) == []


@pytest.mark.parametrize(
    ("programme", "code", "postcode", "waived"),
    [
        ("heart", "0165", None, True),
        ("heart", "0165", "9999", True),
        ("heart", "0461", "2620", False),
        ("heart", None, "2620", True),
        ("heart", None, "2630", False),
        ("heart", None, None, False),
        ("nicotine", None, "2630", True),
        ("copd", "0165", "2620", False),
    ],
)
def test_waivers(
    programme: str, code: str | None, postcode: str | None, *, waived: bool, municipality: Municipality
) -> None:
    assert municipality.waives(programme, code, postcode) is waived
