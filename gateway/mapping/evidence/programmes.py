"""Programmes (decision.md §§2–3): by code; by text where no code found one; by request where a code did."""

from collections.abc import Collection

from gateway.mapping.evidence.gathered import Gathered, told
from gateway.mapping.prose.mentions import Mention
from gateway.referral.needs import Finding, Programme

#: words of the disease, and of its offer, by programme
DISEASES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "diabetes_2": (("diabetes_2",), ()),
    "diabetes_secondary": (("diabetes_secondary",), ()),
    "copd": (("copd",), ("offer_copd",)),
    "cancer": (("cancer",), ("offer_cancer",)),
    "heart": (("heart", "heart_event"), ("offer_heart",)),
    "low_back": (("low_back", "disc"), ("offer_low_back",)),
}
#: ServiceRequest.code, the kind of service: that an offer is asked for is true of every referral, and no need
KIND_PLACE = "code"
#: diseases of which only a present need counts when they are past (§3.1)
_NEEDED = {"cancer": ("need_cancer", "offer_cancer"), "heart": ("offer_heart",)}
#: concepts that tell of something that happened, where a date or «efter» makes it past
_EVENTS = frozenset({"cancer", "heart_event"})
_GENERIC = ("offer_any", "offer_training", "offer_coping")
_SUBSTANCES = {"smoking": "nicotine", "drinking": "alcohol"}
#: wishes that do not name their matter, and how many sentences before them it may be named
_REACH = {"quit": 1, "help": 0, "talk_of_it": 4}
#: places whose whole text is what the referral asks for
ASKING_PLACE = "DiagnoseText"


def by_code(evidence: Gathered) -> list[Programme]:
    """Programmes found by code, those the municipality does not offer among them."""
    return [
        _programme(evidence, found.finding(name), by_code=True) for name, found in evidence.coded_programmes.items()
    ]


def by_text(evidence: Gathered, coded: Collection[str], named: dict[str, Finding]) -> list[Programme]:
    """Programmes found by text: beside a coded one what is asked for, else whatever is ``mentioned``."""
    told_of = requested(evidence, coded) if coded else named
    return [_programme(evidence, finding, by_code=False) for name, finding in told_of.items() if name not in coded]


def _programme(evidence: Gathered, finding: Finding, *, by_code: bool) -> Programme:
    row = next(row for row in evidence.tables.programmes.values() if row.name == finding.name)
    return Programme(finding=finding, by_code=by_code, plan=row.plan)


def mentioned(evidence: Gathered) -> dict[str, Finding]:
    """Programmes that the text names in affirmative sense (§3.1–3.3)."""
    found: dict[str, Finding] = {}
    for name, (words, offers) in DISEASES.items():
        mention = _present(evidence, name, words, offers)
        if mention is not None:
            found[name] = told(name, mention)
    return found | wishes(evidence)


def _present(evidence: Gathered, name: str, words: tuple[str, ...], offers: tuple[str, ...]) -> Mention | None:
    prose = evidence.prose
    asked = prose.requested(*offers) or [m for m in prose.affirmed(*offers) if m.place.startswith(ASKING_PLACE)]
    said = [m for m in prose.of(*words) if not (m.negated or m.doubted or m.family or _is_of_neck(evidence, m))]
    now = [m for m in said if not m.past and not (m.concept in _EVENTS and m.event)]
    if now or asked:
        return (now or asked)[0]
    if name in _NEEDED and said and _has_need(evidence, name):
        return said[0]
    return None


def _is_of_neck(evidence: Gathered, mention: Mention) -> bool:
    """A disc or nerve root trouble in a sentence about the neck or the chest."""
    return mention.concept == "disc" and mention.sentence in {m.sentence for m in evidence.prose.of("neck")}


def _has_need(evidence: Gathered, name: str) -> bool:
    """A present need after a past illness: its late effects or its own offer; «ingen senfølger» says there is none.

    Where nothing else is ill, a general offer too, and after cancer, whose late effects are many, any complaint.
    """
    prose = evidence.prose
    needs = prose.of(*_NEEDED[name])
    if needs and all(m.negated for m in needs):
        return False
    if any(not (m.negated or m.doubted or m.family) for m in needs):
        return True
    others = [w for other, (words, _) in DISEASES.items() if other != name for w in words]
    asked = [m for m in prose.requested(*_GENERIC) if not m.place.startswith(KIND_PLACE)]
    asked += prose.affirmed("complaint") if name == "cancer" else []
    return bool(asked) and not prose.affirmed(*others, "prediabetes", "diabetes")


def wishes(evidence: Gathered) -> dict[str, Finding]:
    """Nicotine and alcohol by wish or request; mere status finds nothing (§3.2)."""
    prose = evidence.prose
    found: dict[str, Finding] = {}
    for name, offer in (("nicotine", "offer_nicotine"), ("alcohol", "offer_alcohol")):
        asked = [m for m in prose.requested(offer) if not (m.past or m.year or m.ago)]
        asked += [m for m in prose.affirmed(offer) if m.place.startswith(ASKING_PLACE)]
        if asked:
            found[name] = told(name, asked[0])
    for mention in [m for m in prose.requested(*_REACH) if not m.past]:
        substance = _substance_of(evidence, mention, _REACH[mention.concept])
        if substance is not None:
            found.setdefault(_SUBSTANCES[substance.concept], told(_SUBSTANCES[substance.concept], mention))
    return found | _alcohol_talk(evidence, found)


def _substance_of(evidence: Gathered, wish: Mention, before: int) -> Mention | None:
    """What someone wants to stop: the last tobacco or alcohol word in the same sentence or so many ``before`` it."""
    near = [
        m
        for m in evidence.prose.mentions
        if m.concept in _SUBSTANCES and wish.sentence - before <= m.sentence <= wish.sentence and not m.family
    ]
    return near[-1] if near else None


def _alcohol_talk(evidence: Gathered, found: dict[str, Finding]) -> dict[str, Finding]:
    """«Ønsker forebyggende samtale» beside a word of drinking, or to talk of it in one sentence, asks for the talk."""
    prose = evidence.prose
    drinking = [m for m in prose.of("drinking") if not (m.negated or m.family)]
    said_there = {m.sentence for m in drinking}
    talks = [m for m in prose.requested("prevention_talk") if "forebyggende" in m.phrase.words and drinking]
    talks += [m for m in prose.requested("talk", "prevention_talk") if m.sentence in said_there]
    return {"alcohol": told("alcohol", talks[0])} if talks and "alcohol" not in found else {}


def requested(evidence: Gathered, coded: Collection[str]) -> dict[str, Finding]:
    """Further programmes beside a coded one: only what the text asks for (§3.4)."""
    found: dict[str, Finding] = {}
    for name, (words, offers) in DISEASES.items():
        asked = [m for m in evidence.prose.requested(*offers, *words) if not (m.past or m.doubted)]
        if asked and name not in coded:
            found[name] = told(name, asked[0])
    return found | _diabetes_offer(evidence) | wishes(evidence)


def _diabetes_offer(evidence: Gathered) -> dict[str, Finding]:
    """«… har T2DM og henvises også til diabetesholdet»: the offer is asked for, the text names the type."""
    asked = evidence.prose.requested("offer_diabetes")
    types = {m.concept for m in evidence.prose.affirmed("diabetes_2", "diabetes_secondary")}
    return {name: told(name, asked[0]) for name in types} if asked and len(types) == 1 else {}
