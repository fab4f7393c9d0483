"""XREF15 MunicipalityReferral (XH1530R, XH1531R): a referral to a municipality's prevention offers.

Structure: facts §3 of the MedCom XML page; the schema was checked before, so what it demands is there.
"""

from lxml import etree

from gateway.mapping.medcom.elements import ImpossibleValueError, all_named, below, children, needed, text_of
from gateway.mapping.medcom.formatted_text import flatten
from gateway.mapping.medcom.parties import (
    read_citizen,
    read_diagnoses,
    read_moment,
    read_party,
    read_referrer,
    read_relative,
)
from gateway.referral.model import Attachment, ClinicalText, Referral, Visitation

TYPE = "XREF15"
#: digits of a size in bytes
_LONGEST_SIZE = 15


def decode(element: etree._Element) -> Referral:
    """One MunicipalityReferral element → the referral, every field of the standard's table kept."""
    found = children(element)
    letter, sender = children(found["Letter"]), children(found["Sender"])
    clinical = below(found, "RelevantClinicalInformation")
    cc = below(found, "AnswerCCReceiver")
    anamnesis = flatten(clinical.get("Anamnesis"))
    return Referral(
        message_type=TYPE,
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
        texts=(ClinicalText(place="Anamnesis", text=anamnesis),) if anamnesis else (),
        category=text_of(clinical, "CategoryCode"),
        attachments=tuple(read_attachment(ref) for ref in all_named(element, "Reference")),
        visitations=tuple(_visitation(v) for v in all_named(element, "MunicipalityVisitation")),
    )


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
        object_size=_size(text_of(bin_, "OriginalObjectSize")),
    )


def _size(text: str | None) -> int | None:
    """Bytes; the schema sets no limit to the number."""
    if text is None:
        return None
    if len(text.strip()) > _LONGEST_SIZE:
        raise ImpossibleValueError("OriginalObjectSize")
    return int(text)


def _visitation(element: etree._Element) -> Visitation:
    found = children(element)
    return Visitation(code=needed(found, "InformationCode"), text=flatten(found.get("Information")) or "")
