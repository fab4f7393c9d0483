"""Observations: measured values before words, and what a protected address means."""

from gateway.municipality.model import Municipality
from gateway.receive import receive
from gateway.referral.inbox import Known
from gateway.referral.letters import FhirParty
from gateway.referral.model import Measurement, MeasurementKind
from tests.builders import RECEIVED, SENDER_GLN
from tests.fhir_messages import (
    LOINC,
    NPU,
    SKS,
    Json,
    coded,
    condition,
    observation,
    patient,
    referral,
    request,
)
from tests.mapping.fhir.reading import good, reading

SENDERS_PARTY = FhirParty(gln=SENDER_GLN, sor="123450000001005", name="Lægehuset Prøvely")


def observed(*given: Json) -> tuple[list[Measurement], list[str]]:
    found = good(referral(*given))
    return list(found.measurements), [t.text for t in found.texts if t.place == "Observation"]


def test_measured_values_and_other_observations() -> None:
    hba1c, bmi = MeasurementKind.HBA1C, MeasurementKind.BMI
    without_day = {
        name: item
        for name, item in observation(4, {"text": "Hæmoglobin A1c"}, 6.4, "%").items()
        if name != "effectiveDateTime"
    }
    measured, words = observed(
        observation(0, coded(LOINC, "59261-8"), 45),
        observation(1, coded(NPU, "NPU27300"), 46.5, effectiveDateTime="2026-11"),
        observation(2, coded(LOINC, "39156-5", "BMI"), 31.2, "kg/m2"),
        observation(
            3, coded(None, None, "BMI"), 30, "kg/m2", effectiveDateTime=None, effectivePeriod={"start": "2026-01-02"}
        ),
        without_day,
        observation(5, coded(LOINC, "59261-8"), 42, valueQuantity={"value": 42, "comparator": "<", "unit": "mmol/mol"}),
        observation(6, coded(LOINC, "59261-8"), 99, status="entered-in-error"),
        observation(7, coded(LOINC, "59261-8"), None),
        observation(8, coded(None, None, "FEV1"), 28, "%"),
        observation(9, coded(None, None, "Rygestatus"), None, valueString="ryger", effectiveDateTime=None),
        observation(10, coded(None, None, "Rygestatus"), None, valueCodeableConcept={"text": "eks-ryger"}),
        observation(11, coded(LOINC, "1-8"), 5, valueQuantity={"value": 5, "code": "g"}),
    )
    told = [(m.kind, m.value, m.unit, m.on and m.on.isoformat()) for m in measured]
    assert told == [
        (hba1c, 45, "mmol/mol", "2026-11-02"),
        (hba1c, 46.5, "mmol/mol", None),
        (bmi, 31.2, "kg/m2", "2026-11-02"),
        (bmi, 30, "kg/m2", "2026-01-02"),
        (hba1c, 6.4, "%", None),
    ]
    assert words == [
        "HbA1c 45 mmol/mol (2026-11-02)",
        "HbA1c 46,5 mmol/mol",
        "BMI 31,2 kg/m2 (2026-11-02)",
        "BMI 30 kg/m2 (2026-01-02)",
        "HbA1c 6,4 %",
        "HbA1c < 42 mmol/mol (2026-11-02)",
        "FEV1 28 % (2026-11-02)",
        "Rygestatus ryger",
        "Rygestatus eks-ryger (2026-11-02)",
        "1-8 5 g (2026-11-02)",
    ]


def test_a_measured_value_goes_before_the_text(municipality: Municipality) -> None:
    """decision.md §1: an Observation, else the text; §5: 45 mmol/mol and a BMI are prediabetes."""
    told = request(conditions=1, observations=2, note="Præ-diabetes. HbA1c 39 mmol/mol d. 1/11-2026. BMI 45.")
    measured = (observation(0, coded(LOINC, "59261-8"), 45), observation(1, coded(LOINC, "39156-5"), 31.2, "kg/m2"))
    (letter,) = receive(
        reading(referral(condition(0, coded(SKS, "DR730")), *measured, request=told)), Known(), municipality, RECEIVED
    ).letters
    assert letter.decision is not None
    assert letter.decision.programmes == ("prediabetes",)
    assert letter.decision.reasons == ()
    evidence = " ".join(w.evidence for w in letter.decision.why)
    assert "45 mmol/mol (2026-11-02)" in evidence
    assert "BMI 31,2 kg/m2" in evidence


def test_the_team_is_told_that_the_address_is_protected(municipality: Municipality) -> None:
    value = referral(patient=patient(meta={"security": [{"code": "R"}]}))
    outcome = receive(reading(value), Known(), municipality, RECEIVED)
    teams = [o.content for o in outcome.outgoing if o.kind == "Task"]
    others = [o.content for o in outcome.outgoing if o.kind != "Task"]
    assert all(b'"code":"R"' in content for content in teams)
    assert teams
    assert others
    assert not any("Prøvevej".encode() in content for content in others)
