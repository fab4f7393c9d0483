"""What a letter of ours says, and a case as its teams tell of it."""

from gateway.referral.case import Case
from gateway.referral.inbox import Outcome
from gateway.referral.letters import Outgoing
from tests.builders import tell


def text_of(letter: Outgoing) -> str:
    """The text of a letter that has one part."""
    content = letter.content.decode()
    assert content.count("<Text01>") == 1
    return content.split("<Text01>")[1].split("</Text01>")[0].replace("<Break/>", "\n")


def subject_of(letter: Outgoing) -> str:
    """The subject of a status letter."""
    return letter.content.decode().split("<Subject>")[1].split("</Subject>")[0]


def after(case: Case, *steps: str | tuple[str, dict[str, object]]) -> tuple[Case, list[Outcome]]:
    """The case when these steps were told, and what each led to."""
    outcomes = []
    for number, step in enumerate(steps):
        kind, changes = (step, {}) if isinstance(step, str) else step
        outcome = tell(case, kind, **{"event_id": f"E{number}-{kind}", **changes})
        assert outcome.cases, (step, outcome.parked)
        (case,) = outcome.cases
        outcomes.append(outcome)
    return case, outcomes
