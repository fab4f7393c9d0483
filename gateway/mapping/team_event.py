"""A team's JSON → ``TeamEvent``, strictly: unknown fields, types, codes, naive times are refused by name (GW-160)."""

import re
from collections.abc import Iterator
from datetime import datetime

import msgspec

from fsiii import care_social_codes, condition, intervention
from gateway.errors import Fault
from gateway.referral.events import EVERYWHERE, OPTIONAL, REQUIRED, TeamEvent
from gateway.referral.reading import Reading, ReadLetter, content_digest
from gateway.referral.workdays import is_possible

TYPE = "team-event"
#: a reviewer may send a citizen to a talk without naming a programme
_MAY_BE_EMPTY = frozenset({"programmes"})
#: what msgspec quotes of the event itself; field names and places stand in other quotes
_VALUE = re.compile(r"'[^']*'")
_DECODER = msgspec.json.Decoder(TeamEvent)


def read(data: bytes, digest: str) -> Reading:
    """One event as a reading with one letter; its fault names the field."""
    event = decode(data)
    if isinstance(event, Fault):
        return Reading(letters=(ReadLetter(type=TYPE, fault=event, digest=digest),), digest=digest)
    letter = ReadLetter(type=TYPE, letter_id=event.event_id, content=event, digest=content_digest(event))
    return Reading(letters=(letter,), digest=digest)


def decode(data: bytes) -> TeamEvent | Fault:
    """The event, or GW-160 with the field that is wrong."""
    try:
        event = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Fault(id="GW-160", detail=_VALUE.sub("…", str(error)))
    if "\0" in data.decode() or b"\\u0000" in data:
        return Fault(id="GW-160", detail="tegnet U+0000 er ikke tilladt")
    problem = _missing_or_foreign(event) or _wrong_value(event)
    return Fault(id="GW-160", detail=problem) if problem else event


def json_schema() -> dict[str, object]:
    """The published JSON Schema of a team event."""
    schema = msgspec.json.schema(TeamEvent)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Team event", **schema}


def _missing_or_foreign(event: TeamEvent) -> str | None:
    if event.episode_of_care_id is None and event.case_id is None:
        return "episode_of_care_id eller case_id mangler"
    required = REQUIRED.get(event.type, ())
    for field in required:
        value = getattr(event, field)
        if value is None or (not value and field not in _MAY_BE_EMPTY):
            return f"{field} mangler for {event.type}"
    expected = EVERYWHERE | set(required) | set(OPTIONAL.get(event.type, ()))
    given = {f for f in TeamEvent.__struct_fields__ if getattr(event, f) is not None}
    foreign = sorted(given - expected)
    return f"{foreign[0]} hører ikke til {event.type}" if foreign else None


def _wrong_value(event: TeamEvent) -> str | None:
    """Codes that are not current, and dates that are no dates."""
    checks = (
        ("interventions", all(_known(intervention, c) for c in event.interventions or ())),
        ("conditions", all(_known(condition, c) for c in event.conditions or ())),
        ("assignments", all(_known(intervention, a.intervention) for a in event.assignments or ())),
        ("delivery", event.delivery in {None, "individual", "group"}),
        ("contact_class", event.contact_class is None or event.contact_class in care_social_codes("contact_class")),
        ("stop_reason", event.stop_reason is None or event.stop_reason in care_social_codes("stop_reason")),
        ("started", _is_moment(event.started)),
        ("ended", _is_moment(event.ended)),
        ("period", event.period is None or event.period.start <= event.period.end),
        *((field, is_possible(moment)) for field, moment in _moments(event)),
    )
    wrong = [field for field, right in checks if not right]
    return f"{wrong[0]}: ukendt kode eller ugyldig værdi" if wrong else None


def _moments(event: TeamEvent) -> Iterator[tuple[str, datetime]]:
    yield "occurred", event.occurred
    if event.booked_for is not None:
        yield "booked_for", event.booked_for
    if event.period is not None:
        yield "period", event.period.start
        yield "period", event.period.end


def _known(look_up: object, code: str) -> bool:
    try:
        look_up(code)  # type: ignore[operator]
    except KeyError:
        return False
    return True


def _is_moment(told: str | None) -> bool:
    """A date, or a date-time with zone."""
    if told is None:
        return True
    try:
        moment = datetime.fromisoformat(told)
    except ValueError:
        return False
    return (len(told) == len("2026-03-02") or moment.tzinfo is not None) and is_possible(moment)
