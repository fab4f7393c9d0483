"""CTL01, CTL02, CTL03 (CONTRL): receipts in EDIFACT (facts §7.1; pairs CTL01_1 to CTL03_1).

UCI speaks of the interchange, each UCM of one message; the FTX behind either says why it is refused. Sender and
receiver are the original's, swapped, and stand in the interchange around the receipt.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from gateway.errors import Fault, RefuseCode
from gateway.mapping.edifact import codes
from gateway.mapping.edifact.message import Message, UnreadableLetterError, needed_in
from gateway.mapping.edifact.parties import cut
from gateway.mapping.edifact.segments import Segment, segment
from gateway.mapping.edifact.texts import COMPONENTS, read_text, write_lines, write_text
from gateway.mapping.refusal import refuse_text
from gateway.referral.ids import MEDCOM_ID_LENGTH
from gateway.referral.letters import AnsweredLetter, Receipt, ReceivedLetter, ReceivedReceipt

#: kind, version and verdict of what we write
_WRITTEN = {True: ("CTL03", "C0330Q", "7"), False: ("CTL02", "C0230Q", "4")}
POSITIVE = "CTL03"
_GLN, _VERSION = 35, 7
_MAX_LETTERS = 99
_UNREAD = "ukendt"
#: the first letter of a version tells the message: H henvisning, D epikrise …
_MESSAGES: Mapping[str, str] = MappingProxyType(
    {"H": "MEDREF", "D": "MEDDIS", "C": "CONTRL", "B": "MEDBIN", "R": "MEDRPT", "Q": "MEDREQ"}
)


# ------------------------------------------------------------------ reading
def decode(message: Message) -> ReceivedReceipt:
    """One CONTRL message → what was accepted or refused; a letter's own code wins over the interchange's."""
    segments = message.first("").segments
    uci = next((one for one in segments if one.tag == "UCI"), None)
    return ReceivedReceipt(
        kind=message.type,
        positive=message.type == POSITIVE,
        envelope_id=needed_in(uci, (1, 1), MEDCOM_ID_LENGTH, "UCI"),
        letters=tuple(_letter(ucm, ftx) for ucm, ftx in _with_reasons(segments, "UCM")),
        refuse_code=next((_refuse_code(ftx) for _, ftx in _with_reasons(segments, "UCI")), None),
        text="\n".join(read_text([one]) for one in segments if one.tag == "FTX"),
    )


def _with_reasons(segments: tuple[Segment, ...], tag: str) -> Iterator[tuple[Segment, Segment | None]]:
    """Each segment of that tag, with the FTX right behind it."""
    for one, following in zip(segments, (*segments[1:], None), strict=True):
        if one.tag == tag:
            yield one, following if following is not None and following.tag == "FTX" else None


def _letter(ucm: Segment, ftx: Segment | None) -> ReceivedLetter:
    return ReceivedLetter(letter_id=needed_in(ucm, (1, 1), MEDCOM_ID_LENGTH, "UCM"), refuse_code=_refuse_code(ftx))


def _refuse_code(ftx: Segment | None) -> RefuseCode | None:
    if ftx is None:
        return None
    code = codes.REFUSALS.get(ftx.part(1))
    if code is None:
        raise UnreadableLetterError(Fault(id="GW-120", detail="FTX: afvisningskode"))
    return code


# ------------------------------------------------------------------ writing
def kind_of(receipt: Receipt) -> tuple[str, str]:
    """Type and version of the receipt we write."""
    return _WRITTEN[receipt.positive][:2]


def encode(receipt: Receipt, our_gln: str) -> tuple[Segment, ...]:
    """What stands between UNH and UNT; ``our_gln`` signs where the original's receiver is nobody here."""
    arrival, verdict = receipt.arrival, _WRITTEN[receipt.positive][2]
    ends = (_quoted(arrival.sender_gln, _GLN), "14"), (_quoted(arrival.receiver_gln or our_gln, _GLN), "14")
    return (
        segment("UCI", _quoted(arrival.envelope_id, MEDCOM_ID_LENGTH), *ends, verdict),
        *_refusal(receipt.fault, receipt, None),
        *(s for letter in receipt.letters[:_MAX_LETTERS] for s in _original_letter(letter, receipt, verdict)),
    )


def _original_letter(letter: AnsweredLetter, receipt: Receipt, verdict: str) -> Iterator[Segment]:
    version = _quoted(letter.version, _VERSION)
    kind = (_MESSAGES.get(version[0], "MEDREF"), "D", "93A", "UN", version)
    yield segment("UCM", _quoted(letter.letter_id, MEDCOM_ID_LENGTH), kind, verdict)
    yield from _refusal(letter.fault, receipt, letter.letter_id)


def _refusal(fault: Fault | None, receipt: Receipt, letter_id: str | None) -> list[Segment]:
    """One FTX, for only the first one is read (MedCom's converter); ids and rules, never content."""
    if fault is None:
        return []
    lines = write_lines(refuse_text(fault, receipt, letter_id))[:COMPONENTS]
    return write_text(codes.REFUSAL_QUALIFIERS[fault.row.medcom], lines)


def _quoted(text: str | None, limit: int) -> str:
    """What the original says; the receipt demands it even where nothing could be read."""
    return cut(text, limit) or _UNREAD
