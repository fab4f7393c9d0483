"""What was told and is no longer so: the same id, told as an error (KL's «Fejlrettelse», all fields of work).

A care plan, an intervention, a contact and a referral take the status ``entered-in-error``. A condition cannot: the
guide demands ``clinicalStatus`` and FHIR (con-5) forbids it beside ``entered-in-error``. It is corrected by change, as
KL's rule allows: ``inactive`` and ``refuted``, which both accept (docs/adr/0020).
"""

from copy import deepcopy

from gateway.mapping.fhir.resources import Json
from gateway.mapping.kl.resources import HL7

IN_ERROR = "entered-in-error"


def in_error(resource: Json) -> Json:
    """The resource as an error; organisations and the citizen are left as they are."""
    corrected = deepcopy(resource)
    kind = corrected["resourceType"]
    if kind in {"ServiceRequest", "Encounter", "CarePlan"}:
        corrected["status"] = IN_ERROR
    if kind == "CarePlan":
        detail = corrected["activity"][0]["detail"]
        detail["status"] = IN_ERROR
        detail.pop("statusReason", None)
    if kind == "Condition":
        corrected.pop("category", None)
        for name, system, code in _NOT_SO:
            corrected[name] = {"coding": [{"system": f"{HL7}/{system}", "code": code}]}
    return corrected


_NOT_SO = (
    ("clinicalStatus", "condition-clinical", "inactive"),
    ("verificationStatus", "condition-ver-status", "refuted"),
)
