"""Cases played for KL's report, and the guide's own reading of a report."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from fhirpathpy import compile as compile_fhirpath

from gateway.mapping.kl.delivery_report import Report, Reporting, days_of, delivery_report, told_in
from gateway.municipality.model import load
from gateway.receive import Entrance
from gateway.referral.case import Case
from gateway.referral.inbox import Known
from gateway.referral.workdays import COPENHAGEN
from tests.builders import emessage, event, handle, xref15

Json = dict[str, Any]
PATIENT = "0b6f5f3e-5f0a-4b9c-8f64-1f1c2a3b4c5d"
BASE = "https://reports.invalid/fhir"
OUR_SOR, CONSULTANTS_SOR, BACK_SOR, HOSPITAL_SOR = (
    "543210000016004",
    "543210000017008",
    "543210000018003",
    "543210000019006",
)
GUIDE = "http://fhir.kl.dk/prevention/StructureDefinition"


# ------------------------------------------------------------------ cases
def at(written: str) -> datetime:
    """A Danish moment."""
    return datetime.fromisoformat(written).replace(tzinfo=COPENHAGEN)


class Citizen:
    """One citizen's cases, referred and told about step by step."""

    def __init__(self) -> None:
        self.cases: dict[str, Case] = {}
        self._letters = 0

    def known(self) -> Known:
        return Known(cases=dict(self.cases))

    def referred(self, moment: str, **changes: object) -> str:
        """A referral comes (or a correction of one); the case's id."""
        self._letters += 1
        number = f"{self._letters:04}"
        told = {"letter_id": f"BRV0000000{number}", "authorised": moment} | changes
        data = emessage(xref15(**told), envelope_id=f"KUV0000000{number}", sent=moment)
        return self.came(data, moment)

    def came(self, data: bytes, moment: str, entrance: Entrance = Entrance.MEDCOM) -> str:
        """A letter that opens a case or changes it; the case's id."""
        (case,) = handle(data, self.known(), at=at(moment), entrance=entrance).cases
        self.cases[case.case_id] = case
        return case.case_id

    def tells(self, case_id: str, kind: str, moment: str, **changes: object) -> str:
        """A team tells something; the event's id."""
        self._letters += 1
        own = f"E-{self._letters}"
        told = {
            "event_id": own,
            "case_id": case_id,
            "episode_of_care_id": None,
            "occurred": at(moment).isoformat(),
        } | changes
        outcome = handle(event(kind, **told), self.known(), entrance=Entrance.TEAM)
        assert not outcome.parked, outcome.parked[0].fault.text
        (case,) = outcome.cases
        self.cases[case.case_id] = case
        return own

    def reporting(self) -> Reporting:
        cases = tuple(self.cases.values())
        return Reporting(patient=PATIENT, cases=cases, municipality=load(), base=BASE)

    def report(self, day: str, earlier: Iterable[Report] = ()) -> Report | None:
        """The report of a day after those earlier ones."""
        told = told_in(as_sent(report) for report in earlier)
        return delivery_report(self.reporting(), told, date.fromisoformat(day))

    def reports(self, until: str) -> list[Report]:
        """A report for each day with changes, each made that evening."""
        made: list[Report] = []
        for day in sorted(days_of(self.cases.values())):
            if day <= date.fromisoformat(until) and (report := self.report(day.isoformat(), made)) is not None:
                made.append(report)
        return made


def period(start: str, minutes: int = 30) -> Json:
    """A contact's time, Danish."""
    begun = at(start)
    return {"start": begun.isoformat(), "end": begun.replace(minute=begun.minute + minutes).isoformat()}


# ------------------------------------------------------------------ reports
def as_sent(report: Report) -> Json:
    """As it stands in the file: through JSON."""
    read: Json = json.loads(json.dumps(report.bundle))
    return read


def content(report: Report | None, kind: str, profile: str = "") -> list[Json]:
    """The resources of a type (and profile) in a report."""
    assert report is not None
    resources = [entry["resource"] for entry in as_sent(report)["entry"]]
    return [r for r in resources if r["resourceType"] == kind and r["meta"]["profile"][0].endswith(profile)]


def one(report: Report | None, kind: str, profile: str = "") -> Json:
    """The only one."""
    (found,) = content(report, kind, profile)
    return found


def check_with_the_guide(shared: Path, folder: Path, bundles: Sequence[Json]) -> None:
    """Assert that the reference data's ``check-fhir`` and the guide's own invariants accept all reports."""
    file = folder / "reports.jsonl"
    file.write_text("\n".join(json.dumps(bundle) for bundle in bundles), encoding="ascii")
    command = [sys.executable, str(shared / "tools" / "check-fhir"), "--set", "prevention", str(file)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{len(bundles)} resources, 0 issues" in result.stdout
    broken = [problem for bundle in bundles for problem in broken_invariants(shared, bundle)]
    assert broken == []


def broken_invariants(shared: Path, bundle: Json) -> list[str]:
    """Which error invariants of the guide's profiles a report's resources break, by FHIRPath."""
    broken = []
    for resource in (bundle, *(entry["resource"] for entry in bundle["entry"])):
        (profile,) = resource["meta"]["profile"]
        for path, key, expression in _invariants(shared, profile):
            for place in _compiled(path)(resource, {}) if path else [resource]:
                right = _compiled(expression)(place, {"resource": resource}) == [True]
                broken += [] if right else [f"{resource['id']}: {key}"]
    return broken


@cache
def _compiled(expression: str) -> Callable[[Json, Json], list[Any]]:
    compiled: Callable[[Json, Json], list[Any]] = compile_fhirpath(expression)
    return compiled


@cache
def _invariants(shared: Path, profile: str) -> list[tuple[str, str, str]]:
    """(path below the resource, key, expression); what fhirpathpy lacks is check-fhir's, or of documents."""
    name = profile.removeprefix(f"{GUIDE}/")
    definition = json.loads(
        (shared / f"data/kl/prevention-2.1.1/definitions/StructureDefinition-{name}.json").read_text(encoding="utf-8")
    )
    return [
        (element["path"].partition(".")[2].replace("[x]", ""), rule["key"], rule["expression"])
        for element in definition["snapshot"]["element"]
        for rule in element.get("constraint", ())
        if rule["severity"] == "error"
        and not re.match(r"(dom|ele|ext)-", rule["key"])
        and not any(word in rule["expression"] for word in ("conformsTo", "hasValue"))
    ]
