"""Observations → measured values (HbA1c, BMI) and, for whatever else was observed, words."""

import re
from datetime import date

from gateway.mapping.fhir.moments import day
from gateway.mapping.fhir.resources import Concept, Observation, Quantity
from gateway.mapping.fhir.systems import LOINC, NPU
from gateway.referral.model import ClinicalText, Measurement, MeasurementKind

PLACE = "Observation"
#: decision.md §1
_CODES = {
    (LOINC, "59261-8"): MeasurementKind.HBA1C,
    (NPU, "NPU27300"): MeasurementKind.HBA1C,
    (LOINC, "39156-5"): MeasurementKind.BMI,
}
_WORDS = {
    MeasurementKind.HBA1C: re.compile(r"h(?:b|æmoglobin|aemoglobin|gb)?[ -]?a1c", re.IGNORECASE),
    MeasurementKind.BMI: re.compile(r"\bbmi\b|body mass index", re.IGNORECASE),
}
#: an Observation that was made in error, or not made
_NONE = frozenset({"entered-in-error", "cancelled"})


def measurement(observation: Observation) -> Measurement | None:
    """The measured value; None for other observations, and for a value that is only a limit («< 42»)."""
    quantity = observation.value_quantity
    kind = _kind(observation.code)
    if observation.status in _NONE or quantity is None or quantity.value is None or quantity.comparator or kind is None:
        return None
    return Measurement(kind=kind, value=quantity.value, unit=quantity.unit or quantity.code or "", on=_day(observation))


def in_words(observation: Observation) -> ClinicalText | None:
    """The observation as a doctor would write it: «HbA1c 45 mmol/mol (2026-01-08)»."""
    if observation.status in _NONE:
        return None
    kind = _kind(observation.code)
    value = _value(observation)
    name = kind.value if kind else observation.code.words
    on = _day(observation)
    words = " ".join(filter(None, [name, value, f"({on})" if on else None]))
    return ClinicalText(place=PLACE, text=words) if value and name else None


def _kind(code: Concept) -> MeasurementKind | None:
    for coding in code.coding:
        kind = _CODES.get((coding.system or "", coding.code or ""))
        if kind is not None:
            return kind
    return next((kind for kind, words in _WORDS.items() if words.search(code.text or "")), None)


def _value(observation: Observation) -> str:
    quantity = observation.value_quantity
    if quantity is not None and quantity.value is not None:
        return _amount(quantity)
    concept = observation.value_codeable_concept
    return observation.value_string or (concept.words if concept else "")


def _amount(quantity: Quantity) -> str:
    number = f"{quantity.value:.15g}".replace(".", ",")
    return " ".join(filter(None, [quantity.comparator, number, quantity.unit or quantity.code]))


def _day(observation: Observation) -> date | None:
    period = observation.effective_period
    return day(observation.effective_date_time or observation.effective_instant or (period.start if period else None))
