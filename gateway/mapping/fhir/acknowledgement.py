"""MedCom FHIR Acknowledgement 2.0.3: what the sender of a FHIR message is told (facts §4, §5).

``ok`` the system took it; ``fatal-error`` it is wrong and must not be sent again as it is; ``transient-error`` we could
not take it now, the sender may send it again. Every message is acknowledged, an acknowledgement never is (KR1, KR2).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from gateway.errors import Disposition, Fault
from gateway.mapping.fhir.message import (
    PROVENANCE_PROFILE,
    Json,
    Sides,
    Spot,
    carried_provenance,
    clean,
    header,
    is_whole,
    message_bundle,
    narrative,
    organizations,
    own_provenance,
    reference,
    resource,
    revision,
)
from gateway.mapping.fhir.systems import MEDCOM_TERMINOLOGY
from gateway.referral.letters import FhirArrival, Receipt

TYPE: Final = "Acknowledgement"
VERSION: Final = "2.0.3"
BASE: Final = "https://medcomfhir.dk/ig/acknowledgement"
_IG: Final = "http://medcomfhir.dk/ig/acknowledgement/StructureDefinition"
_ERROR_CODES: Final = f"{MEDCOM_TERMINOLOGY}/medcom-acknowledgement-error-codes"
#: the value set that Acknowledgement 2.0.3 pins (terminology 1.4.0) names HL7's codes by this URL; later ones by
#: ``http://terminology.hl7.org/CodeSystem/operation-outcome`` (ADR 0014)
_HL7_CODES: Final = "http://hl7.org/fhir/ValueSet/operation-outcome"
#: issue code of MedCom's own (spelling as published) → type of issue; HL7's codes follow below
_MEDCOM_ISSUES: Mapping[str, str] = MappingProxyType(
    {
        "MSG_Receiver_Identifier_UNKNOWN": "not-found",
        "MSG_Receiver_Identifier_MISSING": "required",
        "MSG_RECEIVER_UNABLE_TO_RECEIVE_MSG_TYPE": "not-supported",
        "MSG_VALUESET_VALUE_UNKNOWN": "code-invalid",
        "MSG_CodeSystem_VALUE_UNKNOWN": "code-invalid",
        "MSG_Element_To_Long": "too-long",
        "MSG_Datatype_Wrong": "value",
        "MSG_Mailbox_Out_Of_Operation": "transient",
        "MSG_Damaged_durin_transport": "incomplete",
    }
)
_HL7_ISSUES: Mapping[str, str] = MappingProxyType(
    {
        "MSG_BAD_SYNTAX": "structure",
        "MSG_BAD_FORMAT": "structure",
        "MSG_DATE_FORMAT": "value",
        "MSG_DUPLICATE_ID": "duplicate",
        "MSG_ID_INVALID": "value",
        "MSG_INVALID_ID": "value",
        "MSG_NO_EXIST": "not-found",
        "MSG_NO_MATCH": "not-found",
        "MSG_RESOURCE_REQUIRED": "required",
        "MSG_UNKNOWN_TYPE": "not-supported",
    }
)
#: of all other codes
_OTHER_ISSUE: Final = "processing"


def encode(receipt: Receipt, letter_id: str, sides: Sides) -> bytes:
    """The Acknowledgement as JSON, complete but for its envelope; ``letter_id`` is its MessageHeader.id."""
    return msgspec.json.encode(bundle(receipt, letter_id, sides))


def bundle(receipt: Receipt, letter_id: str, sides: Sides) -> Json:
    """The Acknowledgement as a dictionary: header, our Provenance, the original's, both organisations, the issues."""
    answered = receipt.arrival.fhir or FhirArrival()
    spot = Spot(letter_id=letter_id, base=BASE)
    code = response_code(receipt)
    outcome = spot.id("OperationOutcome")
    response: Json = {"identifier": answered.message_id, "code": code}
    if code != "ok":
        response["details"] = reference("OperationOutcome", outcome)
    profile = f"{_IG}/medcom-messaging-acknowledgementHeader"
    resources = [
        header(spot, sides, "acknowledgement-message", profile, {"response": response}),
        own_provenance(spot, "acknowledgement", PROVENANCE_PROFILE, [revision(answered.message_id)], receipt.at),
        *_original(spot, answered),
        *organizations(spot, sides),
        *([operation_outcome(outcome, faults_of(receipt))] if code != "ok" else []),
    ]
    return message_bundle(spot, f"{_IG}/medcom-messaging-acknowledgement", resources, receipt.at)


def faults_of(receipt: Receipt) -> list[Fault]:
    """Everything the receipt finds fault with: the envelope first, then each letter."""
    found = [receipt.fault, *(letter.fault for letter in receipt.letters)]
    return [fault for fault in dict.fromkeys(found) if fault is not None]


def response_code(receipt: Receipt) -> str:
    """``ok``, ``fatal-error`` or ``transient-error``: the latter when each fault may pass (KR3 to KR6)."""
    if receipt.positive:
        return "ok"
    passing = all(fault.row.disposition is Disposition.RETRY for fault in faults_of(receipt))
    return "transient-error" if passing else "fatal-error"


def _original(spot: Spot, answered: FhirArrival) -> list[Json]:
    """The answered message's own Provenance; the chain before it stays with the sender (at most two in all)."""
    own = [p for p in answered.provenances if p.target == answered.message_id and is_whole(p)][-1:]
    agent = spot.id("receiver")
    return [
        carried_provenance(spot.id("original"), msgspec.structs.replace(p, payloads=()), agent, PROVENANCE_PROFILE)
        for p in own
    ]


def operation_outcome(own: str, faults: list[Fault]) -> Json:
    """What is wrong, for machines by code and for people in Danish; names ids and rules, never content."""
    issues = [issue(fault) for fault in faults]
    profile = f"{_IG}/medcom-acknowledgement-operationoutcome"
    text = narrative(*(f"{fault.id} {fault.text}" for fault in faults))
    return resource("OperationOutcome", own, profile, text, {"issue": issues})


def issue(fault: Fault) -> Json:
    """One issue of an OperationOutcome."""
    code = fault.row.fhir
    ours = code in _MEDCOM_ISSUES
    kind = _MEDCOM_ISSUES[code] if ours else _HL7_ISSUES.get(code, _OTHER_ISSUE)
    text = clean(f"{fault.id} {fault.text}")
    coding = {"system": _ERROR_CODES if ours else _HL7_CODES, "code": code}
    return {"severity": "error", "code": kind, "details": {"coding": [coding], "text": text}}
