"""What each step tells KL, and what it leaves out."""

import msgspec
import pytest

from gateway.mapping.kl.delivery_report import cannot_be_reported
from gateway.receive import Entrance
from tests import fhir_messages
from tests.builders import BACK_TEAM, CONSULTANTS, SELF_CARE, TALK, TRAINING, diagnosis, icpc, sks
from tests.kl_builders import BACK_SOR, CONSULTANTS_SOR, HOSPITAL_SOR, Citizen, Json, as_sent, content, one, period

REFERRED, DAY = "2026-03-02T09:00", "2026-03-02"
NICOTINE, ALCOHOL, FOLLOW_UP = (
    "6d24992e-e0a2-43e7-bc27-0234622a8655",
    "924e9828-84cf-4689-9551-0ebb6dc71b98",
    "d1e016b5-150a-4ac4-97ba-d3e19e28471e",
)
CLOSING_TALK = "03a3ebdb-9e2d-4be1-b32b-42f0bd2a3362"
NUTRITION, WEIGHT = "c0ee1cf6-47a9-4523-8fda-a80a13e28e30", "febbd20d-f5ff-41e7-bf12-dfa0700678e0"
DECLINED, NOT_REACHED = "3a5a72b7-addf-4857-b80c-04e4246e3072", "ef491570-7884-4acd-bcf7-43d6b2c64762"
#: type 1 diabetes: a person decides
FOR_REVIEW = sks("DE109")


def start(citizen: Citizen, case: str, moment: str = "2026-03-10T12:00", **changes: object) -> str:
    told = {"interventions": [SELF_CARE], "delivery": "group", "started": moment[:10]} | changes
    return citizen.tells(case, "course_started", moment, **told)


def statuses(resources: list[Json]) -> list[tuple[str, str]]:
    return sorted((r["status"], r["activity"][0]["detail"]["status"]) for r in resources)


def code(intervention: Json) -> str:
    (coding,) = intervention["activity"][0]["detail"]["code"]["coding"]
    return coding["code"]


def performer(undertaking: Json, resources: list[Json]) -> str:
    (reference,) = undertaking["activity"][0]["detail"]["performer"]
    (found,) = [o for o in resources if reference["reference"] == f"Organization/{o['id']}"]
    return found["identifier"][0]["value"]


# ------------------------------------------------------------------ the referral
def test_a_review_is_reported_when_a_person_has_decided_it() -> None:
    citizen = Citizen()
    case = citizen.referred(REFERRED, diagnoses=FOR_REVIEW)
    assert citizen.reports(DAY) == []
    citizen.tells(case, "accepted", "2026-03-04T10:00")
    (report,) = citizen.reports("2026-12-31")
    assert report.day.isoformat() == "2026-03-04"
    assert one(report, "ServiceRequest")["authoredOn"] == DAY
    assert one(report, "CarePlan")["period"] == {"start": "2026-03-04"}


def test_a_person_decides_otherwise() -> None:
    citizen = Citizen()
    case = citizen.referred(REFERRED, diagnoses=FOR_REVIEW)
    decided = [{"team": BACK_TEAM, "intervention": TALK, "delivery": "group"}]
    citizen.tells(case, "review_decided", "2026-03-04T10:00", programmes=["low_back"], assignments=decided)
    (report,) = citizen.reports("2026-12-31")
    talk = one(report, "CarePlan")
    assert performer(talk, content(report, "Organization")) == BACK_SOR
    extension = talk["activity"][0]["detail"]["extension"][0]
    assert extension["valueCodeableConcept"]["coding"][0]["display"] == "Gruppebaseret indsats"


def test_what_is_returned_is_not_reported() -> None:
    citizen = Citizen()
    case = citizen.referred(REFERRED, diagnoses=FOR_REVIEW)
    citizen.tells(case, "returned", "2026-03-04T10:00")
    assert citizen.reports("2026-12-31") == []


