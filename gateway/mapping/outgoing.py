"""What an answer has in common in every standard: from whom, to whom, in which wrapping, under which ids."""

import msgspec

from gateway.municipality.model import Municipality
from gateway.referral.ids import Cause, fhir_id, letter_id
from gateway.referral.letters import Arrival, Carrier, Channel, DischargeNote, Outgoing, Payload, Receipt, StatusLetter
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


class Cover(msgspec.Struct, frozen=True, kw_only=True):
    """What an SBDH says of the message in it; what is not known is empty."""

    #: code of the FHIR event, or the letter's type
    standard: str
    version: str
    #: the message's own root: ``Bundle``, ``Emessage``
    root: str
    #: the message type's URI in EHMI's register, to which its receiver is registered
    document_id: str
    #: what MedCom counts it as
    statistics: str
    mime: str
    #: ``UTF-8`` or ``ISO-8859-1``
    encoding: str
    #: of the envelope that the message itself has: Emessage, Bundle
    envelope_id: str
    #: the citizen's CPR
    cpr: str = ""
    sender_sor: str = ""
    receiver_sor: str = ""


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


def _carrier(arrival: Arrival, payload: Payload) -> Carrier:
    """The wrapping that came in. EHMI describes no EDIFACT in an SBDH; a receiver who has chosen it gets it bare."""
    return Carrier.BARE if (arrival.carrier, payload) == (Carrier.SBDH, Payload.EDIFACT) else arrival.carrier


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
        network_receiver=(arrival.network.sender or None) if arrival.network else None,
        network_receiver_type=arrival.vans.sender_type if arrival.vans else None,
        process=arrival.sbdh.process if arrival.sbdh else "",
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
        carrier=_carrier(reply.arrival, written.payload),
        payload=written.payload,
        process=reply.arrival.sbdh.process if reply.arrival.sbdh else "",
        case_id=reply.case_id,
        episode_id=reply.episode_id,
        at=letter.at,
        content=written.content,
        draft=reply.draft,
        obstacle=written.obstacle,
        wants_receipt=True,
        closing=isinstance(letter, DischargeNote),
    )
