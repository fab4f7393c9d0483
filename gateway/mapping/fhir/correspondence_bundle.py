"""A letter about a case, handed to a team: a FHIR R4 Bundle as docs/team-message.md shows.

``collection`` with Patient, Organization of the sender, the letter as Communication, and a Task to read it.
"""

import msgspec

from gateway.mapping.fhir.message import Json, clean, without_nothing
from gateway.mapping.fhir.systems import ASSIGNMENT_ID, CASE_ID, EPISODE_ID, GLN, LETTER_ID, TEAM
from gateway.mapping.fhir.team_bundle import collection, organization, patient, reference
from gateway.municipality.model import Municipality
from gateway.referral.correspondence import ForwardedLetter
from gateway.referral.ids import Cause, fhir_id

_URGENT = "høj_prioritet"


def encode(message: ForwardedLetter, municipality: Municipality) -> bytes:
    """The Bundle as JSON bytes."""
    names = ("Patient", "Organization", "Communication", "Task")
    ids = {name: fhir_id(Cause(sender=message.team, id=message.id), name, message.team) for name in names}
    resources = [
        patient(ids["Patient"], message.letter.citizen),
        organization(ids["Organization"], message.letter.sender),
        _communication(message, ids),
        _task(message, ids, municipality),
    ]
    return msgspec.json.encode(collection(message.id, message.at, resources))


def _priority(message: ForwardedLetter) -> str:
    return "urgent" if message.letter.priority == _URGENT else "routine"


def _communication(message: ForwardedLetter, ids: dict[str, str]) -> Json:
    letter = message.letter
    subject, author = clean(letter.subject), clean(letter.author or "")
    episode = clean(letter.episode_id or "")
    return without_nothing(
        {
            "resourceType": "Communication",
            "id": ids["Communication"],
            "identifier": [_letter_id(message, letter.letter_id)],
            "basedOn": [{"identifier": {"system": EPISODE_ID, "value": episode}}] if episode else [],
            "status": "completed",
            "priority": _priority(message),
            "subject": reference("Patient", ids["Patient"]),
            "topic": {"text": subject} if subject else None,
            "sent": letter.at.isoformat(),
            "received": message.at.isoformat(),
            "sender": reference("Organization", ids["Organization"]),
            "payload": [{"contentString": text} for text in [clean(letter.text)] if text]
            + [
                {"contentString": f"Bilag: {clean(a.description)} {clean(a.url or '')}".strip()}
                for a in letter.attachments
            ],
            "note": [{"text": f"Skrevet af {author}"}] if author else [],
        }
    )


def _letter_id(message: ForwardedLetter, letter_id: str) -> Json:
    gln = message.letter.sender_gln
    return without_nothing({"system": LETTER_ID, "value": letter_id, "assigner": _assigner(gln)})


def _assigner(gln: str) -> Json:
    return {"identifier": {"system": GLN, "value": gln}} if gln else {}


def _task(message: ForwardedLetter, ids: dict[str, str], municipality: Municipality) -> Json:
    status = "answer-received" if message.answers_question else "correspondence"
    case = {"system": CASE_ID, "value": message.case_id} if message.case_id else None
    replaced = [message.replaces] if message.replaces else []
    return without_nothing(
        {
            "resourceType": "Task",
            "id": ids["Task"],
            "identifier": [{"system": ASSIGNMENT_ID, "value": own} for own in message.assignments],
            "groupIdentifier": case,
            "status": "requested",
            "businessStatus": {"coding": [{"code": status if case else "for-review"}], "text": status},
            "intent": "order",
            "priority": _priority(message),
            "focus": reference("Communication", ids["Communication"]),
            "for": reference("Patient", ids["Patient"]),
            "authoredOn": message.at.isoformat(),
            "owner": {
                "identifier": {"system": TEAM, "value": message.team},
                "display": municipality.teams[message.team].display,
            },
            "description": message.note,
            "input": [{"type": {"text": "replaces"}, "valueIdentifier": _letter_id(message, old)} for old in replaced],
        }
    )
