"""What an answer has in common in every standard: from whom, to whom, in which wrapping, under which ids."""

import msgspec

from gateway.municipality.model import Municipality
from gateway.referral.ids import Cause, fhir_id, letter_id
from gateway.referral.letters import Arrival, Channel, DischargeNote, Outgoing, Payload, Receipt, StatusLetter
from gateway.referral.reply import Reply


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as its standard writes it."""

    #: ``XCTL02``, ``DIS91``, ``CareCommunication`` …
    kind: str
    version: str
    payload: Payload
    content: bytes
    #: our letter id, and the id that stays the same over resends
    ids: tuple[str, str]
    #: why it cannot be sent as it is; empty for one that can
    obstacle: str = ""


def our_gln(arrival: Arrival, municipality: Municipality) -> str:
    """The GLN of ours that was written to; the letterhead's where that is none of ours."""
    addressed = arrival.receiver_gln or ""
    return addressed if addressed in municipality.glns else municipality.letterhead.gln


def cause_of(reply: Reply) -> Cause:
    """What an answer's ids derive from. A draft is not the letter that is sent in the end: it has ids of its own."""
    return Cause(sender=reply.cause.sender, id=f"{reply.cause.id}|draft") if reply.draft else reply.cause


def medcom_ids(reply: Reply, kind: str, receiver: str) -> tuple[str, str]:
    """14 characters for the letter, a UUID for a VANSEnvelope's MessageIdentifier."""
    cause = cause_of(reply)
    return letter_id(cause, kind, receiver, reply.ordinal), fhir_id(cause, kind, receiver, reply.ordinal)


def receipt_as(reply: Reply, receipt: Receipt, written: Written, municipality: Municipality) -> Outgoing:
    """A receipt ready to send, to whoever sent the message, in the wrapping in which it came."""
    arrival = reply.arrival
    return Outgoing(
        letter_id=written.ids[0],
        message_id=written.ids[1],
        kind=written.kind,
        version=written.version,
        channel=Channel.MEDCOM,
        receiver=arrival.sender_gln or "",
        sender=our_gln(arrival, municipality),
        carrier=arrival.carrier,
        payload=written.payload,
        at=receipt.at,
        content=written.content,
        vans_receiver=arrival.vans.sender if arrival.vans else None,
        vans_receiver_type=arrival.vans.sender_type if arrival.vans else None,
    )


def letter_as(
    reply: Reply, letter: StatusLetter | DischargeNote, written: Written, municipality: Municipality
) -> Outgoing:
    """A letter ready to send; a receipt is expected for it."""
    return Outgoing(
        letter_id=written.ids[0],
        message_id=written.ids[1],
        kind=written.kind,
        version=written.version,
        channel=Channel.MEDCOM,
        receiver=letter.receiver.gln or "",
        sender=municipality.letterhead.gln,
        carrier=reply.arrival.carrier,
        payload=written.payload,
        case_id=reply.case_id,
        episode_id=reply.episode_id,
        at=letter.at,
        content=written.content,
        draft=reply.draft,
        obstacle=written.obstacle,
        wants_receipt=True,
        closing=isinstance(letter, DischargeNote),
    )
