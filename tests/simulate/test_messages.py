"""The simulated referrals: the same by the same seed, valid in every carrier, decided as their matter says."""

import json
import re
import subprocess
import sys
from datetime import date
from itertools import islice, product
from pathlib import Path
from random import Random

import pytest
from stdnum import ean, verhoeff
from stdnum.dk import cpr

from gateway.mapping.interpretation import interpretation
from gateway.mapping.weighing import needs
from gateway.municipality.model import load
from gateway.receive import read, receive
from gateway.referral.decide import Running, decide
from gateway.referral.inbox import Known
from gateway.referral.model import Citizen, ClinicalText, CodeSystem, Diagnosis, Party, Referral
from gateway.simulate.carriers import CARRIERS, sent_at, written
from gateway.simulate.faults import SPOILINGS
from gateway.simulate.matters import Matter, diagnoses, matters, wording
from gateway.simulate.messages import Message, Wishes, messages
from gateway.simulate.persons import drawn_citizen, drawn_sender, gln, sor
from gateway.simulate.referrals import Drawn, Run, drawn_referral
from tests.reference import check_with_medcom, own_violations

ISHOEJ = load()
RUN = Run(seed="prøve", day=date(2026, 11, 16), municipality=ISHOEJ)
KINDS = {"practice": "ydernummer", "hospital": "sygehusafdelingsnummer", "unknown": "sorkode", "self": "sorkode"}


def drawn(number: int) -> Drawn:
    return drawn_referral(RUN, number, RUN.random(number))


# ------------------------------------------------------------------ the same by the same seed
def test_the_same_seed_and_day_give_the_same_bytes_however_many_are_asked_for() -> None:
    wishes = Wishes(faults={"duplicate": 20, "correction": 20, "truncated": 10})
    first = [message.data for message in messages(RUN, 60, wishes)]
    assert [m.data for m in islice(messages(RUN, 200, wishes), 60)] == first
    other = Run(seed="en anden", day=RUN.day, municipality=ISHOEJ)
    assert not set(first) & {m.data for m in messages(other, 60, wishes)}


def test_no_two_letters_of_a_run_have_one_id() -> None:
    ids = [(d.referral.letter_id, d.referral.episode_id, d.uuid, d.vans_uuid) for d in map(drawn, range(500))]
    assert all(len(set(column)) == 500 for column in zip(*ids, strict=True))


# ------------------------------------------------------------------ invented, but possible
def test_citizens_have_possible_numbers_of_the_test_range() -> None:
    for number in range(500):
        citizen = drawn_citizen(ISHOEJ, Random(number))
        assert citizen.cpr is not None
        assert cpr.is_valid(citizen.cpr)
        assert re.fullmatch(r"\d{6}99\d\d", citizen.cpr)
        assert 1937 <= cpr.get_birth_date(citizen.cpr).year <= 1999
        assert citizen.address.postcode in ISHOEJ.postcodes


@pytest.mark.parametrize("kind", ["practice", "hospital", "unknown", "municipal", "self"])
def test_senders_have_numbers_whose_check_digits_are_right(kind: str) -> None:
    for number in range(60):
        sender = drawn_sender(kind, Random(number))
        assert ean.is_valid(sender.party.gln or "")
        assert re.fullmatch(r"579000997\d{4}", sender.party.gln or "")
        assert verhoeff.is_valid(sender.sor)
        assert re.fullmatch(r"\d{5}1000016\d\d\d", sender.sor)
        assert sender.party.identifier_code == KINDS.get(kind, "kommunenummer")


def test_no_two_organisations_have_one_number() -> None:
    assert len({gln(n) for n in range(1000)}) == len({sor(n) for n in range(1000)}) == 1000


# ------------------------------------------------------------------ what they are about
def test_the_shares_make_up_the_thousand() -> None:
    assert sum(matter.share for matter in matters().matter) == 1000
    assert {name for m in matters().matter for name in m.programmes} == ISHOEJ.offered


def every_wording(matter: Matter) -> list[tuple[Diagnosis, str]]:
    """Every diagnosis with every opening and wish, and all that may stand between them."""
    coded = [(CodeSystem.SKS, *pair) for pair in matter.sks] + [(CodeSystem.ICPC2, *pair) for pair in matter.icpc2]
    main = [Diagnosis(system=s, code=c, text=t, main=True) for s, c, t in coded]
    main += [Diagnosis(system=None, code=None, text=text, main=True) for text in matter.uncoded]
    between = " ".join(matters().filling)
    texts = [f"{opening}\n{between}\n{wish}" for opening, wish in product(matter.openings, matter.wishes)]
    return [(d, spans_ended(text, last)) for d, text, last in product(main, texts, (False, True))]


def spans_ended(text: str, last: bool) -> str:  # noqa: FBT001 (the first or the last number of every span)
    return re.sub(r"\{(\d+)\.\.(\d+)\}", r"\2" if last else r"\1", text)


@pytest.mark.parametrize("matter", matters().matter, ids=lambda matter: matter.name)
def test_every_wording_is_decided_as_its_matter_says(matter: Matter) -> None:
    kind = matter.referrers[0] if matter.referrers else "practice"
    party = drawn_sender(kind, Random(1)).party
    for main, text in every_wording(matter):
        further = diagnoses(matter, kind, Random(1))[1:]
        referral = Referral(
            message_type="XREF15",
            version="XH1530R",
            letter_id="X",
            episode_id=None,
            authorised=sent_at(drawn(1)),
            sender=party,
            receiver=Party(),
            citizen=Citizen(cpr="1203659901", surname="Prøvesen"),
            diagnoses=(main, *further),
            texts=(ClinicalText(place="Anamnesis", text=text),),
            self_referred=kind == "self",
        )
        found = needs(referral, interpretation(), ISHOEJ.offered)
        decision = decide(referral, found, ISHOEJ, referral.authorised, Running())
        told = (decision.outcome, decision.programmes, decision.reasons)
        assert told == (matter.outcome, matter.programmes, matter.reasons), f"{main.code}: {text}"