def test_decided_again_after_a_question_the_planned_talk_is_given_up() -> None:
    citizen = Citizen()
    case = citizen.referred(REFERRED)
    citizen.tells(case, "info_requested", "2026-03-03T10:00")
    decided = [{"team": BACK_TEAM, "intervention": TALK}]
    citizen.tells(case, "review_decided", "2026-03-05T10:00", programmes=["low_back"], assignments=decided)
    first, second = citizen.reports("2026-12-31")
    assert statuses(content(first, "CarePlan")) == [("active", "in-progress")]
    assert statuses(content(second, "CarePlan")) == [("active", "in-progress"), ("revoked", "cancelled")]


def test_a_matter_of_another_paragraph_is_reported_when_a_course_of_this_one_begins() -> None:
    citizen = Citizen()
    case = citizen.referred(REFERRED, text="Genoptræningsplan efter sundhedslovens § 140.", diagnoses=())
    assert citizen.cases[case].decision.reasons == ("SECTION_140",)
    team = {"team": BACK_TEAM}
    citizen.tells(case, "accepted", "2026-03-04T10:00", **team)
    citizen.tells(case, "talk_held", "2026-03-09T10:00", period=period("2026-03-09T09:00"), **team)
    assert citizen.reports("2026-03-09") == []
    start(citizen, case, interventions=[TRAINING], **team)
    citizen.tells(case, "talk_held", "2026-03-09T12:00", period=period("2026-03-09T11:00"), **team)
    (report,) = citizen.reports("2026-12-31")
    assert [code(i) for i in content(report, "CarePlan", "planned-intervention")] == [TRAINING]
    assert content(report, "Encounter") == []


@pytest.mark.parametrize(
    ("sender", "told"),
    [
        ({"sender_code": "sorkode", "sender_id": HOSPITAL_SOR}, [HOSPITAL_SOR]),
        ({"sender_code": "ydernummer"}, []),
    ],
)
def test_the_requester_only_by_a_sor_id_of_the_message(sender: dict[str, object], told: list[str]) -> None:
    citizen = Citizen()
    citizen.referred(REFERRED, **sender)
    (report,) = citizen.reports(DAY)
    requester = one(report, "ServiceRequest").get("requester", {}).get("reference")
    organizations = {f"Organization/{o['id']}": o["identifier"][0]["value"] for o in content(report, "Organization")}
    assert [sor for reference, sor in organizations.items() if reference == requester] == told


def test_a_fhir_sender_tells_its_sor_id_beside_the_provider_number() -> None:
    citizen = Citizen()
    data = fhir_messages.as_json(fhir_messages.referral())
    citizen.came(data, "2026-11-16T09:20", Entrance.FHIR)
    (report,) = citizen.reports("2026-12-31")
    assert "123450000001005" in [o["identifier"][0]["value"] for o in content(report, "Organization")]


def test_diagnoses_by_their_whole_meaning() -> None:
    citizen = Citizen()
    given = (*sks("de11.9"), *icpc("T90"), diagnosis(None, "uspecificeretkode", " Sukkersyge "))
    citizen.referred(REFERRED, diagnoses=given)
    (report,) = citizen.reports(DAY)
    conditions = content(report, "Condition", "focus-condition")
    codes = [c["code"] for c in conditions]
    assert {"coding": [{"system": "urn:oid:1.2.208.176.2.4.12", "code": "DE119"}]} in codes
    assert {"coding": [{"system": "urn:oid:1.2.208.176.2.31", "code": "T90"}]} in codes
    assert {"text": "Sukkersyge"} in codes
    assert len(one(report, "ServiceRequest")["reasonReference"]) == len(codes) == 3


def test_an_add_on_adds_its_words_to_the_code_before_it() -> None:
    citizen = Citizen()
    case = citizen.cases[citizen.referred(REFERRED, diagnoses=sks("DM545", "TUL2", "DZ999"))]
    main, add_on, empty = case.referral.diagnoses
    replace = msgspec.structs.replace
    diagnoses = (
        replace(add_on, description_code="tillaegsdiagnose", text="uden noget foran"),
        main,
        replace(add_on, description_code="tillaegsdiagnose", text="venstresidig"),
        replace(empty, code=None, text=" "),
    )
    citizen.cases[case.case_id] = replace(case, referral=replace(case.referral, diagnoses=diagnoses))
    (report,) = citizen.reports(DAY)
    told = [(c["code"].get("coding", [{}])[0].get("code"), c["code"].get("text")) for c in content(report, "Condition")]
    assert told == [(None, "uden noget foran"), ("DM545", "venstresidig")]


