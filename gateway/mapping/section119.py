"""Referral → needs under Sundhedsloven §119: which programmes, which reasons for a person to look, and why.

Codes first: a coded diagnosis is looked up by its code system, longest prefix wins (decision.md §1). Every finding
carries the row's id, the code as found and the row's source.
"""

from collections.abc import Collection, Iterator

import msgspec

from gateway.mapping.interpretation import DiagnosisRow, Interpretation
from gateway.referral.model import Diagnosis, Referral
from gateway.referral.needs import Finding, Needs, Programme

_PROGRAMME_ROLES = frozenset({"primary", "offer", "not_offered"})
_PREGNANCY_GROUP = "gestational_diabetes"
#: alcohol withdrawal: the first in line (decision.md §4 URGENT)
_WITHDRAWAL = "DX-SKS-DF103"


class CodedFinding(msgspec.Struct, frozen=True, kw_only=True):
    """A coded diagnosis and the table row it met; ``row`` is None for a code in no table."""

    diagnosis: Diagnosis
    row: DiagnosisRow | None

    def finding(self, name: str) -> Finding:
        """This diagnosis as the evidence of a conclusion."""
        system = self.diagnosis.system.value if self.diagnosis.system else "ukendt kodesystem"
        rule = self.row.id if self.row else "DX-UNKNOWN"
        source = self.row.source if self.row else "decision.md §4"
        return Finding(name=name, rule=rule, evidence=f"{system} {self.diagnosis.code}", source=source)


def needs(referral: Referral, tables: Interpretation, offered: Collection[str]) -> Needs:
    """Everything the codes of one referral tell; ``offered`` are the programmes the municipality routes."""
    coded = tuple(_coded(referral, tables))
    programmes, not_offered = _split(_programmes(coded, tables), offered)
    return Needs(
        programmes=programmes,
        not_offered=not_offered,
        reasons=(*_dependence(coded), *_pregnancy(coded), *_prediabetes(coded)),
        other_chronic=tuple(c.finding("OTHER_CHRONIC") for c in coded if c.row and c.row.role == "review"),
        unknown_codes=tuple(c.finding("UNKNOWN_CODE") for c in coded if c.row is None),
        tables=tables.version,
    )


def _coded(referral: Referral, tables: Interpretation) -> Iterator[CodedFinding]:
    for diagnosis in referral.diagnoses:
        if diagnosis.code:
            row = tables.diagnosis(diagnosis.system, diagnosis.code) if diagnosis.system else None
            yield CodedFinding(diagnosis=diagnosis, row=row)


def _programmes(coded: tuple[CodedFinding, ...], tables: Interpretation) -> list[Programme]:
    found: dict[str, Programme] = {}
    for item in coded:
        if item.row is None or item.row.role not in _PROGRAMME_ROLES | {"conditional"}:
            continue
        programme = tables.programmes[item.row.group]
        finding = item.finding(programme.name)
        found.setdefault(programme.name, Programme(finding=finding, by_code=True, plan=programme.plan))
    return list(found.values())


def _split(programmes: list[Programme], offered: Collection[str]) -> tuple[tuple[Programme, ...], tuple[Finding, ...]]:
    ours = tuple(p for p in programmes if p.name in offered)
    return ours, tuple(p.finding for p in programmes if p.name not in offered)


def _dependence(coded: tuple[CodedFinding, ...]) -> Iterator[Finding]:
    for item in coded:
        if item.row and item.row.role == "dependence":
            yield item.finding("ALCOHOL_DEPENDENCE")
            if item.row.id == _WITHDRAWAL:
                yield item.finding("URGENT")


def _pregnancy(coded: tuple[CodedFinding, ...]) -> Iterator[Finding]:
    for item in coded:
        if item.row and item.row.group == _PREGNANCY_GROUP and item.diagnosis.main:
            yield item.finding("PREGNANT")


def _prediabetes(coded: tuple[CodedFinding, ...]) -> Iterator[Finding]:
    """Rule P needs a measured value; without one a person asks for it (decision.md §5)."""
    for item in coded:
        if item.row and item.row.role == "conditional":
            yield item.finding("HBA1C_MISSING")
