"""StandardBusinessDocument: every way in which an envelope can be wrong, and what we write is read back as it was."""

from base64 import b64encode
from datetime import datetime
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway.errors import Fault
from gateway.mapping.medcom.sbdh import SbdhMessage, decode, wrap
from gateway.mapping.outgoing import Cover
from gateway.referral.letters import Carrier, Channel, Outgoing
from gateway.referral.workdays import COPENHAGEN
from tests.builders import CPR, OUR_GLN, RECEIVED, SENDER_GLN, emessage
from tests.mapping.values import MOMENTS
from tests.reference import ehmi_schema
from tests.sbdh_builders import PEPPOL, SBDH_ENVELOPE, SBDH_MESSAGE, content, partner, sbdh

GOOD = emessage()
ONE = content(GOOD)


def opened(data: bytes) -> SbdhMessage:
    return decode(etree.fromstring(data))


def test_what_an_envelope_tells() -> None:
    message = opened(sbdh(message_envelope_id="KUV00000000001"))
    ends = message.arrival
    assert (ends.sender, ends.receiver) == (SENDER_GLN, OUR_GLN)
    assert (ends.envelope_id, ends.message_id, ends.process) == (SBDH_ENVELOPE, SBDH_MESSAGE, "sdn-emergence")
    assert message.sent_at == datetime(2026, 11, 16, 9, 16, 11, tzinfo=COPENHAGEN)
    assert (message.payload, message.mime, message.fault) == (GOOD, "application/xml", None)
    assert message.scopes["MESSAGEENVELOPEIDENTIFIER"] == "KUV00000000001"
    assert not message.is_receipt


def test_the_citizens_number_in_the_header_is_not_read() -> None:
    data = sbdh(contents=content(b""))
    assert CPR.encode() in data
    assert CPR not in repr(opened(data))


class Wrong(NamedTuple):
    data: bytes
    fault: str
    detail: str


