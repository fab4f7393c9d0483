"""The decision in its JSON form (decision.md §9): what ``explain --json`` prints and what the team's Task carries."""

from gateway.referral.decide import Decision
from gateway.referral.needs import Coded


def decision_json(decision: Decision) -> dict[str, object]:
    """The ``decision`` object; lists of codes are sorted, assignments by team, then intervention code."""
    assignments = sorted(decision.assignments, key=lambda a: (a.team, a.intervention.code))
    return {
        "outcome": decision.outcome,
        "programmes": list(decision.programmes),
        "assignments": [
            {"team": a.team, "intervention": _coded(a.intervention), "delivery": a.delivery} for a in assignments
        ],
        "review_team": decision.review_team,
        "suggested": [_coded(c) for c in decision.suggested],
        "conditions": [_coded(c) for c in decision.conditions],
        "flags": list(decision.flags),
        "reasons": list(decision.reasons),
        "respond_by": decision.respond_by.isoformat(),
        "why": [{"rule": w.rule, "evidence": w.evidence, "source": w.source} for w in decision.why],
    }


def _coded(value: Coded) -> dict[str, str]:
    return {"code": value.code, "display": value.display}
