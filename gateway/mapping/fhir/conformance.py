"""What a FHIR server says of itself and of a request: CapabilityStatement and OperationOutcome."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from gateway.errors import Fault
from gateway.mapping.fhir import acknowledgement
from gateway.mapping.fhir.message import Json, instant, narrative

#: kind of the letter that answers a message
ACKNOWLEDGEMENT: Final = acknowledgement.TYPE
_OPERATIONS: Final = "http://hl7.org/fhir/OperationDefinition"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Something to say of a request that is no fault of a message."""

    #: FHIR's IssueType
    code: str
    text: str
    severity: str = "error"


def operation_outcome(issues: Sequence[Fault | Problem]) -> Json:
    """What is wrong with a request, or that nothing is; never quotes the request."""
    told = [acknowledgement.issue(one) if isinstance(one, Fault) else _issue(one) for one in issues]
    text = narrative(*(one.text for one in issues))
    return {"resourceType": "OperationOutcome", "text": text, "issue": told}


def _issue(problem: Problem) -> Json:
    return {"severity": problem.severity, "code": problem.code, "diagnostics": problem.text}


def capability_statement(now: datetime) -> Json:
    """The server's abilities; the FHIR referral is a provisional profile, as there is no published one."""
    operations = [
        {"name": "process-message", "definition": f"{_OPERATIONS}/MessageHeader-process-message"},
    ]
    request = {
        "type": "ServiceRequest",
        "operation": [{"name": "validate", "definition": f"{_OPERATIONS}/Resource-validate"}],
    }
    rest = {
        "mode": "server",
        "documentation": (
            "Referrals to a municipality as a MedCom messaging Bundle around a dk-core ServiceRequest (provisional: no"
            " such MedCom standard is published), CareCommunication 5.0 and Acknowledgement 2.0 to $process-message."
        ),
        "resource": [request],
        "operation": operations,
    }
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": instant(now),
        "kind": "instance",
        "software": {"name": "Municipal referral gateway"},
        "implementation": {"description": "Municipal referral gateway"},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "application/fhir+xml"],
        "rest": [rest],
    }


class _Parameter(msgspec.Struct):
    name: str = ""
    resource: msgspec.Raw = msgspec.Raw()


class _Parameters(msgspec.Struct, tag_field="resourceType", tag="Parameters"):
    parameter: list[_Parameter] = []


def unwrapped(data: bytes) -> bytes:
    """The resource inside the Parameters that ``$validate`` may be called with (JSON); anything else as it is."""
    try:
        given = msgspec.json.decode(data, type=_Parameters)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return data
    return next((bytes(p.resource) for p in given.parameter if p.name == "resource" and bytes(p.resource)), data)
