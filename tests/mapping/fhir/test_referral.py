"""What is read of a FHIR referral: citizen, parties, diagnoses, words, values, times."""

import pytest

from gateway.receive import read
from gateway.referral.letters import FhirParty, Payload
from gateway.referral.model import Citizen, CodeSystem, Party, Referral
from tests.builders import CPR, EPISODE, NAME, OUR_GLN, SENDER_GLN, WORDS, emessage, vans
from tests.fhir_messages import (
    BUNDLE_ID,
    CPR_SYSTEM,
    D_ECPR,
    GLN,
    HEADER_ID,
    ICPC2,
    LOINC,
    NEW_GLN,
    RECEIVER,
    REQUEST,
    SENDER,
    SENT,
    SKS,
    SOR,
    X_ECPR,
    Json,
    as_json,
    as_xml,
    bundle,
    coded,
    condition,
    identifier,
    lives_in,
    observation,
    organization,
    patient,
    provenance,
    referral,
    request,
)
from tests.mapping.fhir.reading import bare, good, reading

SENDERS_PARTY = FhirParty(gln=SENDER_GLN, sor="123450000001005", name="Lægehuset Prøvely")


# ------------------------------------------------------------------ what is read
def test_a_message_is_read_whole() -> None:
    found = good(referral())
    assert found.letter_id == HEADER_ID
    assert found.episode_id == EPISODE
    assert found.authorised.isoformat() == "2026-11-16T09:10:00+01:00"
    assert found.priority == "routine"
    assert [(d.system, d.code, d.main) for d in found.diagnoses] == [(CodeSystem.SKS, "DE119", True)]
    assert [(t.place, t.text) for t in found.texts] == [
        ("code", "Henvisning til kommunalt forebyggelsestilbud"),
        ("note", WORDS),
    ]
    assert found.sender == Party(
        gln=SENDER_GLN, identifier="079741", identifier_code="ydernummer", organisation="Lægehuset Prøvely"
    )
    assert (found.receiver.gln, found.receiver.identifier, found.receiver.identifier_code) == (
        OUR_GLN,
        "0183",
        "kommunenummer",
    )
    citizen = found.citizen
    assert (citizen.cpr, citizen.surname, citizen.given_name) == (CPR, NAME, "Kai Prøve")
    assert (citizen.address.street, citizen.address.district, citizen.address.postcode) == (
        "Prøvevej 1",
        "Ishøj",
        "2635",
    )
    assert [(p.number, p.kind) for p in citizen.phones] == [("43570000", "mobil")]
    assert not found.correction
    assert not found.cancellation
    assert not found.self_referred


def test_how_a_message_arrived() -> None:
    arrival = reading(referral()).arrival
    assert arrival.payload is Payload.FHIR_JSON
    assert (arrival.sender_gln, arrival.receiver_gln, arrival.envelope_id) == (SENDER_GLN, OUR_GLN, BUNDLE_ID)
    assert arrival.positive_owed
    assert arrival.sent_at is not None
    assert arrival.sent_at.isoformat() == SENT
    fhir = arrival.fhir
    assert fhir is not None
    assert (fhir.message_id, fhir.event) == (HEADER_ID, "new-referral")
    assert (fhir.sender.gln, fhir.sender.sor, fhir.sender.name) == (SENDER_GLN, "123450000001005", "Lægehuset Prøvely")
    assert fhir.sender.endpoint.endswith("#id=123450000001005")
    assert (fhir.receiver.gln, fhir.receiver.sor) == (OUR_GLN, "543210000016001")
    (told,) = fhir.provenances
    assert (told.target, told.activity, told.occurred, told.recorded) == (HEADER_ID, "new-message", SENT, SENT)
    assert told.agent == SENDERS_PARTY


def test_the_chain_of_messages_before_is_kept() -> None:
    what = {"reference": "MessageHeader/5b1f6c1e-7a55-4d0e-9a4e-0000000000ff"}
    letter = {"identifier": {"value": f"{OUR_GLN}#BRV00000000001"}}
    payload = {"identifier": {"value": "urn:uuid:5b1f6c1e-7a55-4d0e-9a4e-0000000000aa"}}
    entities = [{"role": "revision", "what": what}, {"role": "source", "what": payload}]
    reply = provenance("reply-message", entity=entities)
    earlier = provenance(
        id="provenance-0",
        target=[what],
        entity=[{"role": "revision", "what": letter}],
        agent=[{"who": {"reference": f"Organization/{RECEIVER}"}}],
    )
    value = referral(provenance=reply)
    value["entry"].append({"resource": earlier})
    value["entry"].append({"resource": {"resourceType": "Basic", "id": "x", "code": {"text": "y"}}})
    fhir = reading(value).arrival.fhir
    assert fhir is not None
    first, second = fhir.provenances
    assert (first.previous, first.payloads) == (
        "5b1f6c1e-7a55-4d0e-9a4e-0000000000ff",
        (payload["identifier"]["value"],),
    )
    assert (second.target, second.previous) == ("5b1f6c1e-7a55-4d0e-9a4e-0000000000ff", f"{OUR_GLN}#BRV00000000001")
    assert second.agent is not None
    assert second.agent.gln == OUR_GLN


