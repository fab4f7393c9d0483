"""Bad messages: each draws a negative receipt with the right code where a sender can be read, else it is parked.

Never a crash, never a positive receipt, never a case; and no word about the citizen in what leaves.
"""

import gzip
from base64 import b64encode
from pathlib import Path
from typing import NamedTuple

import pytest

from gateway.errors import FAULTS
from gateway.mapping.encoding import wrap
from gateway.municipality.model import Municipality
from gateway.receive import Entrance, read, receive
from gateway.referral.inbox import Known, Outcome
from gateway.referral.letters import Carrier, Outgoing
from tests.builders import (
    CPR,
    NAME,
    NAMESPACES,
    RECEIVED,
    SENDER_GLN,
    VANS_ENVELOPE,
    VANS_MESSAGE,
    WORDS,
    emessage,
    event,
    faults,
    handle,
    kinds,
    vans,
    xctl,
    xref15,
)
from tests.reference import check_with_medcom, own_violations

GOOD, IN_VANS = emessage(), vans()
ENVELOPE_IDS = {Carrier.BARE: "SVARKUVERT0001", Carrier.VANS: "5d7c9b1a-2e3f-4a4b-8c5d-6e7f8a9b0c1d"}
LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
STRAY = "<Helbred>Markørsen har sukkersyge</Helbred>"
SENDER_READ = GOOD.index(b"</EANIdentifier>") + len(b"</EANIdentifier>")
SIZE_READ = IN_VANS.index(b"</SizeInBytes>") + len(b"</SizeInBytes>")
META_READ = IN_VANS.index(b"</MetaInformation>") + len(b"</MetaInformation>")


class Bad(NamedTuple):
    name: str
    data: bytes
    fault: str
    #: the receipts that go out
    sent: tuple[str, ...] = ()


def replaced(old: str, new: str, message: bytes = GOOD) -> bytes:
    assert old.encode() in message, old
    return message.replace(old.encode(), new.encode(), 1)


def with_doctype(subset: str, *, use: str = "") -> bytes:
    declared = replaced("<Emessage", f"<!DOCTYPE Emessage {subset}><Emessage")
    return replaced(WORDS, f"{WORDS}{use}", declared)


def with_data(text: str) -> bytes:
    start, end = IN_VANS.index(b"<Data>") + len(b"<Data>"), IN_VANS.index(b"</Data>")
    return IN_VANS[:start] + text.encode() + IN_VANS[end:]


def of_letter(**changes: object) -> bytes:
    return emessage(xref15(**changes))


