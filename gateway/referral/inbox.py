"""What we know already and what a message led to: the two values between the pure core and the store."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from gateway.errors import Fault
from gateway.referral.attachments import TrackedObject
from gateway.referral.case import Case
from gateway.referral.decide import Decision, Running
from gateway.referral.letters import Arrival, Outgoing
from gateway.referral.model import episode_key

LetterKey = tuple[str, str]
_replace = msgspec.structs.replace


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """What to look up before a message can be handled."""

    #: SHA-256 of messages' bytes
    digests: frozenset[str] = frozenset()
    #: (sender GLN, letter id)
    letters: frozenset[LetterKey] = frozenset()
    #: (sender GLN, envelope id)
    envelopes: frozenset[LetterKey] = frozenset()
    #: message and envelope ids of network envelopes: VANS MessageIdentifier and EnvelopeIdentifier, or those of SBDH
    network: frozenset[str] = frozenset()
    #: episode keys (no hyphens, lower case)
    episodes: frozenset[str] = frozenset()
    #: CPR or replacement CPR of citizens
    citizens: frozenset[str] = frozenset()
    case_ids: frozenset[str] = frozenset()
    #: letter ids, envelope ids and message ids of ours that a receipt names
    sent: frozenset[str] = frozenset()
    #: ids of files that come or are named (``object_key``)
    objects: frozenset[str] = frozenset()
    #: the files of the cases are needed too: a team event may give a case another team
    files_of_cases: bool = False

    def __or__(self, other: "Keys") -> "Keys":
        """Both sets of keys, to ask once for a whole batch."""
        names = Keys.__struct_fields__
        return Keys(**{name: getattr(self, name) | getattr(other, name) for name in names})


class KnownMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that was handled before, and our letter ids of the receipts it got."""

    digest: str
    sender: str
    envelope_id: str
    network_message_id: str = ""
    network_envelope_id: str = ""
    receipts: tuple[str, ...] = ()


class KnownLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A letter that was handled before."""

    key: LetterKey
    digest: str
    accepted: bool
    fault: Fault | None = None
    case_id: str | None = None
    #: our letter id of the receipt that answered it; None when no receipt was asked for
    receipt_id: str | None = None


class SentLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A letter of ours that a receipt may speak of."""

    letter_id: str
    message_id: str
    #: every envelope it was sent in
    envelopes: frozenset[str] = frozenset()
    case_id: str | None = None
    #: ``delivered``, ``refused`` or None while no receipt has come
    verdict: str | None = None


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the store holds about the keys of a message or batch."""

    messages: tuple[KnownMessage, ...] = ()
    letters: Mapping[LetterKey, KnownLetter] = {}
    cases: Mapping[str, Case] = {}
    sent: tuple[SentLetter, ...] = ()
    objects: Mapping[str, TrackedObject] = {}

    def message(self, digest: str, arrival: Arrival) -> KnownMessage | None:
        """The same message seen before: same bytes, or the same message id in the network's envelope."""
        message_id = arrival.network.message_id if arrival.network else ""
        for message in self.messages:
            if message.digest == digest or (message_id and message.network_message_id == message_id):
                return message
        return None

    def envelope_was_used(self, arrival: Arrival) -> bool:
        """Whether the envelope id was used before by the same sender (or the network's by anyone)."""
        key = (arrival.sender_gln or "", arrival.envelope_id or "")
        network_id = arrival.network.envelope_id if arrival.network else ""
        return any(
            (key[1] and (m.sender, m.envelope_id) == key) or (network_id and m.network_envelope_id == network_id)
            for m in self.messages
        )

    def of_episode(self, episode_id: str | None, sender: str | None = None, citizen: str | None = None) -> list[Case]:
        """Cases of an episode; a reused episode id is told apart by sender and citizen."""
        key = episode_key(episode_id)
        return [
            case
            for case in self.cases.values()
            if key is not None
            and episode_key(case.referral.episode_id) == key
            and (sender is None or case.referral.sender_gln == sender)
            and (citizen is None or case.referral.citizen.identifier == citizen)
        ]

    def running(self, citizen: str, *, but: Case | None = None) -> Running:
        """Teams at which the citizen has a course that is started and not ended, in another case than ``but``."""
        others = [c for c in self.cases.values() if but is None or c.case_id != but.case_id]
        cases = [case for case in others if case.referral.citizen.identifier == citizen]
        return Running(teams=frozenset().union(*(case.running_teams() for case in cases)))

    def after(self, letter: "InboxLetter", cases: tuple[Case, ...], objects: tuple[TrackedObject, ...] = ()) -> "Known":
        """The same with this letter handled, and these cases and files as they are now."""
        letters = {**self.letters, letter.key: letter.as_known()}
        return _replace(
            self,
            letters=letters,
            cases={**self.cases, **{case.case_id: case for case in cases}},
            objects={**self.objects, **{one.object_id: one for one in objects}},
        )

    def fold(self, outcome: "Outcome") -> "Known":
        """What is known after the outcome, for the next message of the same batch."""
        letters = {x.key: x.as_known() for x in outcome.letters if not x.may_come_again}
        cases = {case.case_id: case for case in outcome.cases}
        unknown = outcome.duplicate or any(x.may_come_again for x in outcome.letters)
        messages = self.messages if unknown else (*self.messages, outcome.message.as_known())
        return _replace(
            self,
            messages=messages,
            letters={**self.letters, **letters},
            cases={**self.cases, **cases},
            objects={**self.objects, **{one.object_id: one for one in outcome.objects}},
        )


class InboxMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message as the inbox keeps it."""

    digest: str
    type: str
    arrival: Arrival
    received_at: datetime
    #: our letter ids of the receipts it got
    receipts: tuple[str, ...] = ()
    fault: Fault | None = None
    warnings: tuple[str, ...] = ()

    def as_known(self) -> KnownMessage:
        """The same, as a later message finds it."""
        network = self.arrival.network
        return KnownMessage(
            digest=self.digest,
            sender=self.arrival.sender_gln or "",
            envelope_id=self.arrival.envelope_id or "",
            network_message_id=network.message_id if network else "",
            network_envelope_id=network.envelope_id if network else "",
            receipts=self.receipts,
        )


class InboxLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A letter as the inbox keeps it, with our verdict."""

    key: LetterKey
    type: str
    version: str
    digest: str
    fault: Fault | None = None
    case_id: str | None = None
    receipt_id: str | None = None
    #: only a referral has one
    decision: Decision | None = None
    episode_id: str | None = None
    #: handled before; stored already
    known: bool = False

    @property
    def may_come_again(self) -> bool:
        """A refused team event may come again under its id, corrected; all else is known by its key for ever."""
        return self.type == "team-event" and self.fault is not None

    def as_known(self) -> KnownLetter:
        """The same, as a later message finds it."""
        return KnownLetter(
            key=self.key,
            digest=self.digest,
            accepted=self.fault is None,
            fault=self.fault,
            case_id=self.case_id,
            receipt_id=self.receipt_id,
        )


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """Something put aside with a reason; it waits for a person."""

    #: derived from the message, so that parking twice is parking once
    id: str
    fault: Fault
    digest: str
    sender: str = ""
    letter_id: str = ""
    case_id: str | None = None


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt that came for a letter of ours."""

    letter_id: str
    #: ``delivered`` or ``refused``
    verdict: str
    #: which receipt said so, and the refuse code
    why: str = ""
    #: a second receipt, which changes nothing: the first one stands, or a refusal
    again: bool = False


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one message leads to; saved in one transaction."""

    message: InboxMessage
    letters: tuple[InboxLetter, ...] = ()
    #: new or changed cases, ``number`` grown by one; as each letter left them, so that a case may stand here twice
    cases: tuple[Case, ...] = ()
    outgoing: tuple[Outgoing, ...] = ()
    #: our letter ids of stored receipts to send again
    resend: tuple[str, ...] = ()
    parked: tuple[Parked, ...] = ()
    settled: tuple[Settled, ...] = ()
    #: new or changed, likewise
    objects: tuple[TrackedObject, ...] = ()
    #: ids of files that waited (GW-168) and wait no longer
    joined: tuple[str, ...] = ()
    #: the message was handled before: nothing but the stored receipts
    duplicate: bool = False
