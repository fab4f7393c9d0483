"""Which receipt goes out for what (design §5, MedCom §7), and what a receipt says."""

import re

import pytest

from gateway.errors import Fault, RefuseCode
from gateway.mapping.encoding import wrap
from gateway.mapping.medcom.vans import encode_receipt
from gateway.municipality.model import Municipality, Receipts
from gateway.receive import Entrance, read
from gateway.referral.letters import Arrival, Outgoing, Receipt
from gateway.referral.reading import Reading
from gateway.referral.receipts import not_now, receipts
from tests.builders import (
    OUR_GLN,
    RECEIVED,
    SENDER_GLN,
    VANS_ENVELOPE,
    VANS_MESSAGE,
    emessage,
    handle,
    kinds,
    only,
    vans,
    xref15,
)
from tests.fhir_messages import as_json, referral
from tests.mapping.fhir.test_refused import acknowledgement as fhir_acknowledgement

GOOD = xref15()
BAD = xref15(letter_id="BRV00000000002", cpr="3102659901")
RECEIPTS = {"XCTL02", "XCTL03", "VANSReceipt"}


def change(municipality: Municipality, **changes: object) -> Municipality:
    return type(municipality)(**{f: getattr(municipality, f) for f in municipality.__struct_fields__} | changes)


def sent(data: bytes, municipality: Municipality) -> list[str]:
    return [kind for kind in kinds(handle(data, municipality=municipality)) if kind in RECEIPTS]


@pytest.mark.parametrize(
    ("letters", "positive", "expected"),
    [
        ((GOOD,), True, ["XCTL03"]),
        ((GOOD,), False, []),
        ((BAD,), True, ["XCTL02"]),
        ((BAD,), False, ["XCTL02"]),
        ((GOOD, BAD), True, ["XCTL02", "XCTL03"]),
        ((GOOD, BAD), False, ["XCTL02"]),
    ],
)
def test_bare_and_unreliable(
    *, letters: tuple[str, ...], positive: bool, expected: list[str], municipality: Municipality
) -> None:
    bare = emessage(*letters, positive=positive)
    both = change(municipality, receipts=Receipts(vans="both"))
    for setting in (municipality, both):
        assert sent(bare, setting) == expected
        assert sent(vans(bare, transport="unreliable"), setting) == expected


@pytest.mark.parametrize("transport", ["reliable", None])
@pytest.mark.parametrize(
    ("letters", "positive", "alone", "both"),
    [
        ((GOOD,), True, [], ["XCTL03"]),
        ((GOOD,), False, [], []),
        ((BAD,), True, [], ["XCTL02"]),
        ((BAD,), False, [], ["XCTL02"]),
        ((GOOD, BAD), True, ["XCTL02"], ["XCTL02", "XCTL03"]),
        ((GOOD, BAD), False, ["XCTL02"], ["XCTL02"]),
    ],
)
def test_reliable_vans(
    *,
    letters: tuple[str, ...],
    positive: bool,
    alone: list[str],
    both: list[str],
    transport: str | None,
    municipality: Municipality,
) -> None:
    data = vans(emessage(*letters, positive=positive), transport=transport)
    assert sent(data, municipality) == [*alone, "VANSReceipt"]
    assert sent(data, change(municipality, receipts=Receipts(vans="both"))) == [*both, "VANSReceipt"]
    verdict = only(handle(data), "VANSReceipt").content
    assert (b"<PositiveMessage>" in verdict) == (GOOD in letters)
    assert (b"<NegativeMessage>" in verdict) != (GOOD in letters)


def transmitted(letter: Outgoing, envelope_id: str = "NYKUVERT000001") -> str:
    return wrap(letter, envelope_id, RECEIVED).decode("iso-8859-1" if letter.kind.startswith("XCTL") else "utf-8")


