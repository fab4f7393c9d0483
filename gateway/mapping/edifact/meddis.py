"""DIS91 (MEDDIS D9134L): korrespondance, the EDIFACT twin of XDIS91 (facts §6; pair DIS91_1).

We write the status letters to an EDIFACT referrer with it, and the discharge note too: there is no EDIFACT twin of
XDIS15 (docs/adr/0012). At most ten S14 groups of eight FTX segments; the first group begins with the subject.
"""

import msgspec

from gateway.mapping.edifact.message import Message, moment_in, text_in
from gateway.mapping.edifact.parties import (
    cut,
    is_pointer,
    party_group,
    read_attachments,
    read_citizen,
    read_correction,
    read_episode,
    read_party,
    write_citizen,
    write_moment,
    write_party,
    write_speciality,
)
from gateway.mapping.edifact.segments import Segment, segment
from gateway.mapping.edifact.texts import COMPONENTS, cut_lines, read_text, write_lines, write_text
from gateway.referral.correspondence import Correspondence
from gateway.referral.letters import DischargeNote, StatusLetter
from gateway.referral.workdays import COPENHAGEN

TYPE, VERSION = "DIS91", "D9134L"
_GROUPS, _SEGMENTS = 10, 8
_SUBJECT, _EPISODE = 70, 35


# ------------------------------------------------------------------ reading
def decode(message: Message) -> Correspondence:
    """One MEDDIS message → the correspondence; its clinical parts in order are one text."""
    arrival = message.arrival
    parts = [
        read_text([one for one in group.all("FTX") if one.part(1) != "OE" and not is_pointer(one)])
        for group in message.all("S14")
    ]
    return Correspondence(
        message_type=TYPE,
        version=message.version,
        letter_id=message.letter_id,
        episode_id=read_episode(message.first("S11"), "REI"),
        correction=read_correction(message.first("S02")),
        sender=read_party(party_group(message, "SSP"), arrival.sender_gln, "NAD+SSP"),
        receiver=read_party(party_group(message, "PO"), arrival.receiver_gln, "NAD+PO"),
        citizen=read_citizen(message),
        subject=text_in(message.first("S14").first("FTX", "OE"), 4, 1, _SUBJECT) or "",
        text="\n".join(part for part in parts if part),
        at=moment_in(message.first("").first("DTM"), "DTM+137"),
        attachments=read_attachments(message.all("S14")),
    )


# ------------------------------------------------------------------ writing
def encode(letter: StatusLetter, letter_id: str) -> tuple[Segment, ...]:
    """What stands between UNH and UNT."""
    episode = segment("RFF", ("REI", cut(letter.episode_id, _EPISODE))) if letter.episode_id else None
    return (
        segment("BGM", "EPI", "", "9", "NA"),
        write_moment("137", letter.at),
        *write_party("SSP", letter.sender, 1),
        write_speciality(letter.sender, TYPE),
        # a receiver has no telephone in DIS91
        *write_party("PO", msgspec.structs.replace(letter.receiver, phone=None), 2),
        segment("S02", "02"),
        segment("GIS", "N"),
        segment("RFF", ("SRI", letter_id)),
        segment("RFF", ("NO", "NC")),
        write_moment("182", letter.at),
        *write_citizen(letter.citizen),
        segment("S11", "11"),
        segment("GIS", "N"),
        # RFF+AHI:1 is what stands there without an episode number (pair DIS91_1)
        episode or segment("RFF", ("AHI", "1")),
        segment("SEQ", "", "1"),
        segment("PAS", "POT"),
        *_clinical(letter),
    )


def _clinical(letter: StatusLetter) -> list[Segment]:
    found: list[Segment] = []
    subject = cut(letter.subject, _SUBJECT)
    size = _SEGMENTS * COMPONENTS
    lines = cut_lines(write_lines(letter.text), _GROUPS * size)
    for start in range(0, len(lines), size):
        found.append(segment("S14", "14"))
        if start == 0 and subject:
            found.append(segment("FTX", "OE", "P00", "", subject))
        found += write_text("NC", lines[start : start + size])
    return found


def as_status(note: DischargeNote) -> StatusLetter:
    """The discharge note as a letter in words: what XDIS15 has fields for stands in its lines."""
    ended = f", afsluttet {note.ended_at.astimezone(COPENHAGEN):%d.%m.%Y}" if note.ended_at else ""
    referred = f"Henvist {note.referred_at.astimezone(COPENHAGEN):%d.%m.%Y} (brev {note.referral_id}){ended}."
    diagnoses = "; ".join(f"{d.text} ({d.code})" if d.code else d.text for d in note.diagnoses)
    signed = ", ".join(filter(None, (note.signed_by, note.job_title, f"{note.signed_on:%d.%m.%Y}")))
    blocks = (referred, f"Henvisningsdiagnoser: {diagnoses}" if diagnoses else "", note.text, signed)
    return StatusLetter(
        subject="Afslutningsnotat fra kommunal forebyggelse",
        text="\n\n".join(filter(None, blocks)),
        sender=note.sender,
        receiver=note.receiver,
        citizen=note.citizen,
        episode_id=note.episode_id,
        at=note.at,
    )
