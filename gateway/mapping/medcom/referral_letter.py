"""What XREF15 and XREF01 share: who refers whom to whom, diagnoses, attachments. Read and written alike.

A letter type adds its own parts: its episode numbers, its circumstances and its texts.
"""

from collections.abc import Mapping

import msgspec
from lxml import etree

from gateway.mapping.medcom.elements import (
    Children,
    ImpossibleValueError,
    all_named,
    below,
    children,
    cut,
    demanded,
    group,
    needed,
    tag,
    text_of,
)
from gateway.mapping.medcom.formatted_text import flatten, render
from gateway.mapping.medcom.parties import (
    read_citizen,
    read_diagnoses,
    read_moment,
    read_party,
    read_referrer,
    read_relative,
    write_diagnosis,
    write_moment,
    write_party,
    write_referred_citizen,
    write_referrer,
    write_relative,
    write_sender,
)
from gateway.referral.model import Attachment, ClinicalText, Referral, Visitation

#: digits of a size in bytes
_LONGEST_SIZE = 15
_FURTHER_DIAGNOSES, _REFERENCES, _VISITATIONS = 5, 10, 9


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """The element's name, and what a letter type writes in its own way: XML, empty where there is nothing."""

    name: str
    episode: str
    receiver: str
    circumstances: str = ""
    diagnoses: str
    clinical: str
    visitation: str


# ------------------------------------------------------------------ reading
def read_referral(element: etree._Element, message_type: str, visitation: str) -> Referral:
    """The shared part of a referral; ``visitation`` names the receiver's own part in this type."""
    found = children(element)
    letter, sender = children(found["Letter"]), children(found["Sender"])
    cc = below(found, "AnswerCCReceiver")
    return Referral(
        message_type=message_type,
        version=needed(letter, "VersionCode"),
        letter_id=needed(letter, "Identifier"),
        episode_id=text_of(letter, "EpisodeOfCareIdentifier"),
        correction=text_of(letter, "StatusCode") == "rettetbrev",
        statistical_code=text_of(letter, "StatisticalCode"),
        authorised=read_moment(below(letter, "Authorisation")),
        sender=read_party(sender),
        referrer=read_referrer(below(sender, "Referrer")),
        receiver=read_party(children(found["Receiver"])),
        answer_cc=read_party(cc) if cc else None,
        citizen=read_citizen(found["Patient"]),
        relative=read_relative(below(found, "Relative")),
        diagnoses=read_diagnoses(found.get("Referral")),
        attachments=tuple(read_attachment(ref) for ref in all_named(element, "Reference")),
        visitations=tuple(_visitation(v) for v in all_named(element, visitation)),
    )


def read_texts(places: Mapping[str, etree._Element | None]) -> tuple[ClinicalText, ...]:
    """The texts that stand there, each with its place, in the order given."""
    texts = ((place, flatten(element)) for place, element in places.items())
    return tuple(ClinicalText(place=place, text=text) for place, text in texts if text)


def read_attachment(element: etree._Element) -> Attachment:
    """Reference: a URL (never fetched), the SUP e-record, or a BIN object that is sent apart."""
    found = children(element)
    bin_ = below(found, "BIN")
    return Attachment(
        description=needed(found, "RefDescription"),
        url=text_of(found, "URL"),
        sup="SUP" in found,
        object_id=text_of(bin_, "ObjectIdentifier"),
        object_code=text_of(bin_, "ObjectCode"),
        object_extension=text_of(bin_, "ObjectExtensionCode"),
        object_size=read_size(bin_),
    )


def read_size(found: Children) -> int | None:
    """OriginalObjectSize in bytes; the schema sets no limit to the number."""
    text = text_of(found, "OriginalObjectSize")
    if text is None:
        return None
    if len(text.strip()) > _LONGEST_SIZE:
        raise ImpossibleValueError("OriginalObjectSize")
    return int(text)


def _visitation(element: etree._Element) -> Visitation:
    found = children(element)
    return Visitation(code=needed(found, "InformationCode"), text=flatten(found.get("Information")) or "")


# ------------------------------------------------------------------ writing
def write_referral(referral: Referral, parts: Parts) -> str:
    """The letter element without namespace, every part within its length; the envelope supplies the namespace."""
    return group(
        parts.name,
        _head(referral, parts),
        write_sender(referral.sender, write_referrer(referral.referrer)),
        group("Receiver", parts.receiver),
        _answer_cc(referral),
        write_referred_citizen(referral.citizen),
        write_relative(referral.relative),
        parts.circumstances,
        parts.diagnoses,
        parts.clinical,
        *(write_attachment(a) for a in referral.attachments[:_REFERENCES]),
        *(_write_visitation(parts.visitation, v) for v in referral.visitations[:_VISITATIONS]),
    )


def _head(referral: Referral, parts: Parts) -> str:
    return group(
        "Letter",
        tag("Identifier", demanded(referral.letter_id, 14)),
        tag("VersionCode", referral.version),
        tag("StatisticalCode", demanded(referral.statistical_code or referral.message_type, 8)),
        write_moment("Authorisation", referral.authorised),
        tag("TypeCode", referral.message_type),
        tag("StatusCode", "rettetbrev" if referral.correction else "nytbrev"),
        parts.episode,
    )


def _answer_cc(referral: Referral) -> str:
    copy = referral.answer_cc
    if copy is None:
        return ""
    phone = tag("TelephoneSubscriberIdentifier", cut(copy.phone, 25))
    return group("AnswerCCReceiver", write_party(copy, gln=False), phone)


def write_diagnoses(referral: Referral, *, main_described: bool = False, code_needed: bool = False) -> str:
    """The Referral group: one main diagnosis and at most five more."""
    main = [d for d in referral.diagnoses if d.main][:1]
    others = [d for d in referral.diagnoses if not d.main][:_FURTHER_DIAGNOSES]
    return group(
        "Referral",
        *(write_diagnosis("Refer", d, described=main_described, code_needed=code_needed) for d in main),
        *(write_diagnosis("ReferralAdditional", d, described=True) for d in others),
    )


def write_text(place: str, texts: Mapping[str, str]) -> str:
    """One FormattedText element, where the referral has a text of that place."""
    return f"<{place}>{render(texts[place])}</{place}>" if texts.get(place) else ""


def texts_of(referral: Referral) -> Mapping[str, str]:
    """The referral's texts by place; several of one place become one."""
    places = dict.fromkeys(t.place for t in referral.texts)
    return {place: "\n".join(t.text for t in referral.texts if t.place == place) for place in places}


def write_attachment(attachment: Attachment) -> str:
    """Reference, with the one pointer it has."""
    pointer = tag("URL", cut(attachment.url, 350))
    if attachment.object_id:
        pointer = group(
            "BIN",
            tag("ObjectIdentifier", demanded(attachment.object_id, 35)),
            tag("ObjectCode", attachment.object_code),
            tag("ObjectExtensionCode", attachment.object_extension),
            tag("OriginalObjectSize", str(attachment.object_size)),
        )
    return group(
        "Reference", tag("RefDescription", demanded(attachment.description, 70)), pointer or tag("SUP", "true")
    )


def _write_visitation(name: str, visitation: Visitation) -> str:
    return group(name, tag("InformationCode", visitation.code), f"<Information>{render(visitation.text)}</Information>")