def test_a_positive_receipt_names_the_letters_and_swaps_the_parties() -> None:
    outcome = handle(emessage(GOOD, xref15(letter_id="BRV00000000003", cpr="0107719902")))
    letter = only(outcome, "XCTL03")
    assert transmitted(letter) == (
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
        '<Emessage xmlns="http://rep.oio.dk/sundcom.dk/medcom.dk/xml/schemas/2005/08/07/">'
        "<Envelope><Sent><Date>2026-11-16</Date><Time>09:20</Time></Sent><Identifier>NYKUVERT000001</Identifier>"
        "<AcknowledgementCode>minuspositivkvitt</AcknowledgementCode></Envelope>"
        f"<PositiveReceipt><Letter><Identifier>{letter.letter_id}</Identifier><VersionCode>XC0330Q</VersionCode>"
        "<StatisticalCode>XCTL03</StatisticalCode></Letter>"
        f"<Sender><EANIdentifier>{OUR_GLN}</EANIdentifier></Sender>"
        f"<Receiver><EANIdentifier>{SENDER_GLN}</EANIdentifier></Receiver>"
        "<OriginalEmessage><OriginalEnvelopeIdentifier>KUV00000000001</OriginalEnvelopeIdentifier>"
        f"<OriginalSender><EANIdentifier>{SENDER_GLN}</EANIdentifier></OriginalSender>"
        f"<OriginalReceiver><EANIdentifier>{OUR_GLN}</EANIdentifier></OriginalReceiver>"
        "<OriginalLetter><OriginalLetterIdentifier>BRV00000000001</OriginalLetterIdentifier>"
        "<OriginalVersionCode>XH1530R</OriginalVersionCode></OriginalLetter>"
        "<OriginalLetter><OriginalLetterIdentifier>BRV00000000003</OriginalLetterIdentifier>"
        "<OriginalVersionCode>XH1530R</OriginalVersionCode></OriginalLetter>"
        "</OriginalEmessage></PositiveReceipt></Emessage>\n"
    )
    assert letter.receiver == SENDER_GLN
    assert not letter.wants_receipt


def test_a_negative_receipt_says_which_letter_when_and_why() -> None:
    content = only(handle(emessage(GOOD, BAD)), "XCTL02").content.decode()
    assert "BRV00000000001" not in content
    assert (
        "<OriginalLetter><OriginalLetterIdentifier>BRV00000000002</OriginalLetterIdentifier>"
        "<OriginalVersionCode>XH1530R</OriginalVersionCode><RefuseCode>ikke_specificeret</RefuseCode>"
        "<RefuseText>Brev BRV00000000002, afsendt 2026-11-16 kl. 09:15, kan ikke modtages.<Break/>"
        "Brevets personnummer kan ikke findes i virkeligheden. (dato findes ikke) (GW-140)</RefuseText>"
    ) in content
    assert content.count("<RefuseCode>") == 1


def test_a_fault_of_the_envelope_stands_at_the_envelope() -> None:
    content = only(handle(emessage(GOOD, BAD, envelope_id="KUVERT000000001")), "XCTL02").content.decode()
    assert content.count("<RefuseCode>") == 1
    assert "<OriginalEnvelopeIdentifier>ukendt</OriginalEnvelopeIdentifier>" in content
    assert "<RefuseText>Kuvert uden id, afsendt" in content
    assert content.index("<RefuseCode>") < content.index("<OriginalLetter>")
    assert content.count("<OriginalLetter>") == 2


def test_a_letter_without_an_id_is_named_as_unknown() -> None:
    content = only(handle(emessage(xref15(letter_id=""))), "XCTL02").content.decode()
    assert "<OriginalLetterIdentifier>ukendt</OriginalLetterIdentifier>" in content
    assert "<RefuseText>Brev uden id, afsendt" in content


def test_more_letters_than_a_receipt_can_name() -> None:
    letters = [xref15(letter_id=f"BRV{n}", cpr="3102659901") for n in range(101)]
    content = only(handle(emessage(*letters)), "XCTL02").content.decode()
    assert content.count("<OriginalLetter>") == 99


def test_a_vans_receipt_quotes_the_message_and_swaps_the_end_points() -> None:
    letter = only(handle(vans()), "VANSReceipt")
    written = transmitted(letter, "9c8b7a69-5847-4362-8514-03f2e1d0c9b8")
    assert f'<SenderID EndPointType="EAN">{OUR_GLN}</SenderID>' in written
    assert f'<ReceiverID EndPointType="EAN">{SENDER_GLN}</ReceiverID>' in written
    assert "<EnvelopeIdentifier>9c8b7a69-5847-4362-8514-03f2e1d0c9b8</EnvelopeIdentifier>" in written
    assert "<SentDateTime>2026-11-16T09:20:00</SentDateTime>" in written
    size = len(emessage())
    assert written.endswith(
        f"<Receipt><PositiveMessage><OriginalEnvelopeIdentifier>{VANS_ENVELOPE}</OriginalEnvelopeIdentifier>"
        f"<OriginalMessage><Identifier>{VANS_MESSAGE}</Identifier><Document><Format>XML</Format><Name>MCM:XREF15</Name>"
        f"<Version>XH1530R</Version><SizeInBytes>{size}</SizeInBytes></Document><Transport><Type>reliable</Type>"
        "<TransformMessage>false</TransformMessage></Transport></OriginalMessage></PositiveMessage></Receipt>"
        "</VANSEnvelope>\n"
    )


