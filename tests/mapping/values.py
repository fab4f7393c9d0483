"""Strategies: values as a referral, a team or a sender may bring them, within what the core takes and no further."""

from datetime import datetime
from typing import TypeVar

from hypothesis import strategies as st

from gateway.errors import FAULTS, Fault
from gateway.mapping.medcom.parsing import parse
from gateway.mapping.medcom.vans import decode
from gateway.referral.letters import AnsweredLetter, Arrival, Carrier, DischargeNote, Receipt, StatusLetter, VansArrival
from gateway.referral.model import (
    Address,
    Citizen,
    ClinicalText,
    CodeSystem,
    Diagnosis,
    Party,
    Phone,
    Referral,
    Referrer,
)
from gateway.referral.workdays import COPENHAGEN
from tests.builders import OUR_GLN, SENDER_GLN, vans

T = TypeVar("T")

#: what XML can bring, and what is likely to go wrong: long, blank, beyond ISO-8859-1, growing when it is fitted
XML_TEXT = st.text(
    st.one_of(
        st.sampled_from("aæøåÆØÅé –…€“≥Œ™<&>\"'\n\t_."),
        st.characters(min_codepoint=0x20, max_codepoint=0x2FFF, exclude_categories=("Cs",)),
        st.characters(min_codepoint=0x1F300, max_codepoint=0x1F600),
    ),
    min_size=1,
    max_size=90,
)
#: what JSON can bring beside that
TOLD = st.text(st.characters(exclude_categories=("Cs",)), max_size=400)
LONG = st.builds(lambda word, n: word * n, TOLD, st.integers(1, 60))
CODES = st.sampled_from(["ydernummer", "sygehusafdelingsnummer", "kommunenummer", "lokationsnummer", "sorkode"])
MOMENTS = st.datetimes(
    min_value=datetime(1900, 1, 1),  # noqa: DTZ001 (the zone follows)
    max_value=datetime(2199, 12, 31),  # noqa: DTZ001
    timezones=st.just(COPENHAGEN),
)


