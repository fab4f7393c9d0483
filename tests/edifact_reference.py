"""A second reading of EDIFACT that shares no code with the gateway's: what we send must pass it."""

import re

#: the segments of each type we write, in order (MedCom's pairs and converter)
_PARTY = "S01 NAD (ADR )?(CON )?SEQ "
_ORDER = {
    "CTL02": r"UNH UCI (FTX )?(UCM (FTX )?)*UNT ",
    "CTL03": r"UNH UCI (UCM )+UNT ",
    "DIS91": rf"UNH BGM DTM {_PARTY}SPR S01 NAD (ADR )?SEQ S02 GIS RFF RFF DTM S07 PNA (RFF )?"
    r"S11 GIS RFF SEQ PAS (S14 (FTX ){1,9}){1,10}UNT ",
}
_VERSIONS = {"CTL02": "C0230Q", "CTL03": "C0330Q", "DIS91": "D9134L"}


def tokens(data: bytes) -> list[list[list[str]]]:
    """Segments → elements → components, one character at a time."""
    text = data.decode("iso-8859-1").removeprefix("UNA:+.? '").lstrip()
    segments, elements, components, part = [], [], [], ""
    chars = iter(text)
    for char in chars:
        if char == "?":
            part += next(chars)
        elif char in ":+'":
            components.append(part)
            part = ""
            if char != ":":
                elements.append(components)
                components = []
            if char == "'":
                segments.append(elements)
                elements = []
        elif char != "\n" or part or elements or components:
            part += char
    assert [elements, components, part] == [[], [], ""], "the last segment has no end"
    return segments


def edifact_violations(data: bytes) -> list[str]:
    """What is wrong in an interchange of ours."""
    segments = tokens(data)
    tags = [segment[0][0] for segment in segments]
    unb, unh, unt, unz = segments[0], segments[1], segments[-2], segments[-1]
    kind, version = unh[3][0], unh[2][4]
    own_ids = (unb[5][0], unh[1][0])
    ended = (unz[1][0], unz[2][0], unt[1][0], unt[2][0]) == ("1", own_ids[0], str(len(segments) - 2), own_ids[1])
    checks = {
        "separators": data.startswith(b"UNA:+.? '\nUNB+UNOC:3+"),
        "envelope": (tags[0], tags[-1], len(unb[4][0]), len(unb[4][1])) == ("UNB", "UNZ", 6, 4),
        "ids": all(re.fullmatch("[0-9A-Za-z]{1,14}", i) for i in own_ids),
        "ends": bool(unb[2][0] and unb[3][0]) and unb[2][1] == unb[3][1] == "14",
        "counts": ended,
        "version": _VERSIONS[kind] == version,
        "order": bool(re.fullmatch(_ORDER[kind], "".join(f"{tag} " for tag in tags[1:-1]))),
        "lengths": all(len(part) <= 70 for segment in segments for element in segment for part in element),
        "texts": all(len(segment[4]) <= 5 for segment in segments if segment[0][0] == "FTX"),
        "characters": not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", data.decode("iso-8859-1")),
    }
    return [name for name, holds in checks.items() if not holds]
