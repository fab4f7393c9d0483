"""Status letters: what the referrer is told about the referral, in the municipality file's words."""

from datetime import datetime

from gateway.municipality.model import RETURN_REASONS, Municipality
from gateway.referral.case import Case
from gateway.referral.decide import RETURN, REVIEW, Decision
from gateway.referral.ids import Cause
from gateway.referral.letters import StatusLetter
from gateway.referral.moments import danish_date
from gateway.referral.reply import Reply, case_reply, our_party
from gateway.referral.workdays import local_date

#: what an assignment without an intervention of §119 is to the referrer (a §140 matter that its team took)
_NO_INTERVENTION = "vurdering"


def first_status(case: Case, municipality: Municipality, cause: Cause, at: datetime) -> Reply:
    """The first status letter about a referral: received and looked at, accepted, or a drafted answer."""
    outcome = case.decision.outcome
    if outcome == RETURN:
        note = drafted_answer(case.decision, municipality, case.received_at)
        return status_letter(case, municipality, "returned", cause, {"note": note, "at": at, "draft": True})
    occasion = "review" if outcome == REVIEW else "accepted"
    return status_letter(case, municipality, occasion, cause, {"at": at})


def drafted_answer(decision: Decision, municipality: Municipality, received_at: datetime) -> str:
    """The answer a sundhedskonsulent may approve: one paragraph per return reason, in the municipality's words."""
    received = danish_date(local_date(received_at))
    paragraphs = []
    for reason in RETURN_REASONS:
        evidence = [why.evidence for why in decision.why if why.name == reason]
        if evidence:
            text = municipality.returns[reason].strip()
            paragraphs.append(text.format(received=received, evidence=evidence[0]))
    return "\n".join(paragraphs)


def status_letter(
    case: Case, municipality: Municipality, occasion: str, cause: Cause, given: dict[str, object]
) -> Reply:
    """A status letter in the municipality's words for one occasion of its file.

    ``given`` holds ``at`` (when we write), and where they apply ``note`` and ``draft``.
    """
    at = given["at"]
    assert isinstance(at, datetime)  # noqa: S101  (a programming error, not input)
    words = municipality.letters[occasion]
    text = words.text.strip().format(
        received=danish_date(local_date(case.received_at)),
        interventions=_interventions(case, municipality),
        deadline=danish_date(case.decision.respond_by),
        note=given.get("note", ""),
    )
    content = StatusLetter(
        subject=words.subject,
        text=text,
        sender=our_party(municipality),
        receiver=case.referral.sender,
        citizen=case.referral.citizen,
        episode_id=case.referral.episode_id,
        referral_id=case.referral.letter_id,
        at=at,
    )
    return case_reply(case, content, cause, draft=bool(given.get("draft")))


def _interventions(case: Case, municipality: Municipality) -> str:
    parts = [
        f"{a.intervention.display if a.intervention else _NO_INTERVENTION} hos {municipality.teams[a.team].display}"
        for a in case.assignments
        if not a.has_ended
    ]
    return " og ".join(parts)
