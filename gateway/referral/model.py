"""The referral as every carrier delivers it: MedCom XREF15/XREF01 and FHIR ServiceRequest become this one value.

Texts, codes and identifiers are kept exactly as received (leading zeros, case, hyphens); the properties normalise.
"""

from datetime import date, datetime
from enum import StrEnum

import msgspec


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A postal address; every part at most 35 characters in MedCom XML, the postcode at most 9."""

    street: str | None = None
    suburb: str | None = None
    district: str | None = None
    postcode: str | None = None


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """An organisation that sends, receives or gets a copy."""

    #: GLN, 13 digits; None where the standard carries none (AnswerCCReceiver)
    gln: str | None = None
    #: ydernummer (6 digits), SKS department, municipality number, GLN or SOR id; text, zeros kept
    identifier: str | None = None
    #: MedCom IdentifierCode: ydernummer, sygehusafdelingsnummer, kommunenummer, lokationsnummer or sorkode
    identifier_code: str | None = None
    organisation: str | None = None
    department: str | None = None
    unit: str | None = None
    address: Address = Address()
    phone: str | None = None
    #: MedCom MedicalSpecialityCode
    speciality: str | None = None


class Referrer(msgspec.Struct, frozen=True, kw_only=True):
    """The person who refers."""

    name: str
    title: str | None = None
    identifier: str | None = None
    identifier_code: str | None = None


class Phone(msgspec.Struct, frozen=True, kw_only=True):
    """A citizen's telephone; kind is ``mobil``, ``arbejde`` or ``fastnet``."""

    number: str
    kind: str


class Citizen(msgspec.Struct, frozen=True, kw_only=True):
    """The person the referral is about. Exactly one of the two identifiers is set."""

    #: 10 digits, no hyphen
    cpr: str | None = None
    #: erstatnings-CPR: 10 characters, may hold letters
    replacement_cpr: str | None = None
    surname: str
    given_name: str | None = None
    title: str | None = None
    address: Address = Address()
    #: four digits (dk-core); FHIR only
    municipality_code: str | None = None
    phones: tuple[Phone, ...] = ()
    email: str | None = None
    #: name and address protection: the address is used here and never told to anyone outside
    address_protected: bool = False

    @property
    def identifier(self) -> str:
        """The CPR or its replacement, as received."""
        return self.cpr or self.replacement_cpr or ""


class Relative(msgspec.Struct, frozen=True, kw_only=True):
    """Next of kin."""

    relation: str
    identifier: str | None = None
    surname: str
    given_name: str | None = None


class CodeSystem(StrEnum):
    """The code systems a diagnosis is looked up in; never guessed from the code's shape."""

    SKS = "SKS"
    ICPC2 = "ICPC-2"


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """One diagnosis of the referral, coded or text only."""

    #: None: text only (``uspecificeretkode``), or a system we hold no table for
    system: CodeSystem | None
    code: str | None
    text: str
    #: the referral's main diagnosis (MedCom ``Refer``, first reason in FHIR)
    main: bool
    #: MedCom DiagnoseDescriptionCode: of an additional diagnosis, in XREF01 XH0131R of the main one too
    description_code: str | None = None
    #: the carrier's own name of a code system we hold no table for (XREF01: ``fysioterapihenvisning`` …)
    other_system: str | None = None


class ClinicalText(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of free text and where it stood, so that evidence can be quoted with its place."""

    #: the standard's element, e.g. ``Anamnesis``
    place: str
    text: str


class MeasurementKind(StrEnum):
    """The measured values that a rule asks for; the value is what a doctor calls it."""

    HBA1C = "HbA1c"
    BMI = "BMI"


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """A value that the carrier tells as a number of its own (FHIR Observation), not in prose."""

    kind: MeasurementKind
    value: float
    #: as told: ``mmol/mol``, ``%``, ``kg/m2``
    unit: str
    #: the day it was measured
    on: date | None = None


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A pointer to something outside the letter: a URL, the patient's e-record (SUP), or a BIN object sent apart."""

    description: str
    url: str | None = None
    sup: bool = False
    object_id: str | None = None
    object_code: str | None = None
    object_extension: str | None = None
    object_size: int | None = None


class Visitation(msgspec.Struct, frozen=True, kw_only=True):
    """Receiver-filled visitation information that came along (MedCom MunicipalityVisitation)."""

    code: str
    text: str


class Episode(msgspec.Struct, frozen=True, kw_only=True):
    """One of several episode numbers of a letter (XREF01 XH0131R), e.g. the referrer's own or that of LPR3."""

    #: 1 to 17 characters, no code list
    type: str
    identifier: str


class ReferrerKind(StrEnum):
    """Who refers, as far as entitlement goes."""

    PRACTICE = "practice"
    HOSPITAL = "hospital"
    MUNICIPAL = "municipal"
    SELF = "self"
    #: nothing tells; treated as entitled
    UNKNOWN = "unknown"


class Referral(msgspec.Struct, frozen=True, kw_only=True):
    """One letter of referral."""

    #: ``XREF15``, ``XREF01`` or ``ServiceRequest``
    message_type: str
    version: str
    #: Letter/Identifier (1 to 14 characters) or MessageHeader.id (UUID)
    letter_id: str
    #: as received; None where the carrier may leave it out
    episode_id: str | None
    #: a ``rettetbrev`` or updated referral replaces an earlier letter of the same episode
    correction: bool = False
    #: the referrer takes the referral back (FHIR ``cancel-referral``; MedCom XML has no such letter)
    cancellation: bool = False
    statistical_code: str | None = None
    authorised: datetime
    sender: Party
    referrer: Referrer | None = None
    receiver: Party
    answer_cc: Party | None = None
    citizen: Citizen
    relative: Relative | None = None
    diagnoses: tuple[Diagnosis, ...] = ()
    texts: tuple[ClinicalText, ...] = ()
    #: they go before the same value in prose (decision.md §1)
    measurements: tuple[Measurement, ...] = ()
    category: str | None = None
    #: ``akut``/``elektiv``/``saerlige_forhold`` (XREF01), ``routine``/``urgent``/``asap``/``stat`` (FHIR)
    priority: str | None = None
    #: XREF01 only, as coded: ReferralStatus, Transport, HospitalChoice
    referral_status: str | None = None
    transport: str | None = None
    hospital_choice: str | None = None
    #: every episode number of a carrier that may name several; ``episode_id`` is the one we go by
    episodes: tuple[Episode, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    visitations: tuple[Visitation, ...] = ()
    #: set where the carrier itself says that the citizen refers
    self_referred: bool = False

    @property
    def sender_gln(self) -> str:
        """GLN of the letter's sender; part of the letter's key."""
        return self.sender.gln or ""


def episode_key(episode_id: str | None) -> str | None:
    """The form in which episode ids compare: no hyphens, lower case (MedCom governance 080: one value, two spellings).

    >>> episode_key("39DADACC-8761-4D0E-96F0-F202B24A79C0")
    '39dadacc87614d0e96f0f202b24a79c0'
    >>> episode_key("_") is None
    True
    """
    if episode_id is None:
        return None
    key = episode_id.replace("-", "").strip().lower()
    return None if key in {"", "_"} else key
