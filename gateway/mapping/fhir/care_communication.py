"""MedCom FHIR CareCommunication 5.0.2: the status letter and the closing note to a referrer (facts §5).

Category ``regarding-referral``. The referral it answers is the message before (``preceedingMessage``); of the chain we
carry on what is a CareCommunication itself, because the standard allows no other Provenance in the Bundle.
"""

from typing import Final

import msgspec

from gateway.mapping.fhir.message import (
    NOTHING,
    Json,
    Sides,
    Spot,
    carried_provenance,
    clean,
    coded,
    header,
    instant,
    is_whole,
    message_bundle,
    narrative,
    organization,
    organizations,
    own_provenance,
    reference,
    resource,
    revision,
)
from gateway.mapping.fhir.people import name_of, patient_identifier
from gateway.mapping.fhir.systems import MEDCOM_TERMINOLOGY
from gateway.referral.letters import DischargeNote, FhirProvenance, StatusLetter
from gateway.referral.model import Citizen

TYPE: Final = "CareCommunication"
VERSION: Final = "5.0.2"
CATEGORY: Final = "regarding-referral"
BASE: Final = "https://medcomfhir.dk/ig/carecommunication"
_IG: Final = "http://medcomfhir.dk/ig/carecommunication/StructureDefinition"
_CORE: Final = "http://medcomfhir.dk/ig/core/StructureDefinition"
_DEFINITION: Final = (
    "http://medcomfhir.dk/ig/messagedefinitions/MessageDefinition/MedComCareCommunicationMessageDefinition|5.0"
)
_PROVENANCE: Final = f"{_IG}/medcom-careCommunication-provenance"
#: what a CareCommunication may do (required value set)
_ACTIVITIES: Final = frozenset({"new-message", "reply-message", "forward-message"})


