"""MedCom's EDIFACT codes and the words that the XML twins have for them (facts §2.4, §2.5, §5.1, §6, §7.1).

A code that no table knows is kept as it stands: it says something to a person, and nothing is guessed from it.
"""

import csv
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

from gateway.errors import RefuseCode

#: NAD and PNA: qualifier and agency of an identifier; no qualifier is a GLN
IDENTIFIER_CODES = MappingProxyType(
    {
        "YNR": "ydernummer",
        "SKS": "sygehusafdelingsnummer",
        "KOM": "kommunenummer",
        "EAN": "lokationsnummer",
        "": "lokationsnummer",
        "SOR": "sorkode",
    }
)
#: qualifier and agency to write for each kind of identifier (MedCom's converter)
QUALIFIERS = MappingProxyType(
    {
        "ydernummer": ("YNR", "SFU"),
        "sygehusafdelingsnummer": ("SKS", "SST"),
        "kommunenummer": ("KOM", "IM"),
        "lokationsnummer": ("", "9"),
        "sorkode": ("SOR", "SST"),
    }
)
#: GIS of a letter
CORRECTIONS = MappingProxyType({"N": False, "M": True})
PHONES = MappingProxyType({"HO": "fastnet", "CE": "mobil", "WO": "arbejde"})
RELATIONS = MappingProxyType({"GU": "uspec_paaroerende", "MO": "mor", "FA": "far", "SD": "barn"})
DIAGNOSIS_ROLES = MappingProxyType(
    {
        "DI": "uspec_diagnose",
        "H": "henv_diagnose",
        "B": "bidiagnose",
        "DM": "tillaegsdiagnose",
        "A": "aktionsdiagnose",
        "G": "grundmorbus",
        "M": "midlertidig_diagnose",
        "S": "forloebsdiagnose",
        "TR": "operation",
        "IN": "roentgenundersoegelse",
    }
)
PRIORITIES = MappingProxyType({"WA": "elektiv", "AC": "akut", "SA": "saerlige_forhold"})
REFERRAL_STATES = MappingProxyType({"HA": "ambulant", "HS": "indlaeggelse"})
TRANSPORTS = MappingProxyType({"TX": "ingen", "ST": "liggende", "SI": "siddende"})
VISITATIONS = MappingProxyType(
    {
        "US": "ustruktureret",
        "EL": "egen_laege",
        "HV": "henvisning_modtaget",
        "VI": "visitering",
        "IK": "indkaldt",
        "AF": "indlagt_paa",
        "UA": "udenamts_kaution",
    }
)
OBJECT_CODES = MappingProxyType(
    {
        "TXT": "tekstfil",
        "IMG": "billede",
        "PRG": "program",
        "VGR": "vektor_grafik",
        "BSG": "biosignaler",
        "MUL": "multimedie",
        "SND": "multimedie",
        "PRP": "proprietaert_indhold",
    }
)
#: the other extensions are the XML twin's in capital letters
EXTENSIONS = MappingProxyType({"TIF": "tiff", "JPG": "jpeg"})
#: FTX of a receipt
REFUSALS = MappingProxyType(
    {
        "NC": RefuseCode.UNSPECIFIED,
        "LOK": RefuseCode.UNKNOWN_LOCATION,
        "MID": RefuseCode.RECEIVER_ID,
        "VER": RefuseCode.VERSION,
        "SYN": RefuseCode.SYNTAX,
    }
)
REFUSAL_QUALIFIERS = MappingProxyType({code: qualifier for qualifier, code in REFUSALS.items()})
#: the speciality of a sender who tells none
UNCLASSIFIED = "99"


@cache
def specialities() -> Mapping[str, str]:
    """SPR code → MedCom MedicalSpecialityCode."""
    table = resources.files("gateway.mapping.edifact") / "specialities.tsv"
    with table.open(encoding="utf-8") as lines:
        rows = csv.DictReader(lines, delimiter="\t")
        return MappingProxyType({row["code"]: row["speciality"] for row in rows})


@cache
def speciality_codes() -> Mapping[str, str]:
    """MedCom MedicalSpecialityCode → SPR code."""
    return MappingProxyType({speciality: code for code, speciality in specialities().items()})


def word(table: Mapping[str, str], code: str) -> str | None:
    """The XML twin's word for a code; the code itself where the table lacks it, None where there is none."""
    return table.get(code, code) or None


def code(table: Mapping[str, str], told: str) -> str:
    """The code for a word, the other way round: the first that has it, else the word itself.

    >>> code(PHONES, "mobil"), code(PHONES, "XY")
    ('CE', 'XY')
    """
    return next((code for code, word in table.items() if word == told), told)
