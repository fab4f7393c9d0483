"""XCTL01/02/03: receipts in MedCom XML, always in the 2005/08/07 namespace (facts §7.1).

Sender and receiver are the original's, swapped. A receipt is never receipted. RefuseText names ids and times only.
"""

from lxml import etree

from gateway.errors import Fault, RefuseCode
from gateway.mapping.latin1 import latin1
from gateway.mapping.medcom.elements import all_named, children, cut, group, needed, tag, text_of
from gateway.mapping.medcom.formatted_text import flatten, render
from gateway.mapping.refusal import refuse_text
from gateway.referral.ids import MEDCOM_ID_LENGTH
from gateway.referral.letters import AnsweredLetter, Receipt, ReceivedLetter, ReceivedReceipt

NEGATIVE, POSITIVE = "XCTL02", "XCTL03"
_KINDS = {"NegativeVansReceipt": "XCTL01", "NegativeReceipt": NEGATIVE, "PositiveReceipt": POSITIVE}
_WRITTEN = {True: ("PositiveReceipt", POSITIVE, "XC0330Q"), False: ("NegativeReceipt", NEGATIVE, "XC0230Q")}
_MAX_LETTERS = 99
_UNREAD = "ukendt"


def decode(element: etree._Element) -> ReceivedReceipt:
    """One receipt element → what was accepted or refused; a letter's own code wins over the envelope's."""
    original = children(element)["OriginalEmessage"]
    found = children(original)
    kind = _KINDS[element.tag.rpartition("}")[2]]
    letters = tuple(_received_letter(letter) for letter in all_named(original, "OriginalLetter"))
    texts = [flatten(found.get("RefuseText"))]
    texts += [flatten(children(letter).get("RefuseText")) for letter in all_named(original, "OriginalLetter")]
    return ReceivedReceipt(
        kind=kind,
        positive=kind == POSITIVE,
        envelope_id=needed(found, "OriginalEnvelopeIdentifier"),
        letters=letters,
        refuse_code=_refuse_code(text_of(found, "RefuseCode")),
        text="\n".join(text for text in texts if text),
    )


def _received_letter(element: etree._Element) -> ReceivedLetter:
    found = children(element)
    return ReceivedLetter(
        letter_id=needed(found, "OriginalLetterIdentifier"), refuse_code=_refuse_code(text_of(found, "RefuseCode"))
    )


def _refuse_code(value: str | None) -> RefuseCode | None:
    return RefuseCode(value) if value else None


def kind_of(receipt: Receipt) -> tuple[str, str]:
    """Type and version of the receipt we write."""
    return _WRITTEN[receipt.positive][1:]


def encode(receipt: Receipt, letter_id: str, our_gln: str) -> str:
    """The receipt element without namespace; ``our_gln`` signs where the original's receiver is nobody here."""
    name, kind, version = _WRITTEN[receipt.positive]
    arrival = receipt.arrival
    sender, receiver = _quoted(arrival.sender_gln, 35), _quoted(arrival.receiver_gln or our_gln, 35)
    original = group(
        "OriginalEmessage",
        tag("OriginalEnvelopeIdentifier", _quoted(arrival.envelope_id, MEDCOM_ID_LENGTH)),
        group("OriginalSender", tag("EANIdentifier", sender)),
        group("OriginalReceiver", tag("EANIdentifier", receiver)),
        _refusal(receipt.fault, receipt, None),
        *(_original_letter(letter, receipt) for letter in receipt.letters[:_MAX_LETTERS]),
    )
    head = group("Letter", tag("Identifier", letter_id), tag("VersionCode", version), tag("StatisticalCode", kind))
    return group(
        name,
        head,
        group("Sender", tag("EANIdentifier", our_gln)),
        group("Receiver", tag("EANIdentifier", sender)),
        original,
    )


def _original_letter(letter: AnsweredLetter, receipt: Receipt) -> str:
    return group(
        "OriginalLetter",
        tag("OriginalLetterIdentifier", _quoted(letter.letter_id, MEDCOM_ID_LENGTH)),
        tag("OriginalVersionCode", _quoted(letter.version, 7)),
        _refusal(letter.fault, receipt, letter.letter_id),
    )


def _quoted(text: str | None, limit: int) -> str:
    """What the original says, as ISO-8859-1 can write it; the receipt demands it even where nothing could be read."""
    return cut(latin1(text or ""), limit) or _UNREAD


def _refusal(fault: Fault | None, receipt: Receipt, letter_id: str | None) -> str:
    if fault is None:
        return ""
    return (
        tag("RefuseCode", fault.row.medcom)
        + f"<RefuseText>{render(latin1(refuse_text(fault, receipt, letter_id)))}</RefuseText>"
    )
