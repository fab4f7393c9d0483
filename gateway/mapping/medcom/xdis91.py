"""XDIS91 ClinicalEmail (XD9134L, XD9135L): korrespondance to us, and our status letters to the referrer.

Structure: facts §6 of the MedCom XML page. Text is split over at most ten ClinicalInformation of 3150 characters, as
OS2korrespondance does (nine EDIFACT FTX segments each).
"""

from lxml import etree

from gateway.mapping.latin1 import latin1_letter
from gateway.mapping.medcom.elements import all_named, below, children, cut, group, needed, tag, text_of
from gateway.mapping.medcom.formatted_text import flatten, render
from gateway.mapping.medcom.parties import (
    read_citizen,
    read_moment,
    read_party,
    write_citizen,
    write_moment,
    write_party,
    write_sender,
)
from gateway.mapping.medcom.referral_letter import read_attachment
from gateway.referral.correspondence import Correspondence
from gateway.referral.letters import StatusLetter

TYPE, VERSION = "XDIS91", "XD9134L"
PART_LENGTH, MAX_PARTS = 3150, 10


def decode(element: etree._Element) -> Correspondence:
    """One ClinicalEmail element → the correspondence; its parts of text one after another."""
    found = children(element)
    letter, extra = children(found["Letter"]), below(found, "AdditionalInformation")
    parts = (flatten(children(part).get("Text01")) for part in all_named(element, "ClinicalInformation"))
    return Correspondence(
        message_type=TYPE,
        version=needed(letter, "VersionCode"),
        letter_id=needed(letter, "Identifier"),
        episode_id=text_of(letter, "EpisodeOfCareIdentifier"),
        correction=text_of(letter, "StatusCode") == "rettetbrev",
        sender=read_party(children(found["Sender"])),
        receiver=read_party(children(found["Receiver"])),
        citizen=read_citizen(found["Patient"]),
        subject=text_of(extra, "Subject") or "",
        text="\n".join(part for part in parts if part),
        at=read_moment(below(letter, "Authorisation")),
        attachments=tuple(read_attachment(ref) for ref in all_named(element, "Reference")),
        priority=text_of(extra, "Priority"),
        citizen_status=text_of(children(found["Patient"]), "EpisodeOfCareStatusCode"),
    )


def encode(letter: StatusLetter, letter_id: str, version: str = VERSION) -> str:
    """The ClinicalEmail element without namespace; the envelope supplies it."""
    letter = latin1_letter(letter)
    head = group(
        "Letter",
        tag("Identifier", letter_id),
        tag("VersionCode", version),
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
