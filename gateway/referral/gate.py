"""The door: is a letter for us, and is it about somebody who can exist (facts §7.1)."""

from datetime import date, datetime

import msgspec
from stdnum.dk import cpr
from stdnum.exceptions import ValidationError

from gateway.errors import Fault
from gateway.municipality.model import Municipality
from gateway.referral.attachments import AttachmentMessage
from gateway.referral.correspondence import Correspondence
from gateway.referral.inbox import Known
from gateway.referral.letters import Arrival
from gateway.referral.model import Citizen, Referral
from gateway.referral.workdays import local_date


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What a letter meets at the door: how it came, what is known, whose door it is, when."""

    arrival: Arrival
    known: Known
    municipality: Municipality
    received_at: datetime


def gate(
    referral: Referral | Correspondence | AttachmentMessage, municipality: Municipality, received_at: datetime
) -> Fault | None:
    """Faults that a schema cannot see: another receiver, another municipality, an impossible CPR (facts §7.1)."""
    return _receiver(referral, municipality) or _person(referral.citizen, local_date(received_at))


def _receiver(referral: Referral | Correspondence | AttachmentMessage, municipality: Municipality) -> Fault | None:
    receiver = referral.receiver
    if receiver.gln not in municipality.glns:
        return Fault(id="GW-130")
    if receiver.identifier_code != "kommunenummer":
        return None
    same = (receiver.identifier or "").lstrip("0") == municipality.code.lstrip("0")
    return None if same else Fault(id="GW-131")


def _person(citizen: Citizen | None, today: date) -> Fault | None:
    """The date in the CPR must exist and not lie ahead; no modulus 11, which CPR gave up in 2007."""
    if citizen is None or citizen.cpr is None:
        return None
    try:
        born = cpr.get_birth_date(citizen.cpr)
    except ValidationError:
        return Fault(id="GW-140", detail="(dato findes ikke)")
    return Fault(id="GW-140", detail="(dato ligger i fremtiden)") if born > today else None
