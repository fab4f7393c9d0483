"""Minting envelopes: the one place with random ids. Every transmission gets a new one, never reused."""

import secrets
import string
import uuid
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

import msgspec

from gateway.mapping.encoding import wrap
from gateway.referral.ids import MEDCOM_ID_LENGTH
from gateway.referral.letters import FHIR, Carrier, Channel, Outgoing, Payload

_XML = ("application/xml", "xml")
_JSON = ("application/fhir+json", "json")
#: MIME type and file ending of what stands in no network's envelope
_FORMS: Mapping[Payload, tuple[str, str]] = MappingProxyType(
    {
        Payload.MEDCOM_XML: _XML,
        Payload.EDIFACT: ("application/edifact", "edi"),
        Payload.FHIR_JSON: _JSON,
        Payload.FHIR_XML: ("application/fhir+xml", "xml"),
    }
)
_ALPHABET = string.digits + string.ascii_uppercase


def form_of(letter: Outgoing) -> tuple[str, str]:
    """MIME type and file ending of a letter as it is sent; a network's envelope is XML whatever it holds."""
    if letter.channel is Channel.TEAM:
        return _JSON
    return _FORMS[letter.payload] if letter.carrier is Carrier.BARE else _XML


class Transmission(msgspec.Struct, frozen=True, kw_only=True):
    """A letter in its envelope, ready for a transport."""

    letter: Outgoing
    #: 14 characters (bare MedCom XML), UUID (VANS, SBDH, FHIR), or the letter's own id (team message)
    envelope_id: str
    at: datetime
    data: bytes

    @property
    def content_type(self) -> str:
        """MIME type of the data."""
        return form_of(self.letter)[0]

    @property
    def suffix(self) -> str:
        """File ending of the data."""
        return form_of(self.letter)[1]


def mint(letter: Outgoing, at: datetime) -> Transmission:
    """Put a letter into a new envelope."""
    envelope_id = _new_id(letter)
    return Transmission(letter=letter, envelope_id=envelope_id, at=at, data=wrap(letter, envelope_id, at))


def new_uuid() -> str:
    """The id of a network's envelope or of a FHIR message's Bundle."""
    return str(uuid.uuid4())  # noqa: TID251  (this is the place)


def _new_id(letter: Outgoing) -> str:
    if letter.channel is Channel.TEAM:
        return letter.letter_id
    if letter.carrier is not Carrier.BARE or letter.payload in FHIR:
        return new_uuid()
    number = secrets.randbelow(len(_ALPHABET) ** MEDCOM_ID_LENGTH)  # one draw: one call of the system, not fourteen
    characters = []
    for _ in range(MEDCOM_ID_LENGTH):
        number, rest = divmod(number, len(_ALPHABET))
        characters.append(_ALPHABET[rest])
    return "".join(characters)
