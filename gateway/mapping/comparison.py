"""Which decisions a change of tables or municipality file changes, side by side, before the change is made."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from gateway.mapping.interpretation import Interpretation
from gateway.mapping.weighing import needs
from gateway.municipality.model import Municipality
from gateway.referral.decide import Decision, Running, decide
from gateway.referral.model import Referral

#: what is compared, in the order it is shown; the why and the deadline follow from these
FIELDS = ("outcome", "teams", "assignments", "programmes", "reasons", "flags")


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a decision."""

    tables: Interpretation
    municipality: Municipality

    def decide(self, referral: Referral, received_at: datetime) -> Decision:
        """The decision on a referral of a citizen who has no running course."""
        found = needs(referral, self.tables, self.municipality.offered)
        return decide(referral, found, self.municipality, received_at, Running())


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A referral that is decided differently: each field that differs, as (before, after)."""

    name: str
    fields: dict[str, tuple[str, str]]


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """All referrals compared."""

    compared: int
    changes: tuple[Change, ...]

    def changed(self, field: str) -> int:
        """How many referrals change in the field."""
        return sum(field in change.fields for change in self.changes)

    @property
    def summary(self) -> str:
        """In Danish, in one sentence."""
        return (
            f"{self.changed('teams')} af {self.compared} henvisninger skifter team; "
            f"{self.changed('outcome')} skifter udfald; {len(self.changes)} afgøres anderledes i alt."
        )


def compare(referrals: Iterable[tuple[str, Referral, datetime]], before: Rules, after: Rules) -> Comparison:
    """Decide every (name, referral, received) by both rules."""
    compared, changes = 0, []
    for name, referral, received_at in referrals:
        compared += 1
        old, new = (view(rules.decide(referral, received_at)) for rules in (before, after))
        fields = {field: (old[field], new[field]) for field in FIELDS if old[field] != new[field]}
        if fields:
            changes.append(Change(name=name, fields=fields))
    return Comparison(compared=compared, changes=tuple(changes))


def view(decision: Decision) -> dict[str, str]:
    """The compared fields as text; ``teams`` are those that get it: the assignments', or who looks at it first."""
    teams = {decision.review_team} if decision.review_team else {a.team for a in decision.assignments}
    return {
        "outcome": decision.outcome,
        "teams": ", ".join(sorted(teams)),
        "assignments": ", ".join(f"{a.intervention.display} ({a.team})" for a in decision.assignments),
        "programmes": ", ".join(decision.programmes),
        "reasons": ", ".join(decision.reasons),
        "flags": ", ".join(decision.flags),
    }
