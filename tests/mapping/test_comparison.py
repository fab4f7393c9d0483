"""Which decisions a change of rules changes; and small corners of the evidence that no labelled case reaches."""

import msgspec

from gateway.mapping.comparison import Rules, compare
from gateway.mapping.interpretation import interpretation
from gateway.municipality.model import Municipality
from tests.cases.cases import all_cases, decided, referral_of, retold


def by_code(code: str):  # noqa: ANN201  (a labelled case)
    return next(c for c in all_cases() if [d.code for d in c.diagnoses] == [code])


def test_a_route_to_another_team_is_told(municipality: Municipality) -> None:
    given = [(c.id, referral_of(c), c.received) for c in (by_code("DJ449"), by_code("DM545"))]
    tables = interpretation()
    before = Rules(tables=tables, municipality=municipality)
    moved = {**municipality.routes, "low_back": municipality.routes["copd"]}
    after = Rules(tables=tables, municipality=msgspec.structs.replace(municipality, routes=moved))
    assert compare(given, before, before).changes == ()
    found = compare(given, before, after)
    assert found.summary.startswith("1 af 2 henvisninger skifter team; ")
    assert [change.name for change in found.changes] == [given[1][0]]
    assert found.changes[0].fields["teams"] == ("genoptraening-ishoej", "sundhedskonsulenter")


def test_a_suspicion_of_dependence_is_no_dependence() -> None:
    found = decided(retold(by_code("P15"), "Mistanke om alkoholafhængighed. Ønsker samtale om alkohol."))
    assert "ALCOHOL_DEPENDENCE" not in found.reasons


def test_an_unknown_code_is_no_risk_factor_and_a_limit_no_value() -> None:
    given = by_code("DR730")
    (main,) = given.diagnoses
    other = msgspec.structs.replace(main, code="DL031", kind="additional")
    text = "HbA1c 45 mmol/mol. BMI under 39."
    found = decided(msgspec.structs.replace(given, diagnoses=(main, other), text=text, observations=()))
    assert "RISK_FACTOR_MISSING" in found.reasons
    assert "ALSO_UNKNOWN_CODE" in found.flags
