"""XDIS15 MunicipalityLetter (XD1530L, XD1531L): the discharge note («Afslutningsnotat fra kommunal forebyggelse»).

Structure: facts §4 of the MedCom XML page. MedCom's viewer shows Admission as the referral's date, Discharge as the
closing date, Text01 as the note and Signed as its author.
"""

import msgspec

from gateway.mapping.medcom.elements import cut, demanded, group, tag
from gateway.mapping.medcom.formatted_text import render
from gateway.mapping.medcom.parties import (
    write_citizen,
    write_diagnosis,
    write_moment,
    write_party,
    write_sender,
)
from gateway.referral.letters import DischargeNote
from gateway.referral.model import Party

TYPE = "XDIS15"
#: our answer to each version of the referral
VERSION_FOR = {"XH1530R": "XD1530L", "XH1531R": "XD1531L"}
DEFAULT_VERSION = "XD1530L"
_STRICT = "XD1531L"


def encode(note: DischargeNote, letter_id: str, version: str) -> str:
    """The MunicipalityLetter element without namespace; the envelope supplies it."""
    strict = version == _STRICT
    receiver = _with_department(note.receiver) if strict else note.receiver
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
        group("Receiver", write_party(receiver)),
        group("CCReceiver", write_party(note.copy_receiver, gln=False)) if note.copy_receiver else "",
        write_citizen(note.citizen),
        _referral(note, strict=strict),
        write_moment("Admission", note.referred_at),
        write_moment("Discharge", note.ended_at) if note.ended_at else "",
        _clinical(note, strict=strict),
    )


def _with_department(party: Party) -> Party:
    """XD1531L demands the receiver's department: the referral's own, else the organisation's name."""
    department = cut(party.department, 35) or demanded(party.organisation, 35)
    return msgspec.structs.replace(party, department=department)


def _referral(note: DischargeNote, *, strict: bool) -> str:
    main = [d for d in note.diagnoses if d.main][:1]
    others = [d for d in note.diagnoses if not d.main][:5]
    return group(
        "Referral",
        tag("Identifier", note.referral_id),
        write_moment("Received", note.received_at),
        *(write_diagnosis("Refer", d, code_needed=strict) for d in main),
        *(write_diagnosis("ReferralAdditional", d) for d in others),
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
