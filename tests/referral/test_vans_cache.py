"""The VANS cache: the four rows of known and new ids (facts §7.2), and what an envelope may say wrongly.

| MessageIdentifier | EnvelopeIdentifier | |
|---|---|---|
| new | new | process |
| known | known | ignore, and acknowledge again as before |
| known | new | a resend whose acknowledgement was lost: the original acknowledgement, no processing |
| new | known | an error, answered negatively |
"""

from base64 import b64encode
from typing import NamedTuple

import msgspec
import pytest

from gateway.mapping.encoding import wrap
from gateway.municipality.model import Attachments, load
from gateway.receive import DEFAULT_LIMIT, read, receive
from gateway.referral.inbox import Known, Outcome
from gateway.settings import load_settings
from tests.attachment_builders import binary, xbin, xbin_message
from tests.builders import (
    OTHER_GLN,
    RECEIVED,
    SENDER_GLN,
    VANS_ENVELOPE,
    VANS_MESSAGE,
    emessage,
    faults,
    handle,
    kinds,
    vans,
    xref15,
)
from tests.correspondence_builders import xdis91, xdis91_message
from tests.edifact_builders import interchange, ref01

NEW_ENVELOPE, NEW_MESSAGE = "11111111-2222-4333-8444-555555555555", "66666666-7777-4888-9999-aaaaaaaaaaaa"
REFUSED = emessage(xref15(cpr="3102659901"))
PAYLOADS = {
    "XREF15": emessage(),
    "XREF15 that is refused": REFUSED,
    "XDIS91": xdis91_message(xdis91()),
    "EDIFACT REF01": interchange(ref01()),
}
FORMATS = {"EDIFACT REF01": "EDIFACT"}


class Row(NamedTuple):
    message: str
    envelope: str
    handled: bool
    #: the first receipt is sent again
    again: bool
    parked: tuple[str, ...]


ROWS = {
    "both new": Row(NEW_MESSAGE, NEW_ENVELOPE, handled=True, again=False, parked=()),
    "both known": Row(VANS_MESSAGE, VANS_ENVELOPE, handled=False, again=True, parked=()),
    "message known, envelope new": Row(VANS_MESSAGE, NEW_ENVELOPE, handled=False, again=True, parked=()),
    "envelope known, message new": Row(NEW_MESSAGE, VANS_ENVELOPE, handled=False, again=False, parked=("GW-150",)),
}


def _other(payload: bytes) -> bytes:
    """The payload as another message's: ids of its own inside."""
    for name in (b"BRV", b"KUV", b"KOR"):
        payload = payload.replace(name + b"00000000001", name + b"00000000002")
    return payload


@pytest.mark.parametrize("transport", ["reliable", "unreliable"])
@pytest.mark.parametrize("name", PAYLOADS)
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_the_four_rows(row: Row, name: str, transport: str) -> None:
    payload, written = PAYLOADS[name], FORMATS.get(name, "XML")
    before = handle(vans(payload, transport=transport, payload_format=written))
    sent = _other(payload) if row.message == NEW_MESSAGE else payload
    now = handle(
        vans(sent, envelope_id=row.envelope, message_id=row.message, transport=transport, payload_format=written),
        Known().fold(before),
    )
    receipts = [x.letter_id for x in before.outgoing if x.kind in {"VANSReceipt", "XCTL02", "XCTL03", "CTL02", "CTL03"}]
    assert receipts
    assert now.resend == (tuple(receipts) if row.again else ())
    assert now.duplicate == row.again
    if row.handled:
        assert (kinds(now), faults(now)) == (kinds(before), faults(before))
        assert len(now.cases) == len(before.cases)
    else:
        assert (now.cases, faults(now)) == ((), list(row.parked))
    if row.parked:
        (receipt,) = now.outgoing
        refusal = "CTL02" if written == "EDIFACT" else "XCTL02"
        assert receipt.kind == ("VANSReceipt" if transport == "reliable" else refusal)
        assert "GW-150" in receipt.content.decode()


@pytest.mark.parametrize("case", [str.upper, str.lower])
def test_ids_compare_in_either_case(case: object) -> None:
    assert callable(case)
    known = Known().fold(handle(vans()))
    again = handle(vans(envelope_id=NEW_ENVELOPE, message_id=case(VANS_MESSAGE)), known)
    assert again.duplicate


