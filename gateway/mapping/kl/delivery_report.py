"""The delivery report: one Bundle per citizen and day with what has changed since the last one, and what that needs.

What was told is folded from the earlier reports themselves; what is so now comes from the cases. The difference is
told, the vanished as an error (``corrections``), and every resource referred to comes along, changed or not.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, datetime, time

import msgspec

from gateway.mapping.fhir.resources import Json
from gateway.mapping.kl.content import CarePlan, PlannedIntervention, ServiceRequest
from gateway.mapping.kl.corrections import in_error
from gateway.mapping.kl.history import versions
from gateway.mapping.kl.resources import citizen, organization, profiled, resource
from gateway.mapping.kl.story import content_of
from gateway.municipality.model import Municipality
from gateway.referral.case import Case
from gateway.referral.ids import Cause, fhir_id
from gateway.referral.workdays import COPENHAGEN, local_date

#: resources by ``Type/id``
Resources = Mapping[str, Json]
_LAST_MOMENT = time(23, 59, 59)


class Reporting(msgspec.Struct, frozen=True, kw_only=True):
    """One citizen whose days are reported."""

    #: id of the Patient: stable, and no number of the citizen's
    patient: str
    cases: tuple[Case, ...]
    municipality: Municipality
    #: address in front of ``Type/id`` in ``fullUrl``
    base: str
    #: False: a case that was told of has been erased since; what it told stays as it was told
    complete: bool = True


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery report."""

    #: Bundle.id; a new one for every report
    id: str
    day: date
    bundle: Json


def told_in(bundles: Iterable[Json]) -> Resources:
    """What earlier reports, oldest first, have told: each resource as it was told last."""
    found: dict[str, Json] = {}
    for bundle in bundles:
        found |= {_key(entry["resource"]): entry["resource"] for entry in bundle["entry"]}
    return found


def days_of(cases: Iterable[Case]) -> frozenset[date]:
    """The Danish days on which something happened or was received."""
    told = (version for case in cases for version in versions(case))
    return frozenset(
        day for v in told for day in (local_date(v.at), *(local_date(step.event.occurred) for step in v.steps))
    )


def missing_numbers(municipality: Municipality) -> list[str]:
    """Places of the municipality file whose SOR id a report needs and that have none."""
    places = {"letterhead.sor": municipality.letterhead.sor}
    places |= {f"teams.{key}.sor": team.sor for key, team in municipality.teams.items()}
    return [place for place, sor in places.items() if not sor]


def unknown_teams(cases: Iterable[Case], municipality: Municipality) -> list[str]:
    """Teams that had a part in the cases and that the municipality file no longer has."""
    told = [version for case in cases for version in versions(case)]
    first = {a.team for version in told for a in version.initial}
    opened = {a.team for version in told for step in version.steps for a in step.opened}
    return sorted((first | opened) - {"", *municipality.teams})


def cannot_be_reported(cases: Iterable[Case]) -> bool:
    """The guide allows the CPR alone: a citizen with a replacement number is in no report."""
    return any(case.referral.citizen.cpr is None for case in cases)


def delivery_report(reporting: Reporting, told: Resources, day: date, ordinal: int = 0) -> Report | None:
    """What changed until the end of a day, or None when nothing did.

    ``ordinal`` counts the reports of that citizen and day that KL refused: their ids are not used again.
    """
    now = _now(reporting, day)
    changed = [one for key, one in now.items() if _is_content(one) and _is_news(one, told.get(key))]
    gone = [one for key, one in told.items() if reporting.complete and key not in now and _is_content(one)]
    changed += [in_error(one) for one in gone if in_error(one) != one]
    if not changed:
        return None
    own = fhir_id(Cause(sender=reporting.patient, id=day.isoformat()), "delivery-report", "KL", ordinal)
    entries = _complete(changed, {**told, **now})
    return Report(id=own, day=day, bundle=_bundle(own, day, reporting.base, entries))


def _now(reporting: Reporting, day: date) -> Resources:
    """Everything about the citizen as it is at the end of the day."""
    municipality = reporting.municipality
    items = [item for case in reporting.cases for item in content_of(case, municipality, day)]
    performers = [item.performer for item in items if isinstance(item, CarePlan | PlannedIntervention)]
    requesters = [i.requester for i in items if isinstance(i, ServiceRequest) and i.requester is not None]
    cpr = reporting.cases[0].referral.citizen.cpr or ""
    found = [
        citizen(reporting.patient, cpr, municipality.letterhead.sor),
        *(organization(sor) for sor in dict.fromkeys((*requesters, *performers))),
        *(resource(item, reporting.patient) for item in items),
    ]
    return {_key(one): one for one in found}


def _is_news(one: Json, told: Json | None) -> bool:
    """Whether it says another thing than before.

    A title that KL has reworded does not, nor a team's new SOR id for work that had ended by then: a new edition of a
    table or of the municipality file rewrites no history.
    """
    if told is None:
        return True
    left_out = {"display"} if one.get("status") == "active" else {"display", "performer"}
    return _without(one, left_out) != _without(told, left_out)


def _without(value: object, names: Collection[str]) -> object:
    if isinstance(value, dict):
        return {name: _without(part, names) for name, part in value.items() if name not in names}
    return [_without(part, names) for part in value] if isinstance(value, list) else value


def _is_content(one: Json) -> bool:
    """Citizen and organisations come along with what is about them; alone they are no change."""
    return one["resourceType"] not in {"Patient", "Organization"}


def _complete(changed: Iterable[Json], known: Resources) -> list[Json]:
    """The changed resources, and whatever they refer to, at any depth."""
    found = {_key(one): one for one in changed}
    waiting = list(found.values())
    while waiting:
        for key in _references(waiting.pop()):
            if key not in found:
                found[key] = known[key]
                waiting.append(known[key])
    return sorted(found.values(), key=_is_content)


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, part in value.items():
            if name == "reference":
                yield part
            else:
                yield from _references(part)
    elif isinstance(value, list):
        for part in value:
            yield from _references(part)


def _key(one: Json) -> str:
    return f"{one['resourceType']}/{one['id']}"


def _bundle(own: str, day: date, base: str, entries: Iterable[Json]) -> Json:
    """The report covers the whole day; it is told as the day ends."""
    rest: Json = {
        "type": "collection",
        "timestamp": datetime.combine(day, _LAST_MOMENT, COPENHAGEN).isoformat(),
        "entry": [{"fullUrl": f"{base}/{_key(one)}", "resource": one} for one in entries],
    }
    return profiled("Bundle", own, "delivery-report", rest)
