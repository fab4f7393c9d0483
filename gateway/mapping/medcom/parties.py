"""Who and what every MedCom letter is about: sender, receiver, citizen, diagnoses, times. Read and written alike."""

from datetime import date, datetime, time, timedelta

import msgspec
from lxml import etree

from gateway.mapping.medcom.elements import (
    NOTHING,
    Children,
    ImpossibleValueError,
    all_named,
    children,
    cut,
    demanded,
    group,
    needed,
    tag,
    text_of,
)
from gateway.referral.model import (
    Address,
    Citizen,
    CodeSystem,
    Diagnosis,
    Party,
    Phone,
    Referrer,
    Relative,
)
from gateway.referral.workdays import COPENHAGEN, is_possible

_SYSTEMS = {"SKSdiagnosekode": CodeSystem.SKS, "ICPCkode": CodeSystem.ICPC2}
_UNSPECIFIED = "uspecificeretkode"
_TYPE_CODES = {system: code for code, system in _SYSTEMS.items()}
#: IdentifierCode as every version knows it
PARTY_CODES = frozenset({"ydernummer", "sygehusafdelingsnummer", "lokationsnummer", "kommunenummer", "sorkode"})
_PART, _NAME, _PHONE, _CODE = 35, 70, 25, 17
_PHONES = 3


# ------------------------------------------------------------------ reading
def read_moment(found: Children) -> datetime:
    """Date and Time children as an aware moment: Danish civil time, which MedCom XML writes without a zone."""
    try:
        day, clock = date.fromisoformat(needed(found, "Date").strip()), time.fromisoformat(needed(found, "Time"))
    except ValueError as error:
        raise ImpossibleValueError("Date") from error
    if not is_possible(day):
        raise ImpossibleValueError("Date")
    return datetime.combine(day, clock, tzinfo=COPENHAGEN)


def read_timestamp(text: str) -> datetime | None:
    """An XML Schema dateTime: Danish civil time where it has no zone, 24:00 is the next day's midnight.

    None for what is none, or a moment that cannot be.
    """
    text = text.strip()
    next_day = "T24:00:00" in text
    try:
        moment = datetime.fromisoformat(text.replace("T24:", "T00:")) + timedelta(days=next_day)
    except (ValueError, OverflowError):
        return None
    if "T" not in text or not is_possible(moment):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=COPENHAGEN)


def read_address(found: Children) -> Address:
    """The four address parts that sit side by side."""
    return Address(
        street=text_of(found, "StreetName"),
        suburb=text_of(found, "SuburbName"),
        district=text_of(found, "DistrictName"),
        postcode=text_of(found, "PostCodeIdentifier"),
    )


def read_party(found: Children) -> Party:
    """Sender, Receiver, AnswerCCReceiver and CCReceiver."""
    return Party(
        gln=text_of(found, "EANIdentifier"),
        identifier=text_of(found, "Identifier"),
        identifier_code=text_of(found, "IdentifierCode"),
        organisation=text_of(found, "OrganisationName"),
        department=text_of(found, "DepartmentName"),
        unit=text_of(found, "UnitName"),
        address=read_address(found),
        phone=text_of(found, "TelephoneSubscriberIdentifier"),
        speciality=text_of(found, "MedicalSpecialityCode"),
    )


def read_referrer(found: Children) -> Referrer:
    """The person in Sender/Referrer."""
    return Referrer(
        name=needed(found, "PersonName"),
        title=text_of(found, "PersonTitle"),
        identifier=text_of(found, "Identifier"),
        identifier_code=text_of(found, "IdentifierCode"),
    )


def read_citizen(element: etree._Element) -> Citizen:
    """Patient, with up to three telephones."""
    found = children(element)
    phones = (children(phone) for phone in all_named(element, "TelephoneSubscriber"))
    return Citizen(
        cpr=text_of(found, "CivilRegistrationNumber"),
        replacement_cpr=text_of(found, "AlternativeIdentifier"),
        surname=needed(found, "PersonSurnameName"),
        given_name=text_of(found, "PersonGivenName"),
        title=text_of(found, "PersonTitle"),
        address=read_address(found),
        phones=tuple(
            Phone(number=needed(p, "TelephoneSubscriberIdentifier"), kind=needed(p, "TelephoneSubscriberCode"))
            for p in phones
        ),
        email=text_of(found, "EmailIdentifier"),
    )


def read_relative(found: Children) -> Relative | None:
    """Next of kin."""
    if not found:
        return None
    return Relative(
        relation=needed(found, "RelationCode"),
        identifier=text_of(found, "PersonIdentifier"),
        surname=needed(found, "PersonSurnameName"),
        given_name=text_of(found, "PersonGivenName"),
    )


def read_diagnoses(element: etree._Element | None) -> tuple[Diagnosis, ...]:
    """Refer and ReferralAdditional; the code system comes from DiagnoseTypeCode, never from the code's shape."""
    if element is None:
        return ()
    main = [_diagnosis(child, main=True) for child in all_named(element, "Refer")]
    return (*main, *(_diagnosis(child, main=False) for child in all_named(element, "ReferralAdditional")))


