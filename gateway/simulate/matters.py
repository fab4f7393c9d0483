"""What simulated referrals are about: matters with their codes and wordings, and what the rules conclude of them."""

import re
import tomllib
from functools import cache
from importlib import resources
from random import Random

import msgspec

from gateway.referral.model import CodeSystem, Diagnosis

#: ``{43..47}`` in a text: a whole number drawn from that span
_SPAN = re.compile(r"\{(\d+)\.\.(\d+)\}")
#: what practices code with; hospitals use SKS
_PRACTICES_WITH_ICPC2 = 0.7
_MOST_FILLING = 6


class Matter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of referral."""

    name: str
    #: of a thousand referrals
    share: int
    #: what the rules conclude in the built-in municipality
    outcome: str
    programmes: tuple[str, ...]
    reasons: tuple[str, ...] = ()
    #: who refers so; empty for practices and hospitals
    referrers: tuple[str, ...] = ()
    #: (code, title)
    sks: tuple[tuple[str, str], ...] = ()
    icpc2: tuple[tuple[str, str], ...] = ()
    #: diagnoses in words only
    uncoded: tuple[str, ...] = ()
    #: a second diagnosis: system, code, title
    further: tuple[str, str, str] | None = None
    #: the carrier says «at once», where it can
    priority: bool = False
    openings: tuple[str, ...]
    wishes: tuple[str, ...]


class Matters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole table."""

    filling: tuple[str, ...]
    matter: tuple[Matter, ...]


@cache
def matters() -> Matters:
    """The table as it stands in the package."""
    text = resources.files("gateway.simulate").joinpath("matters.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Matters)


def drawn_matter(random: Random) -> Matter:
    """A matter, each by its share."""
    table = matters().matter
    return random.choices(table, [matter.share for matter in table])[0]


def diagnoses(matter: Matter, referrer: str, random: Random) -> tuple[Diagnosis, ...]:
    """The main diagnosis in the code system that the referrer uses, and the second one where the matter has it."""
    in_icpc2 = matter.icpc2 and (not matter.sks or (referrer == "practice" and random.random() < _PRACTICES_WITH_ICPC2))
    if matter.uncoded:
        main = Diagnosis(system=None, code=None, text=random.choice(matter.uncoded), main=True)
    else:
        code, title = random.choice(matter.icpc2 if in_icpc2 else matter.sks)
        main = Diagnosis(system=CodeSystem.ICPC2 if in_icpc2 else CodeSystem.SKS, code=code, text=title, main=True)
    if matter.further is None:
        return (main,)
    system, code, title = matter.further
    return main, Diagnosis(
        system=CodeSystem(system), code=code, text=title, main=False, description_code="tillaegsdiagnose"
    )


def wording(matter: Matter, random: Random) -> str:
    """The referral's text: an opening, some of everything else that stands in such letters, and the wish."""
    between = random.sample(matters().filling, random.randint(1, _MOST_FILLING))
    lines = (random.choice(matter.openings), " ".join(between), random.choice(matter.wishes))
    return _SPAN.sub(lambda span: str(random.randint(int(span[1]), int(span[2]))), "\n".join(lines))
