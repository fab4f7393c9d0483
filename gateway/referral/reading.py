"""What ``read()`` makes of a message's bytes: how it arrived, its letters decoded, and what is wrong with each."""

import hashlib
from datetime import datetime

import msgspec

from gateway.errors import Fault
from gateway.referral.attachments import AttachmentMessage
from gateway.referral.correspondence import Correspondence, OtherLetter
from gateway.referral.events import TeamEvent
from gateway.referral.letters import Arrival, ReceivedReceipt
from gateway.referral.model import Referral

#: everything a letter can hold
Content = Referral | Correspondence | AttachmentMessage | OtherLetter | ReceivedReceipt | TeamEvent


class ReadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """One letter of a message: decoded, or with its fault."""

    #: e.g. ``XREF15``; the element's local name where the type is unknown
    type: str
    version: str = ""
    #: empty where it cannot be read
    letter_id: str = ""
    content: Content | None = None
    fault: Fault | None = None
    #: SHA-256 of the decoded content, or of the raw letter where it could not be decoded
    digest: str = ""

    @property
    def is_answered(self) -> bool:
        """Whether the letter gets a receipt; receipts and team events never do."""
        return not self.type.startswith(("XCTL", "CTL", "VANS", "team-event", "Acknowledgement"))


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One message as read. ``fault`` concerns the message as a whole; each letter has its own."""

    arrival: Arrival = Arrival()
    letters: tuple[ReadLetter, ...] = ()
    fault: Fault | None = None
    #: observations that refuse nothing, e.g. a wrong SizeInBytes
    warnings: tuple[str, ...] = ()
    #: SHA-256 of the message's bytes
    digest: str = ""

    @property
    def message_type(self) -> str:
        """Type of the first letter; ``unknown`` without one."""
        return self.letters[0].type if self.letters else "unknown"

    @property
    def sent_at(self) -> datetime | None:
        """When the sender sent it."""
        return self.arrival.sent_at


def content_digest(content: Content | bytes) -> str:
    """Hex SHA-256 of a decoded letter (or raw bytes), to tell a resend from an id that is used twice."""
    data = content if isinstance(content, bytes) else msgspec.json.encode(content)
    return hashlib.sha256(data).hexdigest()