def test_a_replacement_number_is_in_no_report() -> None:
    citizen = Citizen()
    citizen.referred(REFERRED, cpr=None, replacement_cpr="1203651AB1")
    assert cannot_be_reported(citizen.cases.values())
    known = Citizen()
    known.referred(REFERRED)
    assert not cannot_be_reported(known.cases.values())


# ------------------------------------------------------------------ courses
@pytest.mark.parametrize(("given", "intervention"), [("P17", NICOTINE), ("P15", ALCOHOL)])
def test_a_direct_start_is_told_when_the_course_starts(given: str, intervention: str) -> None:
    citizen = Citizen()
    case = citizen.referred(REFERRED, diagnoses=icpc(given))
    if given == "P15":
        citizen.tells(case, "accepted", "2026-03-02T10:00")
    start(citizen, case, interventions=[intervention], delivery="individual", started="2026-03-09T10:00:00+01:00")
    first, second = citizen.reports("2026-12-31")
    assert content(first, "CarePlan") == []
    plan, told = one(second, "CarePlan", "care-plan"), one(second, "CarePlan", "planned-intervention")
    assert (plan["period"], told["basedOn"]) == ({"start": "2026-03-09"}, [{"reference": f"CarePlan/{plan['id']}"}])
    assert code(told) == intervention
    assert performer(told, content(second, "Organization")) == CONSULTANTS_SOR
    assert content(second, "Encounter") == []


def test_the_conditions_that_a_course_names_are_its_reasons() -> None:
    citizen = Citizen()
    case = citizen.referred(REFERRED)
    citizen.tells(case, "talk_held", "2026-03-09T10:00", period=period("2026-03-09T09:00"), conditions=[NUTRITION])
    start(citizen, case, conditions=[NUTRITION, WEIGHT])
    _, talk, course = citizen.reports("2026-12-31")
    found = one(talk, "Condition", "119-condition")
    told = one(course, "CarePlan", "planned-intervention")["activity"][0]["detail"]["reasonReference"]
    conditions = content(course, "Condition", "119-condition")
    assert {r["reference"] for r in told} == {f"Condition/{c['id']}" for c in conditions}
    assert found in conditions
    assert {c["recordedDate"] for c in conditions} == {"2026-03-09", "2026-03-10"}


def test_several_interventions_and_talks_in_one_start() -> None:
    citizen = Citizen()
    case = citizen.referred(REFERRED)
    start(citizen, case, interventions=[SELF_CARE, CLOSING_TALK, TRAINING, SELF_CARE])
    start(citizen, case, "2026-03-11T12:00", interventions=[SELF_CARE, CLOSING_TALK])
    _, report = citizen.reports("2026-12-31")
    plan = one(report, "CarePlan", "care-plan")
    told = {code(i): i.get("basedOn") for i in content(report, "CarePlan", "planned-intervention")}
    assert told == {
        SELF_CARE: [{"reference": f"CarePlan/{plan['id']}"}],
        TRAINING: [{"reference": f"CarePlan/{plan['id']}"}],
        CLOSING_TALK: None,
    }


def test_a_second_start_is_a_course_of_its_own_and_sessions_then_name_none() -> None:
    citizen = Citizen()
    case = citizen.referred(REFERRED)
    start(citizen, case)
    start(citizen, case, "2026-03-12T12:00", interventions=[TRAINING])
    citizen.tells(case, "session_held", "2026-03-13T12:00", period=period("2026-03-13T11:00"))
    reports = citizen.reports("2026-12-31")
    assert [len(content(r, "CarePlan", "care-plan")) for r in reports] == [0, 1, 1, 0]
    assert "extension" not in one(reports[-1], "Encounter")


