"""Types we know by name and do not read: refused, or handed unread to the team that the municipality file names."""

import hashlib

from gateway.errors import Fault
from gateway.referral.attachments import ForwardedFiles, TeamFile
from gateway.referral.correspondence import OtherLetter
from gateway.referral.gate import Desk
from gateway.referral.handled import Handled
from gateway.referral.ids import Cause, fhir_id
from gateway.referral.letters import Arrival
from gateway.referral.model import Party
from gateway.referral.reply import Reply

_NOTE = "Gatewayen læser ikke denne beskedtype. Brevet er vedlagt, som det kom, og skal behandles af en medarbejder."


def follow_other(letter: OtherLetter, desk: Desk) -> Handled:
    """To the team that the file names for the type; else GW-110. GW-130 where it is not for us."""
    receiver = letter.receiver_gln or desk.arrival.receiver_gln
    if receiver is not None and receiver not in desk.municipality.glns:
        return Handled(fault=Fault(id="GW-130"))
    team = desk.municipality.forwards.get(letter.message_type)
    if team is None:
        return Handled(fault=Fault(id="GW-110", detail=letter.message_type))
    sender = letter.sender_gln or desk.arrival.sender_gln or ""
    digest = hashlib.sha256(letter.data).hexdigest()
    cause = Cause(sender=sender, id=letter.letter_id or digest)
    content = ForwardedFiles(
        id=fhir_id(cause, "DocumentReference", team),
        team=team,
        letter_id=letter.letter_id,
        sender=Party(gln=sender or None),
        citizen=None,
        files=(TeamFile(id=digest[:32], title=letter.message_type, extension="xml", data=letter.data),),
        note=_NOTE,
        at=desk.received_at,
    )
    return Handled(replies=(Reply(content=content, cause=cause, arrival=Arrival()),))
