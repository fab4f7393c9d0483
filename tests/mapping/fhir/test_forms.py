"""JSON and XML bring the same value; what could be read in two ways is refused; a broken text still tells its ids."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from gateway.errors import Fault
from gateway.mapping.fhir.forms import from_json, from_xml, salvaged_json, salvaged_xml
from gateway.mapping.fhir.structure import structure_fault
from gateway.mapping.medcom.parsing import parse
from tests.fhir_messages import (
    LOINC,
    SKS,
    Json,
    as_json,
    as_xml,
    bundle,
    coded,
    condition,
    header,
    observation,
    patient,
    referral,
)

FHIR = "http://hl7.org/fhir"


def xml(text: str) -> etree._Element:
    root = parse(text.encode())
    assert not isinstance(root, Fault)
    return root


def of_patient(inside: str, attributes: str = "") -> Json | Fault:
    return from_xml(xml(f'<Patient xmlns="{FHIR}" {attributes}>{inside}</Patient>'))


def without_div(value: Any) -> Any:  # noqa: ANN401  (any JSON)
    if isinstance(value, dict):
        return {name: without_div(item) for name, item in value.items() if name != "div"}
    return [without_div(item) for item in value] if isinstance(value, list) else value


def test_xml_brings_the_same_value_as_json() -> None:
    plain = referral(condition(0, coded(SKS, "DE119")), observation(0, coded(LOINC, "59261-8"), 45.5))
    assert from_xml(xml(as_xml(plain).decode())) == from_json(as_json(plain)) == plain


def test_what_stands_beside_simple_values() -> None:
    extension = '<extension url="urn:t"><valueDateTime value="1965-03-12T10:00:00+01:00"/></extension>'
    names = '<given value="Kai"/><given id="g"/><family id="f"/>'
    inside = f'<contained><Organization><id value="o"/></Organization></contained><name id="n">{names}</name>'
    found = of_patient(f'<id value="p"/>{inside}<birthDate id="b" value="1965-03-12">{extension}</birthDate>')
    assert found == {
        "resourceType": "Patient",
        "id": "p",
        "contained": [{"resourceType": "Organization", "id": "o"}],
        "name": [{"id": "n", "given": ["Kai", None], "_given": [None, {"id": "g"}], "_family": {"id": "f"}}],
        "birthDate": "1965-03-12",
        "_birthDate": {"id": "b", "extension": [{"url": "urn:t", "valueDateTime": "1965-03-12T10:00:00+01:00"}]},
    }
    assert structure_fault(found) is None


def test_official_xml_examples_bring_the_same_value_as_json(shared: Path) -> None:
    examples = shared / "data" / "fhir" / "examples"
    compared = 0
    for path in sorted((examples / "xml").glob("*.xml")):
        value = from_xml(xml(path.read_text(encoding="utf-8")))
        assert structure_fault(value) is None, path.name
        for twin in examples.rglob(f"{path.stem.partition('-')[2]}.json"):
            compared += 1
            assert without_div(value) == without_div(json.loads(twin.read_bytes()))
    assert compared == 2


def test_the_narrative_is_kept() -> None:
    inside = '<text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml">a <b>b</b></div> </text>'
    value = of_patient(inside)
    assert isinstance(value, dict)
    assert value["text"]["div"] == '<div xmlns="http://www.w3.org/1999/xhtml">a <b>b</b></div>'


BAD_XML = [
    ("an unknown element", '<hest value="x"/>', "GW-125", "(ukendt element)"),
    ("of another namespace", '<active xmlns="urn:x" value="true"/>', "GW-125", "(ukendt element)"),
    ("a narrative of FHIR's namespace", "<text><div/></text>", "GW-125", "(text: ukendt element)"),
    ("an attribute too many", '<active value="true" navn="Kai"/>', "GW-125", "(active: ukendt attribut)"),
    ("a url beside a name", '<name url="x"/>', "GW-125", "(name: ukendt attribut)"),
    ("an id as element", '<name><id value="x"/></name>', "GW-125", "(name: ukendt element)"),
    ("text between elements", "<name>Kai</name>", "GW-125", "(name: tekst mellem elementer)"),
    ("text behind an element", '<active value="true"/>Kai', "GW-125", "(active: tekst mellem elementer)"),
    ("text in a value", '<active value="true">Kai</active>', "GW-125", "(active: tekst mellem elementer)"),
    ("one element twice", '<active value="true"/><active value="false"/>', "GW-125", "(active: kun én ventet)"),
    ("no contained resource", "<contained/>", "GW-125", "(contained: én ressource ventet)"),
    (
        "two contained resources",
        "<contained><Patient/><Patient/></contained>",
        "GW-125",
        "(contained: én ressource ventet)",
    ),
    ("an unknown resource", "<contained><Hest/></contained>", "GW-129", "(contained: resourceType)"),
    ("nested too deep", '<extension url="u">' * 60 + "</extension>" * 60, "GW-125", "indlejret)"),
]


@pytest.mark.parametrize(("inside", "fault_id", "detail"), [b[1:] for b in BAD_XML], ids=[b[0] for b in BAD_XML])
def test_xml_that_is_not_fhir(inside: str, fault_id: str, detail: str) -> None:
    found = of_patient(inside)
    assert isinstance(found, Fault)
    assert found.id == fault_id
    assert found.detail.endswith(detail)


def test_a_schema_location_is_passed_over_and_an_id_attribute_of_a_resource_is_not() -> None:
    location = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://hl7.org/fhir fhir.xsd"'
    assert of_patient('<active value="true"/>', location) == {"resourceType": "Patient", "active": True}
    assert isinstance(of_patient('<active value="true"/>', 'id="x"'), Fault)


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("active", "true", True),
        ("active", "TRUE", "TRUE"),
        ("multipleBirthInteger", "2", 2),
        ("multipleBirthInteger", "2.0", "2.0"),
        ("multipleBirthInteger", "٢", "٢"),
        ("birthDate", "1965", "1965"),
    ],
)
def test_simple_values(name: str, written: str, value: object) -> None:
    found = of_patient(f'<{name} value="{written}"/>')
    assert isinstance(found, dict)
    assert found[name] == value
    assert type(found[name]) is type(value)


@pytest.mark.parametrize(("written", "value"), [("45", 45), ("45.0", 45.0), ("4.5e1", 45.0), ("45,0", "45,0")])
def test_decimals(written: str, value: object) -> None:
    quantity = f'<valueQuantity><value value="{written}"/></valueQuantity>'
    found = from_xml(xml(f'<Observation xmlns="{FHIR}">{quantity}</Observation>'))
    assert isinstance(found, dict)
    assert found["valueQuantity"]["value"] == value


def test_of_broken_xml_what_is_understood_is_kept() -> None:
    broken = '<id value="a"/><hest/>x<active value="true" navn="x"/><active value="false"/><contained/>'
    found = salvaged_xml(xml(f'<Patient xmlns="{FHIR}">{broken}<contained><Hest/></contained></Patient>'))
    assert found["resourceType"] == "Patient"
    assert found["id"] == "a"
    deep = salvaged_xml(xml(f'<Patient xmlns="{FHIR}">{"<extension>" * 60}{"</extension>" * 60}</Patient>'))
    assert deep["resourceType"] == "Patient"
    assert salvaged_xml(xml("<Hest/>")) == {}


BAD_JSON = [
    ("nothing but a bracket", b"{", "(linje 1)"),
    ("a comma too many", b'{"a": 1,}', "(linje 1)"),
    ("a name twice", b'{"a": 1, "a": 2}', "(samme navn to gange)"),
    ("a name twice, written differently", rb'{"a": 1, "\u0061": 2}', "(samme navn to gange)"),
    ("NaN", b'{"a": NaN}', "(et tal)"),
    ("infinity", b'{"a": -Infinity}', "(et tal)"),
    ("a number of 5 000 digits", b'{"a": ' + b"9" * 5000 + b"}", "(et tal)"),
    ("Latin-1", '{"a": "ø"}'.encode("latin-1"), "(ikke UTF-8)"),
    ("UTF-16", '{"a": 1}'.encode("utf-16"), "(ikke UTF-8)"),
    ("nested 20 000 deep", b'{"a":' * 20_000 + b"1" + b"}" * 20_000, "(for dybt indlejret)"),
    ("lists 30 000 deep", b"[" * 30_000, "(for dybt indlejret)"),
    ("a control character", b'{"a": "\x00"}', "(linje 1)"),
]


@pytest.mark.parametrize(("data", "detail"), [b[1:] for b in BAD_JSON], ids=[b[0] for b in BAD_JSON])
def test_json_that_is_none_or_could_mean_two_things(data: bytes, detail: str) -> None:
    began = time.perf_counter()
    found = from_json(data)
    assert found == Fault(id="GW-102", detail=detail)
    salvaged_json(data)
    assert time.perf_counter() - began < 2


def test_json_of_more_parts_than_any_message_has_is_too_large() -> None:
    """As in XML: each costs time, and no message has that many."""
    most = 40_000
    assert from_json(b"[" + b",".join([b"{}"] * (most - 1)) + b"]") == [{}] * (most - 1)
    assert from_json(b"[" + b",".join([b"{}"] * most) + b"]") == Fault(id="GW-104", detail="(for mange elementer)")


def test_a_mark_before_json_is_passed_over() -> None:
    assert from_json(b'\xef\xbb\xbf{"a": 1e2}') == {"a": 100.0}


def test_of_json_that_is_cut_off_the_whole_members_are_kept() -> None:
    data = as_json(bundle(header(), patient()))
    whole = json.loads(data)
    for end in range(0, len(data), 7):
        found = salvaged_json(data[:end])
        if end > data.index(b'"type"'):
            assert isinstance(found, dict)
            assert found["id"] == whole["id"]
    assert salvaged_json(b"hest") is None
    assert salvaged_json(b'{"a": [1, 2}') is None
    assert salvaged_json(b'{"a": NaN, "b": "\x07"}') is not None
