"""What stands around a need: flags, §140, other illness by text, offers asked for, wishes that are not offered."""

from collections.abc import Collection, Iterator

from gateway.mapping.evidence.gathered import Gathered, told
from gateway.mapping.evidence.programmes import ASKING_PLACE
from gateway.mapping.prose.mentions import Mention
from gateway.referral.needs import Finding

#: offers that are training when they are going on somewhere
_TEAM_TRAINING = ("offer_heart", "offer_copd", "offer_low_back", "offer_cancer")
_TRAINS = frozenset({"hold", "traening", "rehabilitering", "rehab", "genoptraening"})
_IS_OVER = frozenset({"faerdigudredt", "afsluttet", "sluppet"})
_SAYS_SO = frozenset({"faerdigudredt", "udredt"})


def section_140(evidence: Gathered, *, coded: bool) -> Iterator[Finding]:
    """The request itself is a genoptræningsplan: not where such training is going on already, past or denied."""
    told_of = evidence.prose.of("section_140")
    if any(m.ongoing and not m.requested for m in told_of):
        return
    for mention in told_of:
        usable = not (mention.negated or mention.past or mention.family or mention.doubted or mention.refused)
        asked = mention.requested or mention.place.startswith(ASKING_PLACE) or _is_sent(evidence, mention) or not coded
        if usable and asked:
            yield told("SECTION_140", mention)
            return


def _is_sent(evidence: Gathered, mention: Mention) -> bool:
    """«Fremsendes …», «vedlagt …», «er udarbejdet» in the same sentence, or a sentence that is nothing but its name."""
    told = {n: (sentence, phrases) for _, found in evidence.prose.searched for n, sentence, phrases in found}
    sentence, phrases = told[mention.sentence]
    bare = len(sentence.words) <= len(mention.phrase.words) + 1
    return bare or any(p.phrase.kind == "send" for p in phrases)


def training_elsewhere(evidence: Gathered, *, section_140_asked: bool) -> Iterator[Finding]:
    """TRAINING_BLOCKED: §140 or other equivalent training is going on (seed 002)."""
    told_of = evidence.prose.of("training_elsewhere", "section_140")
    told_of += [m for m in evidence.prose.of(*_TEAM_TRAINING) if not _TRAINS.isdisjoint(m.phrase.words)]
    going_on = [m for m in told_of if m.ongoing and m.affirmed and not m.requested]
    if not section_140_asked:
        yield from (told("TRAINING_BLOCKED", m) for m in going_on[:1])


def flags(evidence: Gathered, listed: Collection[str]) -> Iterator[Finding]:
    """INTERPRETER, PREFER_INDIVIDUAL, ASSESSMENT_UNCONFIRMED (§6)."""
    prose = evidence.prose
    interpreter = [m for m in prose.of("interpreter") if not (m.negated or m.past or m.refused)]
    individual = [m for m in prose.of("individual") if not (m.negated or m.past or m.family)]
    for mention in interpreter[:1]:
        yield told("INTERPRETER", mention)
    for mention in (interpreter or individual)[:1]:
        yield told("PREFER_INDIVIDUAL", mention)
    if "low_back" in listed and not _is_assessed(evidence):
        evidence_text = "ingen oplysning om færdigudredning i teksten"
        yield Finding(name="ASSESSMENT_UNCONFIRMED", rule="B-ASSESSED", evidence=evidence_text, source="seed 002")


def _is_assessed(evidence: Gathered) -> bool:
    """A sign of being færdigudredt, and no word that says the opposite («endnu ikke færdigudredt»)."""
    signs = evidence.prose.of("assessed")
    denied = any(m.negated and _SAYS_SO & set(m.phrase.words) for m in signs)
    pending = [m for m in evidence.prose.affirmed("assessment_pending") if not m.event]
    if denied or pending:
        return False
    return any(not (m.negated or m.doubted or m.family or _is_asked_for(m)) for m in signs)


def _is_asked_for(assessment: Mention) -> bool:
    """«Ønskes vurderet af rygkirurg»; what is over cannot be asked for («henvises til ryghold, færdigudredt»)."""
    return assessment.requested and _IS_OVER.isdisjoint(assessment.phrase.words)


def diabetes_by_text(evidence: Gathered) -> Iterator[Finding]:
    """Type 1, or diabetes whose type the text does not tell: no programme, but a chronic illness (OTHER_CHRONIC)."""
    prose = evidence.prose
    known = prose.affirmed("diabetes_2", "diabetes_secondary")
    found = prose.affirmed("diabetes_1") or ([] if known else prose.affirmed("diabetes", "offer_diabetes"))
    yield from (told("OTHER_CHRONIC", m) for m in found[:1])


def not_offered(evidence: Gathered) -> dict[str, Finding]:
    """Wishes for weight loss, stress handling and the like; a status («overvægtig», «stresset») is no wish (§3.5)."""
    prose = evidence.prose
    found: dict[str, Finding] = {}
    for name, words in (
        ("overweight", ("overweight_offer", "overweight")),
        ("mental_wellbeing", ("stress_offer", "stress")),
    ):
        asked = [m for m in prose.requested(*words) if not m.past]
        asked += [m for m in prose.affirmed(*words) if m.place.startswith(ASKING_PLACE)]
        if asked:
            found[name] = told(name, asked[0])
    return found


def offer_asked(evidence: Gathered) -> Finding | None:
    """An offer (training, diet, sygdomsmestring) is asked for, whatever it is for."""
    words = ("offer_training", "offer_diet", "offer_coping")
    asked = evidence.prose.requested(*words)
    asked += [m for m in evidence.prose.affirmed(*words) if m.place.startswith(ASKING_PLACE)]
    return told("NO_DIAGNOSIS", asked[0]) if asked else None


def training_asked(evidence: Gathered) -> bool:
    """Physical training is asked for."""
    return bool(evidence.prose.requested("offer_training"))