def test_an_envelope_id_is_used_once_by_anyone() -> None:
    known = Known().fold(handle(vans()))
    other = emessage(xref15(sender=OTHER_GLN))
    outcome = handle(vans(other, message_id=NEW_MESSAGE, sender=OTHER_GLN), known)
    assert faults(outcome) == ["GW-150"]


def test_the_same_receipt_stands_in_a_new_envelope() -> None:
    (receipt, *_) = handle(vans()).outgoing
    first, second = (wrap(receipt, own, RECEIVED) for own in (NEW_ENVELOPE, NEW_MESSAGE))
    assert first != second
    assert first.replace(NEW_ENVELOPE.encode(), NEW_MESSAGE.encode()) == second


# ------------------------------------------------------------------ SizeInBytes, base64
WARNING = ("SizeInBytes passer ikke til indholdets længde",)


@pytest.mark.parametrize("size", [-2_147_483_648, -1, 0, 1, len(emessage()) - 1, len(emessage()) + 1, 2_147_483_647])
def test_a_wrong_size_is_a_warning_and_nothing_else(size: int) -> None:
    outcome = handle(vans(size=size))
    assert outcome.message.warnings == WARNING
    assert (kinds(outcome), faults(outcome)) == (kinds(handle(vans())), [])


def test_the_right_size_is_that_of_the_bytes_not_of_the_characters() -> None:
    declaration = '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
    payload = emessage(xref15(text="æøå"), declaration=declaration, encoding="iso-8859-1")
    assert handle(vans(payload)).message.warnings == ()
    assert handle(vans(payload, size=len(payload.decode("iso-8859-1").encode()))).message.warnings == WARNING


def written_as(text: str) -> Outcome:
    message = vans()
    start, end = message.index(b"<Data>") + len(b"<Data>"), message.index(b"</Data>")
    return handle(message[:start] + text.encode() + message[end:])


PLAIN = b64encode(emessage()).decode()


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        f"\n    {PLAIN}\n  ",
        "\n".join(PLAIN[n : n + 76] for n in range(0, len(PLAIN), 76)),
        "\r\n".join(PLAIN[n : n + 64] for n in range(0, len(PLAIN), 64)),
        "\n\t\t".join(PLAIN[n : n + 1] for n in range(len(PLAIN))),
        "&#13;\n".join(PLAIN[n : n + 76] for n in range(0, len(PLAIN), 76)),
    ],
    ids=["one line", "indented", "lines of 76", "lines of 64", "a character a line", "written carriage returns"],
)
def test_base64_with_line_breaks(text: str) -> None:
    outcome = written_as(text)
    assert (kinds(outcome), faults(outcome), outcome.message.warnings) == (kinds(handle(vans())), [], ())


# ------------------------------------------------------------------ the limit
def with_file(size: int) -> bytes:
    """A VANSEnvelope of about so many bytes, whose payload carries a file: base64 in base64."""
    return vans(xbin_message(xbin(binary(data=bytes(size * 11 // 20)))))


@pytest.mark.parametrize(
    ("size", "limit", "taken"),
    [
        (9_000_000, 10_000_000, True),
        (11_000_000, 10_000_000, False),
        (11_000_000, 100_000_000, True),
        (90_000_000, 100_000_000, True),
        (110_000_000, 100_000_000, False),
    ],
)
def test_a_large_message(size: int, limit: int, *, taken: bool) -> None:
    """The limit is a setting: 10 MB unless told, at most 100 MB, which is what VANS allows with the envelope."""
    settings = load_settings(message_limit=limit)
    data = with_file(size)
    assert abs(len(data) - size) < size // 20
    municipality = msgspec.structs.replace(load(), attachments=Attachments(max_bytes=limit))
    outcome = receive(read(data, limit=settings.message_limit), Known(), municipality, RECEIVED)
    assert faults(outcome) == (["GW-168"] if taken else ["GW-104"])
    assert kinds(outcome) == ["VANSReceipt"]
    assert outcome.outgoing[0].receiver == SENDER_GLN
    assert [len(x.files[0].file.data) for x in outcome.objects] == ([size * 11 // 20] if taken else [])
    if not taken:
        assert f"(højst {limit} bytes)" in outcome.outgoing[0].content.decode()


def test_ten_megabytes_unless_told() -> None:
    assert load_settings().message_limit == DEFAULT_LIMIT == 10_000_000


def test_the_limit_is_exact() -> None:
    data = vans()
    assert read(data, limit=len(data)).fault is None
    refused = read(data, limit=len(data) - 1).fault
    assert refused is not None
    assert refused.id == "GW-104"
