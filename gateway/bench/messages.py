"""The standard mix of referrals for measuring: realistic in size and wording, no two alike in ids or citizen.

An XREF15 as systems write it (indented, every common part filled), on average about 6 kB; its text is 300, 600, 1200 or
2500 characters long, in the proportions 7 : 7 : 4 : 2. The same matters and texts as FHIR message Bundles.
"""

import hashlib
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from importlib import resources

import msgspec

from gateway.municipality.model import Municipality
from gateway.receive import read
from gateway.referral.model import Referral
from gateway.simulate import fhir_writing
from gateway.simulate.carriers import sent_at
from gateway.simulate.referrals import Run, drawn_referral

#: code, title and first sentence; one programme each
_MATTERS = (
    ("DE119", "Type 2-diabetes uden komplikationer", "Type 2-diabetes, HbA1c 57 mmol/mol, ønsker diabeteskursus."),
    ("DJ449", "Kronisk obstruktiv lungesygdom UNS", "KOL, FEV1 58 %, MRC 2. Henvises til KOL-hold."),
    ("DM545", "Lændesmerter UNS", "Lændesmerter gennem fire måneder, færdigudredt, henvises til rygtræning."),
    ("DF172", "Tobaksafhængighedssyndrom", "Ryger 20 cigaretter dagligt og ønsker hjælp til rygestop."),
    ("DI259", "Kronisk iskæmisk hjertesygdom UNS", "Iskæmisk hjertesygdom, stabil. Ønsker hjerteforløb i kommunen."),
)
#: what else stands in such a letter; repeated until the length is reached
_FILLING = (
    "Bor alene i lejlighed på 2. sal og klarer sig selv. ",
    "Motiveret for forløb og har tid om formiddagen. ",
    "Blodtryk 134/82, puls 72, ingen ødemer. ",
    "Ingen kendt allergi. Tolk: nej. ",
    "Får tabl. Simvastatin 40 mg og Amlodipin 5 mg, ellers ingen fast medicin. ",
    "Arbejder på deltid som pedel og cykler til arbejde. ",
    "Kontrolleres her i klinikken hver tredje måned. ",
    "Datteren hjælper gerne med at komme frem og tilbage. ",
)
_LENGTHS = (300,) * 7 + (600,) * 7 + (1200,) * 4 + (2500,) * 2
_FIRST_BIRTHDAY = date(1940, 1, 1)
_WRITTEN = date(2026, 11, 16)


def referral(number: int, run: str) -> bytes:
    """The ``number``-th referral of a run; ``run`` keeps the ids of different runs apart."""
    code, title, sentence = _MATTERS[number % len(_MATTERS)]
    name = hashlib.sha256(f"{run}/{number}".encode()).hexdigest()
    length = _LENGTHS[number * 7 % len(_LENGTHS)]
    citizen = int(name[:12], 16)  # hardly ever the same twice, as in a municipality
    born = _FIRST_BIRTHDAY + timedelta(days=citizen % 20_000)
    given = {
        "id": name[:13].upper(),
        "episode": name[:32],
        "cpr": f"{born:%d%m%y}{1000 + citizen // 20_000 % 3000:04}",
        "code": code,
        "title": title,
        "text": text_of(sentence, length).replace("<", "&lt;"),
    }
    return _template().format_map(given).encode()


def referrals(count: int, run: str) -> Iterator[bytes]:
    """The first ``count`` referrals of a run."""
    return (referral(number, run) for number in range(count))


def fhir_referral(number: int, run: str, municipality: Municipality) -> bytes:
    """The matter and the text of that referral in the provisional FHIR message, JSON; another citizen."""
    content = read(referral(number, run)).letters[0].content
    assert isinstance(content, Referral)  # noqa: S101  (the benchmark's own messages are referrals)
    simulated = Run(seed=f"{run}/fhir", day=_WRITTEN, municipality=municipality)
    drawn = drawn_referral(simulated, number, simulated.random(number))
    same = msgspec.structs.replace(drawn.referral, diagnoses=content.diagnoses, texts=content.texts)
    drawn = msgspec.structs.replace(drawn, referral=same)
    return msgspec.json.encode(fhir_writing.message(drawn, municipality, sent_at(drawn)))


def text_of(sentence: str, length: int) -> str:
    """A letter's text of about ``length`` characters that begins with this sentence."""
    text, number = sentence + " ", 0
    while len(text) < length:
        text += _FILLING[number % len(_FILLING)]
        number += 1
    return text.rstrip()


@cache
def _template() -> str:
    return resources.files("gateway.bench").joinpath("referral.xml").read_text(encoding="utf-8")