def _diagnosis(element: etree._Element, *, main: bool) -> Diagnosis:
    found = children(element)
    type_code = needed(found, "DiagnoseTypeCode")
    return Diagnosis(
        system=_SYSTEMS.get(type_code),
        code=None if type_code == _UNSPECIFIED else text_of(found, "DiagnoseCode"),
        text=needed(found, "DiagnoseText"),
        main=main,
        description_code=text_of(found, "DiagnoseDescriptionCode"),
        other_system=None if type_code in {*_SYSTEMS, _UNSPECIFIED} else type_code,
    )


# ------------------------------------------------------------------ writing
def write_moment(name: str, moment: datetime) -> str:
    """``<name><Date/><Time/></name>`` in Danish civil time, to the minute."""
    local = moment.astimezone(COPENHAGEN).isoformat()
    return group(name, tag("Date", local[:10]), tag("Time", local[11:16]))


def write_address(address: Address) -> str:
    """The address parts side by side, each within its length."""
    return (
        tag("StreetName", cut(address.street, _PART))
        + tag("SuburbName", cut(address.suburb, _PART))
        + tag("DistrictName", cut(address.district, _PART))
        + tag("PostCodeIdentifier", cut(address.postcode, 9))
    )


def write_party(party: Party, *, gln: bool = True) -> str:
    """The parts that Sender, Receiver and CCReceiver share, up to the postcode."""
    return (
        (tag("EANIdentifier", demanded(party.gln, _PART)) if gln else "")
        + tag("Identifier", demanded(party.identifier, _CODE))
        + tag("IdentifierCode", party.identifier_code)
        + tag("OrganisationName", cut(party.organisation, _PART))
        + tag("DepartmentName", cut(party.department, _PART))
        + tag("UnitName", cut(party.unit, _PART))
        + write_address(party.address)
    )


def write_sender(party: Party, *rest: str) -> str:
    """Sender with telephone and speciality, and what a letter type adds behind them."""
    named = msgspec.structs.replace(party, organisation=demanded(party.organisation, _PART))
    return group(
        "Sender",
        write_party(named),
        tag("TelephoneSubscriberIdentifier", cut(party.phone, _PHONE)),
        tag("MedicalSpecialityCode", party.speciality),
        *rest,
    )


def write_citizen(citizen: Citizen, *rest: str) -> str:
    """Patient as the letters to a referrer carry it: identity only, no address (a hidden address never leaks)."""
    return group(
        "Patient",
        tag("CivilRegistrationNumber", citizen.cpr),
        tag("AlternativeIdentifier", citizen.replacement_cpr),
        tag("PersonSurnameName", demanded(citizen.surname, _NAME)),
        tag("PersonGivenName", cut(citizen.given_name, _NAME)),
        *rest,
    )


def department_demanded(party: Party) -> Party:
    """The versions of 2020 demand the receiver's department: its own, else the organisation's name."""
    department = cut(party.department, _PART) or demanded(party.organisation, _PART)
    return msgspec.structs.replace(party, department=department)


def write_referrer(referrer: Referrer | None) -> str:
    """Sender/Referrer; the person's name is demanded."""
    if referrer is None:
        return group("Referrer", tag("PersonName", NOTHING))
    return group(
        "Referrer",
        tag("Identifier", cut(referrer.identifier, _CODE)),
        tag("IdentifierCode", referrer.identifier_code),
        tag("PersonName", demanded(referrer.name, _PART)),
        tag("PersonTitle", cut(referrer.title, _PART)),
    )


def write_referred_citizen(citizen: Citizen) -> str:
    """Patient as a referral carries it: with address, telephones and e-mail."""
    phones = (
        group(
            "TelephoneSubscriber",
            tag("TelephoneSubscriberIdentifier", demanded(phone.number, _PHONE)),
            tag("TelephoneSubscriberCode", phone.kind),
        )
        for phone in citizen.phones[:_PHONES]
    )
    return write_citizen(
        citizen,
        tag("PersonTitle", cut(citizen.title, _PART)),
        write_address(citizen.address),
        *phones,
        tag("EmailIdentifier", cut(citizen.email, _NAME)),
    )


def write_relative(relative: Relative | None) -> str:
    """Next of kin, where there is one."""
    if relative is None:
        return ""
    return group(
        "Relative",
        tag("RelationCode", relative.relation),
        tag("PersonIdentifier", cut(relative.identifier, 10)),
        tag("PersonSurnameName", demanded(relative.surname, _NAME)),
        tag("PersonGivenName", cut(relative.given_name, _NAME)),
    )


def write_diagnosis(name: str, diagnosis: Diagnosis, *, described: bool, code_needed: bool = False) -> str:
    """Refer or ReferralAdditional; nothing where the version demands a code and there is none."""
    if code_needed and not diagnosis.code:
        return ""
    role = diagnosis.description_code or ("henv_diagnose" if diagnosis.main else "bidiagnose")
    known = _TYPE_CODES[diagnosis.system] if diagnosis.system else None
    return group(
        name,
        tag("DiagnoseDescriptionCode", role) if described else "",
        tag("DiagnoseCode", cut(diagnosis.code, _CODE)),
        tag("DiagnoseTypeCode", known or diagnosis.other_system or _UNSPECIFIED),
        tag("DiagnoseText", demanded(diagnosis.text, _NAME)),
    )
