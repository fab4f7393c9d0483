"""Files handed to a team: a FHIR R4 Bundle as docs/team-message.md shows.

``collection`` with the Patient where one is known, Organization of the sender, a DocumentReference per file (the file
itself in it) and a Task to read them.
"""

import base64
import hashlib
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from gateway.mapping.fhir.message import Json, clean, without_nothing
from gateway.mapping.fhir.systems import ASSIGNMENT_ID, CASE_ID, GLN, LETTER_ID, TEAM
from gateway.mapping.fhir.team_bundle import collection, organization, patient, reference
from gateway.municipality.model import Municipality
from gateway.referral.attachments import ForwardedFiles, TeamFile
from gateway.referral.ids import Cause, fhir_id

#: IANA's name of what a MedCom ObjectExtensionCode means; the others are bytes
MIME: Mapping[str, str] = MappingProxyType(
    {
        "pdf": "application/pdf",
        "txt": "text/plain",
        "rtf": "application/rtf",
        "doc": "application/msword",
        "xls": "application/vnd.ms-excel",
        "zip": "application/zip",
        "xml": "application/xml",
        "tiff": "image/tiff",
        "jpeg": "image/jpeg",
        "gif": "image/gif",
        "bmp": "image/bmp",
        "png": "image/png",
        "dcm": "application/dicom",
        "mpg": "video/mpeg",
        "wav": "audio/wav",
    }
)
_BYTES = "application/octet-stream"


def encode(message: ForwardedFiles, municipality: Municipality) -> bytes:
    """The Bundle as JSON bytes."""
    ids = {name: _id(message, name) for name in ("Patient", "Organization", "Task")}
    person = [patient(ids["Patient"], message.citizen)] if message.citizen else []
    resources = [
        *person,
        organization(ids["Organization"], message.sender),
        *(_document(message, number, ids) for number in range(len(message.files))),
        _task(message, ids, municipality),
    ]
    return msgspec.json.encode(collection(message.id, message.at, resources))


def _id(message: ForwardedFiles, name: str) -> str:
    return fhir_id(Cause(sender=message.team, id=message.id), name, message.team)


def _document_id(message: ForwardedFiles, number: int) -> str:
    """By its place: the same object may have been sent twice."""
    return _id(message, f"DocumentReference{number}")


def _document(message: ForwardedFiles, number: int, ids: dict[str, str]) -> Json:
    file = message.files[number]
    return without_nothing(
        {
            "resourceType": "DocumentReference",
            "id": _document_id(message, number),
            "identifier": [{"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{_hyphened(file.id)}"}],
            "status": "current",
            "subject": reference("Patient", ids["Patient"]) if message.citizen else None,
            "date": message.at.isoformat(),
            "author": [reference("Organization", ids["Organization"])],
            "description": clean(file.title),
            "content": [{"attachment": _attachment(file)}],
        }
    )


def _attachment(file: TeamFile) -> Json:
    """The file with its size and SHA-1, by which FHIR lets the receiver see that it is whole."""
    return {
        "contentType": MIME.get(file.extension, _BYTES),
        "data": base64.b64encode(file.data).decode(),
        "size": len(file.data),
        "hash": base64.b64encode(hashlib.sha1(file.data, usedforsecurity=False).digest()).decode(),
        "title": f"{_hyphened(file.id)}.{file.extension}",
    }


def _hyphened(key: str) -> str:
    return f"{key[:8]}-{key[8:12]}-{key[12:16]}-{key[16:20]}-{key[20:]}"


def _task(message: ForwardedFiles, ids: dict[str, str], municipality: Municipality) -> Json:
    status = "attachment" if message.case_id else "for-review"
    letter = {"system": LETTER_ID, "value": message.letter_id}
    assigner = {"identifier": {"system": GLN, "value": message.sender.gln}} if message.sender.gln else None
    letters = [{"type": {"text": "letter"}, "valueIdentifier": without_nothing(letter | {"assigner": assigner})}]
    return without_nothing(
        {
            "resourceType": "Task",
            "id": ids["Task"],
            "identifier": [{"system": ASSIGNMENT_ID, "value": own} for own in message.assignments],
            "groupIdentifier": {"system": CASE_ID, "value": message.case_id} if message.case_id else None,
            "status": "requested",
            "businessStatus": {"coding": [{"code": status}], "text": status},
            "intent": "order",
            "focus": reference("DocumentReference", _document_id(message, 0)),
            "for": reference("Patient", ids["Patient"]) if message.citizen else None,
            "authoredOn": message.at.isoformat(),
            "owner": {
                "identifier": {"system": TEAM, "value": message.team},
                "display": municipality.teams[message.team].display,
            },
            "description": message.note,
            "input": letters if message.letter_id else [],
        }
    )
