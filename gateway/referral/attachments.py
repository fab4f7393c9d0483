"""Files sent apart from the letter that names them (XBIN01, XBIN02): joined to it, whichever comes first.

The two meet by the object's id, which is a UUID: hyphenated in the attachment, without hyphens in the letter's
``Reference`` (facts §8). They must be about the same citizen; an attachment that names none, by the same sender.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from gateway.referral.model import Attachment, Citizen, Party


class SentObject(msgspec.Struct, frozen=True, kw_only=True):
    """One file of an attachment message."""

    #: UUID without hyphens, lower case: the form in which the ids compare
    object_id: str
    #: MedCom ObjectCode and ObjectExtensionCode
    code: str
    extension: str
    #: size in bytes as the sender tells it; ``len(data)`` is the truth
    told_size: int
    data: bytes


class AttachmentMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A letter that carries files only (XBIN01 BinaryLetter, XBIN02 ReferralAttachment)."""

    message_type: str
    version: str
    letter_id: str
    sender: Party
    receiver: Party
    #: None where the letter names no citizen (``SystemInformation``)
    citizen: Citizen | None = None
    objects: tuple[SentObject, ...]
    at: datetime

    @property
    def sender_gln(self) -> str:
        """GLN of the letter's sender; part of the letter's key."""
        return self.sender.gln or ""


class Naming(msgspec.Struct, frozen=True, kw_only=True):
    """A letter (referral or korrespondance) that names a file."""

    sender_gln: str
    letter_id: str
    #: CPR or replacement CPR
    citizen: str
    #: None: korrespondance that no case fits
    case_id: str | None = None
    description: str = ""


class HeldFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that has come, and the letter it came in."""

    letter_id: str
    sender: Party
    citizen: Citizen | None
    file: SentObject
    at: datetime


class TrackedObject(msgspec.Struct, frozen=True, kw_only=True):
    """Everything known of one object id: who names it, and the files sent under it."""

    object_id: str
    #: grows by one with every change; a save on top of another number is refused
    number: int = 1
    namings: tuple[Naming, ...] = ()
    files: tuple[HeldFile, ...] = ()

    def named_for(self, message: AttachmentMessage) -> tuple[Naming, ...]:
        """The letters that this attachment belongs to."""
        return tuple(naming for naming in self.namings if _fits(naming, message.citizen, message.sender_gln))

    @property
    def awaited_by(self) -> str | None:
        """The case whose letter names the file and has not got it; None where no case waits."""
        return next((n.case_id for n in self.namings if n.case_id and not self.files_for(n)), None)

    def files_for(self, naming: Naming) -> tuple[HeldFile, ...]:
        """The files that this letter means."""
        return tuple(held for held in self.files if _fits(naming, held.citizen, held.sender.gln or ""))


class TeamFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file as a team gets it."""

    id: str
    title: str
    #: MedCom ObjectExtensionCode (``pdf`` …), or ``xml``
    extension: str
    data: bytes


class ForwardedFiles(msgspec.Struct, frozen=True, kw_only=True):
    """Files handed to a team: one FHIR Bundle per (letter, team)."""

    id: str
    team: str
    #: None: for the team to find out
    case_id: str | None = None
    assignments: tuple[str, ...] = ()
    #: the letter that the files came in
    letter_id: str
    sender: Party
    citizen: Citizen | None
    files: tuple[TeamFile, ...]
    #: what the team should know, Danish
    note: str
    at: datetime


def object_key(text: str | None) -> str | None:
    """The form in which object ids compare; None for what is no UUID, which no attachment can carry.

    >>> object_key("39DADACC-8761-4D0E-96F0-F202B24A79C0")
    '39dadacc87614d0e96f0f202b24a79c0'
    >>> object_key("spirometri-1") is None
    True
    """
    try:
        return UUID(text or "").hex
    except ValueError:
        return None


def named_objects(attachments: tuple[Attachment, ...]) -> dict[str, Attachment]:
    """The objects that a letter names, by key."""
    keys = ((object_key(attachment.object_id), attachment) for attachment in attachments)
    return {key: attachment for key, attachment in keys if key is not None}


def _fits(naming: Naming, citizen: Citizen | None, sender_gln: str) -> bool:
    return naming.sender_gln == sender_gln if citizen is None else naming.citizen == citizen.identifier