XCTL, VANS = ("XCTL02",), ("VANSReceipt",)
UNREADABLE = [
    Bad("empty", b"", "GW-101"),
    Bad("white space", b" \r\n\t ", "GW-101"),
    Bad("a byte order mark alone", b"\xef\xbb\xbf", "GW-101"),
    Bad("a text file", f"{NAME} ringer i morgen".encode(), "GW-101"),
    Bad("compressed", gzip.compress(GOOD, mtime=0), "GW-101"),
    Bad("a PDF", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "GW-101"),
    Bad("all bytes", bytes(range(256)) * 3, "GW-101"),
    Bad("JSON", b'{"patient": "Mark\xc3\xb8rsen"}', "GW-110"),
    Bad("a JSON list", b"[]", "GW-110"),
    Bad("a Bundle without anything", b'{"resourceType": "Bundle"}', "GW-125"),
    Bad("JSON in JSON's clothes only", b"{hest", "GW-102"),
    Bad("EDIFACT without a sender", b"UNA:+.? 'UNB+UNOC:3'", "GW-121"),
    Bad("one character", b"<", "GW-102"),
    Bad("a declaration alone", b'<?xml version="1.0"?>', "GW-102"),
    Bad("HTML", b"<!DOCTYPE html><html><body>Hej</body></html>", "GW-103"),
    Bad("an unknown root", b"<Henvisning xmlns='urn:x'><a/></Henvisning>", "GW-110"),
    Bad("a VANSEnvelope of another namespace", replaced("envelope:1.0.4", "envelope:1.0.1", IN_VANS), "GW-110"),
    Bad("no envelope and no letter", f'<Emessage xmlns="{NAMESPACES["XH1530R"]}"/>'.encode(), "GW-121"),
    Bad("no letter", replaced(xref15(), ""), "GW-121"),
    Bad("no letter but local elements", replaced(xref15(), "<Local_Elements/>"), "GW-121"),
    Bad("no sender", of_letter(sender=None), "GW-120"),
    Bad("a sender of blanks", of_letter(sender="  ", receiver_id="461"), "GW-131"),
    Bad("a hidden DOCTYPE", b'<?xml version="1.0" encoding="UTF-7"?>\n+ADwAIQ-DOCTYPE a+AD4-<a/>', "GW-103"),
    Bad("a DOCTYPE in UTF-16", with_doctype("[]").decode().replace("UTF-8", "UTF-16").encode("utf-16"), "GW-103"),
    Bad("an envelope id that is no UUID", replaced(VANS_ENVELOPE, "kuvert-1", IN_VANS), "GW-121"),
    Bad("an envelope without sender", IN_VANS.replace(b"SenderID", b"Sender"), "GW-121"),
    Bad("an envelope without message", IN_VANS.replace(b"Message>", b"Besked>"), "GW-121"),
    Bad("a receipt for nothing", replaced("<Message>", "<Receipt/><Message>", IN_VANS), "GW-164"),
    Bad("a receipt of no kind", vans()[: IN_VANS.index(b"<Message>")] + b"<Receipt/></VANSEnvelope>", "GW-164"),
    Bad("a receipt that is not valid", xctl("XCTL03", answers="KUVERT000000001"), "GW-164"),
    Bad("a receipt that is cut off", xctl("XCTL02", "UDBREV00000001")[:-40], "GW-102"),
]  # fmt: skip

