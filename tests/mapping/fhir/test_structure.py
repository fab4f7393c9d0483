"""Strict structure: the models of fhir.resources as oracle over mutants, and what we check beyond them."""

import re
from copy import deepcopy
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

from gateway.errors import FAULTS, Fault
from gateway.mapping.fhir.structure import DEEPEST, structure_fault
from tests.fhir_messages import (
    LOINC,
    NPU,
    SKS,
    SOR,
    Json,
    bundle,
    coded,
    condition,
    header,
    identifier,
    observation,
    organization,
    patient,
    referral,
    request,
)
from tests.mapping.fhir.mutation import mutant

RICH = referral(
    condition(0, coded(SKS, "DE119", "Type 2-diabetes"), "confirmed"),
    observation(0, coded(LOINC, "59261-8"), 45),
    observation(
        1, coded(NPU, "NPU27300"), None, valueString="x", component=[{"code": {"text": "c"}, "valueInteger": 3}]
    ),
    patient=patient(
        birthDate="1965-03-12",
        _birthDate={"extension": [{"url": "urn:t", "valueDateTime": "1965-03-12T10:00:00+01:00"}]},
        gender="male",
        multipleBirthInteger=2,
        deceasedBoolean=False,
        photo=[{"contentType": "image/png", "data": "YQ==", "size": 1, "url": "https://a.example/b"}],
        generalPractitioner=[{"identifier": identifier(SOR, "123450000001005")}],
        contact=[{"relationship": [{"text": "ven"}], "name": {"family": "Prøve", "_given": [{"id": "g"}]}}],
    ),
)
SHARDS, IN_EACH = 5, 500
#: rules of ours that the models do not have, and what each must have found at its place
BEYOND = {
    "liste med indhold ventet": lambda found: found in (None, []),
    "objekt med indhold ventet": lambda found: found in (None, {}),
    "ukendt element": lambda found: {"resourceType", "fhir_comments"} & set(found),
    "tom plads": lambda found: None in found,
    "listerne er ikke lige lange": lambda _: True,
    "ressource ventet": lambda found: found is None,
    "boolean": lambda found: found is None or type(found) is not bool,
    "integer": lambda found: found is None or type(found) is not int,
    "unsignedInt": lambda found: found is None or type(found) is not int,
    "positiveInt": lambda found: found is None or type(found) is not int,
    "decimal": lambda found: found is None or isinstance(found, str),
    "resourceType": lambda found: "resourceType" not in found,
    **{name: lambda found: found is None or type(found) is not str for name in ("date", "dateTime", "instant", "time")},
    **{name: lambda found: found is None or not re.fullmatch(r"\S+", found) for name in ("uri", "url", "canonical")},
    **{name: lambda found: found is None for name in ("id", "base64Binary")},
    **{name: lambda found: found is None or not found.strip() for name in ("string", "xhtml", "markdown")},
}


def is_valid(value: Json) -> bool:
    """What the models say. They raise other errors than their own on some input."""
    try:
        Bundle.model_validate(deepcopy(value))
    except Exception:  # noqa: BLE001  (the oracle's verdict is what counts, however it is told)
        return False
    return True


def at(value: Any, place: str) -> Any:  # noqa: ANN401  (any JSON)
    """What stands at ``entry[4].resource.gender``."""
    for name, number in re.findall(r"(\w+)|\[(\d+)\]", place):
        value = value[name] if name else value[int(number)]
    return value


def is_beyond(fault: Fault, value: Json) -> bool:
    """Whether the models' silence is explained: the rule is one that they do not have."""
    if fault.id in {"GW-127", "GW-149"}:
        return True
    place, _, rule = fault.detail.strip("()").rpartition(": ")
    found = at(value, place)
    return bool(BEYOND[rule](found) or (rule == "code" and found is None))


def test_the_rich_message_is_good() -> None:
    assert structure_fault(RICH) is None
    assert is_valid(RICH)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_the_same_verdict_as_the_models_on_mutants(shard: int) -> None:
    refused = agreed = 0
    for seed in range(shard * IN_EACH, (shard + 1) * IN_EACH):
        value = mutant(seed, RICH)
        fault, valid = structure_fault(value), is_valid(value)
        if fault is None:
            assert valid, f"seed {seed}: the models refuse what we accept"
        elif valid:
            assert is_beyond(fault, value), f"seed {seed}: {fault.detail}"
        refused += fault is not None
        agreed += (fault is None) == valid
    assert IN_EACH // 2 < refused < IN_EACH
    assert agreed > IN_EACH * 0.85


def with_patient(**more: object) -> Json:
    return bundle(header(), patient(**more))


