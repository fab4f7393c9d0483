"""XDIS91 ClinicalEmail (XD9134L): korrespondance. We write the status letters to the referrer with it.

Structure: facts §6 of the MedCom XML page. Text is split over at most ten ClinicalInformation of 3150 characters, as
OS2korrespondance does (nine EDIFACT FTX segments each).
"""

from gateway.mapping.latin1 import latin1_letter
from gateway.mapping.medcom.elements import cut, group, tag
from gateway.mapping.medcom.formatted_text import render
from gateway.mapping.medcom.parties import write_citizen, write_moment, write_party, write_sender
from gateway.referral.letters import StatusLetter

TYPE, VERSION = "XDIS91", "XD9134L"
PART_LENGTH, MAX_PARTS = 3150, 10


def encode(letter: StatusLetter, letter_id: str) -> str:
    """The ClinicalEmail element without namespace; the envelope supplies it."""
    letter = latin1_letter(letter)
    head = group(
        "Letter",
        tag("Identifier", letter_id),
        tag("VersionCode", VERSION),
        tag("StatisticalCode", TYPE),
        write_moment("Authorisation", letter.at),
        tag("TypeCode", TYPE),
        tag("StatusCode", "nytbrev"),
        tag("EpisodeOfCareIdentifier", cut(letter.episode_id, 35)),
    )
    parts = split_text(letter.text, PART_LENGTH)[:MAX_PARTS]
    return group(
        "ClinicalEmail",
        head,
        write_sender(letter.sender),
        group("Receiver", write_party(letter.receiver)),
        write_citizen(letter.citizen, tag("EpisodeOfCareStatusCode", "inaktiv")),
        group("AdditionalInformation", tag("Priority", "rutine"), tag("Subject", cut(letter.subject, 70))),
        *(group("ClinicalInformation", f"<Text01>{render(part)}</Text01>") for part in parts),
    )


def split_text(text: str, limit: int) -> list[str]:
    """Parts of at most ``limit`` characters, cut at a line end or a blank, never inside a word unless it is longer."""
    parts: list[str] = []
    while len(text) > limit:
        at = max(text.rfind("\n", 1, limit + 1), text.rfind(" ", 1, limit + 1))
        if at <= 0:
            at = limit
        parts.append(text[:at])
        text = text[at:].lstrip(" \n")
    return [*parts, text]
