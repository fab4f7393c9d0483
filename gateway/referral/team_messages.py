"""Team messages: a referral handed to a team, one message for each team."""

from datetime import datetime

from gateway.municipality.model import Municipality
from gateway.referral.case import WAITING, Case, CaseAssignment, State
from gateway.referral.ids import Cause, fhir_id
from gateway.referral.letters import TeamMessage, TeamTask
from gateway.referral.reply import Reply, case_reply
from gateway.referral.status_letters import drafted_answer
from gateway.referral.task_state import TASK_STATES


def first_message(case: Case, municipality: Municipality, cause: Cause, team: str) -> Reply:
    """What a team gets of a new referral: its own assignments, or all that wait for its decision."""
    tasks = tuple(task_of(case, a, municipality) for a in case.assignments if a.state in WAITING or a.team == team)
    return team_message(case, cause, team, tasks)


def team_message(case: Case, cause: Cause, team: str, tasks: tuple[TeamTask, ...], at: datetime | None = None) -> Reply:
    """One Bundle's worth of tasks for one team."""
    message_id = fhir_id(cause, "Task", team)
    content = TeamMessage(
        id=message_id,
        team=team,
        case_id=case.case_id,
        number=case.number,
        referral=case.referral,
        decision=case.decision,
        tasks=tasks,
        at=at or case.received_at,
    )
    return case_reply(case, content, cause)


def task_of(case: Case, assignment: CaseAssignment, municipality: Municipality) -> TeamTask:
    """An assignment as its team sees it."""
    drafted = assignment.state is State.DRAFTED_RETURN
    told = TASK_STATES[assignment.state]
    return TeamTask(
        assignment_id=assignment.id,
        code=assignment.intervention.code if assignment.intervention else None,
        display=assignment.intervention.display if assignment.intervention else None,
        delivery=assignment.delivery,
        status=told.status,
        business_status=told.business_status,
        note=drafted_answer(case.decision, municipality, case.received_at) if drafted else None,
    )
