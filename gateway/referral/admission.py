"""A referral at the door: is it ours and possible, what is decided, and the case it opens."""

from datetime import date, datetime

from stdnum.dk import cpr
from stdnum.exceptions import ValidationError

from gateway.errors import Fault
from gateway.municipality.model import Municipality
from gateway.referral.case import open_case
from gateway.referral.correspondence import Correspondence
from gateway.referral.decide import Decision
from gateway.referral.discharge import copy_without_address
from gateway.referral.handled import Handled
from gateway.referral.letters import Arrival
from gateway.referral.model import Citizen, Referral
from gateway.referral.policy import to_referral
from gateway.referral.workdays import local_date


def gate(referral: Referral | Correspondence, municipality: Municipality, received_at: datetime) -> Fault | None:
    """Faults that a schema cannot see: another receiver, another municipality, an impossible CPR (facts §7.1)."""
    return _receiver(referral, municipality) or _person(referral.citizen, local_date(received_at))


def _receiver(referral: Referral | Correspondence, municipality: Municipality) -> Fault | None:
    receiver = referral.receiver
    if receiver.gln not in municipality.glns:
        return Fault(id="GW-130")
    if receiver.identifier_code != "kommunenummer":
        return None
    same = (receiver.identifier or "").lstrip("0") == municipality.code.lstrip("0")
    return None if same else Fault(id="GW-131")


def _person(citizen: Citizen, today: date) -> Fault | None:
    """The date in the CPR must exist and not lie ahead; no modulus 11, which CPR gave up in 2007."""
    if citizen.cpr is None:
        return None
    try:
        born = cpr.get_birth_date(citizen.cpr)
    except ValidationError:
        return Fault(id="GW-140", detail="(dato findes ikke)")
    return Fault(id="GW-140", detail="(dato ligger i fremtiden)") if born > today else None


def admit(
    referral: Referral, arrival: Arrival, decision: Decision, municipality: Municipality, received_at: datetime
) -> Handled:
    """Open a case with its decision, and everything that is to be said about it now."""
    case = open_case(referral, arrival, decision, received_at)
    missing = copy_without_address(case, municipality)
    parked = (Fault(id="GW-171", detail=missing),) if missing else ()
    return Handled(
        cases=(case,),
        case_id=case.case_id,
        replies=tuple(to_referral(case, municipality)),
        parked=parked,
        decision=decision,
    )
