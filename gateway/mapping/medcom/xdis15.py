"""XDIS15 MunicipalityLetter (XD1530L, XD1531L): the discharge note («Afslutningsnotat fra kommunal forebyggelse»).

Structure: facts §4 of the MedCom XML page. MedCom's viewer shows Admission as the referral's date, Discharge as the
closing date, Text01 as the note and Signed as its author.
"""

from datetime import date, datetime

import msgspec
from lxml import etree

from gateway.mapping.medcom.elements import Children, below, children, cut, demanded, group, needed, tag, text_of
from gateway.mapping.medcom.formatted_text import flatten, render
from gateway.mapping.medcom.parties import (
    PARTY_CODES,
    department_demanded,
    read_citizen,
    read_diagnoses,
    read_moment,
    read_party,
    write_citizen,
    write_diagnosis,
    write_moment,
    write_party,
    write_sender,
)
from gateway.referral.letters import DischargeNote
from gateway.referral.model import Diagnosis, Party

TYPE = "XDIS15"
#: our answer to each version of the referral
VERSION_FOR = {"XH1530R": "XD1530L", "XH1531R": "XD1531L"}
DEFAULT_VERSION = "XD1530L"
_STRICT = "XD1531L"
_ROLES = frozenset(
    {
        "uspec_diagnose", "henv_diagnose", "bidiagnose", "tillaegsdiagnose", "aktionsdiagnose", "midlertidig_diagnose",
        "forloebsdiagnose", "operation", "roentgenundersoegelse",
    }
)  # fmt: skip


def decode(element: etree._Element) -> DischargeNote:
    """One MunicipalityLetter element → the note: what we wrote, as its receiver reads it (simulator, archive)."""
    found = children(element)
    letter, sender = children(found["Letter"]), children(found["Sender"])
    referral, clinical = below(found, "Referral"), below(found, "ClinicalInformation")
    signed, copy = below(clinical, "Signed"), below(found, "CCReceiver")
    at = read_moment(below(letter, "Authorisation"))
    return DischargeNote(
        text=flatten(clinical.get("Text01")) or "",
        sender=read_party(sender),
        speciality_name=needed(sender, "SpecialityName"),
        receiver=read_party(children(found["Receiver"])),
        copy_receiver=read_party(copy) if copy else None,
        citizen=read_citizen(found["Patient"]),
        episode_id=text_of(letter, "EpisodeOfCareIdentifier"),
        referral_id=text_of(referral, "Identifier") or "",
        referred_at=_moment(found, "Admission", at),
        received_at=_moment(referral, "Received", at),
        diagnoses=read_diagnoses(found.get("Referral")),
        category=text_of(clinical, "CategoryCode"),
        ended_at=read_moment(children(found["Discharge"])) if "Discharge" in found else None,
        signed_on=date.fromisoformat(needed(signed, "Date")[:10]) if "Date" in signed else at.date(),
        signed_by=text_of(signed, "SignedBy") or "",
        job_title=text_of(signed, "JobTitle") or "",
        at=at,
    )


def _moment(found: Children, name: str, otherwise: datetime) -> datetime:
    """A moment that others may leave out: then the letter's own."""
    return read_moment(below(found, name)) if name in found else otherwise


def encode(note: DischargeNote, letter_id: str, version: str) -> str:
    """The MunicipalityLetter element without namespace; the envelope supplies it."""
    strict = version == _STRICT
    receiver = department_demanded(note.receiver) if strict else note.receiver
    head = group(
        "Letter",
        tag("Identifier", letter_id),
        tag("VersionCode", version),
        tag("StatisticalCode", TYPE),
        write_moment("Authorisation", note.at),
        tag("TypeCode", TYPE),
        tag("StatusCode", "nytbrev"),
        tag("EpisodeOfCareIdentifier", demanded(note.episode_id, 35)),
    )
    return group(
        "MunicipalityLetter",
        head,
        write_sender(note.sender, tag("SpecialityName", demanded(note.speciality_name, 35))),
        group("Receiver", write_party(_addressed(receiver))),
        _copy_receiver(note),
        write_citizen(note.citizen),
        _referral(note, strict=strict),
        write_moment("Admission", note.referred_at),
        write_moment("Discharge", note.ended_at) if note.ended_at else "",
        _clinical(note, strict=strict),
    )


def _addressed(party: Party) -> Party:
    """The receiver as this letter can name it: XREF01 knows a kind of number (``amt``) that XDIS15 does not."""
    if party.identifier_code in PARTY_CODES:
        return party
    return msgspec.structs.replace(party, identifier=party.gln, identifier_code="lokationsnummer")


def _copy_receiver(note: DischargeNote) -> str:
    copy = _addressed(note.copy_receiver) if note.copy_receiver else None
    return group("CCReceiver", write_party(copy, gln=False)) if copy and copy.identifier else ""


def _plain(diagnosis: Diagnosis) -> Diagnosis:
    """The diagnosis in XDIS15's shorter code lists: what XREF01 has beyond them says how it was referred, not what."""
    role = diagnosis.description_code if diagnosis.description_code in _ROLES else None
    return msgspec.structs.replace(diagnosis, description_code=role, other_system=None)


def _referral(note: DischargeNote, *, strict: bool) -> str:
    diagnoses = [_plain(d) for d in note.diagnoses]
    main = [d for d in diagnoses if d.main][:1]
    others = [d for d in diagnoses if not d.main][:5]
    return group(
        "Referral",
        tag("Identifier", note.referral_id),
        write_moment("Received", note.received_at),
        *(write_diagnosis("Refer", d, described=False, code_needed=strict) for d in main),
        *(write_diagnosis("ReferralAdditional", d, described=True) for d in others),
    )


def _clinical(note: DischargeNote, *, strict: bool) -> str:
    signed = group(
        "Signed",
        tag("Date", note.signed_on.isoformat()),
        tag("SignedBy", cut(note.signed_by, 70)),
        tag("JobTitle", cut(note.job_title, 70)),
    )
    category = tag("CategoryCode", note.category or "sundhedspleje") if strict else ""
    return group("ClinicalInformation", category, signed, f"<Text01>{render(note.text)}</Text01>")
