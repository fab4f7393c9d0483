"""From needs to a decision: outcome, assignments, reasons, clock. The order of the rules is decision.md §4.

The gateway classifies and routes; it never grants a course. No refusal leaves without a person's approval.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

import msgspec

from fsiii import AFKLARENDE_SAMTALE, BEHOVSSAMTALE, FYSISK_TRAENING, VEJLEDNING_OG_INTRODUKTION, intervention
from gateway.municipality.model import Municipality
from gateway.referral.model import Referral, ReferrerKind
from gateway.referral.needs import Coded, Finding, Needs, Programme
from gateway.referral.workdays import local_date, previous_workday

ACCEPTED, REVIEW, RETURN = "accepted", "review", "return"
#: a programme other than nicotine and alcohol needs a doctor's referral beside theirs (seed 000, «Henvisninger»)
NOT_ENTITLED = frozenset({ReferrerKind.MUNICIPAL, ReferrerKind.SELF})
#: reasons that lead to a drafted answer; all others lead to a review
_RETURN_REASONS = frozenset({"NOT_OFFERED", "HBA1C_BELOW"})
#: XREF01's and FHIR's words for «at once»; ``asap`` alone is no sign of danger (decision.md §4)
_URGENT_PRIORITIES = frozenset({"akut", "urgent", "stat"})
_TRAINING = frozenset({FYSISK_TRAENING, VEJLEDNING_OG_INTRODUKTION})
_DECISION_PAGE = "decision.md"


class Assignment(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """A first intervention at a team. ``intervention`` is None for a §140 matter, which is no §119 assignment."""

    team: str
    intervention: Coded
    #: ``individual`` or None
    delivery: str | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules concluded, with the why of every part (decision.md §9)."""

    outcome: str
    programmes: tuple[str, ...]
    assignments: tuple[Assignment, ...]
    review_team: str | None
    suggested: tuple[Coded, ...]
    conditions: tuple[Coded, ...]
    flags: tuple[str, ...]
    reasons: tuple[str, ...]
    respond_by: date
    why: tuple[Finding, ...]
    #: versions of tables and municipality file that made the decision
    made_by: str


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """Teams at which the citizen has a §119 course that is started and not ended."""

    teams: frozenset[str] = frozenset()


def decide(
    referral: Referral, needs: Needs, municipality: Municipality, received_at: datetime, running: Running
) -> Decision:
    """Decide one referral. Pure; ``received_at`` carries a zone.

    Returns:
        A ``Decision`` whose lists are sorted and whose ``why`` holds one finding per programme, assignment, reason
        and flag.
    """
    gate = _gate_findings(referral, needs, municipality)
    reasons = _reasons(needs, gate)
    outcome = _outcome(reasons, needs, returns_at_once=_outside_by_code(gate))
    flags = _flags(needs, municipality)
    proposed = () if outcome == RETURN else _assignments(needs, reasons, municipality, running)
    suggested = _suggested(needs)
    section_140 = any(r.name == "SECTION_140" for r in reasons)
    return Decision(
        outcome=outcome,
        programmes=_names(p.finding for p in needs.programmes),
        assignments=tuple(sorted({a for a, _ in proposed})),
        review_team=_review_team(outcome, needs, municipality, section_140=section_140),
        suggested=suggested,
        conditions=tuple(sorted({c for p in needs.programmes for c in p.plan.conditions})),
        flags=_names(flags),
        reasons=_names(reasons),
        respond_by=respond_by(received_at, municipality, section_140=section_140),
        why=(*(p.finding for p in needs.programmes), *(why for _, why in proposed), *reasons, *flags),
        made_by=f"tables {needs.tables}; {municipality.version_label}",
    )


def respond_by(received_at: datetime, municipality: Municipality, *, section_140: bool) -> date:
    """Last day for the first talk: 14 (§140: 7) calendar days after receipt, moved earlier to a working day."""
    clocks = municipality.clocks
    days = clocks.section_140_days if section_140 else clocks.respond_days
    return previous_workday(local_date(received_at) + timedelta(days=days), municipality.closing_days)