NO_GLN, NO_UUID = "er ikke ét lokationsnummer", "InstanceIdentifier er ikke et UUID"
NO_TIME, NO_CONTENT = "CreationDateAndTime er ikke et tidspunkt", "BinaryContent mangler eller står flere gange"
NO_BASE64 = "BinaryContent er ikke base64"
WRONG = {
    "no header": Wrong(sbdh().replace(b"DocumentHeader>", b"DocumentHoved>"), "GW-121", f"Sender {NO_GLN}"),
    "no sender": Wrong(sbdh(sender=""), "GW-121", f"Sender {NO_GLN}"),
    "two senders": Wrong(sbdh(sender=partner("Sender", f"0088:{SENDER_GLN}") * 2), "GW-121", f"Sender {NO_GLN}"),
    "an empty sender": Wrong(sbdh(sender="<Sender/>"), "GW-121", f"Sender {NO_GLN}"),
    "a number without its scheme": Wrong(sbdh(sender=partner("Sender", SENDER_GLN)), "GW-121", f"Sender {NO_GLN}"),
    "a number of another scheme": Wrong(
        sbdh(sender=partner("Sender", f"0184:{SENDER_GLN}")), "GW-121", f"Sender {NO_GLN}"
    ),
    "a number of another authority": Wrong(
        sbdh(sender=partner("Sender", f"0088:{SENDER_GLN}", "cvr")), "GW-121", f"Sender {NO_GLN}"
    ),
    "a wrong check digit": Wrong(
        sbdh(receiver=partner("Receiver", "0088:5790009999998")), "GW-121", f"Receiver {NO_GLN}"
    ),
    "a number in Arabic digits": Wrong(
        sbdh(receiver=partner("Receiver", "0088:٥٧٩٠٠٠٩٩٩٩٩٩٧")), "GW-121", f"Receiver {NO_GLN}"
    ),
    "no receiver": Wrong(sbdh(receiver=""), "GW-121", f"Receiver {NO_GLN}"),
    "an envelope id that is no UUID": Wrong(sbdh(envelope_id="KUVERT-1"), "GW-121", NO_UUID),
    "an envelope id that only looks like one": Wrong(sbdh(envelope_id=SBDH_ENVELOPE[:-1] + "x"), "GW-121", NO_UUID),
    "no identification": Wrong(sbdh().replace(b"DocumentIdentification>", b"Dokument>"), "GW-121", NO_UUID),
    "a day alone": Wrong(sbdh(created="2026-11-16"), "GW-121", NO_TIME),
    "a time as MedCom's page misspells it": Wrong(sbdh(created="2026-11-16T09-16-11+01:00"), "GW-121", NO_TIME),
    "a year that cannot be": Wrong(sbdh(created="12026-11-16T09:16:11"), "GW-121", NO_TIME),
    "a year long ago": Wrong(sbdh(created="0001-01-01T00:00:00+14:00"), "GW-121", NO_TIME),
    "the last moment there is, at 24:00": Wrong(sbdh(created="9999-12-31T24:00:00"), "GW-121", NO_TIME),
    "no content": Wrong(sbdh(contents=""), "GW-121", NO_CONTENT),
    "text content": Wrong(sbdh(contents="<TextContent>hej</TextContent>"), "GW-121", NO_CONTENT),
    "content of another namespace": Wrong(sbdh(contents=content(GOOD, namespace="urn:x")), "GW-121", NO_CONTENT),
    "two contents": Wrong(sbdh(contents=ONE * 2), "GW-121", NO_CONTENT),
    "two contents that are none": Wrong(sbdh(contents=content(b"", text="a0*/B") * 2), "GW-121", NO_CONTENT),
    "content that is not base64": Wrong(sbdh(contents=content(b"", text="a0*/B")), "GW-122", NO_BASE64),
    "content that is no ASCII": Wrong(sbdh(contents=content(b"", text="a0é/B")), "GW-122", NO_BASE64),
    "content that is cut off": Wrong(sbdh(contents=content(b"", text="YWJ")), "GW-122", NO_BASE64),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_what_is_wrong_with_an_envelope(wrong: Wrong) -> None:
    message = opened(wrong.data)
    assert message.fault == Fault(id=wrong.fault, detail=wrong.detail)
    assert (message.payload is None) == (wrong.detail in {NO_CONTENT, NO_BASE64})


FINE = {
    "content in Peppol's namespace": sbdh(contents=content(GOOD, namespace=PEPPOL)),
    "content in one line": sbdh(contents=content(b"", text=b64encode(GOOD).decode())),
    "no authority": sbdh().replace(b' Authority="iso6523-actorid-upis"', b""),
    "blanks around the numbers": sbdh().replace(b"0088:", b"\n   0088:"),
    "no scopes": sbdh().replace(b"BusinessScope>", b"Hest>"),
    "UTC": sbdh(created="2026-11-16T08:16:11Z"),
    "no zone: Danish time": sbdh(created="2026-11-16T09:16:11"),
    "an envelope id in upper case": sbdh(envelope_id=SBDH_ENVELOPE.upper()),
}


@pytest.mark.parametrize("data", FINE.values(), ids=FINE)
def test_what_is_not_wrong(data: bytes) -> None:
    message, usual = opened(data), opened(sbdh())
    assert (message.payload, message.fault, message.sent_at) == (GOOD, None, usual.sent_at)
    assert message.arrival.envelope_id == SBDH_ENVELOPE


@pytest.mark.parametrize(
    ("written", "known"),
    [(SBDH_MESSAGE.upper(), SBDH_MESSAGE), ("BRV00000000001", ""), ("to ord", ""), ("x" * 65, ""), (None, "")],
)
def test_only_a_uuid_is_a_message_id_for_all_senders(written: str | None, known: str) -> None:
    assert opened(sbdh(message_id=written)).arrival.message_id == known


@pytest.mark.parametrize(
    ("written", "kept"),
    [("urn:ehmi:sdn-emergence", "urn:ehmi:sdn-emergence"), ("en proces", ""), ("x" * 101, ""), (None, "")],
)
def test_a_process_that_can_stand_in_an_answer(written: str | None, kept: str) -> None:
    assert opened(sbdh(process=written)).arrival.process == kept


def test_of_a_repeated_scope_the_first_counts() -> None:
    twice = sbdh().replace(b"<Type>DOCUMENTID</Type>", b"<Type>PROCESSID</Type>")
    assert opened(twice).arrival.process.startswith("urn:dk:healthcare")


@pytest.mark.parametrize(
    "header",
    [
        {"document": "urn:dk:healthcare:medcom:messaging:oioxml:schema:xsd:contrl:xctl03:xc0330q"},
        {"document": "x", "standard": "acknowledgement-message"},
        {"document": "x", "standard": "XCTL02"},
        {"document": "x", "standard": "ebbp-signals"},
    ],
)
def test_a_header_that_names_a_receipt(header: dict[str, str]) -> None:
    assert opened(sbdh(**header)).is_receipt


# ------------------------------------------------------------------ written and read again
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)
IDS = st.from_regex(r"[A-Za-z0-9.-]{1,64}", fullmatch=True)
COVERS = st.builds(
    Cover,
    standard=TEXT.map(lambda text: f"XDIS91{text}"),
    version=TEXT.map(lambda text: f"XD9134L{text}"),
    root=st.sampled_from(["Emessage", "Bundle"]),
    document_id=st.just("urn:dk:healthcare:medcom:messaging:oioxml:schema:xsd:meddis:xdis91:xd9134l"),
    statistics=TEXT,
    mime=st.sampled_from(["application/xml", "application/fhir+xml", "application/fhir+json"]),
    encoding=st.sampled_from(["UTF-8", "ISO-8859-1"]),
    envelope_id=IDS,
    cpr=st.sampled_from(["", CPR]),
    sender_sor=st.sampled_from(["", "1144561000016002"]),
    receiver_sor=st.sampled_from(["", "52581000016005"]),
)


