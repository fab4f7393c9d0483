"""A referral at the door: is it ours and possible, what is decided, and the case it opens, renews or ends."""

from datetime import date, datetime

import msgspec
from stdnum.dk import cpr
from stdnum.exceptions import ValidationError

from gateway.errors import Fault
from gateway.municipality.model import Municipality
from gateway.referral.case import Case, open_case
from gateway.referral.correction import (
    Renewal,
    cancel,
    correct,
    corrected_case,
    counts_from,
    names_another_citizen,
    says_unknown,
)
from gateway.referral.correspondence import Correspondence
from gateway.referral.decide import Decision, decide
from gateway.referral.discharge import copy_without_address
from gateway.referral.handled import Handled
from gateway.referral.inbox import Known
from gateway.referral.letters import Arrival
from gateway.referral.model import Citizen, Referral
from gateway.referral.needs import Needs
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


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What a referral meets at the door: how it came, what is known, whose door it is, when."""

    arrival: Arrival
    known: Known
    municipality: Municipality
    received_at: datetime


def take_in(referral: Referral, found: Needs, desk: Desk) -> Handled:
    """A referral → a new case, a new version of a known one, the end of one, or its fault."""
    fault = gate(referral, desk.municipality, desk.received_at)
    if fault is not None:
        return Handled(fault=fault)
    before = corrected_case(referral, desk.known) if referral.correction or referral.cancellation else None
    if referral.cancellation and before is None:
        return Handled(fault=Fault(id="GW-113"))
    decision = _decided(referral, found, desk, before)
    if before is None:
        return _opened(referral, decision, desk)
    new = Renewal(referral=referral, arrival=desk.arrival, decision=decision, received_at=desk.received_at)
    after, replies = (cancel if referral.cancellation else correct)(before, new, desk.municipality)
    return Handled(
        cases=(after,),
        case_id=after.case_id,
        replies=tuple(replies),
        parked=_missing_copy(after, desk.municipality),
        decision=after.decision,
    )


def _decided(referral: Referral, found: Needs, desk: Desk, before: Case | None) -> Decision:
    """The decision; a case's own running course is no other course, and its days count as they did."""
    running = desk.known.running(referral.citizen.identifier, but=before)
    since = counts_from(before, desk.received_at) if before else desk.received_at
    return decide(referral, found, desk.municipality, since, running)


def _opened(referral: Referral, decision: Decision, desk: Desk) -> Handled:
    handled = admit(referral, desk.arrival, decision, desk.municipality, desk.received_at)
    if not referral.correction:
        return handled
    another = (Fault(id="GW-112"),) if names_another_citizen(referral, desk.known) else ()
    return msgspec.structs.replace(handled, replies=says_unknown(handled.replies), parked=(*handled.parked, *another))


def admit(
    referral: Referral, arrival: Arrival, decision: Decision, municipality: Municipality, received_at: datetime
) -> Handled:
    """Open a case with its decision, and everything that is to be said about it now."""
    case = open_case(referral, arrival, decision, received_at)
    return Handled(
        cases=(case,),
        case_id=case.case_id,
        replies=tuple(to_referral(case, municipality)),
        parked=_missing_copy(case, municipality),
        decision=decision,
    )


def _missing_copy(case: Case, municipality: Municipality) -> tuple[Fault, ...]:
    missing = copy_without_address(case, municipality)
    return (Fault(id="GW-171", detail=missing),) if missing else ()
