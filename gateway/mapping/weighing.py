"""Referral → needs under Sundhedsloven §119: codes, prose and values weighed together, each conclusion with its why."""

from collections.abc import Collection

import msgspec

from gateway.mapping.evidence import circumstances, conflict, dangers
from gateway.mapping.evidence.gathered import CodedFinding, Gathered
from gateway.mapping.evidence.prediabetes import RuleP, rule_p
from gateway.mapping.evidence.programmes import by_code, by_text, mentioned
from gateway.mapping.interpretation import Interpretation
from gateway.referral.model import Referral
from gateway.referral.needs import Finding, Needs, Programme


def needs(referral: Referral, tables: Interpretation, offered: Collection[str]) -> Needs:
    """Everything one referral tells; ``offered`` are the programmes the municipality routes."""
    evidence = Gathered(referral, tables)
    found = by_code(evidence)
    coded = {p.name for p in found if p.name in offered}
    named = {} if coded else mentioned(evidence)
    judged = rule_p(evidence, coded, named)
    found += _prediabetes(evidence, judged)
    coded = {p.name for p in found if p.by_code and p.name in offered}
    listed = [*found, *(p for p in by_text(evidence, coded, named) if p.name not in {f.name for f in found})]
    ours = tuple(p for p in listed if p.name in offered)
    names = {p.name for p in ours}
    plan_140 = tuple(circumstances.section_140(evidence, coded=bool(coded)))
    blocked = tuple(circumstances.training_elsewhere(evidence, section_140_asked=bool(plan_140)))
    wished = {f.name: f for f in [p.finding for p in listed if p.name not in offered]}
    wished = {**circumstances.not_offered(evidence), **wished}
    in_danger = tuple(dangers.dangers(evidence))
    return Needs(
        programmes=ours,
        not_offered=tuple(f for name, f in wished.items() if name not in offered),
        reasons=(
            *_by_keyword(ours, coded),
            *judged.reasons,
            *conflict.conflicts(evidence, coded),
            *in_danger,
            *dangers.very_severe_copd(evidence, names),
            *plan_140,
        ),
        flags=(*judged.flags, *blocked, *circumstances.flags(evidence, names)),
        other_chronic=(
            *(c.finding("OTHER_CHRONIC") for c in evidence.coded_with("review") if not _is_dependence(c, in_danger)),
            *circumstances.diabetes_by_text(evidence),
        ),
        unknown_codes=tuple(c.finding("UNKNOWN_CODE") for c in evidence.coded if c.row is None),
        offer_asked=circumstances.offer_asked(evidence),
        training_asked=circumstances.training_asked(evidence),
        training_blocked=bool(blocked),
        tables=tables.version,
    )


def _prediabetes(evidence: Gathered, judged: RuleP) -> list[Programme]:
    if judged.listed is None:
        return []
    plan = evidence.tables.programmes[judged.listed.name].plan
    return [Programme(finding=judged.listed, by_code=judged.by_code, plan=plan)]


def _is_dependence(item: CodedFinding, in_danger: Collection[Finding]) -> bool:
    """ICPC-2 P16 beside dependence words is dependence, and no other illness (decision.md §4)."""
    dependent = any(f.name == "ALCOHOL_DEPENDENCE" for f in in_danger)
    return dependent and item.row is not None and item.row.group == "alcohol"


def _by_keyword(listed: Collection[Programme], coded: Collection[str]) -> list[Finding]:
    """KEYWORD_ONLY for programmes by text; nicotine and alcohol requested beside a code need no reason (§3.3, §3.4)."""
    return [
        msgspec.structs.replace(p.finding, name="KEYWORD_ONLY")
        for p in listed
        if not p.by_code and p.name != "prediabetes" and not (coded and p.plan.direct)
    ]
