"""Rule P (decision.md §5): prediabetes needs an HbA1c of 43–47 and a risk factor; a person judges 42 and 48."""

from collections.abc import Collection

import msgspec

from gateway.mapping.evidence.gathered import Gathered, ruled, told
from gateway.referral.needs import Finding

NAME = "prediabetes"
#: coded programmes beside which rule P still applies
_BESIDE = frozenset({"nicotine", "alcohol", "low_back"})
_DIABETES = ("diabetes_1", "diabetes_2", "diabetes_secondary", "diabetes")
_DIABETES_GROUPS = ("diabetes_1", "diabetes_2", "diabetes_secondary", "diabetes_unspecified")
_RISK_GROUPS = ("dyslipidaemia", "heart", "arterial_disease", "pcos", "family_diabetes", "hypertension")
_BELOW, _BOUNDARY, _DIABETIC = 42, 42, 48
_BMI_FROM, _BMI_TO = 26.0, 39.0


class RuleP(msgspec.Struct, frozen=True, kw_only=True):
    """What rule P concluded; ``listed`` is the finding that lists the programme, where it is listed."""

    applies: bool = False
    by_code: bool = False
    listed: Finding | None = None
    reasons: tuple[Finding, ...] = ()
    flags: tuple[Finding, ...] = ()


def rule_p(evidence: Gathered, coded: Collection[str], told_of: Collection[str]) -> RuleP:
    """``coded`` and ``told_of``: programmes found by code, and by text."""
    if set(coded) - _BESIDE or _has_diabetes(evidence):
        return RuleP()
    cause, by_code = _cause(evidence, nothing_else=not coded and not told_of)
    if cause is None:
        return RuleP()
    return _judged(evidence, cause, by_code=by_code)


def _has_diabetes(evidence: Gathered) -> bool:
    coded = any(c.row and c.row.group in _DIABETES_GROUPS for c in evidence.coded)
    return coded or bool(evidence.prose.affirmed(*_DIABETES))


def _cause(evidence: Gathered, *, nothing_else: bool) -> tuple[Finding | None, bool]:
    """What makes the rule apply, and whether a code did."""
    words = evidence.prose.affirmed("prediabetes")
    abnormal = [c for c in evidence.coded_in(NAME, "conditional") if c.row and c.row.system == "ICPC-2"]
    specific = [c for c in evidence.coded_in(NAME, "conditional") if c.row and c.row.system == "SKS"]
    if specific:
        return specific[0].finding(NAME), True
    if abnormal and (words or evidence.hba1c):
        return abnormal[0].finding(NAME), True
    if words:
        return told(NAME, words[0]), False
    value = evidence.hba1c
    if value is not None and value.value >= _BELOW and nothing_else:
        return ruled(NAME, "P-VALUE", f"HbA1c {value.quote}"), False
    return None, False


def _judged(evidence: Gathered, cause: Finding, *, by_code: bool) -> RuleP:
    value = evidence.hba1c
    keyword = () if by_code else (msgspec.structs.replace(cause, name="KEYWORD_ONLY"),)
    if value is None:
        missing = ruled("HBA1C_MISSING", "P-MISSING", "ingen HbA1c i henvisningen")
        return RuleP(applies=True, by_code=by_code, listed=cause, reasons=(*keyword, missing))
    converted = (
        (ruled("UNIT_CONVERTED", "P-UNIT", f"{value.quote} → {value.value} mmol/mol"),) if value.converted else ()
    )
    told_value = f"HbA1c {value.value} mmol/mol («{value.quote}»)"
    if value.value < _BELOW:
        below = ruled("HBA1C_BELOW", "P-BELOW", told_value)
        return RuleP(applies=True, by_code=by_code, reasons=(below,), flags=converted)
    risk = risk_factor(evidence)
    reasons = (*keyword, *_reasons(value.value, told_value, risk))
    whole = f"{cause.evidence}; {told_value}" + (f"; risikofaktor: {risk}" if risk else "")
    listed = msgspec.structs.replace(cause, evidence=whole)
    return RuleP(applies=True, by_code=by_code, listed=listed, reasons=reasons, flags=converted)


def _reasons(value: int, told_value: str, risk: str | None) -> tuple[Finding, ...]:
    if value == _BOUNDARY:
        return (ruled("HBA1C_BOUNDARY", "P-BOUNDARY", told_value),)
    if value >= _DIABETIC:
        return (ruled("HBA1C_DIABETIC", "P-DIABETIC", told_value),)
    if risk is None:
        return (ruled("RISK_FACTOR_MISSING", "P-RISK", f"{told_value}, ingen risikofaktor fundet"),)
    return ()


def risk_factor(evidence: Gathered) -> str | None:
    """The first of the seven risk factors, by code, by text or by BMI, as the referral tells it."""
    return _risk_by_code(evidence) or _risk_by_text(evidence) or _risk_by_bmi(evidence)


def _risk_by_code(evidence: Gathered) -> str | None:
    for item in evidence.coded:
        if item.row is None:
            continue
        earlier = item.row.group == "gestational_diabetes" and not item.diagnosis.main
        if earlier or item.row.group in _RISK_GROUPS:
            return item.finding(NAME).evidence
    return None


def _risk_by_text(evidence: Gathered) -> str | None:
    prose = evidence.prose
    found = prose.affirmed("dyslipidaemia", "hypertension", "pcos")
    past_too = prose.of("heart", "heart_event", "cvd", "gestational")
    found += [m for m in past_too if not (m.negated or m.doubted or m.family)]
    family = prose.of("disposition", *_DIABETES)
    found += [m for m in family if not (m.negated or m.doubted) and (m.kin or m.concept == "disposition")]
    return told(NAME, found[0]).evidence if found else None


def _risk_by_bmi(evidence: Gathered) -> str | None:
    value = evidence.bmi
    return f"BMI {value.quote}" if value is not None and _BMI_FROM <= value.number <= _BMI_TO else None
