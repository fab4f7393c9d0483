"""What a FHIR message does with its referral: new, updated, taken back. The municipality sets the event codes.

There is no standard for a FHIR referral yet; the codes of the built-in file are a draft's (facts §7).
"""

import msgspec

from gateway.errors import Fault
from gateway.municipality.model import FhirEvent, Municipality
from gateway.referral.letters import FhirArrival
from gateway.referral.model import Referral
from gateway.referral.reading import Reading, ReadLetter

_replace = msgspec.structs.replace


def told_by_event(reading: Reading, municipality: Municipality) -> Reading:
    """The same reading, each referral as its message's event says; what the event forbids is a fault of the letter.

    A bare ServiceRequest has no event; its own status says whether it is taken back.
    """
    fhir = reading.arrival.fhir
    if fhir is None or not fhir.event:
        return reading
    return _replace(reading, letters=tuple(_told(letter, fhir, municipality) for letter in reading.letters))


def _told(letter: ReadLetter, fhir: FhirArrival, municipality: Municipality) -> ReadLetter:
    referral = letter.content
    if not isinstance(referral, Referral):
        return letter
    event = municipality.fhir_events.get(fhir.event)
    if event is None:
        return _replace(letter, content=None, fault=Fault(id="GW-110", detail="(eventCoding)"))
    if event is FhirEvent.NEW and referral.cancellation:
        return _replace(letter, content=None, fault=Fault(id="GW-148"))
    correction = event is FhirEvent.UPDATE and not referral.cancellation
    cancellation = event is FhirEvent.CANCEL or referral.cancellation
    return _replace(letter, content=_replace(referral, correction=correction, cancellation=cancellation))
