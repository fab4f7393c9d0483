"""What messages call by their standards' names, and rules by their sources', as the case page says it in Danish."""

import re
from collections.abc import Mapping

#: type of message → what came
CAME: Mapping[str, str] = {
    "XREF15": "henvisning",
    "XREF01": "henvisning",
    "REF01": "henvisning",
    "ServiceRequest": "henvisning",
    "XDIS91": "korrespondance",
    "DIS91": "korrespondance",
    "CareCommunication": "korrespondance",
    "XBIN01": "bilag",
    "XBIN02": "bilag",
    "team-event": "hændelse fra team",
}
#: element in which a text of the referral stands → what it is about
PLACES: Mapping[str, str] = {
    "Anamnesis": "Anamnese",
    "ClinicalReason": "Klinisk begrundelse",
    "Cave": "CAVE",
    "Examination": "Undersøgelser",
    "ActualMedicine": "Aktuel medicin",
    "Supplementary": "Supplerende oplysninger",
    "DiagnoseText": "Diagnosetekst",
    "code": "Det henvises til",
    "orderDetail": "Nærmere om bestillingen",
    "patientInstruction": "Vejledning til borgeren",
    "note": "Notat",
    "Observation": "Måling",
}
#: as docs/da/beslutninger.md names them
SOURCES: Mapping[str, str] = {
    "seed 000": "Ishøjs status for forløbsprogrammer 2022",
    "seed 001": "KL's katalog over forebyggelsestilbud",
    "seed 002": "Ishøjs kvalitetsstandard 2024",
    "seed 003": "KL's temadag",
    "seed 004": "Sundhedsstyrelsens henvisningsvejledning 2024",
    "decision.md": "beslutningsreglerne",
    "interpretation of general practice prose": "tolkning af, hvordan læger skriver",
    "interpretation, FSIII definitions": "tolkning, FSIII-definitioner",
    "Danish word list: one letter from a word of terms.tsv": "ordliste: ét bogstav fra et kendt ord",
}
_PLACE_OF_QUOTE = re.compile(r"\((\w+), sætning ")
_SOURCE = re.compile("|".join(map(re.escape, SOURCES)))


def place_name(place: str) -> str:
    """What a text of the referral is about.

    >>> place_name("note"), place_name("NewElement")
    ('Notat', 'NewElement')
    """
    return PLACES.get(place, place)


def with_places(text: str) -> str:
    """A statement of the decision, with the places of its quotes in Danish.

    >>> with_places("KOL: «Kendt KOL» (note, sætning 1).")
    'KOL: «Kendt KOL» (Notat, sætning 1).'
    """
    return _PLACE_OF_QUOTE.sub(lambda found: f"({place_name(found[1])}, sætning ", text)


def source_name(source: str) -> str:
    """Where a rule comes from, for people.

    >>> source_name("seed 000; seed 002")
    'Ishøjs status for forløbsprogrammer 2022; Ishøjs kvalitetsstandard 2024'
    >>> source_name("decision.md §5; seed 000"), source_name("Ishøj Kommune 2026-11-22")
    ('beslutningsreglerne §5; Ishøjs status for forløbsprogrammer 2022', 'Ishøj Kommune 2026-11-22')
    """
    return _SOURCE.sub(lambda found: SOURCES[found[0]], source)