NAMED = "(entry[1].resource.name[0].family: string)"
WRONG = [
    ("no resource at all", [], "GW-125", "(ressource ventet)"),
    ("no type", {"id": "x"}, "GW-129", "(resourceType)"),
    ("an unknown type", {"resourceType": "Hest"}, "GW-129", "(resourceType)"),
    ("an abstract type", {"resourceType": "DomainResource"}, "GW-129", "(resourceType)"),
    (
        "an unknown type inside",
        bundle({"resourceType": "Hest", "id": "x"}),
        "GW-129",
        "(entry[0].resource: resourceType)",
    ),
    ("an unknown element", with_patient(hest=1), "GW-125", "(entry[1].resource: ukendt element)"),
    ("an element missing", bundle(request(subject=None)), "GW-125", "(entry[0].resource.subject: mangler)"),
    ("a choice missing", bundle(header(eventCoding=None)), "GW-125", "(entry[0].resource.event[x]: mangler)"),
    ("null", with_patient(gender=[None]), "GW-126", "(entry[1].resource.gender: code)"),
    (
        "an empty list",
        bundle(organization(identifier=[])),
        "GW-125",
        "(entry[0].resource.identifier: liste med indhold ventet)",
    ),
    (
        "one for many",
        with_patient(name={"family": "x"}),
        "GW-125",
        "(entry[1].resource.name: liste med indhold ventet)",
    ),
    ("many for one", with_patient(gender=["male"]), "GW-126", "(entry[1].resource.gender: code)"),
    ("a required code", with_patient(gender="hest"), "GW-127", "(entry[1].resource.gender: code)"),
    (
        "a number as text",
        with_patient(multipleBirthInteger="2"),
        "GW-126",
        "(entry[1].resource.multipleBirthInteger: integer)",
    ),
    ("a truth as text", with_patient(active="true"), "GW-126", "(entry[1].resource.active: boolean)"),
    (
        "two of a choice",
        with_patient(deceasedBoolean=True, deceasedDateTime="2026-01-01"),
        "GW-125",
        "(entry[1].resource.deceased[x]: kun én type ad gangen)",
    ),
    (
        "a time without zone",
        bundle(request(authoredOn="2026-11-16T09:10:00")),
        "GW-128",
        "(entry[0].resource.authoredOn: dateTime)",
    ),
    ("30 February", with_patient(birthDate="2026-02-30"), "GW-128", "(entry[1].resource.birthDate: date)"),
    ("a control character", with_patient(name=[{"family": "a\0b"}]), "GW-126", NAMED),
    ("half a surrogate", with_patient(name=[{"family": "a\ud800b"}]), "GW-126", NAMED),
    (
        "a number beyond all",
        bundle(observation(0, {"text": "x"}, float("inf"))),
        "GW-126",
        "(entry[0].resource.valueQuantity.value: decimal)",
    ),
    ("no base64", with_patient(photo=[{"data": "YQ="}]), "GW-126", "(entry[1].resource.photo[0].data: base64Binary)"),
    (
        "a modifier",
        with_patient(modifierExtension=[{"url": "urn:not", "valueBoolean": True}]),
        "GW-149",
        "(entry[1].resource.modifierExtension: kendes ikke her)",
    ),
    (
        "rules of their own",
        with_patient(implicitRules="urn:rules"),
        "GW-149",
        "(entry[1].resource.implicitRules: kendes ikke her)",
    ),
    (
        "a place without value",
        with_patient(name=[{"given": ["a", None]}]),
        "GW-125",
        "(entry[1].resource.name[0].given: tom plads)",
    ),
    (
        "lists of two lengths",
        with_patient(name=[{"given": ["a", "b"], "_given": [{"id": "x"}]}]),
        "GW-125",
        "(entry[1].resource.name[0].given: listerne er ikke lige lange)",
    ),
    (
        "an extension for nothing",
        with_patient(name=[{"_given": [None]}]),
        "GW-125",
        "(entry[1].resource.name[0].given: tom plads)",
    ),
    ("an id that is too long", with_patient(id="A" * 65), "GW-126", "(entry[1].resource.id: id)"),
]


@pytest.mark.parametrize(("value", "fault_id", "detail"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_what_is_wrong_is_named_with_its_place(value: object, fault_id: str, detail: str) -> None:
    fault = structure_fault(value)
    assert fault is not None
    assert (fault.id, fault.detail) == (fault_id, detail)
    assert fault_id in FAULTS


def test_an_extension_may_say_why_a_required_value_is_absent() -> None:
    absent = {
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}]
    }
    told = without(request(), "status") | {"_status": absent}
    assert structure_fault(bundle(told)) is None
    assert structure_fault(bundle(without(request(), "status"))) is not None
    assert structure_fault(bundle(without(request(), "status") | {"_status": {"id": "x"}})) is not None


def without(value: Json, name: str) -> Json:
    return {key: item for key, item in value.items() if key != name}


def test_values_and_extensions_side_by_side() -> None:
    names = [
        {"given": ["a", None], "_given": [None, {"id": "b"}]},
        {"_given": [{"id": "c"}]},
        {"given": ["d"], "_given": [{"id": "d"}]},
    ]
    assert structure_fault(with_patient(name=names)) is None


def test_nested_too_deep_however_deep() -> None:
    for depth in (DEEPEST, 200):
        value: Json = {"url": "urn:x", "valueString": "x"}
        for _ in range(depth):
            value = {"url": "urn:x", "extension": [value]}
        fault = structure_fault(with_patient(extension=[value]))
        assert fault is not None
        assert fault.id == "GW-125"
        assert fault.detail.endswith("extension[0]: for dybt indlejret)")
        assert len(fault.detail) < 150
