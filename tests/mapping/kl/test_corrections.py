"""What was told and is no longer so: withdrawn steps, corrected referrals, referrals taken back, late news."""

from gateway.mapping.kl.corrections import in_error
from gateway.receive import Entrance
from tests import fhir_messages
from tests.builders import SELF_CARE, sks
from tests.kl_builders import Citizen, Json, content, one, period

REFERRED, DAY = "2026-03-02T09:00", "2026-03-02"
NUTRITION = "c0ee1cf6-47a9-4523-8fda-a80a13e28e30"


def with_talk() -> tuple[Citizen, str, str]:
    citizen = Citizen()
    case = citizen.referred(REFERRED)
    talk = citizen.tells(
        case, "talk_held", "2026-03-09T10:00", period=period("2026-03-09T09:00"), conditions=[NUTRITION]
    )
    return citizen, case, talk


def withdrawn(citizen: Citizen, case: str, event: str, moment: str) -> None:
    citizen.tells(case, "withdrawn", moment, withdraws=event)


def status(condition: Json) -> tuple[str, str]:
    return condition["clinicalStatus"]["coding"][0]["code"], condition["verificationStatus"]["coding"][0]["code"]


def test_a_withdrawn_talk_is_an_error_and_the_talk_planned_again() -> None:
    citizen, case, talk = with_talk()
    before = citizen.reports("2026-03-09")
    withdrawn(citizen, case, talk, "2026-03-11T10:00")
    report = citizen.report("2026-03-11", before)
    assert one(report, "Encounter")["status"] == "entered-in-error"
    assert one(report, "Encounter")["id"] == one(before[1], "Encounter")["id"]
    assert one(report, "CarePlan") == one(before[0], "CarePlan")
    condition = one(report, "Condition", "119-condition")
    assert condition["id"] == one(before[1], "Condition", "119-condition")["id"]
    assert (status(condition), "category" in condition) == (("inactive", "refuted"), False)
    assert citizen.report("2026-03-12", [*before, report]) is None


def test_what_is_told_anew_has_a_new_id() -> None:
    citizen, case, talk = with_talk()
    before = citizen.reports("2026-03-09")
    withdrawn(citizen, case, talk, "2026-03-11T10:00")
    citizen.tells(case, "talk_held", "2026-03-10T10:00", period=period("2026-03-10T09:00"), conditions=[NUTRITION])
    report = citizen.report("2026-03-11", before)
    encounters = content(report, "Encounter")
    assert sorted(e["status"] for e in encounters) == ["entered-in-error", "finished"]
    assert sorted(status(c) for c in content(report, "Condition", "119-condition")) == [
        ("active", "confirmed"),
        ("inactive", "refuted"),
    ]
    assert one(report, "CarePlan")["period"] == {"start": DAY, "end": "2026-03-10"}


def test_a_withdrawn_start_of_a_course_takes_plan_and_interventions_with_it() -> None:
    citizen, case, _ = with_talk()
    started = {"interventions": [SELF_CARE], "delivery": "group", "started": "2026-03-10"}
    course = citizen.tells(case, "course_started", "2026-03-10T12:00", **started)
    stop = citizen.tells(case, "stopped", "2026-03-11T12:00")
    before = citizen.reports("2026-03-11")
    withdrawn(citizen, case, stop, "2026-03-12T10:00")
    withdrawn(citizen, case, course, "2026-03-12T10:05")
    plans = content(citizen.report("2026-03-12", before), "CarePlan")
    details = [p["activity"][0]["detail"] for p in plans]
    assert [(p["status"], d["status"]) for p, d in zip(plans, details, strict=True)] == [("entered-in-error",) * 2] * 2
    assert not any("statusReason" in d for d in details)


def test_withdrawn_before_it_was_told_it_is_never_told() -> None:
    citizen, case, talk = with_talk()
    withdrawn(citizen, case, talk, "2026-03-09T11:00")
    assert len(citizen.reports("2026-12-31")) == 1


