"""What others write to us about a case: the GP's reply or question, and what a team gets of it."""

from datetime import datetime

import msgspec

from gateway.referral.model import Attachment, Citizen, Party


class Correspondence(msgspec.Struct, frozen=True, kw_only=True):
    """A message in words about a citizen (XDIS91, EDIFACT DIS91, CareCommunication)."""

    #: ``XDIS91``, ``DIS91`` or ``CareCommunication``
    message_type: str
    version: str
    #: Letter/Identifier (1 to 14 characters) or MessageHeader.id (UUID)
    letter_id: str
    #: as received; often absent
    episode_id: str | None
    #: replaces an earlier letter (``rettetbrev``)
    correction: bool = False
    sender: Party
    receiver: Party
    citizen: Citizen
    subject: str = ""
    #: all parts of the text, in order, as the sender's paragraphs
    text: str
    #: who wrote it, as far as the letter tells
    author: str | None = None
    #: when it was written
    at: datetime
    attachments: tuple[Attachment, ...] = ()
    #: ``rutine`` or ``høj_prioritet`` (MedCom XDIS91)
    priority: str | None = None
    #: MedCom EpisodeOfCareStatusCode: inaktiv, indlagt, ambulant, doed, ambulant_roentgen
    citizen_status: str | None = None

    @property
    def sender_gln(self) -> str:
        """GLN of the letter's sender; part of the letter's key."""
        return self.sender.gln or ""


class CaseLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A letter in a case's history, without its text: that went to the team, and stays in the stored message."""

    letter_id: str
    message_type: str
    sender_gln: str
    subject: str
    written_at: datetime
    received_at: datetime
    #: ``episode``, or ``citizen``: by sender, citizen and open case
    linked_by: str
    correction: bool = False
    #: the letter of the history that this one corrects
    replaces: str | None = None
    #: ids of the files that it names (``object_key``)
    objects: tuple[str, ...] = ()


class ForwardedLetter(msgspec.Struct, frozen=True, kw_only=True):
    """Correspondence handed to a team: one FHIR Bundle per (letter, team)."""

    id: str
    team: str
    #: None: for the review team to find out
    case_id: str | None = None
    assignments: tuple[str, ...] = ()
    letter: Correspondence
    #: the case waited for this
    answers_question: bool = False
    #: letter id of the correspondence that this one replaces
    replaces: str | None = None
    #: what the team should know, Danish
    note: str
    at: datetime


class OtherLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A letter as it came."""

    message_type: str
    version: str = ""
    #: empty where the type's ids are not known here
    letter_id: str = ""
    sender_gln: str = ""
    receiver_gln: str = ""
    #: the XML element
    data: bytes
