"""Interchanges with a fault: the refuse code, the place that is answered, and nothing of the content in the answer."""

from typing import NamedTuple

import pytest

from gateway.errors import RefuseCode
from gateway.mapping.encoding import wrap
from gateway.receive import read
from gateway.referral.letters import Outgoing, Payload, ReceivedReceipt
from gateway.referral.model import Referral
from tests.builders import CPR, NAME, SENDER_GLN, WORDS, faults, handle, kinds, only, vans
from tests.edifact_builders import contrl, ftx, interchange, party, patient, ref01, ucm, whole
from tests.edifact_reference import tokens
from tests.reference import own_violations

DEFAULT = interchange()
ENVELOPE = "UCI"
LETTER = "UCM"


def sent(letter: Outgoing) -> bytes:
    return wrap(letter, "UDGAAENDE00001", letter.at)


class Refusal(NamedTuple):
    data: bytes
    fault: str
    code: str
    place: str = LETTER


def without(data: bytes, start: str) -> bytes:
    """The default message without one of its segments, counted anew."""
    kept = [segment for segment in ref01() if not segment.startswith(start)]
    return interchange(whole("BRV00000000001", kept[0].split("+", 2)[2], kept[1:-1]))


def body(**changes: object) -> bytes:
    return interchange(ref01(**changes))