def test_a_course_started_of_follow_up_alone_is_a_follow_up() -> None:
    citizen = Citizen()
    case = citizen.referred(REFERRED)
    start(citizen, case, interventions=[FOLLOW_UP], delivery="individual")
    _, report = citizen.reports("2026-12-31")
    assert one(report, "CarePlan", "care-plan")["category"][0]["coding"][0]["display"] == "Opfølgningsforløb efter §119"


def test_no_show_bookings_and_calls_are_not_told() -> None:
    citizen = Citizen()
    case = citizen.referred(REFERRED)
    citizen.tells(case, "contacted", "2026-03-03T10:00")
    citizen.tells(case, "talk_booked", "2026-03-03T10:05", booked_for="2026-03-09T13:00:00+01:00")
    citizen.tells(case, "no_show", "2026-03-09T14:00", period=period("2026-03-09T13:00"))
    assert len(citizen.reports("2026-12-31")) == 1


def test_the_follow_up_is_told_when_it_is_held_and_lasts_until_the_last() -> None:
    citizen = Citizen()
    case = citizen.referred(REFERRED)
    start(citizen, case)
    citizen.tells(case, "course_completed", "2026-05-01T10:00", ended="2026-05-01")
    citizen.tells(case, "closing_talk_held", "2026-05-04T10:00")
    phone = "1b55a4b0-1156-4f58-b2df-b5c6014d9048"
    citizen.tells(case, "follow_up_held", "2026-07-06T10:00", period=period("2026-07-06T09:00"), contact_class=phone)
    citizen.tells(case, "follow_up_held", "2026-08-03T10:00")
    *_, completed, closing, first, second = citizen.reports("2026-12-31")
    assert statuses(content(completed, "CarePlan", "care-plan")) == [("completed", "completed")]
    assert [code(i) for i in content(closing, "CarePlan")] == [CLOSING_TALK]
    assert content(closing, "Encounter") == []
    talk = one(first, "CarePlan", "planned-intervention")
    assert one(first, "Encounter")["extension"][0]["valueReference"] == {"reference": f"CarePlan/{talk['id']}"}
    assert one(first, "Encounter")["class"]["display"] == "Telefonisk"
    plans = content(second, "CarePlan")
    assert [p["period"] for p in plans] == [{"start": "2026-07-06", "end": "2026-08-03"}] * 2
    assert {p["id"] for p in plans} == {p["id"] for p in content(first, "CarePlan")}


def test_the_closing_talk_tells_which_conditions_are_left() -> None:
    citizen = Citizen()
    case = citizen.referred(REFERRED)
    found = {"conditions": [NUTRITION, WEIGHT]}
    citizen.tells(case, "talk_held", "2026-03-09T10:00", period=period("2026-03-09T09:00"), **found)
    start(citizen, case)
    citizen.tells(case, "course_completed", "2026-05-01T10:00", ended="2026-05-01")
    citizen.tells(case, "closing_talk_held", "2026-05-04T10:00", conditions=[WEIGHT])
    *_, report = citizen.reports("2026-12-31")
    condition = one(report, "Condition", "119-condition")
    assert condition["code"]["coding"][0]["code"] == NUTRITION
    assert condition["clinicalStatus"]["coding"][0]["code"] == "inactive"
    assert "category" not in condition


# ------------------------------------------------------------------ ends
@pytest.mark.parametrize(
    ("kind", "reason"),
    [("stopped", "82e99421-31da-4915-96ed-168ccfa1d20c"), ("declined_by_citizen", DECLINED)],
)
def test_a_course_that_is_stopped_says_why(kind: str, reason: str) -> None:
    citizen = Citizen()
    case = citizen.referred(REFERRED)
    start(citizen, case)
    more = {"stop_reason": reason} if kind == "stopped" else {}
    citizen.tells(case, kind, "2026-04-01T10:00", **more)
    *_, report = citizen.reports("2026-12-31")
    plan = one(report, "CarePlan", "care-plan")
    assert plan["activity"][0]["detail"]["statusReason"]["coding"][0]["code"] == reason
    assert plan["period"] == {"start": "2026-03-10", "end": "2026-04-01"}
    interventions = content(report, "CarePlan", "planned-intervention")
    assert statuses(interventions) == [("revoked", "cancelled"), ("revoked", "stopped")]
    assert all("statusReason" not in i["activity"][0]["detail"] for i in interventions)


