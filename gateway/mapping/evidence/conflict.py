"""EVIDENCE_CONFLICT (decision.md §4): a coded programme that the text denies or doubts, or two types of diabetes."""

from collections.abc import Collection, Iterator

from gateway.mapping.evidence.gathered import Gathered, told
from gateway.mapping.prose.mentions import Mention
from gateway.referral.needs import Finding

NAME = "EVIDENCE_CONFLICT"
_TYPES = ("diabetes_1", "diabetes_2", "diabetes_secondary")
#: programmes whose disease the text can deny; of heart and cancer only a doubt counts, because prose denies
#: complications («ingen hjertesvigt», «ingen tegn på recidiv») as a matter of course
_DENIABLE = {"diabetes_2": ("diabetes_2", "diabetes"), "copd": ("copd",), "low_back": ("low_back",)}
_DOUBTABLE = {"heart": ("heart", "heart_event"), "cancer": ("cancer",)}
_SUBSTANCES = {
    "nicotine": ("offer_nicotine", "smoking", "nonsmoker"),
    "alcohol": ("offer_alcohol", "drinking", None),
}


def conflicts(evidence: Gathered, coded: Collection[str]) -> Iterator[Finding]:
    """At most one finding per rule."""
    yield from _coded_types(evidence)
    yield from _other_type(evidence)
    for name in coded:
        mention = _doubted(evidence, name) or _unwanted(evidence, name)
        if mention is not None:
            yield told(NAME, mention)
    if set(coded) - set(_SUBSTANCES):
        yield from (told(NAME, m) for m in evidence.prose.affirmed("diagnosis_doubt")[:1])


def _coded_types(evidence: Gathered) -> Iterator[Finding]:
    """Two coded types of diabetes; the unspecified DE14 differs from none."""
    groups = {c.row.group: c for c in evidence.coded if c.row and c.row.group in _TYPES}
    if len(groups) > 1:
        yield from (item.finding(NAME) for item in groups.values())


def _other_type(evidence: Gathered) -> Iterator[Finding]:
    """The text names another type than the coded one."""
    coded = {c.row.group for c in evidence.coded if c.row and c.row.group in _TYPES}
    if len(coded) == 1:
        others = evidence.prose.affirmed(*(t for t in _TYPES if t not in coded))
        yield from (told(NAME, m) for m in others[:1])


def _doubted(evidence: Gathered, name: str) -> Mention | None:
    """The first doubt or denial of a coded disease that nothing in the text affirms."""
    words = _DENIABLE.get(name) or _DOUBTABLE.get(name, ())
    untested = _test_pending(evidence) if name == "copd" else None
    own = [m for m in evidence.prose.of(*words) if not m.family]
    exact = [m for m in own if m.concept == words[0] or name in _DOUBTABLE] if words else []
    if untested is not None or any(m.affirmed for m in exact or own):
        return untested
    return next((m for m in own if m.doubted or m.refuted or (m.negated and name in _DENIABLE)), None)


def _test_pending(evidence: Gathered) -> Mention | None:
    """«Spirometri bestilt», where no result of one is told."""
    prose = evidence.prose
    if prose.of("lung_result"):
        return None
    return next((m for m in prose.of("lung_test") if m.pending and not (m.family or m.past)), None)


def _unwanted(evidence: Gathered, name: str) -> Mention | None:
    """A coded nicotine or alcohol matter that the citizen does not want, or that the text says is none."""
    if name not in _SUBSTANCES:
        return None
    offer, status, none = _SUBSTANCES[name]
    prose = evidence.prose
    if prose.requested(offer):
        return None
    unwanted = [m for m in prose.of(offer, "quit") if m.refused or (m.negated and m.concept == offer)]
    if unwanted:
        return unwanted[0]
    denied = [*(prose.affirmed(none) if none else ()), *(m for m in prose.of(status) if m.negated and not m.family)]
    return denied[0] if denied and not prose.affirmed(status) else None
