"""Whom a FHIR message is about and who wrote it: Patient → citizen, Organization → party, a role → referrer."""

import re

from gateway.mapping.fhir.opened import Opened, Resource, UnusableError, gln_of, value_of
from gateway.mapping.fhir.resources import (
    Address,
    ContactPoint,
    HumanName,
    Organization,
    Patient,
    Practitioner,
    PractitionerRole,
    view,
)
from gateway.mapping.fhir.systems import (
    CPR,
    D_ECPR,
    MUNICIPALITY,
    MUNICIPALITY_EXTENSION,
    RESTRICTED,
    SOR,
    X_ECPR,
    YDERNUMMER,
)
from gateway.referral import model
from gateway.referral.model import Citizen, Party, Phone, Referrer

_CPR = re.compile(r"\d{10}", re.ASCII)
#: X-eCPR and D-eCPR: ten characters that begin with a date's six digits (dk-core)
_REPLACEMENT = re.compile(r"\d{6}[0-9A-Z]{4}", re.ASCII)
_PHONE_KINDS = {"mobile": "mobil", "work": "arbejde"}
#: identifier systems that tell who an organisation is, the most telling first, and MedCom's name for each
_KINDS = ((YDERNUMMER, "ydernummer"), (MUNICIPALITY, "kommunenummer"), (SOR, "sorkode"))


def the_patient(opened: Opened) -> Resource:
    """The one Patient of the message.

    Raises:
        UnusableError: GW-145 for none, GW-144 for several.
    """
    found = opened.of("Patient")
    if len(found) > 1:
        raise UnusableError("GW-144", "flere Patient")
    if not found:
        raise UnusableError("GW-145", "Patient")
    return found[0]


def citizen(patient: Patient) -> Citizen:
    """The citizen, by CPR or, without one, by X-eCPR or D-eCPR.

    Raises:
        UnusableError: GW-147 when no identifier can be used.
    """
    cpr = value_of(patient.identifier, CPR)
    replacement = None if cpr else _replacement(patient)
    if not (_CPR.fullmatch(cpr) if cpr else replacement):
        raise UnusableError("GW-147", "Patient.identifier")
    name = _official(patient.name)
    home = _home(patient.address)
    return Citizen(
        cpr=cpr,
        replacement_cpr=replacement,
        surname=name.family or name.text or "",
        given_name=" ".join(filter(None, name.given)) or None,
        address=_address(home),
        municipality_code=_municipality_code(home),
        phones=tuple(_phones(patient.telecom)),
        email=next((t.value for t in patient.telecom if t.system == "email"), None),
        address_protected=any(c.code == RESTRICTED for c in patient.meta.security),
    )


def _replacement(patient: Patient) -> str | None:
    for identifier in patient.identifier:
        system, value = identifier.system or "", identifier.value or ""
        if (system == X_ECPR or system.startswith(D_ECPR)) and _REPLACEMENT.fullmatch(value):
            return value
    return None


def _official(names: tuple[HumanName, ...]) -> HumanName:
    return next((n for n in names if n.use == "official"), names[0] if names else HumanName())


def _home(addresses: tuple[Address, ...]) -> Address:
    """The home address, else the first that is no temporary or old one."""
    lasting = [a for a in addresses if a.use not in {"temp", "old", "billing", "work"}]
    return next((a for a in lasting if a.use == "home"), lasting[0] if lasting else Address())


def _address(home: Address) -> model.Address:
    lines = [line for line in home.line if line]
    return model.Address(
        street=lines[0] if lines else None,
        suburb=", ".join(lines[1:]) or None,
        district=home.city,
        postcode=home.postal_code,
    )


def _municipality_code(home: Address) -> str | None:
    for extension in home.extension:
        concept = extension.value_codeable_concept
        if extension.url == MUNICIPALITY_EXTENSION and concept is not None:
            return next((c.code for c in concept.coding if c.system == MUNICIPALITY and c.code), None)
    return None


def _phones(telecom: tuple[ContactPoint, ...]) -> list[Phone]:
    numbers = [t for t in telecom if t.system in {"phone", "sms"} and t.value and t.use != "old"]
    return [Phone(number=t.value or "", kind=_PHONE_KINDS.get(t.use or "", "fastnet")) for t in numbers]


def party(organization: Organization) -> Party:
    """An organisation, with the identifier that tells most about its kind."""
    gln = gln_of(organization.identifier)
    told = [(value_of(organization.identifier, system), name) for system, name in _KINDS]
    identifier, code = next(((value, name) for value, name in told if value), (gln, "lokationsnummer" if gln else None))
    return Party(
        gln=gln,
        identifier=identifier,
        identifier_code=code,
        organisation=organization.name,
        phone=next((t.value for t in organization.telecom if t.system == "phone"), None),
    )


def referrer(opened: Opened, requester: Resource) -> Referrer | None:
    """The person who refers, where the message names one."""
    title, found = None, requester
    if requester.kind == "PractitionerRole":
        role = view(requester.body, PractitionerRole)
        title = next((c.words for c in role.code), None)
        person = opened.find(role.practitioner, requester.scope)
        if person is None:
            return None
        found = person
    if found.kind != "Practitioner":
        return None
    name = _official(view(found.body, Practitioner).name).whole
    return Referrer(name=name, title=title) if name else None


def organization_of(opened: Opened, requester: Resource) -> Organization | None:
    """The organisation that refers: the requester itself, or where the requesting person works."""
    if requester.kind == "Organization":
        return view(requester.body, Organization)
    if requester.kind == "PractitionerRole":
        role = view(requester.body, PractitionerRole)
        if role.organization is not None:
            found = opened.follow(role.organization, requester.scope, "Organization")
            return view(found.body, Organization)
    return None
