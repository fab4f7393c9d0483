"""Another municipality is a file: other teams, other offers, no line of code."""

from pathlib import Path

import msgspec
import pytest

from gateway.municipality.model import Municipality
from gateway.proof import proved_municipality
from gateway.referral.decide import Decision
from tests.cases.cases import CaseDiagnosis, Home, LabelledCase, all_cases, decided


@pytest.fixture(scope="module")
def nordby() -> Municipality:
    """Proved like any other at the start of the service."""
    return proved_municipality(Path(__file__).with_name("nordby.toml"))


def case(code: str, text: str = "Henvises.", postcode: str = "9999") -> LabelledCase:
    """A referral of a citizen of Nordby with one SKS diagnosis."""
    diagnosis = CaseDiagnosis(system="SKS", code=code, text="Diagnose", kind="main")
    home = Home(postcode=postcode, municipality_code=None)
    return msgspec.structs.replace(
        all_cases()[0],
        carrier="XREF15-XH1530R",
        referrer="practice",
        priority=None,
        diagnoses=(diagnosis,),
        text=text,
        observations=(),
        patient=home,
    )


def teams(decision: Decision) -> set[str]:
    return {assignment.team for assignment in decision.assignments}


@pytest.mark.parametrize(("code", "team"), [("DE119", "livsstil"), ("DJ449", "ryg"), ("DM545", "ryg")])
def test_its_own_teams(nordby: Municipality, code: str, team: str) -> None:
    found = decided(case(code), nordby)
    assert (found.outcome, teams(found)) == ("accepted", {team})


@pytest.mark.parametrize(("code", "programme"), [("DE669", "overweight"), ("DZ733", "mental_wellbeing")])
def test_what_it_offers_and_others_do_not(nordby: Municipality, code: str, programme: str) -> None:
    found = decided(case(code), nordby)
    assert (found.outcome, found.programmes, found.reasons) == ("accepted", (programme,), ())
    ishoej = decided(case(code, postcode="2635"))
    assert (ishoej.outcome, ishoej.reasons) == ("return", ("NOT_OFFERED",))


def test_what_it_does_not_offer(nordby: Municipality) -> None:
    found = decided(case("DI259"), nordby)
    assert (found.outcome, found.programmes, found.reasons) == ("return", (), ("NOT_OFFERED",))


def test_its_neighbours_are_outside(nordby: Municipality) -> None:
    assert decided(case("DE119", postcode="2635"), nordby).reasons == ("OUTSIDE_MUNICIPALITY",)
    assert decided(case("DE119", postcode="9998"), nordby).outcome == "accepted"
