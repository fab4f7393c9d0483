"""Builders of EDIFACT with defaults, in the order of MedCom's pairs. Persons, practices and numbers are invented."""

from collections.abc import Sequence

from tests.builders import CPR, EPISODE, NAME, OUR_GLN, SENDER_GLN, WORDS

UNA = "UNA:+.? '"


def _released(text: str) -> str:
    for char in "?+:'":
        text = text.replace(char, f"?{char}")
    return text


def ftx(qualifier: str, *components: str, form: str = "P00") -> str:
    """One FTX segment."""
    return f"FTX+{qualifier}+{form}++" + ":".join(_released(c) for c in components)


def party(qualifier: str, identifier: str, organisation: str = "Lægehuset Prøvely", *more: str) -> list[str]:
    """An S01 group; ``identifier`` is written with its qualifiers, ``more`` are further segments."""
    return ["S01+01", f"NAD+{qualifier}+{identifier}++{organisation}:::::US", *more]


def ref01(
    *,
    letter_id: str = "BRV00000000001",
    version: str = "H0130R",
    message: str = "MEDREF",
    name: str = "REF01",
    authorised: str = "137:202611160910:203",
    sender: Sequence[str] | None = None,
    receiver: Sequence[str] | None = None,
    referrer: Sequence[str] = ("S01+01", "NAD+BV+++Læge:Mona Prøvelæge::::US", "RFF+AHL:1", "SEQ++3"),
    status: str = "N",
    episode: str | None = EPISODE,
    diagnoses: Sequence[str] = ("CIN+H+DE119:SKS::Diagnose",),
    reason: Sequence[str] = (),
    citizen: Sequence[str] | None = None,
    relative: Sequence[str] = (),
    texts: Sequence[str] | None = None,
    more: Sequence[str] = (),
) -> list[str]:
    """A MEDREF message, UNH to UNT, as segments without their ends."""
    body = [
        "BGM+HNV++9+NA",
        f"DTM+{authorised}",
        *(sender if sender is not None else party("PO", "079741:YNR:SFU")),
        *(receiver if receiver is not None else party("SSP", "183:KOM:IM", "Ishøj Kommune")),
        *referrer,
        "S02+02",
        f"GIS+{status}",
        *([f"RFF+ROI:{episode}"] if episode is not None else []),
        *diagnoses,
        *reason,
        "S06+06",
        "STS++NR",
        *(citizen if citizen is not None else patient()),
        *relative,
        *(texts if texts is not None else ["S12+12", ftx("NC", WORDS)]),
        *more,
    ]
    return whole(letter_id, f"{message}:D:93A:UN:{version}+{name}", body)


def patient(cpr: str = CPR, surname: str = NAME, *more: str) -> list[str]:
    """S07; without a CPR its number is left out."""
    number = f"{cpr}:::CPR:IM" if cpr else ""
    return ["S07+07", f"PNA+PAT+{number}+++SU:{surname}+FO:Kai", *(more or ("ADR++US:Prøvevej 1+Ishøj+2635",))]


def whole(letter_id: str, kind: str, body: Sequence[str]) -> list[str]:
    """UNH and UNT around a message's segments."""
    return [f"UNH+{letter_id}+{kind}", *body, f"UNT+{len(body) + 2}+{letter_id}"]


def dis91(
    *,
    letter_id: str = "SVARBREV000001",
    episode: str | None = EPISODE,
    status: str = "N",
    subject: str | None = "Svar på spørgsmål",
    parts: Sequence[Sequence[str]] = ((ftx("NC", "Borgeren ønsker", "forløbet."),),),
    citizen: Sequence[str] | None = None,
) -> list[str]:
    """A MEDDIS message of a practice to us."""
    groups = [list(part) for part in parts]
    if subject is not None:
        groups[0].insert(0, ftx("OE", subject))
    body = [
        "BGM+EPI++9+NA",
        "DTM+137:202611161100:203",
        *party("SSP", "079741:YNR:SFU", "Lægehuset Prøvely", "CON++43000001:TE", "SEQ++1", "SPR+ORG+90:SKS:SST"),
        *party("PO", "183:KOM:IM", "Ishøj Kommune", "SEQ++2"),
        "S02+02",
        f"GIS+{status}",
        f"RFF+SRI:{letter_id}",
        "RFF+NO:NC",
        *(citizen if citizen is not None else patient()),
        "S11+11",
        "GIS+N",
        f"RFF+REI:{episode}" if episode else "RFF+AHI:1",
        "PAS+POT",
        *(segment for group in groups for segment in ("S14+14", *group)),
    ]
    return whole(letter_id, "MEDDIS:D:93A:UN:D9134L+DIS91", body)


def contrl(
    kind: str,
    *segments: str,
    letter_id: str = "KVITBREV000001",
    answers: str = "UDGAAENDE00001",
    version: str | None = None,
) -> list[str]:
    """A CONTRL message about an interchange of ours."""
    action = "7" if kind == "CTL03" else "4"
    uci = f"UCI+{answers}+{OUR_GLN}:14+{SENDER_GLN}:14+{action}"
    return whole(letter_id, f"CONTRL:D:93A:ZZ:{version or f'C0{kind[-1]}30Q'}+{kind}", [uci, *segments])


def ucm(letter_id: str = "UDBREV00000001") -> str:
    """What a receipt says of one message of ours."""
    return f"UCM+{letter_id}+MEDDIS:D:93A:UN:D9134L+4"


def interchange(
    *messages: Sequence[str],
    envelope_id: str = "KUV00000000001",
    sender: str = SENDER_GLN,
    receiver: str = OUR_GLN,
    sent: str = "261116:0915",
    wanted: str = "1",
    charset: str = "UNOC:3",
    una: str = UNA,
    end: str | None = None,
    line_end: str = "\n",
    encoding: str = "iso-8859-1",
) -> bytes:
    """The interchange around messages (one default REF01)."""
    letters = messages or (ref01(),)
    unz = f"UNZ+{len(letters)}+{envelope_id}" if end is None else end
    unb = f"UNB+{charset}+{sender}:14+{receiver}:14+{sent}+{envelope_id}++++{wanted}"
    segments = [unb, *(segment for letter in letters for segment in letter), *([unz] if unz else [])]
    return (una + line_end + "".join(f"{segment}'{line_end}" for segment in segments)).encode(encoding)