class Author(msgspec.Struct, frozen=True, kw_only=True):
    """Who signs the text: a person, or the municipality's department."""

    name: str
    role: str
    phone: str


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A letter with everything that the standard wants beside it."""

    content: StatusLetter | DischargeNote
    letter_id: str
    sides: Sides
    subject: str
    author: Author
    #: id of the MessageHeader before, or ``[lokationsnummer]#[brevid]``; empty: nothing of that kind came before
    previous: str
    #: the Provenances of the message before
    chain: tuple[FhirProvenance, ...] = ()


def encode(draft: Draft) -> bytes:
    """The CareCommunication as JSON, complete but for its envelope."""
    return msgspec.json.encode(bundle(draft))


def bundle(draft: Draft) -> Json:
    """The CareCommunication as a dictionary."""
    spot = Spot(letter_id=draft.letter_id, base=BASE)
    focus: Json = {"focus": [reference("Communication", spot.id("communication"))], "definition": _DEFINITION}
    profile = f"{_IG}/medcom-careCommunication-messageHeader"
    activity = "reply-message" if draft.previous else "new-message"
    source: Json = {"role": "source", "what": {"identifier": {"value": _payload_id(spot)}}}
    entities: list[Json] = [source, *([revision(draft.previous)] if draft.previous else [])]
    episode = draft.content.episode_id
    resources = [
        header(spot, draft.sides, "care-communication-message", profile, focus),
        own_provenance(spot, activity, _PROVENANCE, entities, draft.content.at),
        _patient(spot, draft.content.citizen),
        _communication(spot, draft),
        *([_encounter(spot, episode)] if episode else []),
        *_author(spot, draft.author),
        *organizations(spot, draft.sides),
        *_carried(spot, draft),
    ]
    return message_bundle(spot, f"{_IG}/medcom-careCommunication-message", resources, draft.content.at)


def _payload_id(spot: Spot) -> str:
    return f"urn:uuid:{spot.id('payload')}"


def _patient(spot: Spot, citizen: Citizen) -> Json:
    """Name and number only: the receiver knows the rest."""
    name = name_of(citizen)
    text = narrative(" ".join([*name.get("given", []), citizen.surname]))  # type: ignore[misc]
    rest: Json = {"identifier": [patient_identifier(citizen)], "name": [name]}
    return resource("Patient", spot.id("patient"), f"{_CORE}/medcom-core-patient", text, rest)


def _communication(spot: Spot, draft: Draft) -> Json:
    subject = clean(draft.subject)
    rest: Json = {
        "identifier": [{"value": f"urn:uuid:{spot.id('identifier')}"}],
        "status": "unknown",
        "category": [coded(f"{MEDCOM_TERMINOLOGY}/medcom-careCommunication-categoryCodes", CATEGORY)],
        "subject": reference("Patient", spot.id("patient")),
        "topic": {"text": subject} if subject else None,
        "encounter": reference("Encounter", spot.id("encounter")) if draft.content.episode_id else None,
        "payload": [_payload(spot, draft)],
    }
    profile = f"{_IG}/medcom-careCommunication-communication"
    return resource("Communication", spot.id("communication"), profile, narrative(subject, draft.content.text), rest)


def _payload(spot: Spot, draft: Draft) -> Json:
    assigner = reference("Organization", spot.id("sender"))
    phone = {"system": "phone", "value": draft.author.phone}
    extensions: list[tuple[str, str, object]] = [
        ("datetime", "valueDateTime", instant(draft.content.at)),
        ("identifier", "valueIdentifier", {"value": _payload_id(spot), "assigner": assigner}),
        ("practitioner", "valueReference", reference("PractitionerRole", spot.id("role"))),
        ("contact", "valueContactPoint", phone),
    ]
    return {
        "extension": [{"url": f"{_CORE}/medcom-core-{name}-extension", key: value} for name, key, value in extensions],
        "contentString": clean(draft.content.text) or NOTHING,
    }


def _encounter(spot: Spot, episode_id: str) -> Json:
    """Carries the episode id, by which the answer is found again; says nothing of a meeting."""
    rest: Json = {
        "status": "unknown",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": reference("Patient", spot.id("patient")),
        "episodeOfCare": [{"identifier": {"value": episode_id}}],
    }
    text = narrative(f"Forløb {episode_id}")
    return resource("Encounter", spot.id("encounter"), f"{_CORE}/medcom-core-encounter", text, rest)


def _author(spot: Spot, author: Author) -> list[Json]:
    """The PractitionerRole that signs the text, and its Practitioner: a person's last word is the family name."""
    given, _, family = (clean(author.name) or NOTHING).rpartition(" ")
    role, practitioner = spot.id("role"), spot.id("practitioner")
    who: Json = {
        "practitioner": reference("Practitioner", practitioner),
        "organization": reference("Organization", spot.id("sender")),
        "code": [{"text": clean(author.role) or NOTHING}],
    }
    name: Json = {"family": family, "given": given.split()} if given else {"family": family}
    return [
        resource("PractitionerRole", role, f"{_CORE}/medcom-core-practitionerrole", narrative(author.role), who),
        resource(
            "Practitioner", practitioner, f"{_CORE}/medcom-core-practitioner", narrative(author.name), {"name": [name]}
        ),
    ]


def _carried(spot: Spot, draft: Draft) -> list[Json]:
    """Earlier CareCommunications' Provenances, each with its organisation where that is neither of the two."""
    known = {
        party.gln: own
        for party, own in ((draft.sides.sender, spot.id("sender")), (draft.sides.receiver, spot.id("receiver")))
    }
    out: list[Json] = []
    for n, earlier in enumerate(draft.chain):
        agent = earlier.agent
        if agent is None or not agent.gln or not agent.sor or not _can_be_carried(earlier):
            continue
        if agent.gln not in known:
            known[agent.gln] = spot.id(f"agent{n}")
            out.append(organization(known[agent.gln], agent))
        out.append(carried_provenance(spot.id(f"earlier{n}"), earlier, known[agent.gln], _PROVENANCE))
    return out


def _can_be_carried(earlier: FhirProvenance) -> bool:
    """Whether a Provenance is one of a CareCommunication and whole."""
    return bool(earlier.payloads) and earlier.activity in _ACTIVITIES and is_whole(earlier)


def missing(sides: Sides, author: Author) -> tuple[str, ...]:
    """What the standard demands and nobody has told us, so the letter cannot be sent (Danish, for the operator)."""
    wanted = {
        "afsenderens SOR-kode (letterhead.sor)": sides.sender.sor,
        "afsenderens telefon (letterhead.phone)": author.phone,
        "modtagerens lokationsnummer": sides.receiver.gln,
        "modtagerens SOR-kode (tabellen sors)": sides.receiver.sor,
    }
    return tuple(name for name, value in wanted.items() if not value)
