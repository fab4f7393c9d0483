"""The citizen as FHIR names him: identifier by its kind, official name."""

import re
from typing import Final

from gateway.mapping.fhir.message import NOTHING, Json, clean, without_nothing
from gateway.mapping.fhir.systems import CPR, D_ECPR, X_ECPR
from gateway.referral.model import Citizen

#: DDMMYY, a digit that tells the system, two letters, a digit (invariants x-ecpr and d-ecpr of dk-core)
_FORMS: Final = (
    (X_ECPR, re.compile(r"\d{6}[17][A-Z]{2}\d", re.ASCII)),
    (D_ECPR, re.compile(r"\d{6}[056][A-Z]{2}\d", re.ASCII)),
)


def patient_identifier(citizen: Citizen) -> Json:
    """CPR (``official``), or replacement CPR (``temp``) in the national or the regional system by its form.

    A number of neither form is told as it is, in no system: which one it belongs to is not guessed.
    """
    if citizen.cpr:
        return {"use": "official", "system": CPR, "value": citizen.cpr}
    value = clean(citizen.replacement_cpr or "") or NOTHING
    system = next((system for system, form in _FORMS if form.fullmatch(value)), None)
    return without_nothing({"use": "temp", "system": system, "value": value})


def name_of(citizen: Citizen) -> Json:
    """The official name; without given names where none are told."""
    given = clean(citizen.given_name or "").split()
    return without_nothing({"use": "official", "family": clean(citizen.surname) or NOTHING, "given": given})