def test_json_and_xml_bring_the_same_referral() -> None:
    value = referral(condition(0, coded(SKS, "DE119")), observation(0, coded(LOINC, "59261-8"), 45.5))
    in_xml = read(as_xml(value))
    assert in_xml.arrival.payload is Payload.FHIR_XML
    assert in_xml.letters == reading(value).letters
    bare_xml = read(as_xml(bare()))
    assert bare_xml.letters == reading(bare()).letters


def test_inside_a_vans_envelope() -> None:
    for payload, told in ((as_json(referral()), Payload.FHIR_JSON), (as_xml(referral()), Payload.FHIR_XML)):
        found = read(vans(payload, payload_format="HL7"))
        assert isinstance(found.letters[0].content, Referral)
        assert found.arrival.payload is told
        assert found.arrival.vans is not None
        assert found.arrival.sender_gln == SENDER_GLN
    assert read(vans(emessage(), payload_format="HL7")).fault is not None
    assert read(vans(as_xml(referral()))).fault is not None


def test_a_bare_request_is_known_by_its_own_id_and_answered_to_its_requester() -> None:
    found = reading(bare())
    assert good(bare()).letter_id == REQUEST
    assert (found.arrival.sender_gln, found.arrival.receiver_gln, found.arrival.envelope_id) == (
        SENDER_GLN,
        OUR_GLN,
        None,
    )
    assert found.arrival.positive_owed
    assert found.arrival.fhir is not None
    assert found.arrival.fhir.message_id == ""
    assert found.arrival.fhir.sender == SENDERS_PARTY


def test_a_bare_request_without_an_id_is_known_by_its_content() -> None:
    without = {name: item for name, item in bare().items() if name != "id"}
    first = good(without)
    assert first == good(without)
    assert len(first.letter_id) == 36
    other = {**without, "note": [{"text": "en anden tekst"}]}
    assert good(other).letter_id != first.letter_id


def test_a_collection_is_read_as_a_bare_request() -> None:
    value = referral()
    resources = [
        e["resource"] for e in value["entry"] if e["resource"]["resourceType"] not in {"MessageHeader", "Provenance"}
    ]
    found = reading(bundle(*resources, type="collection"))
    assert found.letters[0].letter_id == REQUEST
    assert (found.arrival.sender_gln, found.arrival.receiver_gln, found.arrival.envelope_id) == (
        SENDER_GLN,
        OUR_GLN,
        BUNDLE_ID,
    )


@pytest.mark.parametrize("system", [GLN, NEW_GLN])
def test_both_systems_of_gln(system: str) -> None:
    sender = organization(SENDER, identifier(system, SENDER_GLN), identifier(SOR, "123450000001005"))
    found = good(referral(sender=sender))
    assert (found.sender.gln, found.sender.identifier_code) == (SENDER_GLN, "sorkode")


@pytest.mark.parametrize(
    ("system", "value", "told"),
    [
        (CPR_SYSTEM, CPR, (CPR, None)),
        (X_ECPR, "1203657AB1", (None, "1203657AB1")),
        (D_ECPR, "1203650AB1", (None, "1203650AB1")),
    ],
)
def test_the_citizens_identifiers(system: str, value: str, told: tuple[str | None, str | None]) -> None:
    citizen = good(referral(patient=patient(cpr=value, system=system))).citizen
    assert (citizen.cpr, citizen.replacement_cpr) == told


def citizen_of(**more: object) -> Citizen:
    return good(referral(patient=patient(**more))).citizen  # type: ignore[arg-type]  # names of elements


def test_home_name_and_protection() -> None:
    assert citizen_of(address=lives_in("0165", "2620")).municipality_code == "0165"
    other = [{"url": "urn:x", "valueString": "0165"}]
    assert citizen_of(address=[{"extension": other, "postalCode": "2620"}]).municipality_code is None
    old_and_new = [{"use": "old", "postalCode": "1000"}, {"postalCode": "2620"}, {"use": "home", "postalCode": "2635"}]
    assert citizen_of(address=old_and_new).address.postcode == "2635"
    assert citizen_of(address=old_and_new[:2]).address.postcode == "2620"
    assert citizen_of(address=old_and_new[:1]).address.postcode is None
    assert citizen_of(address=[{"line": ["Prøvevej 1", "Lokalby"]}]).address.suburb == "Lokalby"
    assert citizen_of(name=[{"text": "Kai Prøve"}]).surname == "Kai Prøve"
    assert citizen_of(name=None).surname == ""
    assert citizen_of(name=[{"family": "A"}, {"use": "official", "family": "B"}]).surname == "B"
    assert not citizen_of().address_protected
    assert citizen_of(meta={"security": [{"code": "R"}]}).address_protected
    telecom = [{"system": "email", "value": "kai@example.dk"}, {"system": "phone", "value": "1", "use": "old"}]
    assert (citizen_of(telecom=telecom).email, citizen_of(telecom=telecom).phones) == ("kai@example.dk", ())


