"""Making KL's delivery reports from the store: every day that is over and not yet reported, in order, kept as made.

A citizen's day is closed by a report that KL has not refused: what is told later about it comes with the next day's.
"""

from collections.abc import Callable
from datetime import date, datetime
from uuid import UUID

import msgspec

from gateway.errors import ConfigurationError
from gateway.mapping.kl.delivery_report import (
    Report,
    Reporting,
    cannot_be_reported,
    days_of,
    delivery_report,
    missing_numbers,
    told_in,
    unknown_teams,
)
from gateway.municipality.model import Municipality
from gateway.referral.case import Case
from gateway.store.reports import REFUSED, Reports, StoredReport


class ReportMaker:
    """Makes and keeps reports."""

    def __init__(self, reports: Reports, municipality: Municipality, base: str, clock: Callable[[], datetime]) -> None:
        """Reports about this municipality's work; ``base`` stands in front of ``Type/id`` in ``fullUrl``.

        Raises:
            ConfigurationError: GW-302 when the municipality file lacks a SOR id that a report needs.
        """
        missing = missing_numbers(municipality)
        if missing:
            raise ConfigurationError(
                "GW-302", f"KL's report needs SOR ids in the municipality file: {', '.join(missing)}"
            )
        self._reports = reports
        self._municipality = municipality
        self._base = base
        self._clock = clock

    def can_report(self, citizen: str) -> bool:
        """Whether the guide has a place for the citizen: it knows the CPR alone."""
        return not cannot_be_reported(self._reports.cases_of(citizen))

    def make(self, citizen: str, until: date) -> list[StoredReport]:
        """A report for each of the citizen's days up to that one with something new; those made are kept.

        Raises:
            ConfigurationError: GW-302 for a team in the cases that the municipality file no longer has.
            ConflictError: someone else made one of them at the same time; nothing is lost, make them again.
        """
        cases = self._reports.cases_of(citizen)
        if cannot_be_reported(cases):
            return []
        unknown = unknown_teams(cases, self._municipality)
        if unknown:
            raise ConfigurationError("GW-302", f"cases name teams that the file does not have: {', '.join(unknown)}")
        kept = self._reports.of(citizen)
        standing = [report for report in kept if report.status != REFUSED]
        reporting = self._reporting(citizen, cases, standing)
        told = told_in(msgspec.json.decode(report.body) for report in standing)
        closed = max((report.day for report in standing), default=date.min)
        made: list[StoredReport] = []
        for day in sorted(day for day in {*days_of(cases), until} if closed < day <= until):
            refused = sum(report.day == day for report in kept)
            report = delivery_report(reporting, told, day, refused)
            if report is not None:
                told = {**told, **told_in([report.bundle])}
                made.append(_stored(report, citizen, refused, cases))
                self._reports.add(made[-1], self._clock())
        return made

    def _reporting(self, citizen: str, cases: tuple[Case, ...], standing: list[StoredReport]) -> Reporting:
        told_of = frozenset[str]().union(*(report.case_ids for report in standing))
        return Reporting(
            patient=str(UUID(hex=citizen)),
            cases=cases,
            municipality=self._municipality,
            base=self._base,
            complete=told_of <= {case.case_id for case in cases},
        )


def _stored(report: Report, citizen: str, ordinal: int, cases: tuple[Case, ...]) -> StoredReport:
    return StoredReport(
        report_id=report.id,
        citizen=citizen,
        day=report.day,
        ordinal=ordinal,
        case_ids=frozenset(case.case_id for case in cases),
        body=msgspec.json.encode(report.bundle),
    )
