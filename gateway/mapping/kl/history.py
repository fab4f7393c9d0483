"""A case's history in the order in which it counts: the versions of the referral, and what was told under each."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from gateway.referral.case import Case, CaseAssignment, EarlierVersion
from gateway.referral.events import TeamEvent
from gateway.referral.letters import Arrival
from gateway.referral.model import Diagnosis, Referral

_SOR = "sorkode"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """An event that counts, the ids of the assignments it was about, and the assignments it opened."""

    event: TeamEvent
    about: tuple[str, ...]
    opened: tuple[CaseAssignment, ...]


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """The referral as it stood from ``at`` on, the assignments it began with, and what was told while it stood."""

    at: datetime
    #: SOR id of the referrer, where the message itself told it
    requester: str | None
    diagnoses: tuple[Diagnosis, ...]
    initial: tuple[CaseAssignment, ...]
    steps: tuple[Step, ...]


def versions(case: Case) -> Iterator[Version]:
    """The versions of the referral, oldest first."""
    told = {event.event_id: event for event in case.events}
    standing: tuple[EarlierVersion | Case, ...] = (*case.earlier, case)
    began = (standing[0].received_at, *(earlier.replaced_at for earlier in case.earlier))
    for at, version in zip(began, standing, strict=True):
        steps = (Step(event=told[c.event_id], about=c.assignments, opened=c.opened) for c in version.timeline)
        yield Version(
            at=at,
            requester=_requester(version.referral, version.arrival),
            diagnoses=version.referral.diagnoses,
            initial=version.initial,
            steps=tuple(steps),
        )


def _requester(referral: Referral, arrival: Arrival) -> str | None:
    """The guide allows a requester only by the SOR id that came in the message; a look-up of ours is none."""
    if referral.sender.identifier_code == _SOR:
        return referral.sender.identifier
    if arrival.fhir is not None and arrival.fhir.sender.gln == referral.sender.gln:
        return arrival.fhir.sender.sor or None
    return None