def test_numbers_are_drawn_into_the_text() -> None:
    for matter in matters().matter:
        text = wording(matter, Random(7))
        assert not re.search(r"[{}]|\.\.", text)
        assert len(text.splitlines()) == 3


# ------------------------------------------------------------------ every carrier
def forms(name: str, count: int) -> list[tuple[Drawn, bytes]]:
    """Referrals in one carrier, every second one in a VANSEnvelope."""
    carrier = CARRIERS[name]
    able = [d for d in map(drawn, range(count)) if d.sender.kind != "self" or carrier.tells_self]
    return [(d, written(d, carrier, ISHOEJ, in_vans=n % 2 == 1)) for n, d in enumerate(able)]


@pytest.mark.parametrize("name", CARRIERS)
def test_every_carrier_is_read_without_fault_and_decided_as_its_matter_says(name: str) -> None:
    for told, data in forms(name, 60):
        outcome = receive(read(data), Known(), ISHOEJ, sent_at(told))
        (letter,) = outcome.letters
        assert (letter.fault, outcome.parked) == (None, ())
        decision, matter = letter.decision, told.matter
        assert decision is not None
        assert (decision.outcome, decision.programmes) == (matter.outcome, matter.programmes)


@pytest.mark.parametrize("name", [name for name in CARRIERS if name.startswith("xref")])
def test_xml_passes_our_schemas_and_medcoms(name: str, shared: Path, tmp_path: Path) -> None:
    documents = [data for _, data in forms(name, 60)]
    assert [own_violations(document) for document in documents] == [[]] * len(documents)
    check_with_medcom(shared, tmp_path, documents)


def test_fhir_messages_follow_the_profiles_but_for_the_event_that_no_standard_has(shared: Path, tmp_path: Path) -> None:
    carrier = CARRIERS["fhir-json"]
    lines = [written(drawn(number), carrier, ISHOEJ, in_vans=False) for number in range(60)]
    file = tmp_path / "messages.jsonl"
    file.write_bytes(b"\n".join(lines))
    command = [sys.executable, str(shared / "tools" / "check-fhir"), "--set", "referral", str(file)]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    assert told[-1] == "60 resources, 60 issues"
    assert all("not in required ValueSet medcom-messaging-messageTypes" in line for line in told[:-1])


def test_fhir_xml_says_what_fhir_json_says() -> None:
    for number in range(30):
        pairs = [("fhir-json", "fhir-xml")]
        pairs += [("servicerequest-json", "servicerequest-xml")] if drawn(number).sender.kind != "self" else []
        for pair in pairs:
            first, second = (read(written(drawn(number), CARRIERS[n], ISHOEJ, in_vans=False)) for n in pair)
            assert [letter.content for letter in first.letters] == [letter.content for letter in second.letters]


# ------------------------------------------------------------------ faults
WANTED = {
    "truncated": {"GW-102", "GW-123", "GW-124", "GW-120"},
    "not-valid": {"GW-120", "GW-124", "GW-125"},
    "unknown-receiver": {"GW-130"},
    "other-municipality": {"GW-131"},
    "impossible-cpr": {"GW-140"},
}


def faults_in(message: Message) -> set[str]:
    outcome = receive(read(message.data), Known(), ISHOEJ, sent_at(message.drawn))
    return {item.fault.id for item in outcome.parked}


@pytest.mark.parametrize("fault", WANTED)
@pytest.mark.parametrize("name", CARRIERS)
def test_a_fault_is_what_it_is_called(fault: str, name: str) -> None:
    for message in messages(RUN, 12, Wishes(mix={name: 1}, in_vans=50, faults={fault: 100})):
        assert message.fault == fault
        found = faults_in(message)
        assert found
        assert found <= WANTED[fault]


def test_as_many_are_spoilt_as_are_asked_for_and_no_others() -> None:
    wishes = Wishes(faults={"truncated": 10, "duplicate": 15, "correction": 5})
    told = [message.fault for message in messages(RUN, 1000, wishes)]
    found = {name: told.count(name) for name in (*wishes.faults, None)}
    assert abs(found["truncated"] - 100) < 30
    assert abs(found["duplicate"] - 150) < 40
    assert abs(found["correction"] - 50) < 25
    assert sum(found.values()) == 1000
    assert set(SPOILINGS) == {*WANTED, "duplicate", "correction"}


def test_a_message_says_in_its_name_what_it_is() -> None:
    (json_message,) = messages(RUN, 1, Wishes(mix={"fhir-json": 1}, in_vans=0))
    (in_vans,) = messages(RUN, 1, Wishes(mix={"fhir-json": 1}, in_vans=100))
    assert re.fullmatch(r"000001-fhir-json-[a-z0-9-]+\.json", json_message.name)
    assert (json_message.content_type, in_vans.content_type) == ("application/fhir+json", "application/xml")
    assert in_vans.name.endswith(".xml")
    assert json.loads(json_message.data)["resourceType"] == "Bundle"
