"""The benchmark's own referrals are what it says: valid, all different, accepted without a person."""

from datetime import UTC, datetime

import msgspec

from gateway.bench.in_process import decision_costs, reading_cost
from gateway.bench.messages import fhir_referral, referral, referrals, text_of
from gateway.bench.processes import Cpu
from gateway.municipality.model import Municipality
from gateway.receive import read, receive
from gateway.referral.inbox import Known
from tests.reference import own_violations

NOW = datetime(2026, 11, 16, 8, 20, tzinfo=UTC)


def test_every_referral_is_valid_and_leads_to_three_letters(municipality: Municipality) -> None:
    for body in referrals(40, "test"):
        assert own_violations(body) == []
        outcome = receive(read(body), Known(), municipality, NOW)
        assert [letter.decision.outcome for letter in outcome.letters if letter.decision] == ["accepted"]
        assert sorted(letter.kind for letter in outcome.outgoing) == ["Task", "XCTL03", "XDIS91"]


def test_a_fhir_referral_is_decided_like_the_xml_one(municipality: Municipality) -> None:
    for number in range(20):
        xml, fhir = (
            receive(read(body), Known(), municipality, NOW)
            for body in (referral(number, "test"), fhir_referral(number, "test", municipality))
        )
        assert sorted(letter.kind for letter in fhir.outgoing) == ["Acknowledgement", "CareCommunication", "Task"]
        assert [x.decision.programmes for x in fhir.letters if x.decision] == [
            x.decision.programmes for x in xml.letters if x.decision
        ]


def test_no_two_share_an_id_and_the_same_number_is_the_same_referral() -> None:
    letters = [read(body).letters[0].letter_id for run in ("one", "two") for body in referrals(100, run)]
    assert len(set(letters)) == 200
    assert referral(7, "one") == referral(7, "one")


def test_a_text_has_the_length_it_should() -> None:
    assert all(length <= len(text_of("KOL.", length)) < length + 80 for length in (300, 600, 1200, 2500))


def test_cpu_is_told_per_message_and_unknown_stays_unknown() -> None:
    before, after = Cpu(workers=1.0, broker=2.0, database=None), Cpu(workers=1.5, broker=2.1, database=None)
    assert after.since(before, 100) == {"workers": 5.0, "broker": 1.0, "database": None}


def test_costs_in_process_are_measured(municipality: Municipality) -> None:
    costs = decision_costs(municipality, NOW)
    assert set(costs) == {"600", "2500"}
    assert all(cost > 0 for cost in (*costs.values(), reading_cost()))
    assert msgspec.json.encode(costs)
