"""The guide's story of Bruno, told by events: the same content as the guide's six delivery reports.

What our events do not carry is in ``NOT_CARRIED``; how a thing may be told in two ways is put alike by ``alike``.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.mapping.kl.delivery_report import Report
from tests.builders import sks
from tests.kl_builders import (
    CONSULTANTS_SOR,
    OUR_SOR,
    Citizen,
    as_sent,
    broken_invariants,
    check_with_the_guide,
    period,
)
from tests.reference import shared_folder

Json = dict[str, Any]
EXAMPLES = "data/kl/prevention-2.1.1/examples"
#: the guide's reports by the day that they cover (the fifth says 10 June and tells of 9 July)
REPORTS = {
    "2022-06-02": "e87d5e68-e5f3-476f-988f-4efda86b0645",
    "2022-06-10": "8c3f35d7-7437-4fcf-90d2-49e04701d0ec",
    "2022-06-29": "5135080e-fbaf-4575-afe6-f037d4541e06",
    "2022-07-04": "974cabc7-d2e0-4db0-bfa4-6cd5af7103de",
    "2022-07-09": "88889c22-b86d-4ceb-81d8-38a158f12bf4",
    "2022-09-30": "738ec570-6bb6-4690-9a88-1dbed46d65ed",
}
GP, HOSPITAL, MUNICIPALITY, TEAM = "1071391000016009", "1347831000016005", "451000016003", "1037791000016002"
COOKING, SELF_CARE = "01a500f6-c221-4fd0-b518-cd361218b60d", "e71b7d85-5c78-49c2-8624-8499d162317b"
NUTRITION, HEALTH_LITERACY = "c0ee1cf6-47a9-4523-8fda-a80a13e28e30", "bb7e9e71-73f6-4ec6-a0bf-eaec1e5982b4"
FOLLOW_UP, FOLLOW_UP_PLAN = "d1e016b5-150a-4ac4-97ba-d3e19e28471e", "9791e55a-656f-47eb-8fd5-c4a06b0a4662"
#: what the guide's reports tell and our events do not, by day
NOT_CARRIED = {
    # no event tells that a follow-up is planned; it is reported when it is held (follow_up_held)
    "2022-09-30": (FOLLOW_UP, FOLLOW_UP_PLAN),
}


def bruno() -> Citizen:
    """A referral for diabetes, talk, cooking group; for KOL a second one while that runs, talk, group, closing talk."""
    citizen = Citizen()
    sender = {"cpr": "2509479989", "sender_code": "sorkode"}
    first = citizen.referred("2022-06-02T09:00", diagnoses=sks("DE11"), sender_id=GP, **sender)
    citizen.tells(
        first,
        "talk_held",
        "2022-06-10T14:45",
        period=period("2022-06-10T14:10"),
        conditions=[NUTRITION],
    )
    citizen.tells(
        first, "course_started", "2022-06-10T15:00", interventions=[COOKING], delivery="group", started="2022-06-10"
    )
    session = {"start": "2022-06-29T17:00:00Z", "end": "2022-06-29T19:00:00Z"}
    citizen.tells(first, "session_held", "2022-06-29T21:10", period=session)
    episode = "9d1b2c3a4e5f60718293a4b5c6d7e8f9"
    second = citizen.referred("2022-07-04T09:00", diagnoses=sks("DJ44"), sender_id=HOSPITAL, episode=episode, **sender)
    citizen.tells(
        second,
        "talk_held",
        "2022-07-09T16:00",
        period=period("2022-07-09T15:15"),
        conditions=[HEALTH_LITERACY],
    )
    citizen.tells(
        second, "course_started", "2022-07-09T16:05", interventions=[SELF_CARE], delivery="group", started="2022-07-09"
    )
    citizen.tells(second, "course_completed", "2022-09-30T10:00", ended="2022-09-30", note="Gennemført.")
    citizen.tells(
        second,
        "closing_talk_held",
        "2022-09-30T11:40",
        period=period("2022-09-30T11:05"),
        contact_class="AMB",
        conditions=[],
    )
    return citizen


def alike(bundle: Json) -> list[str]:
    """A report's content as sorted texts: no ids, titles or orders, moments in UTC, our test SOR ids as Bruno's."""
    resources = {f"{e['resource']['resourceType']}/{e['resource']['id']}": e["resource"] for e in bundle["entry"]}
    return sorted(json.dumps(_plain(r, resources), sort_keys=True, ensure_ascii=False) for r in resources.values())


def _plain(value: object, resources: dict[str, Json]) -> object:
    if isinstance(value, list):
        return [_plain(part, resources) for part in value]
    if not isinstance(value, dict):
        return _same_moment({OUR_SOR: MUNICIPALITY, CONSULTANTS_SOR: TEAM}.get(str(value), value))
    if "reference" in value:
        return {"refers to": _plain(resources[value["reference"]], resources)}
    return {name: _plain(part, resources) for name, part in value.items() if name not in {"id", "display"}}


def _same_moment(value: object) -> object:
    if isinstance(value, str) and len(value) > len("2022-06-10") and value[4:5] == "-" and "T" in value:
        return datetime.fromisoformat(value).astimezone(UTC).isoformat()
    return value


def expected(shared: Path, day: str) -> list[str]:
    """The guide's report of that day without what our events do not carry."""
    bundle = json.loads((shared / EXAMPLES / f"Bundle-{REPORTS[day]}.json").read_text(encoding="utf-8"))
    left_out = NOT_CARRIED.get(day, ())
    return [told for told in alike(bundle) if not any(code in told for code in left_out)]


@pytest.fixture(scope="module")
def reports() -> dict[str, Report]:
    return {report.day.isoformat(): report for report in bruno().reports("2022-12-31")}


def test_there_is_a_report_for_the_same_days(reports: dict[str, Report]) -> None:
    assert list(reports) == list(REPORTS)


@pytest.mark.parametrize("day", REPORTS)
def test_each_day_tells_what_the_guide_tells(day: str, reports: dict[str, Report]) -> None:
    assert alike(as_sent(reports[day])) == expected(shared_folder(), day)


def test_the_guide_accepts_them(reports: dict[str, Report], tmp_path: Path) -> None:
    check_with_the_guide(shared_folder(), tmp_path, [as_sent(report) for report in reports.values()])


def test_a_thing_keeps_its_id_and_a_report_never_does(reports: dict[str, Report]) -> None:
    ids = {report.id for report in reports.values()}
    assert len(ids) == len(REPORTS)
    assert ids == {report.id for report in bruno().reports("2022-12-31")}
    talks = [
        (entry["resource"]["id"], entry["resource"]["activity"][0]["detail"]["status"])
        for day in ("2022-06-02", "2022-06-10")
        for entry in as_sent(reports[day])["entry"]
        if "6eddbaf7-2a73-49d4-91e7-6138d419f58c" in json.dumps(entry)
    ]
    assert [status for _, status in talks] == ["in-progress", "completed"]
    assert len({own for own, _ in talks}) == 1


def test_the_invariants_are_really_tried() -> None:
    """The guide names two of its examples as wrong, and they are found to be."""
    shared = shared_folder()
    wrong = {}
    for path in sorted((shared / EXAMPLES).glob("CarePlan-*.json")):
        resource = json.loads(path.read_text(encoding="utf-8"))
        wrong[path.stem.removeprefix("CarePlan-")] = broken_invariants(shared, {**resource, "entry": []})
    assert {name for name, found in wrong.items() if found} == {
        "BrunoKostvejledningValidationError",
        "BrunoforloebKostAfbrudtValidationerror",
    }
