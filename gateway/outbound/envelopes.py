"""Minting envelopes: the one place with random ids. Every transmission gets a new one, never reused."""

import secrets
import string
import uuid
from datetime import datetime

import msgspec

from gateway.mapping.encoding import wrap
from gateway.referral.ids import MEDCOM_ID_LENGTH
from gateway.referral.letters import Carrier, Channel, Outgoing

_ALPHABET = string.digits + string.ascii_uppercase


class Transmission(msgspec.Struct, frozen=True, kw_only=True):
    """A letter in its envelope, ready for a transport."""

    letter: Outgoing
    #: 14 characters (bare MedCom XML), UUID (VANS), or the letter's own id (team message)
    envelope_id: str
    at: datetime
    data: bytes

    @property
    def content_type(self) -> str:
        """MIME type of the data."""
        return "application/fhir+json" if self.letter.channel is Channel.TEAM else "application/xml"

    @property
    def suffix(self) -> str:
        """File ending of the data."""
        return "json" if self.letter.channel is Channel.TEAM else "xml"


def mint(letter: Outgoing, at: datetime) -> Transmission:
    """Put a letter into a new envelope."""
    envelope_id = _new_id(letter)
    return Transmission(letter=letter, envelope_id=envelope_id, at=at, data=wrap(letter, envelope_id, at))


def _new_id(letter: Outgoing) -> str:
    if letter.channel is Channel.TEAM:
        return letter.letter_id
    if letter.carrier is Carrier.VANS:
        return str(uuid.uuid4())  # noqa: TID251  (this is the place)
    return "".join(secrets.choice(_ALPHABET) for _ in range(MEDCOM_ID_LENGTH))
