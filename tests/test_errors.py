"""The closed table of faults: ids that never change, each with what is told and what is done."""

import json
import re
import tarfile
from pathlib import Path

import pytest

from gateway import errors
from gateway.errors import FAULTS, ConfigurationError, Disposition, Fault, GatewayError, NeighbourError, RefuseCode

#: the ids that are out in the world, with the refuse code they carry; a row may be added, never changed
PUBLISHED = {
    "GW-101": "syntaksfejl",
    "GW-102": "syntaksfejl",
    "GW-103": "syntaksfejl",
    "GW-104": "ikke_specificeret",
    "GW-110": "problem_med_version",
    "GW-111": "problem_med_version",
    "GW-114": "ikke_specificeret",
    "GW-115": "ikke_specificeret",
    "GW-116": "syntaksfejl",
    "GW-117": None,
    "GW-120": "syntaksfejl",
    "GW-121": "syntaksfejl",
    "GW-122": "syntaksfejl",
    "GW-123": "syntaksfejl",
    "GW-124": "syntaksfejl",
    "GW-125": "syntaksfejl",
    "GW-126": "syntaksfejl",
    "GW-127": "syntaksfejl",
    "GW-128": "syntaksfejl",
    "GW-129": "syntaksfejl",
    "GW-130": "ukendt_lokationsnummer",
    "GW-131": "problem_med_modtagerID",
    "GW-140": "ikke_specificeret",
    "GW-141": "ikke_specificeret",
    "GW-142": "syntaksfejl",
    "GW-143": "syntaksfejl",
    "GW-144": "syntaksfejl",
    "GW-145": "syntaksfejl",
    "GW-146": "problem_med_modtagerID",
    "GW-147": "ikke_specificeret",
    "GW-148": "ikke_specificeret",
    "GW-149": "syntaksfejl",
    "GW-150": "ikke_specificeret",
    "GW-151": None,
    "GW-160": None,
    "GW-161": None,
    "GW-162": None,
    "GW-163": None,
    "GW-164": None,
    "GW-168": None,
    "GW-170": None,
    "GW-171": None,
    "GW-172": None,
    "GW-190": None,
    "GW-191": None,
}


def test_ids_and_codes_never_change() -> None:
    told = {i: row.medcom.value if row.disposition is Disposition.REFUSE else None for i, row in FAULTS.items()}
    assert {i: told[i] for i in PUBLISHED} == PUBLISHED
    assert all(re.fullmatch(r"GW-1\d\d", i) for i in FAULTS)


def test_every_row_is_complete() -> None:
    for fault_id, row in FAULTS.items():
        assert row.id == fault_id
        assert row.text.endswith(".")
        assert row.advice.endswith(".")
        assert row.medcom in RefuseCode
    assert [i for i, row in FAULTS.items() if row.disposition is Disposition.RETRY] == ["GW-190", "GW-192"]


def test_fhir_codes_are_medcoms(shared: Path) -> None:
    package = shared / "data" / "fhir" / "packages" / "medcom.fhir.dk.terminology-2.0.2.tgz"
    with tarfile.open(package) as archive:
        member = archive.extractfile("package/ValueSet-medcom-acknowledgement-issue-details.json")
        assert member is not None
        included = json.load(member)["compose"]["include"]
    allowed = {concept["code"] for part in included for concept in part["concept"]}
    assert {row.fhir for row in FAULTS.values()} <= allowed


def test_the_table_is_closed() -> None:
    with pytest.raises(TypeError):
        FAULTS["GW-199"] = FAULTS["GW-101"]  # type: ignore[index]
    with pytest.raises(ConfigurationError, match="GW-303 a fault id stands twice"):
        errors._rows(FAULTS["GW-101"], FAULTS["GW-101"])


def test_a_fault_says_its_row_and_its_detail() -> None:
    assert Fault(id="GW-130").text == "Modtagerens lokationsnummer kendes ikke her."
    assert Fault(id="GW-110", detail="JSON").text == "Beskedtypen modtages ikke her. JSON"
    with pytest.raises(KeyError):
        _ = Fault(id="GW-100").row


def test_the_error_tree() -> None:
    named = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
    assert all(issubclass(error, GatewayError) for error in named)
    ids = [error.id for error in named if issubclass(error, NeighbourError)]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"GW-2\d\d", i) for i in ids)
    raised = ConfigurationError("GW-302", "the file")
    assert (str(raised), raised.id) == ("GW-302 the file", "GW-302")
