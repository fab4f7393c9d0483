"""A case's history as one list: what came, what was decided and told, what went, and how it fared."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from gateway.referral.case import Case
from gateway.referral.decide import Decision
from gateway.referral.events import TeamEvent
from gateway.store.dossier import Came, Dossier, Went

#: at the same moment: what came, what we decided, what we wrote
_CAME, _DECIDED, _TOLD, _WENT, _ASIDE = range(5)
TEAM_EVENT = "team-event"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened. Exactly one of the parts below ``what`` is set."""

    at: datetime
    order: int
    #: ``came``, ``decided``, ``told``, ``went``, ``note`` or ``aside``
    what: str
    came: Came | None = None
    receipt: Went | None = None
    decision: Decision | None = None
    event: TeamEvent | None = None
    #: the event counts; a withdrawn one stays in the history only
    counts: bool = True
    #: digest of the message the event came in
    message: str = ""
    went: Went | None = None
    text: str = ""
    #: who wrote it, or the item's id
    who: str = ""


def timeline(dossier: Dossier) -> list[Entry]:
    """Everything, in the order in which it reached us or left."""
    found = [*_came(dossier), *_decided(dossier.case), *_told(dossier), *_went(dossier), *_aside(dossier)]
    return sorted(found, key=lambda entry: (entry.at, entry.order))


def _came(dossier: Dossier) -> Iterator[Entry]:
    receipts = {letter.letter_id: letter for letter in dossier.went}
    for came in dossier.came:
        if came.type != TEAM_EVENT:
            receipt = receipts.get(came.receipt_id or "")
            yield Entry(at=came.received_at, order=_CAME, what="came", came=came, receipt=receipt)


def _decided(case: Case) -> Iterator[Entry]:
    moment = case.earlier[0].received_at if case.earlier else case.received_at
    for version in case.earlier:
        yield Entry(at=moment, order=_DECIDED, what="decided", decision=version.decision)
        moment = version.replaced_at
    if case.cancelled_at is None or not case.earlier:
        yield Entry(at=moment, order=_DECIDED, what="decided", decision=case.decision)


def _told(dossier: Dossier) -> Iterator[Entry]:
    counting = {counted.event_id for counted in dossier.case.timeline}
    messages = {came.letter_id: came for came in dossier.came if came.type == TEAM_EVENT}
    for event in dossier.case.events:
        came = messages.get(event.event_id)
        yield Entry(
            at=came.received_at if came else event.occurred,
            order=_TOLD,
            what="told",
            event=event,
            counts=event.event_id in counting or event.withdraws is not None,
            message=came.message if came else "",
        )


def _went(dossier: Dossier) -> Iterator[Entry]:
    receipts = {came.receipt_id for came in dossier.came}
    for went in dossier.went:
        if went.letter_id not in receipts:
            yield Entry(at=went.created_at, order=_WENT, what="went", went=went)
    for note in dossier.notes:
        yield Entry(at=note.at, order=_TOLD, what="note", text=note.text, who=note.who)


def _aside(dossier: Dossier) -> Iterator[Entry]:
    for item in dossier.asides:
        yield Entry(at=item.parked_at, order=_ASIDE, what="aside", text=item.fault_id, who=item.id)
