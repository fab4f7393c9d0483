"""What is answered to a message in a StandardBusinessDocument: refusals, receipts and letters in one of our own."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from lxml import etree

from gateway.municipality.model import load
from gateway.outbound.envelopes import mint
from gateway.receive import read, receive
from gateway.referral.inbox import Known, Outcome
from gateway.referral.letters import Carrier, Payload
from tests.builders import (
    OTHER_GLN,
    OUR_GLN,
    RECEIVED,
    SENDER_GLN,
    emessage,
    faults,
    kinds,
    only,
    tell,
    xctl,
    xref15,
)
from tests.fhir_messages import BUNDLE_ID, HEADER_ID, as_json, bundle, header
from tests.reference import check_with_medcom, own_violations, payloads_in
from tests.sbdh_builders import (
    FHIR_XML,
    JSON,
    NEW_ENVELOPE,
    NEW_MESSAGE,
    PAYLOADS,
    SIGNALS,
    content,
    fhir,
    partner,
    sbdh,
    taken,
    transmitted,
)

BAD_ID = {"envelope_id": "KUVERT-1"}


# ------------------------------------------------------------------ a faulty envelope
@pytest.mark.parametrize("name", PAYLOADS)
def test_a_faulty_envelope_refuses_what_is_in_it_in_its_own_standard(name: str) -> None:
    sent = PAYLOADS[name]
    data = sbdh(sent.payload(sent.message, BUNDLE_ID), mime=sent.mime, message_id=sent.message, **BAD_ID)
    outcome = taken(data)
    assert (faults(outcome), outcome.cases) == (["GW-121"], ())
    (receipt,) = outcome.outgoing
    assert receipt.kind == ("Acknowledgement" if "FHIR" in name else "XCTL02")
    assert "GW-121" in receipt.content.decode()
    assert [letter.fault.id for letter in outcome.letters if letter.fault] == ["GW-121"]
    assert own_violations(transmitted(receipt)) == []


@pytest.mark.parametrize("part", ["sender", "receiver"])
def test_a_header_without_sender_or_receiver_is_answered_by_what_the_letter_says(part: str) -> None:
    outcome = taken(sbdh(**{part: ""}))
    (receipt,) = outcome.outgoing
    assert (faults(outcome), receipt.receiver, receipt.kind) == (["GW-121"], SENDER_GLN, "XCTL02")
    assert own_violations(transmitted(receipt)) == []


def test_without_header_and_content_nobody_is_told() -> None:
    outcome = taken(sbdh(b"<x", sender=""))
    assert (faults(outcome), outcome.outgoing) == (["GW-121"], ())


def test_two_contents_are_not_chosen_between() -> None:
    outcome = taken(sbdh(contents=content(emessage()) + content(emessage(xref15(letter_id="BRV2")))))
    assert (faults(outcome), outcome.cases, kinds(outcome)) == (["GW-121"], (), ["XCTL02"])


def test_too_large_a_message_is_refused_by_its_header() -> None:
    data = sbdh(as_json(fhir()) + b" " * 200_000, mime=JSON, message_id=HEADER_ID)
    outcome = receive(read(data, limit=150_000, sbdh=True), Known(), load(), RECEIVED)
    assert (faults(outcome), kinds(outcome)) == (["GW-104"], ["Acknowledgement"])
    assert outcome.letters[0].key == (SENDER_GLN, HEADER_ID)


def test_too_much_text_is_refused_by_its_header() -> None:
    outcome = taken(sbdh(emessage(xref15(text="x" * 200_001))))
    assert (faults(outcome), kinds(outcome), outcome.cases) == (["GW-104"], ["XCTL02"], ())


def test_a_message_that_is_cut_off_is_refused_by_its_header_once_that_is_whole() -> None:
    data = sbdh(as_json(fhir()), mime=JSON, message_id=HEADER_ID)
    whole = data.index(b"</StandardBusinessDocumentHeader>")
    for end in range(0, len(data) - 1, 7):
        outcome = taken(data[:end])
        assert faults(outcome) in (["GW-101"], ["GW-102"]), end
        assert set(kinds(outcome)) <= {"Acknowledgement"}, end
        assert outcome.cases == (), end
        if end > data.index(b"\n", whole):
            assert kinds(outcome) == ["Acknowledgement"], end


# ------------------------------------------------------------------ receipts are never answered
SIGNAL = f'<s:ReceiptAcknowledgement xmlns:s="{SIGNALS}"/>'.encode()
ACKNOWLEDGED = as_json(bundle(header("acknowledgement-message")))
RECEIPTS_TO_US = {
    "a receipt for the envelope": (SIGNAL, {}),
    "the same in a faulty envelope": (SIGNAL, BAD_ID),
    "a faulty Acknowledgement": (ACKNOWLEDGED, {"mime": JSON}),
    "an Acknowledgement that is cut off": (b"{", {"mime": JSON, "standard": "acknowledgement-message"}),
    "an XCTL03": (xctl("XCTL03"), {}),
    "an XCTL03 in a faulty envelope": (xctl("XCTL03"), BAD_ID),
    "an XCTL03 that is cut off": (b"<Emessage", {"document": "urn:x:contrl:xctl03:xc0330q"}),
    "a receipt that is no base64": (b"", {"contents": content(b"", text="*"), "standard": "XCTL03"}),
}


@pytest.mark.parametrize("name", RECEIPTS_TO_US)
def test_a_receipt_is_never_answered(name: str) -> None:
    payload, header_ = RECEIPTS_TO_US[name]
    outcome = taken(sbdh(payload, message_id=NEW_MESSAGE, **header_))
    assert outcome.outgoing == outcome.cases == ()
    assert len(faults(outcome)) == 1


# ------------------------------------------------------------------ what goes out
def scopes(data: bytes) -> dict[str, str]:
    root = etree.fromstring(data)
    found = root.iter("{*}Scope")
    return {scope[0].text: scope[1].text for scope in found}


def test_the_way_of_a_referral_and_back_in_xml() -> None:
    opened_ = taken(sbdh(process="urn:ehmi:sdn-emergence"))
    receipt, status = only(opened_, "XCTL03"), only(opened_, "XDIS91")
    assert {receipt.carrier, status.carrier} == {Carrier.SBDH}
    assert scopes(transmitted(receipt)) == {
        "DOCUMENTID": "urn:dk:healthcare:medcom:messaging:oioxml:schema:xsd:contrl:xctl03:xc0330q",
        "PROCESSID": "urn:ehmi:sdn-emergence",
        "MESSAGEIDENTIFIER": receipt.letter_id,
        "MESSAGEENVELOPEIDENTIFIER": receipt.letter_id,
        "StatisticalInformation": "MCM:XCTL03",
    }
    assert scopes(transmitted(status)) == {
        "DOCUMENTID": "urn:dk:healthcare:medcom:messaging:oioxml:schema:xsd:meddis:xdis91:xd9134l",
        "PROCESSID": "urn:ehmi:sdn-emergence",
        "PATIENTID": "1203659901",
        "MESSAGEIDENTIFIER": status.letter_id,
        "MESSAGEENVELOPEIDENTIFIER": status.letter_id,
        "StatisticalInformation": "MCM:XDIS91",
    }


def test_the_way_of_a_referral_and_back_in_fhir() -> None:
    came = taken(sbdh(as_json(fhir()), mime=JSON, message_id=HEADER_ID, process=None))
    receipt, status = only(came, "Acknowledgement"), only(came, "CareCommunication")
    ours, theirs = load().letterhead.sor, "123450000001005"
    common = {
        "PROCESSID": "sdn-emergence",
        "SENDERID": ours,
        "RECEIVERID": theirs,
        "MESSAGEENVELOPEIDENTIFIER": NEW_ENVELOPE,
    }
    register = "urn:dk:healthcare:medcom:messaging:fhir:structuredefinition"
    assert scopes(transmitted(receipt)) == common | {
        "DOCUMENTID": f"{register}:acknowledgement:2.0",
        "MESSAGEIDENTIFIER": receipt.letter_id,
        "StatisticalInformation": "MCM:acknowledgement-message",
    }
    assert scopes(transmitted(status)) == common | {
        "DOCUMENTID": f"{register}:carecommunication:5.0",
        "PATIENTID": "1203659901",
        "MESSAGEIDENTIFIER": status.letter_id,
        "StatisticalInformation": "MCM:care-communication-message#regarding-referral",
    }
    (sent,) = payloads_in(etree.fromstring(transmitted(status)))
    assert json.loads(sent)["id"] == NEW_ENVELOPE


def test_a_replacement_number_is_no_patient_id() -> None:
    outcome = taken(sbdh(emessage(xref15(cpr=None, replacement_cpr="1203651AK1"))))
    assert "PATIENTID" not in scopes(transmitted(only(outcome, "XDIS91")))


def test_sor_numbers_that_a_letter_tells() -> None:
    outcome = taken(sbdh(emessage(xref15(sender_id="1144561000016002", sender_code="sorkode"))))
    assert scopes(transmitted(only(outcome, "XDIS91")))["RECEIVERID"] == "1144561000016002"


def test_a_receipt_goes_to_where_the_envelope_came_from() -> None:
    outcome = taken(sbdh(sender=partner("Sender", f"0088:{OTHER_GLN}")))
    receipt, status = (etree.fromstring(transmitted(only(outcome, kind))) for kind in ("XCTL03", "XDIS91"))
    assert [p.findtext(".//{*}Receiver/{*}Identifier") for p in (receipt, status)] == [
        f"0088:{OTHER_GLN}",
        f"0088:{SENDER_GLN}",
    ]
    assert receipt.findtext(".//{*}Sender/{*}Identifier") == f"0088:{OUR_GLN}"


def test_what_a_case_leads_to_later_goes_in_an_sbdh_too() -> None:
    (case,) = taken(sbdh()).cases
    outcome = tell(case, "declined_by_citizen")
    letters = [letter for letter in outcome.outgoing if letter.kind in {"XDIS91", "XDIS15"}]
    assert {letter.kind for letter in letters} >= {"XDIS15"}
    for letter in letters:
        assert letter.carrier is Carrier.SBDH
        assert own_violations(transmitted(letter)) == []


@pytest.mark.parametrize("payload", [Payload.MEDCOM_XML, Payload.FHIR_JSON])
def test_a_resend_is_the_same_letter_in_a_new_envelope(payload: Payload) -> None:
    in_xml = payload is Payload.MEDCOM_XML
    came = taken(sbdh()) if in_xml else taken(sbdh(as_json(fhir()), mime=JSON, message_id=HEADER_ID))
    letter = only(came, "XDIS91" if in_xml else "CareCommunication")
    first, again = mint(letter, RECEIVED), mint(letter, datetime(2026, 11, 18, tzinfo=UTC))
    assert (first.content_type, first.suffix) == ("application/xml", "xml")
    assert first.envelope_id != again.envelope_id
    (one,), (two,) = (payloads_in(etree.fromstring(sent.data)) for sent in (first, again))
    told = [scopes(sent.data) for sent in (first, again)]
    assert told[0]["MESSAGEIDENTIFIER"] == told[1]["MESSAGEIDENTIFIER"]
    if in_xml:
        assert one == two
        assert told[0] == told[1]
    else:
        assert [json.loads(x)["entry"][0] for x in (one, two)] == [json.loads(letter.content)["entry"][0]] * 2
        assert [json.loads(x)["id"] for x in (one, two)] == [first.envelope_id, again.envelope_id]


def test_a_receiver_who_has_chosen_edifact_gets_it_bare() -> None:
    chosen = msgspec.structs.replace(load(), formats={SENDER_GLN: "edifact"})
    outcome = taken(sbdh(), municipality=chosen)
    letter = only(outcome, "DIS91")
    assert letter.carrier is Carrier.BARE
    assert transmitted(letter, "GLDUDGAAENDE01").startswith(b"UNA")
    assert only(outcome, "XCTL03").carrier is Carrier.SBDH


def test_our_own_answers_are_read_as_receipts_and_letters() -> None:
    """What we write, another gateway of ours reads: the receipt settles its letter, and is never answered."""
    outcome = taken(sbdh())
    answer = transmitted(only(outcome, "XCTL03"))
    reading = read(answer, sbdh=True)
    assert [letter.type for letter in reading.letters] == ["XCTL03"]
    assert (reading.warnings, reading.fault) == ((), None)
    assert kinds(taken(answer)) == []


# ------------------------------------------------------------------ by independent judges
def outcomes() -> list[Outcome]:
    every = [PAYLOADS[name] for name in PAYLOADS]
    good = [taken(sbdh(s.payload(s.message, BUNDLE_ID), mime=s.mime, message_id=s.message)) for s in every]
    bad = [taken(sbdh(s.payload(s.message, BUNDLE_ID), mime=s.mime, message_id=s.message, **BAD_ID)) for s in every]
    later = [tell(case, "declined_by_citizen") for outcome in good for case in outcome.cases if case.number == 1]
    refused = [taken(sbdh(b"{", mime=mime, message_id=HEADER_ID)) for mime in ("application/xml", JSON, FHIR_XML)]
    return [*good, *bad, *later, *refused]


def payloads_out() -> list[bytes]:
    letters = [letter for outcome in outcomes() for letter in outcome.outgoing if letter.carrier is Carrier.SBDH]
    sent = [transmitted(letter, at=RECEIVED + timedelta(minutes=1)) for letter in letters]
    assert [broken for document in sent for broken in own_violations(document)] == []
    return [payload for document in sent for payload in payloads_in(etree.fromstring(document))]


def test_medcoms_schemas_accept_what_is_inside(shared: Path, tmp_path: Path) -> None:
    check_with_medcom(shared, tmp_path, [p for p in payloads_out() if b"<Emessage" in p])


@pytest.mark.parametrize(
    ("name", "profile"),
    [("acknowledgement", "medcom-messaging-acknowledgement"), ("carecommunication", "careCommunication-message")],
)
def test_the_published_profiles_accept_what_is_inside(name: str, profile: str, shared: Path, tmp_path: Path) -> None:
    messages = [json.loads(payload) for payload in payloads_out() if payload.startswith(b"{")]
    wanted = [message for message in messages if message["meta"]["profile"][0].endswith(profile)]
    assert wanted
    file = tmp_path / "sent.jsonl"
    file.write_text("\n".join(map(json.dumps, wanted)), encoding="ascii")
    command = [sys.executable, str(shared / "tools" / "check-fhir"), "--set", name, str(file)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{len(wanted)} resources, 0 issues" in result.stdout
