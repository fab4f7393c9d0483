"""What one letter led to: the step between a letter and the message's outcome."""

import msgspec

from gateway.errors import Fault
from gateway.referral.attachments import TrackedObject
from gateway.referral.case import Case
from gateway.referral.decide import Decision
from gateway.referral.inbox import KnownLetter, Settled
from gateway.referral.reply import Reply


class Handled(msgspec.Struct, frozen=True, kw_only=True):
    """A letter's verdict and consequences."""

    #: None: accepted
    fault: Fault | None = None
    #: the letter was handled before: this is what it got then
    known: KnownLetter | None = None
    #: park the letter for a person, whether accepted or not
    parked: tuple[Fault, ...] = ()
    cases: tuple[Case, ...] = ()
    replies: tuple[Reply, ...] = ()
    settled: tuple[Settled, ...] = ()
    decision: Decision | None = None
    #: files that came or were named
    objects: tuple[TrackedObject, ...] = ()
    #: ids of files that waited for this letter
    joined: tuple[str, ...] = ()
    #: the case the letter belongs to, changed or not
    case_id: str | None = None