def test_a_direct_start_that_is_stopped_has_no_talk_to_give_up() -> None:
    citizen = Citizen()
    case = citizen.referred(REFERRED, diagnoses=icpc("P17"))
    start(citizen, case, interventions=[NICOTINE])
    citizen.tells(case, "stopped", "2026-04-01T10:00")
    *_, report = citizen.reports("2026-12-31")
    assert statuses(content(report, "CarePlan")) == [("revoked", "stopped")] * 2


def test_a_talk_that_comes_to_nothing_is_given_up() -> None:
    citizen = Citizen()
    case = citizen.referred(REFERRED)
    citizen.tells(case, "not_reached", "2026-03-20T10:00")
    citizen.tells(case, "closed", "2026-03-21T10:00")
    _, report = citizen.reports("2026-12-31")
    assert statuses(content(report, "CarePlan")) == [("revoked", "cancelled")]


def test_no_end_lies_before_its_start() -> None:
    citizen = Citizen()
    case = citizen.referred(REFERRED)
    start(citizen, case, started="2026-04-20")
    citizen.tells(case, "declined_by_citizen", "2026-04-01T10:00")
    *_, report = citizen.reports("2026-12-31")
    assert one(report, "CarePlan", "care-plan")["period"] == {"start": "2026-04-20", "end": "2026-04-20"}


def test_another_team_goes_on_with_the_same_work() -> None:
    citizen = Citizen()
    case = citizen.referred(REFERRED)
    start(citizen, case)
    citizen.tells(case, "reassigned", "2026-03-12T10:00", to_team=BACK_TEAM)
    citizen.tells(case, "not_reached", "2026-03-20T10:00", team=BACK_TEAM)
    first, course, moved, ended = citizen.reports("2026-12-31")
    plans = content(moved, "CarePlan")
    assert {p["id"] for p in plans} == {p["id"] for r in (first, course) for p in content(r, "CarePlan")}
    assert {performer(p, content(moved, "Organization")) for p in plans} == {BACK_SOR}
    reason = one(ended, "CarePlan", "care-plan")["activity"][0]["detail"]["statusReason"]
    assert reason["coding"][0]["code"] == NOT_REACHED


def test_another_team_after_a_direct_referral_has_nothing_to_take_over() -> None:
    citizen = Citizen()
    case = citizen.referred(REFERRED, diagnoses=icpc("P17"))
    citizen.tells(case, "reassigned", "2026-03-12T10:00", to_team=BACK_TEAM)
    assert len(citizen.reports("2026-12-31")) == 1


def test_referred_on_is_told_by_the_new_teams_course() -> None:
    citizen = Citizen()
    case = citizen.referred(REFERRED)
    citizen.tells(case, "talk_held", "2026-03-09T10:00", period=period("2026-03-09T09:00"))
    on = {"to_team": BACK_TEAM, "interventions": [TRAINING, TALK]}
    citizen.tells(case, "referred_on", "2026-03-09T11:00", **on)
    training = next(a.id for a in citizen.cases[case].assignments if a.intervention and a.intervention.code == TRAINING)
    start(citizen, case, interventions=[TRAINING], team=BACK_TEAM, assignment=training)
    _, talk, course = citizen.reports("2026-12-31")
    organizations = content(talk, "Organization")
    assert sorted(performer(p, organizations) for p in content(talk, "CarePlan")) == [CONSULTANTS_SOR, BACK_SOR]
    assert code(one(course, "CarePlan", "planned-intervention")) == TRAINING
    assert as_sent(course)["entry"][0]["resource"]["resourceType"] == "Patient"


def test_nothing_is_told_twice() -> None:
    citizen = Citizen()
    citizen.referred(REFERRED)
    reports = citizen.reports(DAY)
    assert citizen.report("2026-03-03", reports) is None
    assert CONSULTANTS in {a.team for case in citizen.cases.values() for a in case.assignments}
