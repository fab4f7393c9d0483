"""XREF15 MunicipalityReferral (XH1530R, XH1531R): a referral to a municipality's prevention offers.

Structure: facts §3 of the MedCom XML page; the schema was checked before, so what it demands is there.
"""

import msgspec
from lxml import etree

from gateway.mapping.medcom.elements import below, children, demanded, group, tag, text_of
from gateway.mapping.medcom.parties import department_demanded, write_party
from gateway.mapping.medcom.referral_letter import (
    Parts,
    read_referral,
    read_texts,
    texts_of,
    write_diagnoses,
    write_referral,
    write_text,
)
from gateway.referral.model import Referral

TYPE = "XREF15"
_STRICT = "XH1531R"
_VISITATION = "MunicipalityVisitation"


def decode(element: etree._Element) -> Referral:
    """One MunicipalityReferral element → the referral, every field of the standard's table kept."""
    clinical = below(children(element), "RelevantClinicalInformation")
    return msgspec.structs.replace(
        read_referral(element, TYPE, _VISITATION),
        texts=read_texts({"Anamnesis": clinical.get("Anamnesis")}),
        category=text_of(clinical, "CategoryCode"),
    )


def encode(referral: Referral) -> str:
    """The MunicipalityReferral element without namespace; all texts go into Anamnesis, the only one there is.

    XH1531R demands a main diagnosis' code: without one the diagnoses are left to the text.
    """
    strict = referral.version == _STRICT
    receiver = department_demanded(referral.receiver) if strict else referral.receiver
    has_main = any(d.main and d.code for d in referral.diagnoses)
    text = "\n".join(texts_of(referral).values())
    category = tag("CategoryCode", referral.category or "sundhedspleje") if strict else ""
    return write_referral(
        referral,
        Parts(
            name="MunicipalityReferral",
            episode=tag("EpisodeOfCareIdentifier", demanded(referral.episode_id, 35)),
            receiver=write_party(receiver),
            diagnoses=write_diagnoses(referral, code_needed=strict) if has_main or not strict else "",
            clinical=group("RelevantClinicalInformation", category, write_text("Anamnesis", {"Anamnesis": text})),
            visitation=_VISITATION,
        ),
    )
