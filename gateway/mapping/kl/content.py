"""What a §119 delivery report can tell, as typed values with stable ids: the guide's profiles, nothing of FHIR's form.

Organisations are named by their SOR id, the only identifier we hold that the guide allows (FK-org ids reach us in no
message). Days are Danish civil dates.
"""

from datetime import date, datetime
from enum import StrEnum

import msgspec

from gateway.referral.model import CodeSystem


class Progress(StrEnum):
    """Where an intervention or a course of them stands."""

    ACTIVE = "active"
    COMPLETED = "completed"
    #: planned and given up before it was held
    CANCELLED = "cancelled"
    #: ended early, with one of KL's reasons
    STOPPED = "stopped"
    #: ended, and nothing tells how
    UNKNOWN = "unknown"


class FocusCondition(msgspec.Struct, frozen=True, kw_only=True):
    """A diagnosis of the referral (fokustilstand)."""

    id: str
    #: None: words only
    system: CodeSystem | None
    code: str | None
    text: str


class ServiceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The referral (anledning)."""

    id: str
    received: date
    #: SOR id that stood in the message itself; None for everyone else
    requester: str | None
    #: ids of focus conditions
    reasons: tuple[str, ...]
    #: a later one of the same case stands instead, or the referrer took it back
    revoked: bool = False
    #: id of the one it stands instead of
    replaces: str | None = None


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """What a professional found (tilstand, FSIII §119)."""

    id: str
    code: str
    #: when it was first found
    recorded: date
    active: bool = True


class Undertaking(msgspec.Struct, frozen=True, kw_only=True):
    """What a course and an intervention have in common."""

    id: str
    #: SOR id of the team
    performer: str
    start: date
    end: date | None = None
    progress: Progress = Progress.ACTIVE


class CarePlan(Undertaking, frozen=True, kw_only=True):
    """A course of interventions (indsatsforløb)."""

    follow_up: bool = False
    #: KL CancellationTypes; stands exactly where ``progress`` is stopped
    stop_reason: str | None = None


class PlannedIntervention(Undertaking, frozen=True, kw_only=True):
    """An intervention (indsats)."""

    #: FSIII §119
    code: str
    #: KL DeliveryTypes119
    delivery: str
    #: id of its care plan; talks have none
    plan: str | None = None
    #: ids of the conditions that it is about
    reasons: tuple[str, ...] = ()


class Encounter(msgspec.Struct, frozen=True, kw_only=True):
    """A contact that was held (kontakt)."""

    id: str
    start: datetime
    end: datetime
    #: KL EncounterClassCodes
    contact_class: str
    #: id of a care plan or planned intervention; None where nothing tells which
    based_on: str | None = None


Item = FocusCondition | ServiceRequest | Condition | CarePlan | PlannedIntervention | Encounter
