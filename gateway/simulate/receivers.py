"""Simulated receivers: practices and hospitals that receipt what the municipality sends them, as their systems would.

A receiver is the gateway's own reading and receipting with the receiver's letterhead, so that every standard is
answered in its own way: XCTL, CTL, VANS Receipt, Acknowledgement.
"""

from datetime import datetime

import msgspec

from gateway.errors import Fault
from gateway.mapping.encoding import encode, wrap
from gateway.municipality.model import Municipality
from gateway.outbound.envelopes import form_of
from gateway.receive import read
from gateway.referral.ids import Cause, fhir_id, letter_id
from gateway.referral.letters import FHIR, AnsweredLetter, Arrival, Carrier, Outgoing
from gateway.referral.receipts import receipts

_replace = msgspec.structs.replace


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt on its way back."""

    name: str
    data: bytes
    content_type: str


def receipt_for(data: bytes, municipality: Municipality, at: datetime, *, refused: bool = False) -> list[Answer]:
    """What the receiver of a message of ours answers; nothing to a receipt. ``refused``: it cannot use the letter."""
    reading = read(data, sbdh=True)
    letters = [letter for letter in reading.letters if letter.is_answered]
    if not letters:
        return []
    arrival = reading.arrival
    fault = Fault(id="GW-131") if refused else None
    answered = tuple(AnsweredLetter(letter_id=x.letter_id, version=x.version, fault=fault) for x in letters)
    receiver = _as_receiver(arrival, municipality)
    replies = receipts(reading, answered, None, receiver, at)
    return [_answer(encode(reply, receiver), arrival, at) for reply in replies]


def _as_receiver(arrival: Arrival, municipality: Municipality) -> Municipality:
    """The receiver, in the shape in which the gateway knows who it is itself."""
    gln = arrival.receiver_gln or (arrival.network.receiver if arrival.network else "")
    named = arrival.fhir.receiver if arrival.fhir else None
    head = municipality.letterhead
    head = _replace(
        head, gln=gln, organisation=(named.name if named else "") or "Henviser", sor=named.sor if named else ""
    )
    return _replace(municipality, glns=(gln,), letterhead=head)


def _answer(letter: Outgoing, arrival: Arrival, at: datetime) -> Answer:
    cause = Cause(sender=letter.sender, id=f"{arrival.envelope_id}|{letter.letter_id}")
    in_uuids = letter.carrier is not Carrier.BARE or letter.payload in FHIR
    envelope_id = fhir_id(cause, "envelope", "") if in_uuids else letter_id(cause, "envelope", "")
    content_type, suffix = form_of(letter)
    name = f"{letter.kind.lower()}-{envelope_id}.{suffix}"
    return Answer(name=name, data=wrap(letter, envelope_id, at), content_type=content_type)
