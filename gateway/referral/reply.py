"""One answer of ours with what caused it: the ground that the composers of letters stand on."""

import msgspec

from gateway.municipality.model import Municipality
from gateway.referral.attachments import ForwardedFiles
from gateway.referral.case import Case
from gateway.referral.correspondence import ForwardedLetter
from gateway.referral.ids import Cause
from gateway.referral.letters import Arrival, DischargeNote, Receipt, StatusLetter, TeamMessage
from gateway.referral.model import Address, Party


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One answer with its cause, from which its id is derived."""

    content: Receipt | StatusLetter | DischargeNote | TeamMessage | ForwardedLetter | ForwardedFiles
    cause: Cause
    #: how the message that we answer arrived
    arrival: Arrival
    #: version of the referral, which our letter's version follows; empty for a receipt
    referral_version: str = ""
    case_id: str | None = None
    episode_id: str | None = None
    #: waits for approval
    draft: bool = False
    #: which of several letters with the same cause, kind and receiver
    ordinal: int = 0


def case_reply(
    case: Case,
    content: StatusLetter | DischargeNote | TeamMessage | ForwardedLetter | ForwardedFiles,
    cause: Cause,
    *,
    draft: bool = False,
    ordinal: int = 0,
) -> Reply:
    """An answer that belongs to a case, in the way its referral came."""
    return Reply(
        content=content,
        cause=cause,
        arrival=case.arrival,
        referral_version=case.referral.version,
        case_id=case.case_id,
        episode_id=case.referral.episode_id,
        draft=draft,
        ordinal=ordinal,
    )


def our_party(municipality: Municipality) -> Party:
    """The municipality as sender of its letters."""
    head = municipality.letterhead
    return Party(
        gln=head.gln,
        identifier=head.identifier,
        identifier_code=head.identifier_code,
        organisation=head.organisation,
        department=head.department,
        address=Address(district=head.district, postcode=head.postcode),
        phone=head.phone,
    )