def test_late_news_come_with_the_next_report() -> None:
    citizen, case, _ = with_talk()
    before = citizen.reports("2026-03-09")
    citizen.tells(case, "talk_held", "2026-03-06T10:00", period=period("2026-03-06T09:00"))
    report = citizen.report("2026-03-10", before)
    assert one(report, "Encounter")["period"]["start"] == "2026-03-06T09:00:00+01:00"
    assert one(report, "CarePlan")["period"]["end"] == "2026-03-06"


def test_a_corrected_referral_stands_instead_of_the_first() -> None:
    citizen = Citizen()
    case = citizen.referred(REFERRED, diagnoses=sks("DE119"))
    assert citizen.referred("2026-03-04T09:00", status="rettetbrev", diagnoses=sks("DE119", "DE669")) == case
    first, second = citizen.reports("2026-12-31")
    old = one(first, "ServiceRequest")
    requests = {r["status"]: r for r in content(second, "ServiceRequest")}
    assert requests["revoked"] == old | {"status": "revoked"}
    assert requests["active"]["replaces"] == [{"reference": f"ServiceRequest/{old['id']}"}]
    assert (requests["active"]["authoredOn"], len(requests["active"]["reasonReference"])) == ("2026-03-04", 2)
    assert len(content(second, "Condition")) == 2


def test_a_correction_of_what_is_not_told_changes_nothing() -> None:
    citizen = Citizen()
    citizen.referred(REFERRED)
    citizen.referred("2026-03-04T09:00", status="rettetbrev", text="Ønsker tolk.")
    assert len(citizen.reports("2026-12-31")) == 1


def test_a_correction_before_anything_was_told_is_the_referral() -> None:
    citizen = Citizen()
    citizen.referred(REFERRED, diagnoses=sks("DE109"))
    citizen.referred("2026-03-04T09:00", status="rettetbrev", diagnoses=sks("DE119"))
    (report,) = citizen.reports("2026-12-31")
    request = one(report, "ServiceRequest")
    assert (request["authoredOn"], "replaces" in request) == ("2026-03-04", False)
    assert len(content(report, "Condition")) == 1


def test_a_correction_to_another_team_gives_up_the_first_talk() -> None:
    citizen = Citizen()
    citizen.referred(REFERRED)
    citizen.referred("2026-03-04T09:00", status="rettetbrev", diagnoses=sks("DM545"))
    _, report = citizen.reports("2026-12-31")
    assert sorted(p["status"] for p in content(report, "CarePlan")) == ["active", "revoked"]


def test_a_proposal_that_a_correction_takes_away_was_begun_and_is_given_up() -> None:
    citizen = Citizen()
    case = citizen.referred(REFERRED)
    citizen.tells(case, "info_requested", "2026-03-03T09:00")
    citizen.referred("2026-03-04T09:00", status="rettetbrev", diagnoses=sks("DM545"))
    _, report = citizen.reports("2026-12-31")
    assert sorted(p["status"] for p in content(report, "CarePlan")) == ["active", "revoked"]


def test_a_referral_that_is_taken_back_is_revoked() -> None:
    citizen = Citizen()
    case = citizen.came(fhir_messages.as_json(fhir_messages.referral()), "2026-11-16T09:20", Entrance.FHIR)
    cancel = fhir_messages.as_json(fhir_messages.referral(head=fhir_messages.header("cancel-referral")))
    for own in (fhir_messages.HEADER_ID, fhir_messages.BUNDLE_ID):
        cancel = cancel.replace(own.encode(), own[::-1].replace("0", "d").encode())
    assert citizen.came(cancel, "2026-11-18T09:20", Entrance.FHIR) == case
    first, second = citizen.reports("2026-12-31")
    assert one(second, "ServiceRequest") == one(first, "ServiceRequest") | {"status": "revoked"}
    assert one(second, "CarePlan")["status"] == "revoked"


def test_a_referral_can_be_an_error_too_and_an_organisation_never_is() -> None:
    citizen = Citizen()
    citizen.referred(REFERRED)
    (report,) = citizen.reports(DAY)
    assert in_error(one(report, "ServiceRequest"))["status"] == "entered-in-error"
    assert in_error(one(report, "Organization")) == one(report, "Organization")
