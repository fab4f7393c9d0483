"""Where an assignment stands, as FHIR says it: the state of the Task that a team gets, and keeps as it works on.

The message that hands an assignment over carries the first states only; a team that keeps Tasks of its own uses the
rest for its own steps, so that both sides mean the same (``docs/team-message.md`` shows the table, a test holds them
together).
"""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from gateway.referral.case import State


class TaskState(msgspec.Struct, frozen=True, kw_only=True):
    """FHIR's Task.status, and what it means here."""

    status: str
    #: code of Task.businessStatus; None where the status says all
    business_status: str | None = None


TASK_STATES: Mapping[State, TaskState] = MappingProxyType(
    {
        State.FOR_REVIEW: TaskState(status="requested", business_status="for-review"),
        State.DRAFTED_RETURN: TaskState(status="draft"),
        State.INFO_REQUESTED: TaskState(status="on-hold", business_status="info-requested"),
        State.REFERRAL_REQUESTED: TaskState(status="on-hold", business_status="referral-requested"),
        State.ACCEPTED: TaskState(status="requested"),
        State.CONTACTED: TaskState(status="accepted", business_status="contacted"),
        State.TALK_BOOKED: TaskState(status="accepted", business_status="talk-booked"),
        State.TALK_HELD: TaskState(status="in-progress", business_status="talk-held"),
        State.COURSE_STARTED: TaskState(status="in-progress", business_status="course-started"),
        State.COURSE_COMPLETED: TaskState(status="completed", business_status="course-completed"),
        State.CLOSING_TALK_HELD: TaskState(status="completed", business_status="closing-talk-held"),
        State.FOLLOW_UP: TaskState(status="completed", business_status="follow-up"),
        State.CLOSED: TaskState(status="completed", business_status="closed"),
        State.NOT_REACHED: TaskState(status="failed", business_status="not-reached"),
        State.STOPPED: TaskState(status="failed", business_status="stopped"),
        State.DECLINED_BY_CITIZEN: TaskState(status="cancelled", business_status="declined-by-citizen"),
        State.CANCELLED_BY_REFERRER: TaskState(status="cancelled", business_status="cancelled-by-referrer"),
        State.REASSIGNED: TaskState(status="cancelled", business_status="reassigned"),
        State.RETURNED: TaskState(status="rejected", business_status="returned"),
    }
)