ANSWERED = [
    Bad("UTF-16 without its mark", GOOD.decode().encode("utf-16-be"), "GW-101", XCTL),
    Bad("an external DTD", with_doctype('SYSTEM "http://localhost:9/x.dtd"'), "GW-103", XCTL),
    Bad("an external entity", with_doctype('[<!ENTITY x SYSTEM "file:///etc/passwd">]', use="&x;"), "GW-103", XCTL),
    Bad("a billion laughs", with_doctype(f'[<!ENTITY a0 "ha">{LAUGHS}]', use="&a9;"), "GW-103", XCTL),
    Bad("an unknown entity in the text", replaced(WORDS, f"{WORDS}&hest;"), "GW-102", XCTL),
    Bad("an unknown entity between elements", replaced("<Letter>", "&hest;<Letter>"), "GW-102", XCTL),
    Bad("an unknown encoding", replaced("UTF-8", "hest"), "GW-102", XCTL),
    Bad("Latin-1 called UTF-8", GOOD.decode().encode("iso-8859-1"), "GW-102", XCTL),
    Bad("a control character", replaced(WORDS, f"{WORDS}\x07"), "GW-102", XCTL),
    Bad("nested 20 000 deep", replaced(WORDS, "<Bold>" * 20_000 + "</Bold>" * 20_000), "GW-102", XCTL),
    Bad("a wrong end tag", replaced("</Patient>", "</Borger>"), "GW-102", XCTL),
    Bad("another namespace", emessage(namespace="http://rep.oio.dk/2011/11/11/"), "GW-110", XCTL),
    Bad("no namespace", replaced(f' xmlns="{NAMESPACES["XH1530R"]}"', ""), "GW-110", XCTL),
    Bad("an unknown letter", GOOD.replace(b"MunicipalityRef", b"SchoolRef"), "GW-110", XCTL),
    Bad("a letter we only write", GOOD.replace(b"yReferral", b"yLetter"), "GW-110", XCTL),
    Bad("an unknown version", emessage(xref15(version="XH1529R")), "GW-111", XCTL),
    Bad("a version of another namespace", emessage(xref15(version="XH1531R")), "GW-111", XCTL),
    Bad("an element too many", replaced("<Patient>", f"{STRAY}<Patient>"), "GW-120", XCTL),
    Bad("an element in the patient", replaced("<PersonGivenName>", f"{STRAY}<PersonGivenName>"), "GW-120", XCTL),
    Bad("no letter id", replaced("<Identifier>BRV00000000001</Identifier>", ""), "GW-120", XCTL),
    Bad("a letter id that is too long", of_letter(letter_id="BREV00000000000001"), "GW-120", XCTL),
    Bad("no citizen", of_letter(cpr=None), "GW-120", XCTL),
    Bad("a CPR with a hyphen", of_letter(cpr="120365-9901"), "GW-120", XCTL),
    Bad("bold in bold", of_letter(text=f"<Bold><Bold>{WORDS}</Bold></Bold>"), "GW-120", XCTL),
    Bad("year 0000", of_letter(authorised="0000-01-01T09:00"), "GW-120", XCTL),
    Bad("30 February", of_letter(authorised="2026-02-30T09:00"), "GW-120", XCTL),
    Bad("seconds", of_letter(authorised="2026-11-16T09:00:00"), "GW-120", XCTL),
    Bad("year 12022", of_letter(authorised="12022-11-16T09:00"), "GW-141", XCTL),
    Bad("year 0001", of_letter(authorised="0001-01-01T09:00"), "GW-141", XCTL),
    Bad("sent in the year 12022", emessage(sent="12022-11-16T09:00"), "GW-141", XCTL),
    Bad("sent on 30 February", emessage(sent="2026-02-30T09:00"), "GW-121", XCTL),
    Bad("an envelope id that is too long", emessage(envelope_id="KUVERT000000000001"), "GW-121", XCTL),
    Bad("no Envelope", GOOD.replace(b"Envelope>", b"Konvolut>"), "GW-121", XCTL),
    Bad("text between letters", replaced("</Emessage>", f"{WORDS}</Emessage>"), "GW-121", XCTL),
    Bad("a second envelope", replaced("</Emessage>", "<Envelope/></Emessage>"), "GW-121", XCTL),
    Bad("an attribute", replaced("<Emessage ", '<Emessage navn="Markørsen" '), "GW-121", XCTL),
    Bad("another receiver", of_letter(receiver="5790009992066"), "GW-130", XCTL),
    Bad("a receiver with blanks", of_letter(receiver=" 5790009999997"), "GW-130", XCTL),
    Bad("another municipality", of_letter(receiver_id="461"), "GW-131", XCTL),
    Bad("an impossible CPR", of_letter(cpr="3102659901"), "GW-140", XCTL),
    Bad("a CPR of zeros", of_letter(cpr="0000000000"), "GW-140", XCTL),
    Bad("a CPR of the future", of_letter(cpr="0101364901"), "GW-140", XCTL),
    Bad("an attachment of impossible size", of_letter(references=(
        "<Reference><RefDescription>x</RefDescription><BIN><ObjectIdentifier>1</ObjectIdentifier>"
        "<ObjectCode>billede</ObjectCode><ObjectExtensionCode>pdf</ObjectExtensionCode>"
        f"<OriginalObjectSize>{'9' * 5000}</OriginalObjectSize></BIN></Reference>")), "GW-141", XCTL),
    Bad("beyond the limit", GOOD + b" " * 10_000_000, "GW-104", XCTL),
    Bad("base64 that is none", with_data("a0*/B"), "GW-122", VANS),
    Bad("base64 that is no ASCII", with_data("a0é/B"), "GW-122", VANS),
    Bad("base64 that is cut off", with_data("YWJ"), "GW-121", VANS),
    Bad("no data", with_data(""), "GW-101", VANS),
    Bad("data that is text", with_data(b64encode(NAME.encode()).decode()), "GW-101", VANS),
    Bad("an envelope in an envelope", vans(IN_VANS), "GW-110", VANS),
    Bad("a broken envelope in an envelope", vans(IN_VANS[:-20]), "GW-102", VANS),
    Bad("a cut off letter in an envelope", vans(GOOD[:-20]), "GW-102", VANS),
    Bad("another format", vans(payload_format="Binary"), "GW-110", VANS),
    Bad("a format there is not", vans(payload_format="hest"), "GW-121", ()),
    Bad("a message id that only looks like a UUID", vans(message_id=VANS_MESSAGE[:-1] + "Z"), "GW-121", VANS),
    Bad("an envelope id that only looks like a UUID", vans(envelope_id=VANS_ENVELOPE[:-1] + "Z"), "GW-121", VANS),
    Bad("an envelope of the year 12026", vans(sent="12026-11-16T09:16:11"), "GW-141", VANS),
    Bad("an envelope of the year 0001", vans(sent="0001-01-01T00:00:00+14:00", payload_format="HL7"), "GW-141", VANS),
    Bad("an envelope sent never", vans(sent="i dag"), "GW-121", VANS),
    Bad("a bad letter in an envelope", vans(of_letter(cpr="3102659901")), "GW-140", VANS),
    Bad("a bad letter, unreliable", vans(of_letter(cpr="3102659901"), transport="unreliable"), "GW-140", XCTL),
    Bad("an unknown payload", vans(b"<Henvisning xmlns='urn:x'/>"), "GW-110", VANS),
]  # fmt: skip
ALL = [*UNREADABLE, *ANSWERED]
bad_input = pytest.mark.parametrize("bad", ALL, ids=[bad.name for bad in ALL])


