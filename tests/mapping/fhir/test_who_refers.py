"""Who refers, by whom, for whom: persons, organisations, the citizen."""

from gateway.referral.letters import FhirParty
from gateway.referral.model import Referral
from tests.builders import OUR_GLN, SENDER_GLN
from tests.fhir_messages import (
    MUNICIPALITY,
    NEW_GLN,
    PATIENT,
    SENDER,
    SOR,
    Json,
    identifier,
    organization,
    patient,
    referral,
    request,
)
from tests.mapping.fhir.reading import bare, good, reading

SENDERS_PARTY = FhirParty(gln=SENDER_GLN, sor="123450000001005", name="Lægehuset Prøvely")


# ------------------------------------------------------------------ who refers
def role(**more: object) -> Json:
    return {
        "resourceType": "PractitionerRole",
        "id": "role-1",
        "practitioner": {"reference": "Practitioner/doctor-1"},
        "organization": {"reference": f"Organization/{SENDER}"},
        "code": [{"text": "Læge"}],
        **more,
    }


DOCTOR: Json = {"resourceType": "Practitioner", "id": "doctor-1", "name": [{"given": ["Mona"], "family": "Prøvelæge"}]}


def asked_by(reference: str, *behind: Json) -> Referral:
    return good(referral(*behind, request=request(conditions=0, requester={"reference": reference})))


def test_a_person_at_an_organisation_refers() -> None:
    found = asked_by("PractitionerRole/role-1", role(), DOCTOR)
    assert found.referrer is not None
    assert (found.referrer.name, found.referrer.title) == ("Mona Prøvelæge", "Læge")
    assert found.sender.identifier_code == "ydernummer"
    found = asked_by("Practitioner/doctor-1", DOCTOR)
    assert found.referrer is not None
    assert (found.referrer.name, found.referrer.title) == ("Mona Prøvelæge", None)
    assert (
        asked_by("PractitionerRole/role-1", role(practitioner=None) | {"practitioner": {"display": "x"}}).referrer
        is None
    )
    nameless = {"resourceType": "Practitioner", "id": "doctor-1", "active": True}
    assert asked_by("Practitioner/doctor-1", nameless).referrer is None
    without = {name: item for name, item in role().items() if name != "organization"}
    assert asked_by("PractitionerRole/role-1", without, DOCTOR).sender.gln == SENDER_GLN


def test_a_department_refers_by_another_house() -> None:
    home = organization("municipal", identifier(MUNICIPALITY, "0183"), name="Ishøj Kommune")
    found = asked_by("Organization/municipal", home)
    assert (found.sender.gln, found.sender.identifier_code) == (SENDER_GLN, "kommunenummer")
    ward = organization("ward", identifier(SOR, "999990000001005"), name="Prøveafdelingen")
    found = asked_by("Organization/ward", ward)
    assert (found.sender.gln, found.sender.identifier) == (SENDER_GLN, "079741")


def test_the_citizen_refers() -> None:
    assert asked_by(f"Patient/{PATIENT}").self_referred
    relative = {"resourceType": "RelatedPerson", "id": "wife", "patient": {"reference": f"Patient/{PATIENT}"}}
    assert asked_by("RelatedPerson/wife", relative).self_referred


def test_nobody_is_named_but_the_sender() -> None:
    found = good(referral(request=request(requester=None)))
    assert found.referrer is None
    assert found.sender.gln == SENDER_GLN


def test_a_bare_request_by_a_person() -> None:
    at = role(organization={"reference": "#org"}, practitioner={"reference": "#doctor-1"})
    value = bare(
        organization("org"), patient(id="pat"), at, DOCTOR, requester={"reference": "#role-1"}, reasonReference=None
    )
    assert good(value).sender.gln == SENDER_GLN
    assert reading(value).arrival.sender_gln == SENDER_GLN


def test_a_bare_request_to_one_of_several() -> None:
    ours = {"reference": "#ours"}
    wanted = organization("ours", identifier(NEW_GLN, OUR_GLN))
    others = [{"display": "x"}, {"identifier": identifier(SOR, "1")}, {"reference": "#doctor-1"}, ours]
    value = bare(organization("org"), patient(id="pat"), DOCTOR, wanted, performer=others, reasonReference=None)
    assert good(value).receiver.gln == OUR_GLN
    assert reading(value).arrival.receiver_gln == OUR_GLN
