"""Signs of danger and of what §119 does not cover (decision.md §4): a person looks, the urgent ones first in line."""

from collections.abc import Collection, Iterator

from gateway.mapping.evidence.gathered import Gathered, ruled, told
from gateway.mapping.prose.mentions import Mention
from gateway.referral.needs import Finding

_WITHDRAWAL_ROW = "DX-SKS-DF103"
_PREGNANCY_GROUP = "gestational_diabetes"


def dangers(evidence: Gathered) -> Iterator[Finding]:
    """URGENT, ALCOHOL_DEPENDENCE, PREGNANT."""
    yield from _urgent(evidence)
    yield from _dependence(evidence)
    yield from _pregnant(evidence)


def _signs(evidence: Gathered, *concepts: str) -> list[Mention]:
    """Mentions that are not denied, not past and not someone else's; a suspicion counts."""
    return [
        m
        for m in evidence.prose.of(*concepts)
        if not (m.negated or m.past or m.family or m.refused) and not (m.year and m.year < evidence.today.year)
    ]


def _withdrawals(evidence: Gathered) -> list[Mention]:
    """Signs of alcohol withdrawal; those from tobacco are said in a sentence about tobacco alone, or just behind one.

    Behind one only where nothing in the referral is about alcohol.
    """
    prose = evidence.prose
    tobacco = {m.sentence for m in prose.of("smoking", "offer_nicotine")}
    drinking = {m.sentence for m in prose.of("drinking")}
    sober = not (drinking or prose.of("offer_alcohol") or evidence.coded_in("alcohol"))
    behind = {sentence + 1 for sentence in tobacco} if sober else set()
    return [m for m in _signs(evidence, "withdrawal") if m.sentence not in (tobacco | behind) - drinking]


def _urgent(evidence: Gathered) -> Iterator[Finding]:
    for item in evidence.coded:
        if item.row and item.row.id == _WITHDRAWAL_ROW:
            yield item.finding("URGENT")
    for mention in [*_withdrawals(evidence), *_signs(evidence, "suicidal", "cauda"), *_incontinence(evidence)]:
        yield told("URGENT", mention)


def _incontinence(evidence: Gathered) -> list[Mention]:
    """Incontinence is a cauda equina sign with back pain only."""
    back = evidence.coded_in("low_back") or _signs(evidence, "low_back", "back")
    return _signs(evidence, "incontinence") if back else []


def _dependence(evidence: Gathered) -> Iterator[Finding]:
    for item in evidence.coded_with("dependence"):
        yield item.finding("ALCOHOL_DEPENDENCE")
    for mention in [*_signs(evidence, "dependence"), *_withdrawals(evidence)]:
        if not mention.doubted:
            yield told("ALCOHOL_DEPENDENCE", mention)


def _pregnant(evidence: Gathered) -> Iterator[Finding]:
    for item in evidence.coded_in(_PREGNANCY_GROUP):
        if item.diagnosis.main:
            yield item.finding("PREGNANT")
    expecting = () if evidence.prose.of_a_man else ("expecting",)  # «de venter barn» of a couple
    others = {m.sentence for m in evidence.prose.of("pregnant") if m.family}
    for mention in evidence.prose.affirmed("pregnant", *expecting):
        if not mention.event and mention.sentence not in others:  # «hans kone er gravid, termin i maj»
            yield told("PREGNANT", mention)


def very_severe_copd(evidence: Gathered, listed: Collection[str]) -> Iterator[Finding]:
    """COPD_VERY_SEVERE, where copd is listed: the region's, never decided here (seed 002)."""
    if "copd" not in listed:
        return
    if evidence.fev1_below_30:
        yield ruled("COPD_VERY_SEVERE", "K-FEV1", f"«{evidence.fev1_below_30}»", "seed 002")
    with_copd = {m.sentence for m in evidence.prose.of("copd", "offer_copd")}
    for mention in evidence.prose.affirmed("severe_copd"):
        if "gold" in mention.phrase.words or mention.sentence in with_copd:
            yield told("COPD_VERY_SEVERE", mention)