def receipts_of(outcome: Outcome) -> list[bytes]:
    return [wrap(letter, ENVELOPE_IDS[letter.carrier], RECEIVED) for letter in outcome.outgoing]


@bad_input
def test_refused_with_the_right_code(bad: Bad) -> None:
    outcome = handle(bad.data)
    assert faults(outcome) == [bad.fault]
    assert tuple(kinds(outcome)) == bad.sent
    assert outcome.cases == ()
    code = FAULTS[bad.fault].medcom
    for letter in outcome.outgoing:
        assert letter.receiver == SENDER_GLN
        assert refuse_code(letter) == code
        assert f"({bad.fault})".encode() in letter.content


def refuse_code(letter: Outgoing) -> str:
    tag = "Description" if letter.kind == "VANSReceipt" else "RefuseCode"
    return letter.content.decode().split(f"<{tag}>", 1)[1].split("<", 1)[0].split(":", 1)[0]


@bad_input
def test_a_receipt_is_valid_and_says_nothing_about_the_citizen(bad: Bad) -> None:
    for receipt in receipts_of(handle(bad.data)):
        assert own_violations(receipt) == []
        text = receipt.decode("iso-8859-1")
        for marker in (NAME, "ørsen", WORDS, "forløb", CPR, CPR[:6], "sukkersyge", "3102659901", "Prøvelæge"):
            assert marker not in text
            assert marker.encode().decode("iso-8859-1") not in text


def test_the_parked_reason_says_nothing_about_the_citizen() -> None:
    for bad in ALL:
        for parked in handle(bad.data).parked:
            assert NAME not in parked.fault.text
            assert WORDS not in parked.fault.text
            assert CPR not in parked.fault.text


def test_medcom_finds_the_receipts_valid(shared: Path, tmp_path: Path) -> None:
    check_with_medcom(shared, tmp_path, [receipt for bad in ALL for receipt in receipts_of(handle(bad.data))])


@pytest.mark.parametrize(
    ("message", "too_early", "answerable", "kind"),
    [(GOOD, SENDER_READ, SENDER_READ, "XCTL02"), (IN_VANS, SIZE_READ, META_READ, "VANSReceipt")],
    ids=["bare", "VANS"],
)
def test_cut_off_anywhere(
    message: bytes, too_early: int, answerable: int, kind: str, municipality: Municipality
) -> None:
    for end in range(len(message)):
        outcome = receive(read(message[:end]), Known(), municipality, RECEIVED)
        assert faults(outcome) in (["GW-101"], ["GW-102"]), end
        assert outcome.cases == ()
        assert set(kinds(outcome)) <= {kind}, end
        assert not kinds(outcome) or end >= too_early, end
        assert kinds(outcome) or end < answerable, end
        assert all(letter.receiver == SENDER_GLN for letter in outcome.outgoing), end


