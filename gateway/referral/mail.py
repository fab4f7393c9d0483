"""Whatever others write to us beside referrals, each kind to its own handling."""

from gateway.referral.attachments import AttachmentMessage
from gateway.referral.correspond import follow_correspondence
from gateway.referral.correspondence import Correspondence, OtherLetter
from gateway.referral.enclosures import follow_attachments
from gateway.referral.gate import Desk
from gateway.referral.handled import Handled
from gateway.referral.other_types import follow_other

Mail = Correspondence | AttachmentMessage | OtherLetter


def follow_mail(content: Mail, desk: Desk) -> Handled:
    """Korrespondance, files sent apart, or a type that we do not read."""
    if isinstance(content, AttachmentMessage):
        return follow_attachments(content, desk)
    if isinstance(content, OtherLetter):
        return follow_other(content, desk)
    return follow_correspondence(content, desk)
