"""``POST /team-events``: closed by default, answered after the commit, every refusal with its reason."""

import threading
from datetime import datetime
from typing import Any

import msgspec
import pytest
from httpx2 import Response

from gateway.app import EVENT_LIMIT
from gateway.errors import StoreError
from gateway.inbound.source import Delivery
from gateway.simulate.stories import recorded, stories
from gateway.store.store import Store
from tests.http.conftest import TOKEN, Site

EPISODE = "24f19dc3b42b5f7b926bcbbedffabe9b"


def event(number: int = 0, **changes: object) -> bytes:
    """An event of the first recorded referral's story; None leaves a field out."""
    told = list(stories()[0].events(EPISODE, datetime.fromisoformat("2026-11-24T08:00:00+01:00")))[number] | changes
    return msgspec.json.encode({key: value for key, value in told.items() if value is not None})


@pytest.fixture
def site(site: Site) -> Site:
    """With the case that the events are about."""
    site.pipeline.handle_one(Delivery(data=recorded()["01-type-2-diabetes.xml"]))
    return site


def problem(answer: Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["status"] == status
    return told


def states(store: Store) -> dict[str, int]:
    return store.overview.numbers(datetime.fromisoformat("2026-11-23T09:00:00Z")).cases_by_state


# ------------------------------------------------------------------ who may
def test_without_a_configured_token_it_is_closed(store: Store) -> None:
    site = Site(store)
    for token in (None, "", TOKEN):
        told = problem(site.post(event(), token), 403)
        assert "GATEWAY_TEAM_EVENTS_TOKEN" in told["detail"]


def test_an_empty_token_is_no_token(store: Store) -> None:
    site = Site(store, team_events_token="")
    assert site.post(event(), "").status_code == 403


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, "ø"])
def test_a_wrong_token_is_refused_before_anything_is_read(site: Site, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization.encode()}
    answer = site.client.post("/team-events", content=b"x" * (EVENT_LIMIT + 1), headers=headers)
    problem(answer, 401)


# ------------------------------------------------------------------ what is taken
def test_an_event_is_taken_and_answered_with_what_it_leads_to(site: Site, store: Store) -> None:
    answer = site.post(event(1))
    assert (answer.status_code, answer.json()) == (202, {"status": "accepted", "sending": []})
    assert states(store) == {"contacted": 1}

    declined = event(0, type="declined_by_citizen", event_id="e-2", note="ønsker det ikke")
    assert site.post(declined).json() == {"status": "accepted", "sending": ["XDIS15"]}


def test_the_same_event_twice_is_handled_once(site: Site, store: Store) -> None:
    assert site.post(event()).json()["status"] == "accepted"
    again = site.post(event())
    assert (again.status_code, again.json()) == (202, {"status": "known", "sending": []})
    reworded = site.post(event().replace(b": ", b":").replace(b'"event_id"', b' "event_id"'))
    assert reworded.json()["status"] == "known", "the same event in other bytes"
    numbers = store.overview.numbers(datetime.fromisoformat("2026-11-23T09:00:00Z"))
    assert numbers.parked == 0


def test_another_event_under_a_known_id_is_refused(site: Site) -> None:
    site.post(event())
    told = problem(site.post(event(1, event_id=msgspec.json.decode(event())["event_id"])), 409)
    assert told["detail"].startswith("GW-151")


def test_it_is_answered_after_the_commit_only(site: Site, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    save, order = store.inbox.save, []

    def slow(*given: Any) -> frozenset[str]:  # noqa: ANN401
        committed = save(*given)
        order.append("committed")
        return committed

    monkeypatch.setattr(store.inbox, "save", slow)
    site.post(event())
    order.append("answered")
    assert order == ["committed", "answered"]


def test_of_events_posted_at_once_each_is_handled_once(site: Site, store: Store) -> None:
    """Two clients, the same event: one is accepted, the other hears that it is known."""
    answers: list[str] = []
    start = threading.Barrier(4)

    def post() -> None:
        start.wait(timeout=5)
        answers.append(site.post(event()).json()["status"])

    posting = [threading.Thread(target=post) for _ in range(4)]
    for thread in posting:
        thread.start()
    for thread in posting:
        thread.join()
    assert sorted(answers) == ["accepted", "known", "known", "known"]


# ------------------------------------------------------------------ what is refused, and stored nowhere
@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"", "GW-160"),
        (b"{", "GW-160"),
        (b"\xff\xfe", "GW-160"),
        (b"[]", "GW-160"),
        (event(event_id=None), "event_id"),
        (event(type="no_such_type"), "$.type"),
        (event(surprise=1), "surprise"),
        (event(occurred="2026-03-02T10:15:00"), "$.occurred"),
        (event(occurred="yesterday"), "$.occurred"),
        (event(author={"name": "K", "cpr": "1"}), "cpr"),
        (event(episode_of_care_id=None), "episode_of_care_id"),
        (event(2, booked_for=None), "booked_for"),
        (event(0, booked_for="2026-03-09T13:00:00+01:00"), "booked_for"),
        (event(3, contact_class="no-such-class"), "contact_class"),
        (event(4, interventions=["no-such-code"]), "interventions"),
        (event(7, ended="in spring"), "ended"),
        (event(team="no-such-team"), "no-such-team"),
    ],
)
def test_a_bad_event_names_the_field(site: Site, store: Store, data: bytes, named: str) -> None:
    told = problem(site.post(data), 400)
    assert told["detail"].startswith("GW-160")
    assert named in told["detail"]
    assert store.overview.parked_items() == []


