"""Team events: what a team tells about a case. The JSON form is part of ``interfaces``: stable, strict, documented."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class EventType(StrEnum):
    """Every step a team can tell about; the wire form is the value."""

    #: the team takes the assignment, or the review's proposals as they stand
    ACCEPTED = "accepted"
    #: a person decided a review: programmes and assignments
    REVIEW_DECIDED = "review_decided"
    #: the answer to the referrer is approved or worded
    RETURNED = "returned"
    #: the referrer is asked a question
    INFO_REQUESTED = "info_requested"
    #: the referrer answered (also what the gateway itself notes when a reply or updated referral comes)
    INFO_RECEIVED = "info_received"
    #: the citizen is helped to a doctor's referral
    REFERRAL_REQUESTED = "referral_requested"
    CONTACTED = "contacted"
    #: the citizen could not be reached; ends the assignment
    NOT_REACHED = "not_reached"
    TALK_BOOKED = "talk_booked"
    TALK_HELD = "talk_held"
    COURSE_STARTED = "course_started"
    SESSION_HELD = "session_held"
    NO_SHOW = "no_show"
    #: an internal referral in the same case
    REFERRED_ON = "referred_on"
    COURSE_COMPLETED = "course_completed"
    CLOSING_TALK_HELD = "closing_talk_held"
    FOLLOW_UP_HELD = "follow_up_held"
    #: ended early, with KL's reason
    STOPPED = "stopped"
    DECLINED_BY_CITIZEN = "declined_by_citizen"
    REASSIGNED = "reassigned"
    #: an earlier event was entered in error
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


#: what may give a case a team that had it not before
GIVES_A_TEAM = frozenset(
    {EventType.ACCEPTED, EventType.REVIEW_DECIDED, EventType.REFERRED_ON, EventType.REASSIGNED, EventType.WITHDRAWN}
)


class WireRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Part of the event's JSON; unknown fields are refused."""


class Author(WireRecord, frozen=True, kw_only=True):
    """The person at the team."""

    name: str
    title: str | None = None
    phone: str | None = None


class Period(WireRecord, frozen=True, kw_only=True):
    """When something took place; both ends carry a zone."""

    start: Moment
    end: Moment


class NewAssignment(WireRecord, frozen=True, kw_only=True):
    """An assignment a reviewer decided on; ``intervention`` is an FSIII §119 code."""

    team: str
    intervention: str
    delivery: str | None = None


class TeamEvent(WireRecord, frozen=True, kw_only=True):
    """One event; field names and types are those of the published JSON Schema ``/schemas/team-event.json``."""

    event_id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    type: EventType
    team: str
    occurred: Moment
    author: Author
    episode_of_care_id: str | None = None
    case_id: str | None = None
    assignment: str | None = None
    #: goes into letters of at most ten parts of 3150 characters
    note: Annotated[str, msgspec.Meta(max_length=20_000)] | None = None
    period: Period | None = None
    booked_for: Moment | None = None
    contact_class: str | None = None
    conditions: tuple[str, ...] | None = None
    programmes: tuple[str, ...] | None = None
    assignments: tuple[NewAssignment, ...] | None = None
    interventions: tuple[str, ...] | None = None
    #: ``individual`` or ``group``
    delivery: str | None = None
    #: date, or date and time with zone
    started: str | None = None
    ended: str | None = None
    to_team: str | None = None
    stop_reason: str | None = None
    withdraws: str | None = None


#: fields a type must have, beside those every event has
REQUIRED: dict[EventType, tuple[str, ...]] = {
    EventType.REVIEW_DECIDED: ("programmes", "assignments"),
    EventType.RETURNED: ("note",),
    EventType.INFO_REQUESTED: ("note",),
    EventType.TALK_BOOKED: ("booked_for",),
    EventType.TALK_HELD: ("period", "contact_class"),
    EventType.COURSE_STARTED: ("interventions", "delivery", "started"),
    EventType.SESSION_HELD: ("period", "contact_class"),
    EventType.NO_SHOW: ("period", "contact_class"),
    EventType.REFERRED_ON: ("to_team", "interventions"),
    EventType.COURSE_COMPLETED: ("ended", "note"),
    EventType.STOPPED: ("stop_reason", "note"),
    EventType.REASSIGNED: ("to_team",),
    EventType.WITHDRAWN: ("withdraws",),
}
#: fields a type may have beside the required ones and those every event may have
OPTIONAL: dict[EventType, tuple[str, ...]] = {
    EventType.TALK_HELD: ("conditions",),
    EventType.COURSE_STARTED: ("conditions",),
    EventType.CLOSING_TALK_HELD: ("contact_class", "conditions"),
    EventType.FOLLOW_UP_HELD: ("contact_class",),
    EventType.REFERRED_ON: ("delivery",),
}
EVERYWHERE = frozenset(
    {"event_id", "type", "team", "occurred", "author", "episode_of_care_id", "case_id", "assignment", "note", "period"}
)
