"""Receipts: what the sender is told about the system having taken a message (design §2, §5)."""

from datetime import datetime

import msgspec

from gateway.errors import Fault
from gateway.municipality.model import Municipality
from gateway.referral.ids import Cause
from gateway.referral.letters import AnsweredLetter, Receipt
from gateway.referral.reading import Reading
from gateway.referral.reply import Reply


def receipts(
    reading: Reading, letters: tuple[AnsweredLetter, ...], fault: Fault | None, municipality: Municipality, at: datetime
) -> list[Reply]:
    """At most one negative receipt that names the refused letters and one positive for the accepted (design §2).

    Nobody is answered where no sender can be read.
    """
    arrival = reading.arrival
    if not arrival.sender_gln:
        return []
    by_vans = arrival.vans is not None and arrival.vans.reliable
    refused = letters if fault is not None else tuple(letter for letter in letters if letter.fault is not None)
    accepted = () if fault is not None else tuple(letter for letter in letters if letter.fault is None)
    negative = Receipt(positive=False, arrival=arrival, letters=refused, fault=fault, at=at)
    positive = Receipt(positive=True, arrival=arrival, letters=accepted, at=at)
    wanted = [negative] if refused or fault is not None else []
    if arrival.fhir is not None:
        return [_receipt(content, reading.digest) for content in _in_fhir(wanted[0] if wanted else positive)]
    if by_vans:
        beside = _beside_vans(wanted, positive, municipality)
        verdict = positive if accepted else negative
        wanted = [*beside, msgspec.structs.replace(verdict, by_vans=True)]
    elif accepted and arrival.positive_wanted:
        wanted.append(positive)
    return [_receipt(content, reading.digest) for content in wanted]


def not_now(reading: Reading, municipality: Municipality, at: datetime) -> Reply | None:
    """What a sender who waits for the answer is told while a neighbour of ours is down: nothing is stored (KR4).

    None where no Acknowledgement is owed: to an Acknowledgement (KR2), or where nobody and no message can be named.
    """
    if reading.letters and not any(letter.is_answered for letter in reading.letters):
        return None
    bare = msgspec.structs.replace(reading, arrival=msgspec.structs.replace(reading.arrival, vans=None))
    told = receipts(bare, (), Fault(id="GW-192"), municipality, at) if reading.arrival.fhir is not None else []
    return told[0] if told else None


def _in_fhir(verdict: Receipt) -> list[Receipt]:
    """Every FHIR message is acknowledged (KR1), beside the VANS Receipt that reliable transport demands.

    A bare resource has no message id that an Acknowledgement could name.
    """
    arrival = verdict.arrival
    by_vans = arrival.vans is not None and arrival.vans.reliable
    named = arrival.fhir is not None and arrival.fhir.message_id
    vans = [msgspec.structs.replace(verdict, by_vans=True)] if by_vans else []
    return [*vans, *([verdict] if named else [])]


def _beside_vans(negative: list[Receipt], positive: Receipt, municipality: Municipality) -> list[Receipt]:
    """XCTLs beside a VANS Receipt: the refused letters of a mixed payload, or both kinds where the file says so."""
    mixed = negative if positive.letters else []
    if municipality.receipts.vans != "both":
        return mixed
    asked = positive.letters and positive.arrival.positive_wanted
    return [*negative, *([positive] if asked else [])]


def _receipt(content: Receipt, digest: str) -> Reply:
    """A receipt that names no letter answers these very bytes: another broken message is told of its own fault."""
    arrival = content.arrival
    envelope = (arrival.network.envelope_id if arrival.network else "") or arrival.envelope_id
    letters = [letter.letter_id for letter in content.letters]
    named = "|".join([envelope or "", *(letters if any(letters) else [digest])])
    return Reply(content=content, cause=Cause(sender=arrival.sender_gln or "", id=named), arrival=arrival)