@pytest.mark.parametrize("changes", [{"episode_of_care_id": "0" * 32}, {"case_id": "no-such-case"}])
def test_an_event_of_an_unknown_case_is_told_so(site: Site, store: Store, changes: dict[str, str]) -> None:
    told = problem(site.post(event(**changes)), 404)
    assert told["detail"].startswith("GW-161")
    assert store.overview.parked_items() == []


def test_an_impossible_step_names_the_possible_ones(site: Site, store: Store) -> None:
    told = problem(site.post(event(7)), 409)
    assert told["detail"].startswith("GW-162")
    assert "accepted" in told["detail"]
    assert "course_started" in told["detail"]
    assert states(store) == {"accepted": 1}
    assert store.overview.parked_items() == []


def test_a_refused_event_may_be_corrected_under_its_id(site: Site) -> None:
    assert site.post(event(7, event_id="e")).status_code == 409
    assert site.post(event(1, event_id="e")).status_code == 202


def test_too_large_an_event_is_not_read_to_its_end(site: Site) -> None:
    told = problem(site.post(event().ljust(EVENT_LIMIT + 1)), 413)
    assert str(EVENT_LIMIT) in told["detail"]
    assert site.post(event().ljust(EVENT_LIMIT)).status_code == 202


def test_an_event_larger_than_a_small_message_limit_is_too_large(store: Store) -> None:
    site = Site(store, team_events_token=TOKEN, message_limit=10_000)
    problem(site.post(event().ljust(20_000)), 413)


def test_a_store_that_is_down_asks_to_send_again(site: Site, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_given: object) -> None:
        raise StoreError("the database failed: OperationalError")

    monkeypatch.setattr(store.inbox, "save", down)
    told = problem(site.post(event()), 503)
    assert told["detail"] == "GW-202"
    monkeypatch.undo()
    assert site.post(event()).json()["status"] == "accepted"


# ------------------------------------------------------------------ the schema
EXAMPLE: dict[str, Any] = {
    "event_id": "6a5f2b0e-0000-4000-8000-000000000000",
    "episode_of_care_id": "39dadacc87614d0e96f0f202b24a79c0",
    "team": "sundhedskonsulenter",
    "assignment": "a",
    "type": "talk_booked",
    "occurred": "2026-03-02T10:15:00+01:00",
    "author": {"name": "K. L. Hansen", "title": "Sundhedskonsulent", "phone": "43577000"},
    "note": "text for the referrer, optional",
    "booked_for": "2026-03-09T13:00:00+01:00",
}
_TYPES = {"string": str, "object": dict, "array": list, "null": type(None)}


def accepts(root: dict[str, Any], schema: dict[str, Any], value: Any) -> bool:  # noqa: ANN401  (any JSON)
    """As much of JSON Schema 2020-12 as the published schema uses; anything else is an error here."""
    known = {"$ref", "anyOf", "type", "enum", "items", "properties", "required", "additionalProperties", "default"}
    prose = {"title", "description", "format", "$schema", "$defs"}
    lengths = {"minLength", "maxLength", "minItems", "maxItems", "pattern"}
    assert set(schema) <= known | prose | lengths, set(schema) - known - prose - lengths
    if "$ref" in schema:
        return accepts(root, root["$defs"][schema["$ref"].removeprefix("#/$defs/")], value)
    if "anyOf" in schema:
        return any(accepts(root, one, value) for one in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    return isinstance(value, _TYPES[schema["type"]]) and _fits(root, schema, value)


def _fits(root: dict[str, Any], schema: dict[str, Any], value: Any) -> bool:  # noqa: ANN401
    """A value of the right type."""
    if value is None:
        return True
    if schema["type"] == "array":
        return all(accepts(root, schema["items"], one) for one in value)
    if schema["type"] == "string":
        return len(value) >= schema.get("minLength", 0)
    inside = schema.get("properties", {})
    closed = not schema.get("additionalProperties", True)
    whole = set(schema.get("required", ())) <= set(value) and not (closed and set(value) - set(inside))
    return whole and all(accepts(root, inside[name], one) for name, one in (value or {}).items() if name in inside)


def test_the_published_schema_accepts_what_is_accepted(site: Site) -> None:
    schema = site.client.get("/schemas/team-event.json").json()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert accepts(schema, schema, EXAMPLE)
    for story in stories():
        for told in story.events(EPISODE, datetime.fromisoformat("2026-11-24T08:00:00+01:00")):
            assert accepts(schema, schema, told)
    told = problem(site.post(msgspec.json.encode(EXAMPLE)), 404)
    assert told["detail"].startswith("GW-161"), "readable; only the case is unknown here"


@pytest.mark.parametrize(
    "change",
    [{"event_id": ""}, {"type": "no_such_type"}, {"surprise": 1}, {"author": {}}, {"author": None}, {"team": 7}],
)
def test_the_published_schema_refuses_what_is_refused(site: Site, change: dict[str, object]) -> None:
    schema = site.client.get("/schemas/team-event.json").json()
    assert not accepts(schema, schema, EXAMPLE | change)
    problem(site.post(msgspec.json.encode(EXAMPLE | change)), 400)
