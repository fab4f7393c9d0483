"""What we receive besides referrals, and what we write: receipts, status letters, discharge notes, team messages.

These are values. ``gateway.mapping`` turns them into the standards' bytes; an ``Outgoing`` is such a letter ready to
send, complete but for the envelope, which the relay mints at every transmission.
"""

from datetime import date, datetime
from enum import StrEnum

import msgspec

from gateway.errors import Fault, RefuseCode
from gateway.referral.decide import Decision
from gateway.referral.model import Citizen, Diagnosis, Party, Referral


class Carrier(StrEnum):
    """The wrapping a message came in; answers use the same."""

    BARE = "bare"
    VANS = "vans"
    #: StandardBusinessDocument of EHMI's eDelivery
    SBDH = "sbdh"


class Payload(StrEnum):
    """The standard a message is written in; answers use the same (XML referrals are answered in XML, FHIR in FHIR)."""

    MEDCOM_XML = "medcom-xml"
    EDIFACT = "edifact"
    FHIR_JSON = "fhir-json"
    FHIR_XML = "fhir-xml"


#: the two forms of FHIR
FHIR = frozenset({Payload.FHIR_JSON, Payload.FHIR_XML})


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """How a message reached us: all that is needed to answer it in its own way."""

    carrier: Carrier = Carrier.BARE
    payload: Payload = Payload.MEDCOM_XML
    #: GLN in the letter's (or, unreadable, the envelope's) Sender; None when no sender can be read
    sender_gln: str | None = None
    receiver_gln: str | None = None
    #: Emessage Envelope/Identifier, 1 to 14 characters; Bundle.id in FHIR
    envelope_id: str | None = None
    #: ``pluspositivkvitt``: the sender asks for a positive receipt
    positive_wanted: bool = False
    #: moment of sending, as the envelope says (Danish civil time where it has no zone)
    sent_at: datetime | None = None
    #: VANSEnvelope: who sent it, to whom, ids (UUID), whether transport is reliable, MetaInformation to echo
    vans: "VansArrival | None" = None
    #: the StandardBusinessDocument around it, instead of a VANSEnvelope
    sbdh: "SbdhArrival | None" = None
    #: FHIR: who sent the message to whom, and the chain of messages before it; ``envelope_id`` is its Bundle.id
    fhir: "FhirArrival | None" = None

    @property
    def network(self) -> "VansArrival | SbdhArrival | None":
        """The network's envelope around the message; None where it came bare."""
        return self.vans or self.sbdh

    @property
    def positive_owed(self) -> bool:
        """Whether a good message is answered at all: reliable transport and FHIR demand it, else the sender asks."""
        return self.positive_wanted or self.fhir is not None or (self.vans is not None and self.vans.reliable)


class VansArrival(msgspec.Struct, frozen=True, kw_only=True):
    """The VANSEnvelope around a message."""

    sender: str
    sender_type: str
    receiver: str
    receiver_type: str
    envelope_id: str
    message_id: str
    reliable: bool = True
    #: the MetaInformation element's inner XML, echoed in the Receipt's OriginalMessage
    meta: str = ""


class SbdhArrival(msgspec.Struct, frozen=True, kw_only=True):
    """The StandardBusinessDocument around a message; what of it cannot be read is empty."""

    #: GLNs
    sender: str = ""
    receiver: str = ""
    #: DocumentIdentification/InstanceIdentifier, a UUID
    envelope_id: str = ""
    #: scope MESSAGEIDENTIFIER where it is a UUID, and the payload says no other
    message_id: str = ""
    #: scope PROCESSID; an answer names the same
    process: str = ""


class FhirParty(msgspec.Struct, frozen=True, kw_only=True):
    """An organisation of a FHIR message as it names itself."""

    gln: str = ""
    #: SOR id; empty where the message has none (a bare ServiceRequest may)
    sor: str = ""
    name: str = ""
    #: MessageHeader.source.endpoint of a sender, destination.endpoint of a receiver
    endpoint: str = ""


class FhirProvenance(msgspec.Struct, frozen=True, kw_only=True):
    """One Provenance of a message: what happened to which message, and by whom."""

    #: id of the MessageHeader that it is about
    target: str
    #: new-message, reply-message, forward-message …
    activity: str
    #: dateTime and instant, as received
    occurred: str
    recorded: str
    #: the organisation that did it; None where the reference leads nowhere
    agent: FhirParty | None = None
    #: entities of role ``source``: identifiers of the payloads (``urn:uuid:…``)
    payloads: tuple[str, ...] = ()
    #: entity of role ``revision``: id of the MessageHeader before, or ``[lokationsnummer]#[brevid]`` of a MedCom letter
    previous: str = ""


