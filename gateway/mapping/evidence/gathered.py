"""Everything one referral says, looked up once: coded diagnoses, prose, values. The rules read from here."""

from collections.abc import Iterator
from datetime import date
from functools import cached_property

import msgspec

from gateway.mapping.interpretation import DiagnosisRow, Interpretation
from gateway.mapping.prose.lines import flowing
from gateway.mapping.prose.mentions import Mention
from gateway.mapping.prose.prose import Prose
from gateway.mapping.prose.values import Hba1c, Scan, Value, bmi, chosen_hba1c, fev1_below_30, hba1c
from gateway.referral.model import ClinicalText, Diagnosis, Measurement, MeasurementKind, Referral
from gateway.referral.needs import Finding
from gateway.referral.workdays import local_date

#: roles that make a coded diagnosis a programme of its group
PROGRAMME_ROLES = frozenset({"primary", "offer", "not_offered"})


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


class Gathered:
    """The evidence of one referral."""

    def __init__(self, referral: Referral, tables: Interpretation) -> None:
        self.referral = referral
        self.tables = tables
        self.coded = tuple(_coded(referral, tables))
        self.texts = tuple(_texts(referral))
        self.prose = Prose(self.texts, tables.words)

    @cached_property
    def today(self) -> date:
        """The day the referral was written; dates without a year are on or before it."""
        return local_date(self.referral.authorised)

    @cached_property
    def hba1c(self) -> Hba1c | None:
        """The HbA1c that counts: one that was measured and told as such, else one in the text."""
        told = self._measured(MeasurementKind.HBA1C)
        return chosen_hba1c(told) if told else hba1c(*self._scanned)

    @cached_property
    def bmi(self) -> Value | None:
        """The BMI that counts: one that was measured and told as such, else one in the text."""
        told = self._measured(MeasurementKind.BMI)
        return max(told, key=lambda v: v.on or date.min) if told else bmi(*self._scanned)

    def _measured(self, kind: MeasurementKind) -> list[Value]:
        return [_value(m) for m in self.referral.measurements if m.kind is kind]

    @cached_property
    def fev1_below_30(self) -> str | None:
        """The words that say FEV1 is below 30 %."""
        return fev1_below_30(*self._scanned)

    @cached_property
    def _scanned(self) -> tuple[list[str], Scan]:
        return [t.text for t in self.texts], Scan(today=self.today, links=self.tables.words.small.value_links)

    def coded_in(self, group: str, *roles: str) -> list[CodedFinding]:
        """Coded diagnoses of a group, with one of the roles (any, if none are named)."""
        return [c for c in self.coded if c.row and c.row.group == group and (not roles or c.row.role in roles)]

    def coded_with(self, role: str) -> list[CodedFinding]:
        """Coded diagnoses with a role."""
        return [c for c in self.coded if c.row and c.row.role == role]

    @cached_property
    def coded_programmes(self) -> dict[str, CodedFinding]:
        """Programmes found by code, each with the first code that found it; not-offered ones too."""
        found: dict[str, CodedFinding] = {}
        for item in self.coded:
            if item.row and item.row.role in PROGRAMME_ROLES:
                found.setdefault(self.tables.programmes[item.row.group].name, item)
        return found


def told(name: str, mention: Mention) -> Finding:
    """A mention as the evidence of a conclusion: the words as found, and where."""
    return Finding(
        name=name, rule=mention.phrase.id, evidence=f"«{mention.quote}» ({mention.place})", source=mention.phrase.source
    )


def ruled(name: str, rule: str, evidence: str, source: str = "decision.md §5; seed 000") -> Finding:
    """The conclusion of a named rule."""
    return Finding(name=name, rule=rule, evidence=evidence, source=source)


def _value(measured: Measurement) -> Value:
    number = f"{measured.value:.15g}".replace(".", ",")
    quote = " ".join(filter(None, [number, measured.unit, f"({measured.on})" if measured.on else None]))
    return Value(number=measured.value, percent=measured.unit.strip() == "%", quote=quote, on=measured.on)


def _coded(referral: Referral, tables: Interpretation) -> Iterator[CodedFinding]:
    for diagnosis in referral.diagnoses:
        if diagnosis.code:
            row = tables.diagnosis(diagnosis.system, diagnosis.code) if diagnosis.system else None
            yield CodedFinding(diagnosis=diagnosis, row=row)


def _texts(referral: Referral) -> Iterator[ClinicalText]:
    """Free text, and the text of diagnoses that carry no code; the official text beside a code is no evidence (§1)."""
    for diagnosis in referral.diagnoses:
        if not diagnosis.code and diagnosis.text:
            yield ClinicalText(place="DiagnoseText", text=flowing(diagnosis.text))
    for text in referral.texts:
        yield ClinicalText(place=text.place, text=flowing(text.text))
