"""A referral let in: what is decided, and the case it opens, renews or ends."""

from datetime import datetime

import msgspec

from gateway.errors import Fault
from gateway.municipality.model import Municipality
from gateway.referral.attachments import named_objects
from gateway.referral.case import Case, open_case
from gateway.referral.correction import (
    Renewal,
    asking_case,
    cancel,
    correct,
    corrected_case,
    counts_from,
    names_another_citizen,
    newer_case,
    says_unknown,
)
from gateway.referral.decide import NOT_ENTITLED, Decision, decide, referrer_kind
from gateway.referral.discharge import copy_without_address
from gateway.referral.enclosures import with_attachments
from gateway.referral.gate import Desk, gate
from gateway.referral.handled import Handled
from gateway.referral.letters import Arrival
from gateway.referral.model import Referral
from gateway.referral.needs import Needs
from gateway.referral.policy import to_referral


def take_in(referral: Referral, found: Needs, desk: Desk) -> Handled:
    """A referral → a new case, a new version of a known one, the end of one, nothing new (GW-117), or its fault."""
    fault = gate(referral, desk.municipality, desk.received_at)
    handled = Handled(fault=fault) if fault is not None else _taken_in(referral, found, desk)
    return with_attachments(handled, referral, desk)


def _taken_in(referral: Referral, found: Needs, desk: Desk) -> Handled:
    newer = None if referral.cancellation else newer_case(referral, desk.known)
    if newer is not None:
        return _joined(referral, newer)
    before = _known_case(referral, found, desk)
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


def _joined(referral: Referral, newer: Case) -> Handled:
    """An older letter of a case that follows a newer one: nothing changes but that its files are the case's, too."""
    files = tuple(key for key in named_objects(referral.attachments) if key not in newer.named_objects)
    more = msgspec.structs.replace(newer, also_named=(*newer.also_named, *files), number=newer.number + 1)
    return Handled(cases=(more,) if files else (), case_id=newer.case_id, parked=(Fault(id="GW-117"),))


def _known_case(referral: Referral, found: Needs, desk: Desk) -> Case | None:
    """What a correction corrects, or the case in which somebody entitled was asked to refer."""
    if referral.correction or referral.cancellation:
        return corrected_case(referral, desk.known)
    if referrer_kind(referral, desk.municipality) in NOT_ENTITLED:
        return None
    return asking_case(referral, {p.name for p in found.programmes}, desk.known)


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
