"""The table of elements is what the installed models say, and reads as it should."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.mapping.fhir.elements import _lines, is_resource, shape
from gateway.mapping.fhir.primitives import PRIMITIVE_CHECKS

SCRIPT = Path(__file__).parents[3] / "scripts" / "regenerate-fhir"


def regenerate(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), *options], capture_output=True, text=True, check=False)


def test_the_table_is_what_the_models_say() -> None:
    assert os.access(SCRIPT, os.X_OK)
    done = regenerate("--check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_difference_is_told(tmp_path: Path) -> None:
    other = tmp_path / "elements.tsv"
    other.write_text("Narrative\tid:string:0..1\n", encoding="utf-8")
    done = regenerate("--check", "--into", str(other))
    assert done.returncode == 1
    assert "-Narrative\tid:string:0..1" in done.stdout
    assert "status:code[generated|extensions|additional|empty]:1..1" in done.stdout


def test_every_type_can_be_read_and_names_only_types_there_are() -> None:
    for name in _lines():
        for element in shape(name).elements.values():
            assert element.is_primitive or element.type in _lines(), f"{name}.{element.name}: {element.type}"


@pytest.mark.parametrize(
    ("type_name", "name", "told"),
    [
        ("ServiceRequest", "subject", ("Reference", True, False, None)),
        ("ServiceRequest", "reasonCode", ("CodeableConcept", False, True, None)),
        ("ServiceRequest", "occurrencePeriod", ("Period", False, False, "occurrence")),
        ("Patient", "contained", ("Resource", False, True, None)),
        ("HumanName", "given", ("string", False, True, None)),
        ("Provenance", "recorded", ("instant", True, False, None)),
        ("Extension", "valueCodeableConcept", ("CodeableConcept", False, False, "value")),
    ],
)
def test_an_element(type_name: str, name: str, told: tuple[str, bool, bool, str | None]) -> None:
    element = shape(type_name).elements[name]
    assert (element.type, element.required, element.repeats, element.choice) == told


def test_codes_stand_where_the_binding_is_required() -> None:
    assert shape("ServiceRequest").elements["priority"].codes == {"routine", "urgent", "asap", "stat"}
    assert "cancelled" in shape("Observation").elements["status"].codes
    assert shape("Attachment").elements["contentType"].codes == set()


def test_elements_stand_in_the_order_of_the_specification() -> None:
    names = list(shape("Coding").elements)
    assert names == ["id", "extension", "system", "version", "code", "display", "userSelected"]


def test_what_is_a_resource() -> None:
    assert all(is_resource(name) for name in ("Bundle", "Patient", "Binary", "Parameters", "MessageHeader"))
    assert not any(
        is_resource(name) for name in ("Resource", "DomainResource", "Element", "Coding", "string", "", None)
    )
    assert not set(PRIMITIVE_CHECKS) & set(_lines())
