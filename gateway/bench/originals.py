"""A few dozen cases really handled, in process: what stored cases are copied from (``stock``).

Most are over: referral, three events of each team, discharge note, every letter sent and answered. One is open, and one
message was refused and its parked item discarded.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from gateway.bench.messages import referral
from gateway.clocks import system_now
from gateway.inbound.pipeline import Pipeline
from gateway.inbound.source import Delivery
from gateway.municipality.model import load
from gateway.outbound.envelopes import mint
from gateway.receive import Entrance
from gateway.referral.case import Case, CaseAssignment
from gateway.referral.events import Author, EventType, Period, TeamEvent
from gateway.referral.inbox import Outcome
from gateway.store.outbox import Sent
from gateway.store.store import Store

#: originals that are over, and open ones
OVER, OPEN = 39, 1
_AUTHOR = Author(name="Karen Prøvekonsulent", title="Sundhedskonsulent")
_STEPS = (EventType.ACCEPTED, EventType.TALK_HELD, EventType.CLOSED)
_TALK = timedelta(minutes=45)
_AMBULATORY = "AMB"


def handle_over(store: Store) -> None:
    """Referrals of some weeks ago whose cases are closed, and a message that was refused."""
    start = system_now() - timedelta(days=40)
    for number in range(OVER):
        (case,) = _handled(store, referral(number, "over"), start + timedelta(hours=number)).cases
        for event in _events(case):
            _handled(store, msgspec.json.encode(event), event.occurred, Entrance.TEAM)
    _handled(store, referral(OVER, "over").replace(b"<VersionCode>XH1530R", b"<VersionCode>XH1530X"), start)
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE parked SET state = 'discarded', closed_at = parked_at")
    _answer(store)


def handle_open(store: Store) -> None:
    """A referral that a team is to act on."""
    for number in range(OPEN):
        _handled(store, referral(number, "open"), system_now() - timedelta(hours=2))
    _answer(store)


def _answer(store: Store) -> None:
    """Every letter has its receipt."""
    with store.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE outbox SET verdict = 'delivered', verdict_at = sent_at, waits_since = NULL"
            " WHERE waits_since IS NOT NULL"
        )


def _handled(store: Store, data: bytes, at: datetime, entrance: Entrance = Entrance.MEDCOM) -> Outcome:
    """Handled at that moment, and its letters sent."""
    outcome = Pipeline(store, load(), lambda: at).handle_one(Delivery(data=data, entrance=entrance))
    minted = [mint(letter, at) for letter in store.outbox.claim(at, at, 100)]
    store.outbox.mark_sent([Sent(letter_id=t.letter.letter_id, envelope_id=t.envelope_id, at=at) for t in minted])
    return outcome


def _events(case: Case) -> Iterator[TeamEvent]:
    """Accepted, talked with, closed: the shortest way to a case's end."""
    for assignment in case.assignments:
        for day, step in enumerate(_STEPS, 1):
            yield _event(case, assignment, step, case.received_at + timedelta(days=day))


def _event(case: Case, assignment: CaseAssignment, step: EventType, at: datetime) -> TeamEvent:
    held = step is EventType.TALK_HELD
    return TeamEvent(
        event_id=f"{assignment.id[:20]}-{step.value}",
        type=step,
        team=assignment.team,
        occurred=at,
        author=_AUTHOR,
        case_id=case.case_id,
        assignment=assignment.id,
        note="Borgeren er glad for samtalen og fortsætter på egen hånd." if step is EventType.CLOSED else None,
        period=Period(start=at - _TALK, end=at) if held else None,
        contact_class=_AMBULATORY if held else None,
    )
