"""Proof that a document is valid: by our own schemas always, by MedCom's where the reference data is there."""

import json
import os
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

from gateway.errors import Fault
from gateway.mapping.fhir.forms import NAMESPACE as FHIR
from gateway.mapping.fhir.forms import from_xml
from gateway.mapping.fhir.structure import structure_fault
from gateway.mapping.medcom.sbdh import NAMESPACE as SBDH
from gateway.mapping.medcom.schema import violations
from gateway.mapping.medcom.vans import NAMESPACE as VANS
from tests.edifact_reference import edifact_violations

ROOT = Path(__file__).parents[1]


def thorough(all_of_them: int, usually: int) -> int:
    """How many generated examples a slow test takes: all with GATEWAY_TEST_LONG=1, else what a short run bears."""
    return all_of_them if os.environ.get("GATEWAY_TEST_LONG") == "1" else usually


def shared_folder() -> Path:
    """The folder of reference data: it stands beside the project, never in it. Skips or fails without it."""
    named = os.environ.get("GATEWAY_TEST_SHARED")
    folder = (Path(named) if named else ROOT.parent / "shared").absolute()
    if (folder / "data").is_dir():
        return folder
    if named:
        pytest.fail(f"GATEWAY_TEST_SHARED names {folder}, which holds no folder data")
    pytest.skip("no reference data: there is no ../shared/data beside the project and GATEWAY_TEST_SHARED is unset")


def own_violations(document: bytes) -> list[str]:
    """What the project's own schemas find wrong in a document and, inside a network's envelope, in its payload."""
    if document.startswith(b"UNA"):
        return edifact_violations(document)
    if document.startswith(b"{"):
        fault = structure_fault(json.loads(document))
        return [fault.text] if fault else []
    root = etree.fromstring(document, etree.XMLParser(resolve_entities=False, no_network=True))
    namespace = etree.QName(root).namespace or ""
    if namespace == SBDH:
        schema = ehmi_schema()
        found = [] if schema.validate(root) else [str(error) for error in schema.error_log]
    elif namespace == FHIR:
        value = from_xml(root)
        fault = value if isinstance(value, Fault) else structure_fault(value)
        found = [fault.text] if fault else []
    else:
        found = [f"{v.path}: {v.text}" for v in violations(root, namespace)]
    return [*found, *(broken for payload in payloads_in(root) for broken in own_violations(payload))]


def payloads_in(root: etree._Element) -> list[bytes]:
    """What a VANSEnvelope or SBDH carries."""
    packed = [*root.iter(f"{{{VANS}}}Data"), *root.iter(f"{{{SBDH}}}BinaryContent")]
    return [b64decode("".join((data.text or "").split()), validate=True) for data in packed]


@cache
def ehmi_schema() -> etree.XMLSchema:
    """The SBDH as EHMI profiles it, for what we write."""
    return etree.XMLSchema(etree.parse(str(Path(__file__).with_name("ehmi-sbdh.xsd"))))


def check_with_medcom(shared: Path, folder: Path, documents: Iterable[bytes]) -> None:
    """Assert that MedCom's own schemas accept all documents: one run of the reference data's ``check-xml``."""
    files = []
    for number, document in enumerate(documents):
        files.append(folder / f"{number:04}.xml")
        files[-1].write_bytes(document)
    assert files, "nothing to check"
    command = [sys.executable, str(shared / "tools" / "check-xml"), *map(str, files)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{len(files)} files, 0 errors" in result.stdout
