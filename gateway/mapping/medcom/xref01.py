"""XREF01 HospitalReferral (XH0130R, XH0131R): the older «dynamic» referral, addressed to a municipality.

Structure: facts §5 of the MedCom XML page. Every free text may hold the reason for the referral: all are kept, each
with its place. The package's name stands in a diagnosis' text or under the template's headings.
"""

from collections.abc import Mapping

import msgspec
from lxml import etree

from gateway.mapping.medcom.elements import (
    NOTHING,
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
from gateway.mapping.medcom.parties import write_party
from gateway.mapping.medcom.referral_letter import (
    Parts,
    read_referral,
    read_texts,
    texts_of,
    write_diagnoses,
    write_referral,
    write_text,
)
from gateway.referral.model import Episode, Referral, episode_key

TYPE = "XREF01"
_MANY_EPISODES = "XH0131R"
_VISITATION = "HospitalVisitation"
#: MedCom's own words: «Forløbsnummer, fx henvisers eller LPR3»; we answer with the referrer's
_REFERRERS, _REGISTERS = "henviser", "lpr"
_CIRCUMSTANCES = ("Supplementary", "ClinicalReason")
_CLINICAL = ("Cave", "Anamnesis", "Examination", "ActualMedicine")


def decode(element: etree._Element) -> Referral:
    """One HospitalReferral element → the referral, every field of the standard's table kept."""
    found = children(element)
    clinical, more = below(found, "RelevantClinicalInformation"), below(found, "AdditionalInformation")
    episodes = tuple(_episode(e) for e in all_named(found["Letter"], "EpisodeOfCare"))
    shared = read_referral(element, TYPE, _VISITATION)
    places = {name: more.get(name) for name in _CIRCUMSTANCES} | {name: clinical.get(name) for name in _CLINICAL}
    return msgspec.structs.replace(
        shared,
        episode_id=_chosen(episodes) if episodes else _real(shared.episode_id),
        episodes=episodes,
        priority=text_of(more, "Priority"),
        referral_status=text_of(more, "ReferralStatus"),
        transport=text_of(more, "Transport"),
        hospital_choice=text_of(more, "HospitalChoice"),
        texts=read_texts(places),
    )


def _episode(element: etree._Element) -> Episode:
    found = children(element)
    return Episode(type=needed(found, "EpisodeOfCareType"), identifier=needed(found, "EpisodeOfCareIdentifier"))


def _chosen(episodes: tuple[Episode, ...]) -> str | None:
    """The referrer's own number; else the first that is not a register's; else the first."""
    real = [e for e in episodes if _real(e.identifier)]
    ranked = sorted(real, key=_rank)
    return ranked[0].identifier if ranked else None


def _rank(episode: Episode) -> int:
    kind = episode.type.strip().lower()
    if kind.startswith(_REFERRERS):
        return 0
    return 2 if kind.startswith(_REGISTERS) else 1


def _real(episode_id: str | None) -> str | None:
    """``_`` is how converted EDIFACT says that there is none."""
    return episode_id if episode_key(episode_id) else None


def encode(referral: Referral) -> str:
    """The HospitalReferral element without namespace."""
    many = referral.version == _MANY_EPISODES
    texts = texts_of(referral)
    return write_referral(
        referral,
        Parts(
            name="HospitalReferral",
            episode=_write_episodes(referral) if many else tag("EpisodeOfCareIdentifier", cut(referral.episode_id, 35)),
            receiver=write_party(referral.receiver),
            circumstances=_circumstances(referral, texts, many=many),
            diagnoses=write_diagnoses(referral, main_described=many),
            clinical=group("RelevantClinicalInformation", *(write_text(place, texts) for place in _CLINICAL)),
            visitation=_VISITATION,
        ),
    )


def _write_episodes(referral: Referral) -> str:
    """At least one is demanded: ``_`` where there is none."""
    episodes = referral.episodes or (Episode(type=_REFERRERS, identifier=referral.episode_id or NOTHING),)
    return "".join(
        group(
            "EpisodeOfCare",
            tag("EpisodeOfCareType", demanded(e.type, 17)),
            tag("EpisodeOfCareIdentifier", demanded(e.identifier, 35)),
        )
        for e in episodes
    )


def _circumstances(referral: Referral, texts: Mapping[str, str], *, many: bool) -> str:
    return group(
        "AdditionalInformation",
        tag("Priority", referral.priority),
        tag("ReferralStatus", referral.referral_status),
        tag("Transport", referral.transport),
        *(write_text(place, texts) for place in _CIRCUMSTANCES),
        tag("HospitalChoice", referral.hospital_choice) if many else "",
    )