LONG = "x" * 36
REFUSALS = {
    "charset": Refusal(interchange(charset="UNOY:4"), "GW-121", "SYN", ENVELOPE),
    "no receiver": Refusal(interchange(receiver=""), "GW-121", "SYN", ENVELOPE),
    "no envelope id": Refusal(interchange(envelope_id=""), "GW-121", "SYN", ENVELOPE),
    "envelope id of 15": Refusal(interchange(envelope_id="KUV000000000012"), "GW-121", "SYN", ENVELOPE),
    "sent on no day": Refusal(interchange(sent="261131:0915"), "GW-141", "NC", ENVELOPE),
    "sent at no time": Refusal(interchange(sent="261116"), "GW-141", "NC", ENVELOPE),
    "sent in letters": Refusal(interchange(sent="26111x:0915"), "GW-141", "NC", ENVELOPE),
    "no UNZ": Refusal(interchange(end=""), "GW-124", "SYN", ENVELOPE),
    "UNZ counts wrong": Refusal(interchange(end="UNZ+2+KUV00000000001"), "GW-124", "SYN", ENVELOPE),
    "UNZ of another": Refusal(interchange(end="UNZ+1+KUV00000000002"), "GW-124", "SYN", ENVELOPE),
    "no letters": Refusal(
        interchange(end="UNZ+0+KUV00000000001", line_end="").split(b"UNH")[0] + b"UNZ+0+KUV00000000001'",
        "GW-121",
        "SYN",
        ENVELOPE,
    ),
    "segment outside": Refusal(interchange([*ref01(), "FTX+NC"]), "GW-121", "SYN", ENVELOPE),
    "cut short": Refusal(DEFAULT[:-40], "GW-123", "SYN", ENVELOPE),
    "small tag": Refusal(DEFAULT.replace(b"S12+12", b"s12+12"), "GW-123", "SYN", ENVELOPE),
    "letter cut short": Refusal(interchange(ref01()[:-1]), "GW-124", "SYN"),
    "UNT counts wrong": Refusal(DEFAULT.replace(b"STS++NR'\n", b""), "GW-124", "SYN"),
    "UNT of another": Refusal(interchange([*ref01()[:-1], f"UNT+{len(ref01())}+BRV00000000002"]), "GW-124", "SYN"),
    "no letter id": Refusal(interchange(ref01(letter_id="")), "GW-120", "SYN"),
    "letter id of 15": Refusal(interchange(ref01(letter_id="BRV000000000012")), "GW-120", "SYN"),
    "version": Refusal(body(version="H0125R"), "GW-111", "VER"),
    "type": Refusal(body(version="H0230R", name="REF02"), "GW-110", "VER"),
    "type without name": Refusal(body(version="X", name="", message="MEDRPT"), "GW-110", "VER"),
    "type unnamed": Refusal(body(version="", name="", message=""), "GW-110", "VER"),
    "no time": Refusal(without(DEFAULT, "DTM"), "GW-120", "SYN"),
    "time of another format": Refusal(body(authorised="137:2026-11-16:102"), "GW-120", "SYN"),
    "time of letters": Refusal(body(authorised="137:20261116091x:203"), "GW-120", "SYN"),
    "time that cannot be": Refusal(body(authorised="137:202613160910:203"), "GW-141", "NC"),
    "year that cannot be": Refusal(body(authorised="137:000111160910:203"), "GW-141", "NC"),
    "no sender": Refusal(body(sender=[]), "GW-120", "SYN"),
    "no receiving party": Refusal(body(receiver=[]), "GW-120", "SYN"),
    "organisation of 36": Refusal(body(sender=party("PO", "079741:YNR:SFU", LONG)), "GW-120", "SYN"),
    "status": Refusal(body(status="X"), "GW-120", "SYN"),
    "no status": Refusal(without(DEFAULT, "GIS"), "GW-120", "SYN"),
    "episode of 36": Refusal(body(episode=LONG), "GW-120", "SYN"),
    "diagnosis without text": Refusal(body(diagnoses=["CIN+H+DE119:SKS"]), "GW-120", "SYN"),
    "no CPR": Refusal(body(citizen=patient("")), "GW-120", "SYN"),
    "CPR with letters": Refusal(body(citizen=patient("12036599AB")), "GW-120", "SYN"),
    "two numbers": Refusal(body(citizen=patient(CPR, NAME, "RFF+XPI:1203659AB1")), "GW-120", "SYN"),
    "replacement of 9": Refusal(body(citizen=patient("", NAME, "RFF+XPI:1203659AB")), "GW-120", "SYN"),
    "no surname": Refusal(body(citizen=patient(CPR, "")), "GW-120", "SYN"),
    "relation": Refusal(body(relative=["S10+10", "PNA+PAS++++SU:Markørsen"]), "GW-120", "SYN"),
    "size": Refusal(body(texts=["S12+12", ftx("BIN", "Billede", "abc", "IMG", "JPG", "-1")]), "GW-120", "SYN"),
    "another receiver": Refusal(interchange(receiver="5790009992028"), "GW-130", "LOK"),
    "another municipality": Refusal(body(receiver=party("SSP", "147:KOM:IM")), "GW-131", "MID"),
    "impossible CPR": Refusal(body(citizen=patient("3102659901")), "GW-140", "NC"),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_refused(refusal: Refusal) -> None:
    outcome = handle(refusal.data)
    assert faults(outcome) == [refusal.fault]
    assert outcome.cases == ()
    receipt = sent(only(outcome, "CTL02"))
    assert own_violations(receipt) == []
    reasons = [
        (before[0][0], ftx[1][0])
        for before, ftx in zip(tokens(receipt), tokens(receipt)[1:], strict=False)
        if ftx[0][0] == "FTX"
    ]
    assert reasons == [(refusal.place, refusal.code)]
    text = receipt.decode("iso-8859-1")
    assert not any(secret in text for secret in (CPR, NAME, WORDS, LONG))
    assert refusal.fault in text


def test_forty_faults_and_more() -> None:
    assert len(REFUSALS) >= 40


@pytest.mark.parametrize(
    "data",
    [DEFAULT.replace(b"UNB+", b"UNC+"), interchange(sender=""), b"UNB", b"UNA:+.? '\n"],
    ids=["no UNB", "no sender", "begun", "UNA only"],
)
def test_nobody_to_answer(data: bytes) -> None:
    outcome = handle(data)
    assert kinds(outcome) == []
    assert len(outcome.parked) == 1


def test_each_letter_by_itself() -> None:
    second = ref01(letter_id="BRV00000000002", status="X")
    outcome = handle(interchange(ref01(), second))
    assert faults(outcome) == ["GW-120"]
    assert kinds(outcome)[:2] == ["CTL02", "CTL03"]
    assert b"UCM+BRV00000000002" in only(outcome, "CTL02").content
    assert b"BRV00000000001" not in only(outcome, "CTL02").content
    assert b"UCM+BRV00000000001" in only(outcome, "CTL03").content


@pytest.mark.parametrize("charset", ["UNOA:1", "UNOB:1", "UNOC:3"])
@pytest.mark.parametrize("una", ["UNA:+.? '", ""])
@pytest.mark.parametrize("line_end", ["", "\n", "\r\n"])
def test_forms_of_one_message(charset: str, una: str, line_end: str) -> None:
    reading = read(interchange(charset=charset, una=una, line_end=line_end if una else ""))
    (letter,) = reading.letters
    assert isinstance(letter.content, Referral)
    assert letter.content == read(DEFAULT).letters[0].content
    assert reading.arrival == read(DEFAULT).arrival
    assert reading.arrival.payload is Payload.EDIFACT


@pytest.mark.parametrize(("wanted", "answers"), [("1", ["CTL03"]), ("0", []), ("", [])])
def test_a_positive_receipt_when_asked_for(wanted: str, answers: list[str]) -> None:
    assert kinds(handle(interchange(wanted=wanted))) == [*answers, "DIS91", "Task"]


@pytest.mark.parametrize(("sent_at", "year"), [("690101:0000", 2069), ("700101:0000", 1970), ("991231:2359", 1999)])
def test_years_of_two_digits(sent_at: str, year: int) -> None:
    moment = read(interchange(sent=sent_at)).sent_at
    assert moment is not None
    assert moment.year == year


def test_twice_is_once() -> None:
    first = handle(DEFAULT)
    from gateway.referral.inbox import Known

    again = handle(DEFAULT, Known().fold(first))
    assert again.duplicate
    assert again.resend == first.message.receipts


# ------------------------------------------------------------------ receipts for what we sent
def receipt_of(data: bytes) -> ReceivedReceipt:
    (letter,) = read(data).letters
    assert isinstance(letter.content, ReceivedReceipt), letter.fault
    assert not letter.is_answered
    return letter.content


@pytest.mark.parametrize(("kind", "positive"), [("CTL01", False), ("CTL02", False), ("CTL03", True)])
def test_receipts_are_read(kind: str, positive: bool) -> None:  # noqa: FBT001
    receipt = receipt_of(interchange(contrl(kind, ucm()), wanted="0"))
    assert (receipt.kind, receipt.positive, receipt.envelope_id) == (kind, positive, "UDGAAENDE00001")
    assert [letter.letter_id for letter in receipt.letters] == ["UDBREV00000001"]
    assert receipt.text == ""


@pytest.mark.parametrize(
    ("qualifier", "code"),
    [
        ("NC", RefuseCode.UNSPECIFIED),
        ("LOK", RefuseCode.UNKNOWN_LOCATION),
        ("MID", RefuseCode.RECEIVER_ID),
        ("VER", RefuseCode.VERSION),
        ("SYN", RefuseCode.SYNTAX),
    ],
)
def test_refuse_codes_where_they_stand(qualifier: str, code: RefuseCode) -> None:
    whole_refused = receipt_of(interchange(contrl("CTL02", ftx(qualifier, "Kan", "ikke"), ucm())))
    assert (whole_refused.refuse_code, whole_refused.text) == (code, "Kan\nikke\n")
    assert whole_refused.letters[0].refuse_code is None
    one_refused = receipt_of(interchange(contrl("CTL02", ucm(), ftx(qualifier, "Kan ikke"), ucm("UDBREV00000002"))))
    assert one_refused.refuse_code is None
    assert [letter.refuse_code for letter in one_refused.letters] == [code, None]


@pytest.mark.parametrize("segments", [[ftx("XX", "?")], [ucm("")], [ucm("UDBREV000000012")]])
def test_receipts_that_cannot_be_read_are_never_answered(segments: list[str]) -> None:
    outcome = handle(interchange(contrl("CTL02", *segments)))
    assert (faults(outcome), kinds(outcome)) == (["GW-164"], [])


def test_a_receipt_of_unknown_version_is_never_answered() -> None:
    outcome = handle(interchange(contrl("CTL02", version="C0299Q")))
    assert (faults(outcome), kinds(outcome)) == (["GW-164"], [])


def test_a_receipt_without_interchange() -> None:
    data = interchange(whole("KVITBREV000001", "CONTRL:D:93A:ZZ:C0330Q+CTL03", [ucm()]))
    assert faults(handle(data)) == ["GW-164"]


# ------------------------------------------------------------------ in a VANSEnvelope
def test_edifact_in_a_vans_envelope() -> None:
    outcome = handle(vans(DEFAULT, payload_format="EDIFACT"))
    assert kinds(outcome) == ["VANSReceipt", "DIS91", "Task"]
    data = wrap(only(outcome, "DIS91"), "5d7c9b1a-2e3f-4a4b-8c5d-6e7f8a9b0c1d", only(outcome, "DIS91").at)
    assert b"<Format>EDIFACT</Format><Name>MCM:DIS91</Name><Version>D9134L</Version>" in data
    assert own_violations(data) == []


def test_the_bytes_decide_not_the_format() -> None:
    assert kinds(handle(vans(DEFAULT, payload_format="XML"))) == ["VANSReceipt", "DIS91", "Task"]
    assert faults(handle(vans(b"hest", payload_format="EDIFACT"))) == ["GW-101"]


def test_edifact_beyond_the_limit_is_answered() -> None:
    from gateway.municipality.model import load
    from gateway.receive import receive
    from gateway.referral.inbox import Known
    from tests.builders import RECEIVED

    reading = read(DEFAULT, limit=100)
    assert (reading.fault.id if reading.fault else None, reading.arrival.sender_gln) == ("GW-104", SENDER_GLN)
    assert [letter.kind for letter in receive(reading, Known(), load(), RECEIVED).outgoing] == ["CTL02"]
