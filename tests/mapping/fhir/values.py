"""Strategies for what a FHIR message brings with it, and builders with defaults. Organisations are invented."""

from datetime import datetime

from hypothesis import strategies as st

from gateway.errors import FAULTS, Fault
from gateway.referral.letters import (
    AnsweredLetter,
    Arrival,
    Carrier,
    DischargeNote,
    FhirArrival,
    FhirParty,
    FhirProvenance,
    Payload,
    Receipt,
    StatusLetter,
)
from gateway.referral.model import Citizen, Party
from tests.builders import OTHER_GLN, OUR_GLN, RECEIVED, SENDER_GLN
from tests.mapping.values import LONG, MOMENTS, TOLD, VANS_ARRIVALS, XML_TEXT, perhaps

BUNDLE_ID, MESSAGE_ID = "0b1c2d3e-4f50-4617-8293-a4b5c6d7e8f9", "11112222-3333-4444-8555-666677778888"
OUR_SOR, SENDER_SOR, OTHER_SOR = "543210000016004", "123450000016001", "987650000016005"
FORMS = (Payload.FHIR_JSON, Payload.FHIR_XML)
PRACTICE = FhirParty(
    gln=SENDER_GLN, sor=SENDER_SOR, name="Lægehuset Prøvely", endpoint=f"https://sor2.sum.dsdn.dk/#id={SENDER_SOR}"
)
WARD = FhirParty(gln=OTHER_GLN, sor=OTHER_SOR, name="Afdeling for Prøver")
US = FhirParty(gln=OUR_GLN, sor=OUR_SOR, name="Ishøj Kommune")


def provenance(**given: object) -> FhirProvenance:
    """The Provenance of a new referral from the practice."""
    told = {
        "target": MESSAGE_ID,
        "activity": "new-message",
        "occurred": "2026-11-16T09:15:00+01:00",
        "recorded": "2026-11-16T09:15:00+01:00",
        "agent": PRACTICE,
    }
    return FhirProvenance(**told | given)  # type: ignore[arg-type]


def arrival(**given: object) -> Arrival:
    """A referral as a FHIR message from the practice to us."""
    fhir = {
        "message_id": MESSAGE_ID,
        "event": "new-referral",
        "sender": PRACTICE,
        "receiver": US,
        "provenances": (provenance(),),
    }
    fhir |= {name: given.pop(name) for name in list(given) if name in fhir}
    around = {
        "payload": Payload.FHIR_JSON,
        "sender_gln": SENDER_GLN,
        "receiver_gln": OUR_GLN,
        "envelope_id": BUNDLE_ID,
        "fhir": FhirArrival(**fhir),  # type: ignore[arg-type]
    }
    return Arrival(**around | given)  # type: ignore[arg-type]


def answered(fault: str | None = None, detail: str = "") -> AnsweredLetter:
    """The one letter of a FHIR message; its fault by id."""
    found = Fault(id=fault, detail=detail) if fault else None
    return AnsweredLetter(letter_id=MESSAGE_ID, version="", fault=found)


def receipt(fault: str | None = None, detail: str = "", **given: object) -> Receipt:
    """Our verdict on the referral: positive without a fault."""
    letter = answered(fault, detail)
    return Receipt(positive=fault is None, arrival=arrival(**given), letters=(letter,), at=RECEIVED)


# ------------------------------------------------------------------ strategies
PAYLOAD_IDS = st.lists(st.uuids().map(lambda u: f"urn:uuid:{u}"), min_size=1, max_size=3).map(tuple)
AGENTS = st.sampled_from([None, PRACTICE, WARD, US, FhirParty(gln=OTHER_GLN)])
PROVENANCES = st.builds(
    provenance,
    target=st.sampled_from([MESSAGE_ID, "99998888-7777-4666-8555-444433332222"]),
    activity=st.sampled_from(["new-message", "reply-message", "forward-message", "retract-message", "admit-inpatient"]),
    occurred=st.sampled_from(["2026-11-16T09:15:00+01:00", "2026-11-16T08:15:00.123Z", ""]),
    agent=AGENTS,
    payloads=st.just(()) | PAYLOAD_IDS,
    previous=st.sampled_from(["", "99998888-7777-4666-8555-444433332222", f"{OTHER_GLN}#SYNBRV00000009"]),
)
PRACTICES = st.builds(
    FhirParty,
    gln=st.just(SENDER_GLN),
    sor=st.just(SENDER_SOR),
    name=XML_TEXT | st.just(""),
    endpoint=st.sampled_from(["", PRACTICE.endpoint]),
)
VANS = VANS_ARRIVALS.map(lambda value: {"vans": value.vans, "carrier": Carrier.VANS})
ARRIVALS = st.builds(
    lambda around, **given: arrival(**around, **given),
    st.just({}) | VANS,
    sender=PRACTICES,
    payload=st.sampled_from(FORMS),
    receiver_gln=st.sampled_from([OUR_GLN, OTHER_GLN, None]),
    provenances=st.lists(PROVENANCES, max_size=4).map(tuple),
)
FAULTS_FOUND = st.builds(Fault, id=st.sampled_from(sorted(FAULTS)), detail=TOLD)
RECEIPTS = st.builds(
    lambda arrival, whole, letter, at: Receipt(
        positive=whole is None and letter is None,
        arrival=arrival,
        fault=whole,
        letters=(AnsweredLetter(letter_id=MESSAGE_ID, version="", fault=letter),),
        at=at,
    ),
    ARRIVALS,
    perhaps(FAULTS_FOUND),
    perhaps(FAULTS_FOUND),
    MOMENTS,
)
RECEIVERS = st.builds(
    Party,
    gln=st.sampled_from([SENDER_GLN, OTHER_GLN]),
    identifier=st.just(OTHER_SOR),
    identifier_code=st.just("sorkode"),
    organisation=perhaps(XML_TEXT),
)
CITIZENS = st.builds(
    lambda identity, **rest: Citizen(**identity, **rest),
    st.sampled_from(
        [
            {"cpr": "1203659901"},
            {"replacement_cpr": "1203657AK1"},
            {"replacement_cpr": "1203650AK1"},
            {"replacement_cpr": "120365ÆAK1"},
            {"replacement_cpr": "          "},
        ]
    ),
    surname=XML_TEXT,
    given_name=perhaps(XML_TEXT),
)
EPISODES = perhaps(st.uuids().map(str) | st.uuids().map(lambda u: u.hex) | st.just("EP 1"))
STATUS_LETTERS = st.builds(
    StatusLetter,
    subject=XML_TEXT,
    text=LONG,
    sender=st.just(Party()),
    receiver=RECEIVERS,
    citizen=CITIZENS,
    episode_id=EPISODES,
    referral_id=st.sampled_from([MESSAGE_ID, "SYNBRV00000001"]),
    at=MOMENTS,
)
_DAY = datetime(2026, 11, 20).date()  # noqa: DTZ001
DISCHARGE_NOTES = st.builds(
    DischargeNote,
    text=LONG,
    sender=st.just(Party()),
    speciality_name=st.just("Kommunal forebyggelse"),
    receiver=RECEIVERS,
    copy_receiver=st.none(),
    citizen=CITIZENS,
    episode_id=EPISODES,
    referral_id=st.sampled_from([MESSAGE_ID, "SYNBRV00000001"]),
    referred_at=MOMENTS,
    received_at=MOMENTS,
    diagnoses=st.just(()),
    category=st.none(),
    ended_at=st.none(),
    signed_on=st.just(_DAY),
    signed_by=TOLD,
    job_title=TOLD,
    at=MOMENTS,
)