def _names(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(sorted({f.name for f in findings}))


def _gate_findings(referral: Referral, needs: Needs, municipality: Municipality) -> tuple[Finding, ...]:
    return (
        *_urgent(referral),
        *_referral_needed(referral, needs, municipality),
        *_outside(referral, needs, municipality),
    )


def _urgent(referral: Referral) -> tuple[Finding, ...]:
    if referral.priority not in _URGENT_PRIORITIES:
        return ()
    evidence = f"prioritet {referral.priority}"
    return (Finding(name="URGENT", rule="G-PRIORITY", evidence=evidence, source=_DECISION_PAGE),)


def referrer_kind(referral: Referral, municipality: Municipality) -> ReferrerKind:
    """Who refers: the municipality file's list of known senders first, then the kind of identifier."""
    if referral.self_referred:
        return ReferrerKind.SELF
    sender = referral.sender
    for key in (sender.identifier, sender.gln):
        if key and key in municipality.senders:
            return ReferrerKind(municipality.senders[key])
    by_code = {
        "ydernummer": ReferrerKind.PRACTICE,
        "sygehusafdelingsnummer": ReferrerKind.HOSPITAL,
        "kommunenummer": ReferrerKind.MUNICIPAL,
    }
    return by_code.get(sender.identifier_code or "", ReferrerKind.UNKNOWN)


def _referral_needed(referral: Referral, needs: Needs, municipality: Municipality) -> tuple[Finding, ...]:
    kind = referrer_kind(referral, municipality)
    if kind not in NOT_ENTITLED or all(p.plan.open_access for p in needs.programmes):
        return ()
    evidence = f"henviser: {kind.value} ({referral.sender.identifier_code or 'borgeren selv'})"
    return (Finding(name="REFERRAL_NEEDED", rule="G-REFERRER", evidence=evidence, source="seed 000, Henvisninger"),)


def _outside(referral: Referral, needs: Needs, municipality: Municipality) -> tuple[Finding, ...]:
    """OUTSIDE_MUNICIPALITY, less the programmes that neighbours share (decision.md §4)."""
    code, postcode = referral.citizen.municipality_code, referral.citizen.address.postcode
    if code:
        if code == municipality.code:
            return ()
        evidence, rule = f"kommunekode {code}", "G-OUTSIDE-CODE"
    elif postcode and postcode not in municipality.postcodes:
        evidence, rule = f"postnummer {postcode}", "G-OUTSIDE-POSTCODE"
    else:
        return ()
    waived = [municipality.waives(p.name, code, postcode) for p in needs.programmes]
    if waived and all(waived):
        return ()
    if any(waived):
        rule = "G-OUTSIDE-PARTLY"
    return (Finding(name="OUTSIDE_MUNICIPALITY", rule=rule, evidence=evidence, source="seed 000; seed 001"),)


def _outside_by_code(gate: Iterable[Finding]) -> bool:
    return any(f.rule == "G-OUTSIDE-CODE" for f in gate)


def _reasons(needs: Needs, gate: tuple[Finding, ...]) -> tuple[Finding, ...]:
    found = [*needs.reasons, *gate, *_other_chronic(needs)]
    dependent = any(r.name == "ALCOHOL_DEPENDENCE" for r in needs.reasons)
    beside = needs.programmes or needs.other_chronic or needs.unknown_codes or dependent
    if needs.not_offered and not beside:
        found.append(msgspec.structs.replace(needs.not_offered[0], name="NOT_OFFERED"))
    if not found and not needs.programmes:
        found.append(_last_resort(needs))
    return tuple(found)


def _other_chronic(needs: Needs) -> list[Finding]:
    if needs.programmes:
        return []
    return [msgspec.structs.replace(f, name="OTHER_CHRONIC") for f in needs.other_chronic]


def _last_resort(needs: Needs) -> Finding:
    """Nothing else applies: say which kind of nothing it is (decision.md §4, step 5)."""
    if needs.unknown_codes:
        return msgspec.structs.replace(needs.unknown_codes[0], name="UNKNOWN_CODE")
    if needs.offer_asked is not None:
        return msgspec.structs.replace(needs.offer_asked, name="NO_DIAGNOSIS")
    return Finding(
        name="NOTHING_RECOGNISED", rule="R-NOTHING", evidence="ingen kode eller tekst genkendt", source=_DECISION_PAGE
    )


def _outcome(reasons: tuple[Finding, ...], needs: Needs, *, returns_at_once: bool) -> str:
    names = {r.name for r in reasons}
    if returns_at_once and "URGENT" not in names:
        return RETURN
    if any(_leads_to_review(name, needs) for name in names - {"OUTSIDE_MUNICIPALITY"}):
        return REVIEW
    if "OUTSIDE_MUNICIPALITY" in names:
        return REVIEW
    return RETURN if names else ACCEPTED


def _leads_to_review(reason: str, needs: Needs) -> bool:
    if reason == "HBA1C_BELOW":
        return needs.training_asked
    return reason not in _RETURN_REASONS


def _assignments(
    needs: Needs, reasons: tuple[Finding, ...], municipality: Municipality, running: Running
) -> list[tuple[Assignment, Finding]]:
    """One per distinct (team, first intervention); with no programme one proposed talk, for §140 none."""
    if any(r.name == "SECTION_140" for r in reasons):
        return []
    if not needs.programmes:
        return [_proposed_talk(municipality)]
    made: dict[Assignment, Finding] = {}
    for programme in needs.programmes:
        assignment, why = _assignment(programme, municipality, running)
        made.setdefault(assignment, why)
    return list(made.items())


def _assignment(programme: Programme, municipality: Municipality, running: Running) -> tuple[Assignment, Finding]:
    team = municipality.routes[programme.name].team
    first, rule, source = programme.plan.first, "A-FIRST", "seed 000; seed 002; seed 004"
    if team in running.teams and first.code == AFKLARENDE_SAMTALE:
        first, rule, source = _coded(BEHOVSSAMTALE), "A-RUNNING-COURSE", "KL prevention IG, Behovssamtale"
    assignment = Assignment(team=team, intervention=first, delivery=programme.plan.delivery)
    evidence = f"{programme.name}: {first.display} hos {municipality.teams[team].display}"
    return assignment, Finding(name=team, rule=rule, evidence=evidence, source=source)


def _proposed_talk(municipality: Municipality) -> tuple[Assignment, Finding]:
    team, first = municipality.review.team, _coded(AFKLARENDE_SAMTALE)
    evidence = f"intet program fundet; foreslået: {first.display} hos {municipality.teams[team].display}"
    why = Finding(name=team, rule="A-PROPOSED", evidence=evidence, source=_DECISION_PAGE)
    return Assignment(team=team, intervention=first), why


def _coded(code: str) -> Coded:
    return Coded(code=code, display=intervention(code).display)


def _review_team(outcome: str, needs: Needs, municipality: Municipality, *, section_140: bool) -> str | None:
    if outcome == ACCEPTED:
        return None
    if outcome == RETURN:
        return municipality.review.team
    if section_140:
        return municipality.review.section_140_team
    teams = {municipality.routes[p.name].team for p in needs.programmes}
    return teams.pop() if len(teams) == 1 else municipality.review.team


def _suggested(needs: Needs) -> tuple[Coded, ...]:
    found = {s for p in needs.programmes for s in p.plan.suggested}
    return tuple(sorted(s for s in found if not (needs.training_blocked and s.code in _TRAINING)))


def _flags(needs: Needs, municipality: Municipality) -> tuple[Finding, ...]:
    """The mapping's flags, the municipality's own per programme, and what stands beside a programme (§6)."""
    flags = list(needs.flags)
    for programme in needs.programmes:
        flags += [
            Finding(name=flag, rule="F-PROGRAMME", evidence=programme.name, source=municipality.version_label)
            for flag in municipality.routes[programme.name].flags
        ]
    if needs.programmes:
        for name, beside in (
            ("ALSO_NOT_OFFERED", needs.not_offered),
            ("ALSO_UNKNOWN_CODE", needs.unknown_codes),
            ("OTHER_CONDITIONS", tuple(f for f in needs.other_chronic if f.rule.startswith("DX-"))),
        ):
            flags += [msgspec.structs.replace(f, name=name) for f in beside[:1]]
    return tuple(flags)