def letter(letter_id: str, process: str) -> Outgoing:
    return Outgoing(
        letter_id=letter_id,
        message_id=SBDH_MESSAGE,
        kind="XDIS91",
        version="XD9134L",
        channel=Channel.MEDCOM,
        receiver=SENDER_GLN,
        sender=OUR_GLN,
        carrier=Carrier.SBDH,
        at=RECEIVED,
        content=b"",
        process=process,
    )


@given(
    st.binary(max_size=200),
    COVERS,
    IDS,
    st.sampled_from(["", "urn:ehmi:sdn-emergence"]),
    st.tuples(st.uuids().map(str), MOMENTS),
)
def test_what_is_written_is_read_as_it_was(
    payload: bytes, cover: Cover, letter_id: str, process: str, sending: tuple[str, datetime]
) -> None:
    envelope_id, sent_at = sending
    written = wrap(letter(letter_id, process), payload, cover, envelope_id, sent_at)
    ehmi_schema().assertValid(etree.fromstring(written))
    message = opened(written)
    assert message.fault is None
    assert (message.payload, message.mime) == (payload, cover.mime)
    assert message.sent_at == sent_at.replace(microsecond=0)
    ends = message.arrival
    assert (ends.sender, ends.receiver, ends.envelope_id) == (OUR_GLN, SENDER_GLN, envelope_id)
    told = {
        "DOCUMENTID": cover.document_id,
        "PROCESSID": process or "sdn-emergence",
        "SENDERID": cover.sender_sor,
        "RECEIVERID": cover.receiver_sor,
        "MESSAGEIDENTIFIER": letter_id,
        "MESSAGEENVELOPEIDENTIFIER": cover.envelope_id,
    }
    assert message.scopes == {kind: value for kind, value in told.items() if value}
    assert (CPR.encode() in written) == bool(cover.cpr)
