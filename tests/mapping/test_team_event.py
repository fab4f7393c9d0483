"""A team's JSON is taken strictly: what is missing, foreign or impossible is refused by name."""

import json

import pytest

from gateway.errors import Fault
from gateway.mapping.team_event import decode, json_schema, read
from gateway.referral.events import EVERYWHERE, OPTIONAL, REQUIRED, EventType, TeamEvent
from tests.builders import CONSULTANTS, TALK, event, event_json

PERIOD = {"start": "2026-11-20T10:00:00+01:00", "end": "2026-11-20T10:45:00+01:00"}
OF_SECTION_140 = "7deb81de-12c0-4a49-bd5b-72ea6fe89d83"


def refused(kind: str, **changes: object) -> str:
    found = decode(event(kind, **changes))
    assert isinstance(found, Fault)
    assert found.id == "GW-160"
    return found.detail


@pytest.mark.parametrize("kind", list(EventType))
def test_every_type_with_what_it_needs(kind: EventType) -> None:
    decoded = decode(event(kind))
    assert isinstance(decoded, TeamEvent)
    assert decoded.type is kind


@pytest.mark.parametrize("kind", list(EventType))
def test_everything_a_type_needs_is_demanded(kind: EventType) -> None:
    for field in REQUIRED.get(kind, ()):
        assert refused(kind, **{field: None}) == f"{field} mangler for {kind}"


@pytest.mark.parametrize(
    ("kind", "field", "empty"),
    [
        ("review_decided", "assignments", []),
        ("course_started", "interventions", []),
        ("referred_on", "interventions", []),
        ("returned", "note", ""),
        ("withdrawn", "withdraws", ""),
    ],
)
def test_empty_is_missing(kind: str, field: str, empty: object) -> None:
    assert refused(kind, **{field: empty}) == f"{field} mangler for {kind}"


def test_a_review_may_end_without_a_programme() -> None:
    assert isinstance(decode(event("review_decided", programmes=[])), TeamEvent)


@pytest.mark.parametrize("kind", list(EventType))
def test_what_does_not_belong_to_a_type_is_refused(kind: EventType) -> None:
    values = {
        "booked_for": "2026-11-20T10:00:00+01:00",
        "contact_class": "AMB",
        "conditions": [],
        "programmes": ["copd"],
        "assignments": [{"team": CONSULTANTS, "intervention": TALK}],
        "interventions": [TALK],
        "delivery": "group",
        "started": "2026-11-20",
        "ended": "2026-11-20",
        "to_team": CONSULTANTS,
        "stop_reason": "3a5a72b7-addf-4857-b80c-04e4246e3072",
        "withdraws": "E",
    }
    assert set(values) | EVERYWHERE == set(TeamEvent.__struct_fields__)
    fitting = EVERYWHERE | set(REQUIRED.get(kind, ())) | set(OPTIONAL.get(kind, ()))
    for field, value in values.items():
        if field in fitting:
            assert isinstance(decode(event(kind, **{field: value})), TeamEvent)
        else:
            assert refused(kind, **{field: value}) == f"{field} hører ikke til {kind}"


def test_a_case_must_be_named() -> None:
    assert refused("contacted", episode_of_care_id=None) == "episode_of_care_id eller case_id mangler"
    assert isinstance(decode(event("contacted", episode_of_care_id=None, case_id="x")), TeamEvent)


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("course_started", "interventions", ["6eddbaf7"]),
        ("course_started", "interventions", [OF_SECTION_140]),
        ("course_started", "delivery", "both"),
        ("course_started", "started", "i går"),
        ("course_started", "started", "2026-11-20T10:00:00"),
        ("course_started", "started", "20261120"),
        ("course_started", "started", "0001-01-01"),
        ("course_started", "conditions", ["hest"]),
        ("course_completed", "ended", "2026-02-30"),
        ("course_completed", "ended", "2300-01-01T10:00:00+01:00"),
        ("review_decided", "assignments", [{"team": CONSULTANTS, "intervention": "hest"}]),
        ("talk_held", "contact_class", "hest"),
        ("talk_held", "conditions", ["hest"]),
        ("talk_held", "period", {"start": PERIOD["end"], "end": PERIOD["start"]}),
        ("talk_held", "period", {"start": "0001-01-01T00:00:00+14:00", "end": PERIOD["end"]}),
        ("talk_held", "period", {"start": PERIOD["start"], "end": "9999-12-31T23:59:59-12:00"}),
        ("talk_booked", "booked_for", "2200-01-01T00:00:00+01:00"),
        ("contacted", "occurred", "0001-01-01T00:00:00+14:00"),
        ("stopped", "stop_reason", "AMB"),
    ],
)
def test_codes_and_moments_that_are_none(kind: str, field: str, value: object) -> None:
    assert refused(kind, **{field: value}) == f"{field}: ukendt kode eller ugyldig værdi"


@pytest.mark.parametrize("started", ["2026-11-20", "2026-11-20T10:00:00+01:00", "2026-11-20T09:00:00Z"])
def test_dates_and_moments_with_a_zone(started: str) -> None:
    assert isinstance(decode(event("course_started", started=started)), TeamEvent)


def test_a_reading_names_the_event() -> None:
    reading = read(event("contacted"), "digest")
    assert [(x.type, x.letter_id, x.is_answered) for x in reading.letters] == [("team-event", "E-contacted", False)]
    assert reading.digest == "digest"
    assert (
        reading.letters[0].digest == read(json.dumps(event_json("contacted"), indent=2).encode(), "").letters[0].digest
    )
    faulty = read(b"{}", "digest")
    assert (faulty.letters[0].letter_id, faulty.letters[0].digest) == ("", "digest")


def test_the_published_schema_names_every_field_and_refuses_others() -> None:
    schema = json.loads(json.dumps(json_schema()))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    definition = schema["$defs"]["TeamEvent"]
    assert set(definition["properties"]) == set(TeamEvent.__struct_fields__)
    assert definition["additionalProperties"] is False
    assert set(definition["required"]) == {"event_id", "type", "team", "occurred", "author"}
    assert set(schema["$defs"]["EventType"]["enum"]) == set(EventType)


@pytest.mark.parametrize("character", ["\\u0000", "\0"])
def test_a_nul_is_refused_before_a_database_chokes_on_it(character: str) -> None:
    found = decode(event("contacted").replace(b'"Sundhedskonsulent"', f'"x{character}"'.encode()))
    assert isinstance(found, Fault)
    assert found.id == "GW-160"


def test_a_refused_value_is_not_quoted() -> None:
    found = decode(event("contacted").replace(b'"contacted"', b'"Jens Hansen"'))
    assert isinstance(found, Fault)
    assert found.detail == "Invalid enum value … - at `$.type`"