def test_an_encounter_may_tell_the_episode() -> None:
    encounter = {
        "resourceType": "Encounter",
        "id": "encounter-1",
        "status": "planned",
        "class": {"code": "AMB"},
        "episodeOfCare": [{"identifier": {"value": "urn:uuid:00000000-0000-4000-8000-000000000001"}}],
    }
    asked = request(conditions=0, encounter={"reference": "Encounter/encounter-1"})
    assert good(referral(encounter, request=asked)).episode_id == "00000000-0000-4000-8000-000000000001"
    asked = request(conditions=0, identifier=[{"system": "urn:x", "value": "H-1"}])
    assert good(referral(encounter, request=asked)).episode_id == "H-1"
    assert good(referral(encounter, request=request(conditions=0, identifier=None))).episode_id is None


@pytest.mark.parametrize(
    ("authored", "told"),
    [
        ("2026-11-15", "2026-11-15T00:00:00+01:00"),
        ("2026-11", SENT),
        (None, SENT),
        ("2026-11-15T23:59:60Z", "2026-11-15T23:59:59+00:00"),
    ],
)
def test_when_it_was_written(authored: str | None, told: str) -> None:
    assert good(referral(request=request(authoredOn=authored))).authorised.isoformat() == told


# ------------------------------------------------------------------ diagnoses, words, values
def diagnoses(*concepts: Json, **more: object) -> list[tuple[object, str | None, str, bool]]:
    found = good(
        referral(condition(9, coded(SKS, "DI10")), request=request(conditions=0, reasonCode=list(concepts), **more))
    )
    return [(d.system, d.code, d.text, d.main) for d in found.diagnoses]


def test_codes_by_their_system_reasons_first() -> None:
    both = {"coding": [{"system": SKS, "code": "DE119", "display": "T2"}, {"system": ICPC2, "code": "T90"}]}
    assert diagnoses(both, coded(None, None, "KOL")) == [
        (CodeSystem.SKS, "DE119", "T2", True),
        (CodeSystem.ICPC2, "T90", "", False),
        (None, None, "KOL", False),
        (CodeSystem.SKS, "DI10", "", False),
    ]
    snomed = {"coding": [{"system": "http://snomed.info/sct", "code": "44054006", "display": "type 2-diabetes"}]}
    assert diagnoses(snomed)[0] == (None, "44054006", "type 2-diabetes", True)
    assert diagnoses({"extension": [{"url": "urn:x", "valueString": "x"}]})[0] == (CodeSystem.SKS, "DI10", "", True)


def test_conditions_that_are_none_are_passed_over() -> None:
    conditions = [
        condition(n, coded(SKS, c), v)
        for n, (c, v) in enumerate(
            [("DE119", "refuted"), ("DJ44", "entered-in-error"), ("DI21", "confirmed"), ("DI10", "provisional")]
        )
    ]
    nothing = {**condition(4, coded(SKS, "DX")), "code": None}
    found = good(referral(*conditions, {name: item for name, item in nothing.items() if item is not None}))
    assert [(d.code, d.main) for d in found.diagnoses] == [("DI21", True), ("DI10", False)]


def test_every_text_has_its_place() -> None:
    asked = request(
        conditions=0,
        code={"text": "A"},
        orderDetail=[{"text": "B"}, coded(SKS, "BXXX")],
        patientInstruction="C",
        note=None,
    ) | {"note": [{"text": "D"}, {"text": "E"}]}
    found = good(referral(condition(0, coded(SKS, "DE119")), request=asked))
    assert [(t.place, t.text) for t in found.texts] == [
        ("code", "A"),
        ("orderDetail", "B"),
        ("patientInstruction", "C"),
        ("note", "D"),
        ("note", "E"),
    ]


def test_documents_are_pointed_to() -> None:
    document = {
        "resourceType": "DocumentReference",
        "id": "document-1",
        "status": "current",
        "description": "Spirometri",
        "content": [
            {"attachment": {"url": "https://praksis.example/1"}},
            {"attachment": {"title": "EKG", "url": "urn:x"}},
        ],
    }
    asked = request(
        conditions=0, supportingInfo=[{"reference": "DocumentReference/document-1"}, {"identifier": {"value": "SUP"}}]
    )
    found = good(referral(document, request=asked))
    assert [(a.description, a.url) for a in found.attachments] == [
        ("Spirometri", "https://praksis.example/1"),
        ("EKG", "urn:x"),
    ]
    assert (
        next(
            a.description
            for a in good(referral({**document, "description": None} | {"description": "x"}, request=asked)).attachments
        )
        == "x"
    )