class FhirArrival(msgspec.Struct, frozen=True, kw_only=True):
    """The MessageHeader around a FHIR message: all that an answer must quote or carry on."""

    #: MessageHeader.id; empty for a bare resource, which no Acknowledgement can name
    message_id: str = ""
    #: code of the event, e.g. ``new-referral``
    event: str = ""
    sender: FhirParty = FhirParty()
    receiver: FhirParty = FhirParty()
    #: every Provenance of the message, in the order received
    provenances: tuple[FhirProvenance, ...] = ()


class AnsweredLetter(msgspec.Struct, frozen=True, kw_only=True):
    """One letter that a receipt speaks of; ``fault`` None means accepted."""

    letter_id: str
    version: str
    fault: Fault | None = None


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Our verdict on one envelope: says that the system took it, never that a person accepted the referral."""

    positive: bool
    arrival: Arrival
    letters: tuple[AnsweredLetter, ...] = ()
    #: a fault of the envelope as a whole
    fault: Fault | None = None
    #: when the message reached us; the time the receipt speaks of
    at: datetime
    #: a Receipt of the VANS envelope rather than an XCTL letter
    by_vans: bool = False


class ReceivedLetter(msgspec.Struct, frozen=True, kw_only=True):
    """One letter named in a receipt we got for something we sent."""

    letter_id: str
    refuse_code: RefuseCode | None = None


class ReceivedReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt for something we sent: XCTL01/02/03, VANS Receipt or FHIR Acknowledgement."""

    kind: str
    positive: bool
    #: the envelope of ours that it answers (an1..14, or the VANS envelope's UUID)
    envelope_id: str
    #: VANS MessageIdentifier of ours (UUID), or the FHIR MessageHeader.id
    message_id: str | None = None
    letters: tuple[ReceivedLetter, ...] = ()
    #: refuse code of the whole envelope
    refuse_code: RefuseCode | None = None
    #: why, in the receiver's words
    text: str = ""


class StatusLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A message to the referrer about the referral (XDIS91, or CareCommunication ``regarding-referral``)."""

    subject: str
    text: str
    sender: Party
    receiver: Party
    citizen: Citizen
    episode_id: str | None
    #: the referral's letter id
    referral_id: str = ""
    at: datetime


class DischargeNote(msgspec.Struct, frozen=True, kw_only=True):
    """The closing note to the referrer (XDIS15, or CareCommunication)."""

    text: str
    sender: Party
    speciality_name: str
    receiver: Party
    copy_receiver: Party | None
    citizen: Citizen
    episode_id: str | None
    #: the referral's letter id, when it was written, and when it reached us
    referral_id: str
    referred_at: datetime
    received_at: datetime
    diagnoses: tuple[Diagnosis, ...]
    category: str | None
    ended_at: datetime | None
    signed_on: date
    signed_by: str
    job_title: str
    at: datetime


class TeamTask(msgspec.Struct, frozen=True, kw_only=True):
    """One assignment as its team sees it."""

    assignment_id: str
    #: None for a review without proposal
    code: str | None
    display: str | None
    delivery: str | None
    #: FHIR Task.status and businessStatus (``gateway.referral.task_state``)
    status: str
    business_status: str | None = None
    #: drafted answer, or what changed
    note: str | None = None


class TeamMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A referral handed to a team: one FHIR Bundle per (letter, team)."""

    id: str
    team: str
    case_id: str
    #: the case's number with this message: of two messages of a case the higher one is newer, whichever comes first
    number: int
    referral: Referral
    decision: Decision
    tasks: tuple[TeamTask, ...]
    at: datetime


class Channel(StrEnum):
    """Where a letter goes."""

    MEDCOM = "medcom"
    TEAM = "team"


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """A letter ready to send, complete but for the envelope."""

    #: our letter id: 14 characters in MedCom XML, UUID in FHIR and for teams
    letter_id: str
    #: UUID that stays the same over resends: VANS MessageIdentifier, or the resource's own id
    message_id: str
    #: ``XCTL02``, ``XCTL03``, ``VANSReceipt``, ``XDIS91``, ``XDIS15``, ``Task`` …
    kind: str
    version: str
    channel: Channel
    #: GLN, or the team's key
    receiver: str
    sender: str
    carrier: Carrier = Carrier.BARE
    payload: Payload = Payload.MEDCOM_XML
    case_id: str | None = None
    episode_id: str | None = None
    #: when we wrote it (stored received or occurred time)
    at: datetime
    #: UTF-8 letter element, receipt element or JSON resource
    content: bytes
    #: waits for a person's approval; never sent by itself
    draft: bool = False
    #: why it cannot be sent as it is (a fact that nobody told us); it is kept parked with this reason
    obstacle: str = ""
    #: a receipt is expected within the municipality's limit
    wants_receipt: bool = False
    #: the closing note to the referrer, whatever kind its standard writes it as
    closing: bool = False
    #: end point in the network's envelope where it may differ from the receiver; its type, which only VANS has
    network_receiver: str | None = None
    network_receiver_type: str | None = None
    #: scope PROCESSID in an SBDH; empty: the one that EHMI names
    process: str = ""