@pytest.mark.parametrize("position", [0, 1, 2])
def test_one_bad_letter_of_three_refuses_itself_only(position: int) -> None:
    letters = [xref15(letter_id=f"BRV{n}", episode=f"{n}", cpr=f"0{n}01659901") for n in (1, 2, 3)]
    letters[position] = letters[position].replace("<Patient>", f"{STRAY}<Patient>")
    outcome = handle(emessage(*letters))
    assert kinds(outcome)[:2] == ["XCTL02", "XCTL03"]
    assert len(outcome.cases) == 2
    refused, accepted = (letter.content.decode() for letter in outcome.outgoing[:2])
    for n in range(3):
        named = f"<OriginalLetterIdentifier>BRV{n + 1}<"
        assert (named in refused) == (n == position)
        assert (named in accepted) == (n != position)


def test_a_fault_outside_the_letters_refuses_all_beside_a_bad_letter() -> None:
    bad = xref15(letter_id="BRV2").replace("<Patient>", f"{STRAY}<Patient>")
    outcome = handle(replaced("</Emessage>", "<Envelope/></Emessage>", emessage(bad, xref15())))
    assert kinds(outcome) == ["XCTL02"]
    assert faults(outcome) == ["GW-121"]
    content = outcome.outgoing[0].content.decode()
    assert content.count("<RefuseCode>") == 1
    assert content.count("<OriginalLetter>") == 2


def test_local_elements_beside_a_bad_letter_harm_nobody() -> None:
    bad = xref15(letter_id="BRV2").replace("<Patient>", f"{STRAY}<Patient>")
    outcome = handle(
        emessage(bad + "<Local_Elements/>", xref15() + "<Local_Elements><a xmlns='urn:x'/></Local_Elements>")
    )
    assert kinds(outcome)[:2] == ["XCTL02", "XCTL03"]


def test_the_sender_is_read_from_any_letter() -> None:
    outcome = handle(emessage(xref15(letter_id="BRV2", sender=None), xref15()))
    assert kinds(outcome)[:2] == ["XCTL02", "XCTL03"]
    assert {letter.receiver for letter in outcome.outgoing[:2]} == {SENDER_GLN}


def test_letters_of_an_unread_message_are_named_without_codes_of_their_own() -> None:
    outcome = handle(emessage(xref15(), xref15(letter_id="BRV2", version=""), sent="2026-02-30T09:00"))
    content = outcome.outgoing[0].content.decode()
    assert content.count("<RefuseCode>") == 1
    assert content.index("<RefuseCode>") < content.index("<OriginalLetter>")
    assert "<OriginalLetterIdentifier>BRV2</OriginalLetterIdentifier><OriginalVersionCode>ukendt<" in content


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b"", "Input data was truncated"),
        (b"\xff\xfe", "JSON is malformed"),
        (b"[]", "Expected `object`, got `array`"),
        (b"[" * 100_000, "Expected `object`, got `array`"),
        (event("contacted", hest=1), "unknown field `hest`"),
        (event("contacted", team=7), "$.team"),
        (event("galloped"), "$.type"),
        (event("contacted", occurred="2026-11-20T11:00:00"), "$.occurred"),
        (event("contacted", author={"name": "A", "cpr": "1"}), "unknown field `cpr`"),
        (event("contacted", event_id=""), "$.event_id"),
        (event("contacted", event_id="e" * 65), "$.event_id"),
        (event("contacted", note="n" * 20_001), "$.note"),
    ],
)
def test_a_team_event_that_cannot_be_read_is_parked_with_the_field(data: bytes, field: str) -> None:
    outcome = handle(data, entrance=Entrance.TEAM)
    assert faults(outcome) == ["GW-160"]
    assert field in outcome.parked[0].fault.detail
    assert outcome.outgoing == ()


def test_a_team_event_beyond_the_limit_is_parked() -> None:
    reading = read(event("contacted"), Entrance.TEAM, limit=10)
    assert reading.fault is not None
    assert reading.fault.id == "GW-104"
    assert reading.letters == ()


def test_a_referral_is_no_team_event_and_the_other_way_round() -> None:
    assert faults(handle(GOOD, entrance=Entrance.TEAM)) == ["GW-160"]
    assert faults(handle(event("contacted"))) == ["GW-110"]