def perhaps(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    return st.none() | strategy


def at_most(length: int) -> st.SearchStrategy[str]:
    return XML_TEXT.map(lambda text: text[:length])


ADDRESSES = st.builds(
    Address,
    street=perhaps(XML_TEXT),
    suburb=perhaps(XML_TEXT),
    district=perhaps(XML_TEXT),
    postcode=perhaps(XML_TEXT),
)
PARTIES = st.builds(
    Party,
    gln=st.just(SENDER_GLN) | at_most(18),  # a VANSEnvelope addresses no longer one
    identifier=at_most(17),
    identifier_code=CODES,
    organisation=perhaps(XML_TEXT),
    department=perhaps(XML_TEXT),
    unit=perhaps(XML_TEXT),
    address=ADDRESSES,
    phone=perhaps(XML_TEXT),
    speciality=perhaps(st.just("almen_medicin")),
)
CITIZENS = st.builds(
    lambda identity, **rest: Citizen(**identity, **rest),
    st.sampled_from([{"cpr": "1203659901"}, {"replacement_cpr": "120365ÆAK1"}, {"replacement_cpr": "          "}]),
    surname=XML_TEXT,
    given_name=perhaps(XML_TEXT),
    title=perhaps(XML_TEXT),
    address=ADDRESSES,
    municipality_code=perhaps(st.just("0183")),
    phones=st.lists(st.builds(Phone, number=at_most(25), kind=st.just("mobil")), max_size=3).map(tuple),
    email=perhaps(XML_TEXT),
)
CODED = st.sampled_from([(CodeSystem.SKS, "DE119"), (CodeSystem.ICPC2, "T90"), (CodeSystem.SKS, None), (None, None)])


def diagnoses(*, main: bool) -> st.SearchStrategy[Diagnosis]:
    role = st.none() if main else perhaps(st.just("tillaegsdiagnose"))
    return st.builds(
        lambda coded, text, role: Diagnosis(
            system=coded[0], code=coded[1], text=text, main=main, description_code=role
        ),
        CODED,
        XML_TEXT,
        role,
    )


ALL_DIAGNOSES = st.builds(
    lambda first, others: (*first, *others),
    st.lists(diagnoses(main=True), max_size=1),
    st.lists(diagnoses(main=False), max_size=6),
)
STATUS_LETTERS = st.builds(
    StatusLetter,
    subject=XML_TEXT,
    text=LONG,
    sender=PARTIES,
    receiver=PARTIES,
    citizen=CITIZENS,
    episode_id=perhaps(at_most(35)),
    at=MOMENTS,
)
DISCHARGE_NOTES = st.builds(
    DischargeNote,
    text=LONG,
    sender=PARTIES,
    speciality_name=XML_TEXT,
    receiver=PARTIES,
    copy_receiver=perhaps(PARTIES),
    citizen=CITIZENS,
    episode_id=perhaps(at_most(35)),
    referral_id=at_most(14),
    referred_at=MOMENTS,
    received_at=MOMENTS,
    diagnoses=ALL_DIAGNOSES,
    category=perhaps(st.just("social")),
    ended_at=perhaps(MOMENTS),
    signed_on=st.dates(min_value=datetime(1900, 1, 1).date(), max_value=datetime(2199, 12, 31).date()),  # noqa: DTZ001
    signed_by=TOLD,
    job_title=TOLD,
    at=MOMENTS,
)
FAULTY = st.builds(Fault, id=st.sampled_from(sorted(FAULTS)), detail=at_most(90))
ANSWERED = st.builds(AnsweredLetter, letter_id=at_most(14) | st.just(""), version=at_most(35) | st.just(""))
ACCEPTED = st.lists(ANSWERED, max_size=3).map(tuple)


def _vans_arrival() -> VansArrival:
    opened = decode(parse(vans()))
    return opened.arrival


BARE_ARRIVALS = st.builds(
    Arrival,
    carrier=st.just(Carrier.BARE),
    sender_gln=st.just(SENDER_GLN) | at_most(35),
    receiver_gln=perhaps(st.just(OUR_GLN) | at_most(35)),
    envelope_id=perhaps(at_most(14)),
    sent_at=perhaps(MOMENTS),
)
VANS_ARRIVALS = st.builds(
    Arrival,
    carrier=st.just(Carrier.VANS),
    sender_gln=st.just(SENDER_GLN),
    receiver_gln=st.just(OUR_GLN),
    envelope_id=perhaps(at_most(14)),
    sent_at=perhaps(MOMENTS),
    vans=st.builds(_vans_arrival),
)
RECEIPTS = st.one_of(
    st.builds(
        Receipt,
        positive=st.just(True),
        arrival=BARE_ARRIVALS,
        letters=st.lists(ANSWERED, max_size=3).map(tuple),
        at=MOMENTS,
    ),
    st.builds(Receipt, positive=st.just(False), arrival=BARE_ARRIVALS, fault=FAULTY, at=MOMENTS),
    st.builds(
        lambda arrival, answered, fault, at: Receipt(
            positive=False,
            arrival=arrival,
            at=at,
            letters=(AnsweredLetter(letter_id=answered.letter_id, version=answered.version, fault=fault),),
        ),
        BARE_ARRIVALS,
        ANSWERED,
        FAULTY,
        MOMENTS,
    ),
    st.builds(Receipt, positive=st.just(True), arrival=VANS_ARRIVALS, at=MOMENTS, by_vans=st.just(True)),
    st.builds(Receipt, positive=st.just(False), arrival=VANS_ARRIVALS, fault=FAULTY, at=MOMENTS, by_vans=st.just(True)),
)
REFERRALS = st.builds(
    Referral,
    message_type=st.just("XREF15"),
    version=st.sampled_from(["XH1530R", "XH1531R"]),
    letter_id=at_most(14),
    episode_id=perhaps(at_most(35)),
    authorised=MOMENTS,
    sender=PARTIES,
    referrer=perhaps(st.builds(Referrer, name=XML_TEXT)),
    receiver=PARTIES,
    citizen=CITIZENS,
    diagnoses=ALL_DIAGNOSES,
    texts=st.lists(st.builds(ClinicalText, place=st.just("Anamnesis"), text=XML_TEXT), max_size=2).map(tuple),
)