def test_a_negative_vans_receipt_begins_with_the_code() -> None:
    content = only(handle(vans(emessage(BAD))), "VANSReceipt").content.decode()
    description = content.split("<Description>")[1].split("</Description>")[0]
    assert description.startswith("ikke_specificeret: Brev BRV00000000002, afsendt 2026-11-16 kl. 09:16, kan ikke")
    assert len(description) <= 512
    assert "\n" not in description
    unread = only(handle(vans(b"hej")), "VANSReceipt").content.decode()
    assert f"<Description>syntaksfejl: Kuvert {VANS_ENVELOPE}, afsendt" in unread


def test_a_receipt_in_a_vans_envelope_is_wrapped_like_the_message() -> None:
    letter = only(handle(vans(emessage(GOOD, BAD))), "XCTL02")
    written = transmitted(letter, "9c8b7a69-5847-4362-8514-03f2e1d0c9b8")
    assert "<Name>MCM:XCTL02</Name><Version>XC0230Q</Version>" in written
    assert f"<Identifier>{letter.message_id}</Identifier>" in written


def test_the_answer_goes_to_the_network_address_and_the_status_to_the_referrer() -> None:
    hub = "5790009992059"
    outcome = handle(vans(sender=hub))
    receipt, status = outcome.outgoing[:2]
    assert (receipt.receiver, receipt.network_receiver) == (SENDER_GLN, hub)
    assert (status.receiver, status.network_receiver) == (SENDER_GLN, None)
    assert f'<ReceiverID EndPointType="EAN">{hub}<' in transmitted(receipt)
    assert f'<ReceiverID EndPointType="EAN">{SENDER_GLN}<' in transmitted(status)


def test_a_second_number_of_ours_signs_its_own_receipts(municipality: Municipality) -> None:
    second = "5790009992066"
    ours = change(municipality, glns=(OUR_GLN, second))
    answered = only(handle(emessage(xref15(receiver=second)), municipality=ours), "XCTL03")
    assert answered.sender == second
    refused = only(handle(emessage(xref15(receiver=second)), municipality=municipality), "XCTL02")
    assert refused.sender == OUR_GLN
    assert f"<OriginalReceiver><EANIdentifier>{second}<".encode() in refused.content


def test_ids_follow_from_the_message() -> None:
    first, again = handle(emessage()), handle(emessage())
    assert [x.letter_id for x in first.outgoing] == [x.letter_id for x in again.outgoing]
    other = handle(emessage(envelope_id="KUV00000000002"))
    assert only(other, "XCTL03").letter_id != only(first, "XCTL03").letter_id
    assert only(other, "XDIS91").letter_id == only(first, "XDIS91").letter_id


def test_two_broken_messages_that_name_nothing_are_told_of_their_own_faults() -> None:
    """Under one id the second receipt would be taken for the first, and never sent."""
    nameless = re.sub(rb"<Identifier>[A-Z0-9]{14}</Identifier>", b"", emessage())
    first, second = (handle(nameless + wrong) for wrong in (b"<1", b"<2"))
    assert first.message.arrival.envelope_id is None
    assert only(first, "XCTL02").letter_id != only(second, "XCTL02").letter_id


def test_nobody_is_answered_without_a_sender(municipality: Municipality) -> None:
    fault = Fault(id="GW-102")
    assert receipts(Reading(), (), fault, municipality, RECEIVED) == []
    assert len(receipts(Reading(arrival=Arrival(sender_gln=SENDER_GLN)), (), fault, municipality, RECEIVED)) == 1


def test_a_vans_receipt_needs_an_envelope_to_answer() -> None:
    with pytest.raises(ValueError, match="answers a VANSEnvelope"):
        encode_receipt(Receipt(positive=True, arrival=Arrival(), at=RECEIVED))


def test_every_refuse_code_is_one_of_medcoms() -> None:
    assert {code.value for code in RefuseCode} == {
        "ikke_specificeret",
        "ukendt_lokationsnummer",
        "problem_med_modtagerID",
        "problem_med_version",
        "syntaksfejl",
    }


# ------------------------------------------------------------------ a neighbour is down while the sender waits
@pytest.mark.parametrize(
    ("data", "entrance", "owed"),
    [
        (as_json(referral()), Entrance.FHIR, True),
        (as_json(fhir_acknowledgement()), Entrance.FHIR, False),
        (b"{", Entrance.FHIR, False),
        (emessage(), Entrance.MEDCOM, False),
    ],
)
def test_a_transient_error_is_told_where_an_acknowledgement_is_owed(
    data: bytes, entrance: Entrance, *, owed: bool, municipality: Municipality
) -> None:
    reply = not_now(read(data, entrance), municipality, RECEIVED)
    assert (reply is not None) == owed
    if reply is not None:
        assert isinstance(reply.content, Receipt)
        assert (reply.content.positive, reply.content.fault) == (False, Fault(id="GW-192"))
