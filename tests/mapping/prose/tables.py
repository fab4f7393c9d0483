"""Small word tables of the tests' own: they stay as they are when the program's tables grow."""

from gateway.mapping.prose.lexicon import Lexicon, Phrase
from gateway.mapping.prose.mentions import Mention
from gateway.mapping.prose.passages import Passages, Sentence
from gateway.mapping.prose.prose import Prose, WordTables
from gateway.mapping.prose.search import SmallWords
from gateway.referral.model import ClinicalText

TERMS = {
    "copd": ("kol", "kronisk obstruktiv lungesygdom"),
    "diabetes": ("diabetes",),
    "diabetes_2": ("type 2 diabetes", "diabetes type 2"),
    "cancer": ("kraeft", "brystkraeft"),
    "heart_event": ("blodprop",),
    "offer": ("lungehold", "traening", "stoppe med at ryge"),
    "nothing": ("kolesterol", "mororad"),
}
CUES = {
    "negation": ("ingen", "ikke", ": ingen"),
    "negation_after": ("nej", ": nej"),
    "doubt": ("mistanke om",),
    "doubt_after": ("?",),
    "refuted_after": ("er afkraeftet",),
    "family": ("mor", "far", "familie"),
    "family_after": ("hos mor",),
    "others": ("aegtefaellen",),
    "husband": ("mand",),
    "past": ("tidligere",),
    "request": ("henvises til", "oensker"),
    "refusal": ("oensker ikke",),
    "ongoing": ("gaar til",),
    "event": ("opereret for",),
    "clause": (", der", "og oensker", ", han"),
    "local": ("velreguleret",),
}
SMALL = SmallWords(
    fillers=frozenset({"helt", "en"}),
    boundaries=frozenset({"men", "(", ")", ":"}),
    joins=frozenset({"og", "eller"}),
    value_links=frozenset({"tidligere", "nu", "maalt", "er", "paa"}),
)
HEADINGS = {"tidligere": "past", "familie": "family", "henvises til": "request", "tobak": "status", "plan": "request"}
ABBREVIATIONS = frozenset({"tidl", "bl", "pga"})
TAILS, FREE_TAILS = ("hold", "patient", "sygdom", "traening", "stop"), ("kraeft",)


def phrases(rows: dict[str, tuple[str, ...]]) -> list[Phrase]:
    return [
        Phrase(id=f"{kind}-{text}", kind=kind, words=tuple(text.split()), source="test")
        for kind, texts in rows.items()
        for text in texts
    ]


LEXICON = Lexicon(phrases(TERMS), phrases(CUES), TAILS, FREE_TAILS)
WORDS = WordTables(
    lexicon=LEXICON, concepts=frozenset(TERMS), headings=HEADINGS, abbreviations=ABBREVIATIONS, small=SMALL
)


def cut(text: str) -> list[Sentence]:
    """The text's sentences."""
    return Passages(LEXICON, HEADINGS, ABBREVIATIONS).sentences(text)


def written(text: str) -> list[tuple[str, str]]:
    """(scope, words) of each sentence."""
    return [(sentence.scope, " ".join(sentence.words)) for sentence in cut(text)]


def prose(*texts: str) -> Prose:
    """What texts say; the first is the Anamnesis."""
    places = ["Anamnesis", "Supplementary", "Examination"]
    return Prose([ClinicalText(place=p, text=t) for p, t in zip(places, texts, strict=False)], WORDS)


def only(text: str, concept: str) -> Mention:
    """The one mention of a concept."""
    (mention,) = prose(text).of(concept)
    return mention
