"""Labelled referrals, written by people who had not seen the engine: each must be decided exactly as labelled."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from gateway.mapping.decision_json import decision_json
from gateway.mapping.medcom.formatted_text import render
from gateway.mapping.prose.lines import flowing
from gateway.municipality.model import Municipality
from tests.builders import diagnosis, emessage, handle, xref15
from tests.cases.cases import (
    FILES,
    IDENTIFIERS,
    LabelledCase,
    View,
    all_cases,
    dangers,
    decided,
    difference,
    read_cases,
    view,
)

CASES = all_cases()
BY_XREF15 = [case for case in CASES if case.carrier.startswith("XREF15")]
TYPES = {"SKS": "SKSdiagnosekode", "ICPC2": "ICPCkode", None: "uspecificeretkode"}
#: labels of the shared set that contradict decision.md, which stands where they differ
CONTRADICTIONS = {
    "open-093": "FHIR priority urgent leads to URGENT (§4), with or without a sign in the text",
    "open-106": "an HbA1c of 42 or more and no programme makes rule P apply, a wish for diet does not hinder (§5)",
}


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_decided_as_labelled(case: LabelledCase, municipality: Municipality) -> None:
    found = view(decided(case, municipality))
    assert found == case.expected, difference(case, found)


def test_no_dangerous_error(municipality: Municipality) -> None:
    judged = {case.id: dangers(case.expected, view(decided(case, municipality))) for case in CASES}
    assert len(judged) > 1000
    assert {case: found for case, found in judged.items() if found} == {}


def test_every_decision_shows_its_why_and_quotes_what_was_written() -> None:
    """decision.md §8: rule, evidence and source for each programme, assignment, reason and flag."""
    for case in CASES:
        decision = decided(case)
        shown = {*decision.programmes, *decision.reasons, *decision.flags, *(a.team for a in decision.assignments)}
        assert shown <= {why.name for why in decision.why}, case.id
        assert all(why.rule and why.evidence and why.source for why in decision.why), case.id
        texts = [case.text, *(d.text for d in case.diagnoses), *(o.text for o in case.observations)]
        written = " ".join(" ".join(flowing(text) for text in texts).split())
        quotes = [q for why in decision.why for q in re.findall(r"«([^«»]*)» \((?:Anam|Diag|Obs)", why.evidence)]
        assert [quote for quote in quotes if quote not in written] == [], case.id


def test_what_is_dangerous() -> None:
    """Each kind is told by name, for one decision changed in one way."""
    case = next(c for c in CASES if c.expected.outcome == "review" and c.expected.programmes == ("copd",))
    wrongs: dict[str, dict[str, object]] = {
        "accepted though a person should look": {"outcome": "accepted"},
        "returned though a person should look": {"outcome": "return"},
        "programme missed": {"programmes": ()},
        "wrong team": {"assignments": ()},
    }
    for name, wrong in wrongs.items():
        assert dangers(case.expected, msgspec.structs.replace(case.expected, **wrong)) == [name]
    urgent = next(c.expected for c in CASES if "URGENT" in c.expected.reasons)
    assert dangers(urgent, msgspec.structs.replace(urgent, reasons=())) == ["sign of danger missed"]
    assert dangers(urgent, urgent) == []


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_no_file_is_empty_or_has_an_id_twice(file: Path) -> None:
    ids = [case.id for case in read_cases(file)]
    assert ids
    assert sorted(set(ids)) == sorted(ids)


def test_no_two_files_share_an_id() -> None:
    assert len({case.id for case in CASES}) == len(CASES)


def test_labels_are_sorted_so_that_they_compare() -> None:
    unsorted = [
        case.id
        for case in CASES
        for part in ("programmes", "assignments", "reasons", "flags")
        if list(getattr(case.expected, part)) != sorted(set(getattr(case.expected, part)))
    ]
    assert unsorted == []


@pytest.mark.parametrize("case", BY_XREF15[::10], ids=[case.id for case in BY_XREF15[::10]])
def test_the_same_decision_through_the_carrier(case: LabelledCase) -> None:
    """Written as XREF15, read and received as a message from the network."""
    assert view_of_message(case) == view(decided(case))


def view_of_message(case: LabelledCase) -> View:
    code, identifier = IDENTIFIERS[case.referrer]
    version = case.carrier.removeprefix("XREF15-")
    given = sorted(case.diagnoses, key=lambda d: d.kind != "main")
    letter = xref15(
        version=version,
        authorised=f"{case.received:%Y-%m-%dT%H:%M}",
        sender_id=identifier,
        sender_code=code,
        postcode=case.patient.postcode,
        diagnoses=tuple(diagnosis(d.code, TYPES[d.system], render(d.text)) for d in given),
        text=render(case.text),
    )
    outcome = handle(emessage(letter, version=version, sent=f"{case.received:%Y-%m-%dT%H:%M}"), at=case.received)
    (received,) = outcome.letters
    assert received.decision is not None, outcome.parked
    return view(received.decision)


@pytest.fixture
def score(shared: Path) -> ModuleType:
    """The reference data's own way to compare, and its definition of danger."""
    path = shared / "data" / "cases" / "score.py"
    spec = importlib.util.spec_from_file_location("score", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_shared_cases_but_for_two_labels_that_contradict_the_decision_page(
    shared: Path, score: ModuleType, municipality: Municipality
) -> None:
    cases = read_cases(shared / "data" / "cases" / "referrals.jsonl")
    wrong, dangerous = set(), set()
    for case in cases:
        want = score.view(msgspec.to_builtins(case.expected))
        got = score.view(decision_json(decided(case, municipality)))
        wrong |= {case.id} if want != got else set()
        dangerous |= {case.id} if score.dangers(want, got, set()) else set()
    assert len(cases) >= 134
    assert wrong <= set(CONTRADICTIONS)
    assert dangerous == set()
