"""What our FHIR answers say: receipts by the rules of MedCom (KR1 to KR6), letters in their chain, in every carrier."""

import json
from base64 import b64decode
from typing import Any

import msgspec
import pytest
from lxml import etree

from gateway.errors import FAULTS, Fault
from gateway.mapping.encoding import encode, wrap
from gateway.mapping.fhir.acknowledgement import response_code
from gateway.mapping.medcom.schema import violations
from gateway.mapping.medcom.vans import NAMESPACE
from gateway.municipality.model import Municipality, load
from gateway.outbound.envelopes import mint
from gateway.referral.ids import Cause
from gateway.referral.letters import Arrival, Carrier, FhirParty, Outgoing, Payload, Receipt, StatusLetter
from gateway.referral.model import Citizen, Party
from gateway.referral.reading import Reading
from gateway.referral.receipts import receipts
from gateway.referral.reply import Reply
from tests.builders import CPR, OTHER_GLN, OUR_GLN, RECEIVED, SENDER_GLN, handle, vans
from tests.mapping.fhir.values import (
    BUNDLE_ID,
    MESSAGE_ID,
    OTHER_SOR,
    OUR_SOR,
    PRACTICE,
    SENDER_SOR,
    US,
    WARD,
    answered,
    arrival,
    provenance,
    receipt,
)

MUNICIPALITY = load()
ENVELOPE = "9c8b7a69-5847-4362-8514-03f2e1d0c9b8"
EARLIER = "99998888-7777-4666-8555-444433332222"
VANS_ARRIVAL = handle(vans()).message.arrival
IN_VANS = {"carrier": Carrier.VANS, "vans": VANS_ARRIVAL.vans}


def status_letter(**given: Any) -> StatusLetter:  # noqa: ANN401
    """A status letter to the practice that referred."""
    told = {
        "subject": "Henvisning visiteret",
        "text": "Borgeren er visiteret.\nVi ringer.",
        "sender": Party(gln=OUR_GLN),
        "receiver": Party(gln=SENDER_GLN, organisation="Lægehuset Prøvely"),
        "citizen": Citizen(cpr=CPR, surname="Prøvesen", given_name="Kai Åge"),
        "episode_id": "4b7c1f0a9d2e4c6f8a1b3c5d7e9f0a1b",
        "referral_id": MESSAGE_ID,
        "at": RECEIVED,
    }
    return StatusLetter(**told | given)


def letter_of(
    content: Receipt | StatusLetter, came: Arrival | None = None, municipality: Municipality = MUNICIPALITY
) -> Outgoing:
    came = came or (content.arrival if isinstance(content, Receipt) else arrival())
    reply = Reply(content=content, cause=Cause(sender=SENDER_GLN, id=BUNDLE_ID), arrival=came, case_id="sag")
    return encode(reply, municipality)


def resources(letter: Outgoing) -> dict[str, list[dict[str, Any]]]:
    """The message's resources by type, as sent."""
    bundle = json.loads(wrap(msgspec.structs.replace(letter, carrier=Carrier.BARE), ENVELOPE, RECEIVED))
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in bundle["entry"]:
        kind = entry["resource"]["resourceType"]
        assert entry["fullUrl"].endswith(f"/{kind}/{entry['resource']['id']}")
        found.setdefault(kind, []).append(entry["resource"])
    return found


# ------------------------------------------------------------------ acknowledgement
RULES = {
    "KR3 and KR5: taken": (receipt(), "ok", []),
    "KR4: a passing error of ours": (receipt("GW-190"), "transient-error", ["MSG_Mailbox_Out_Of_Operation"]),
    "KR6: against the standard": (receipt("GW-120"), "fatal-error", ["MSG_BAD_SYNTAX"]),
    "not for us": (receipt("GW-130"), "fatal-error", ["MSG_Receiver_Identifier_UNKNOWN"]),
    "Bundle.id used again for another letter": (receipt("GW-150"), "fatal-error", ["MSG_DUPLICATE_ID"]),
    "the message as a whole and its letter": (
        msgspec.structs.replace(receipt("GW-140"), fault=Fault(id="GW-104")),
        "fatal-error",
        ["MSG_Element_To_Long", "MSG_ID_INVALID"],
    ),
    "passing and lasting faults": (
        msgspec.structs.replace(receipt("GW-140"), fault=Fault(id="GW-190")),
        "fatal-error",
        ["MSG_Mailbox_Out_Of_Operation", "MSG_ID_INVALID"],
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_the_receipt_says_what_the_rules_ask_for(rule: str) -> None:
    content, code, issues = RULES[rule]
    found = resources(letter_of(content))
    (header,) = found["MessageHeader"]
    assert (header["response"]["identifier"], header["response"]["code"]) == (MESSAGE_ID, code)
    outcomes = found.get("OperationOutcome", [])
    assert [i["details"]["coding"][0]["code"] for o in outcomes for i in o["issue"]] == issues
    assert header["response"].get("details") == (
        {"reference": f"OperationOutcome/{outcomes[0]['id']}"} if issues else None
    )


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_every_fault_has_its_issue(fault: str) -> None:
    content = receipt(fault, "(felt)")
    (outcome,) = resources(letter_of(content))["OperationOutcome"]
    (issue,) = outcome["issue"]
    assert issue["details"]["text"] == f"{fault} {FAULTS[fault].text} (felt)"
    assert issue["details"]["coding"][0]["code"] == FAULTS[fault].fhir
    assert issue["severity"] == "error"
    assert response_code(content) in {"fatal-error", "transient-error"}


def test_the_organisations_are_swapped() -> None:
    found = resources(letter_of(receipt()))
    (header,) = found["MessageHeader"]
    numbers = {o["id"]: [i["value"] for i in o["identifier"]] for o in found["Organization"]}
    assert numbers[header["sender"]["reference"].removeprefix("Organization/")] == [OUR_SOR, OUR_GLN]
    (destination,) = header["destination"]
    assert numbers[destination["receiver"]["reference"].removeprefix("Organization/")] == [SENDER_SOR, SENDER_GLN]
    assert destination["endpoint"] == PRACTICE.endpoint
    assert header["source"]["endpoint"] == f"https://sor2.sum.dsdn.dk/#id={OUR_SOR}"


@pytest.mark.parametrize(("addressed", "ours"), [(OTHER_GLN, OUR_GLN), (None, OUR_GLN), (OUR_GLN, OUR_GLN)])
def test_we_never_answer_in_the_name_of_another(addressed: str | None, ours: str) -> None:
    letter = letter_of(receipt("GW-130", receiver_gln=addressed))
    assert (letter.sender, letter.receiver) == (ours, SENDER_GLN)


def test_a_sender_without_sor_id_is_answered_all_the_same() -> None:
    bare = msgspec.structs.replace(PRACTICE, sor="")
    unknown = resources(letter_of(receipt("GW-120", sender=bare)))
    assert [len(o["identifier"]) for o in unknown["Organization"]] == [2, 1]
    told = msgspec.structs.replace(MUNICIPALITY, sors={SENDER_GLN: SENDER_SOR})
    known = resources(letter_of(receipt("GW-120", sender=bare), municipality=told))
    assert [len(o["identifier"]) for o in known["Organization"]] == [2, 2]


CHAINS = {
    "the original's Provenance is repeated": ((provenance(),), 2),
    "the chain before it is not": ((provenance(), provenance(target=EARLIER)), 2),
    "none came": ((), 1),
    "it does not say when": ((provenance(occurred=""),), 1),
    "it says what is in no value set": ((provenance(activity="new-referral"),), 1),
}


@pytest.mark.parametrize("chain", CHAINS)
def test_at_most_two_provenances(chain: str) -> None:
    provenances, count = CHAINS[chain]
    letter = letter_of(receipt(provenances=provenances))
    own, *original = resources(letter)["Provenance"]
    assert 1 + len(original) == count
    assert own["activity"]["coding"][0]["code"] == "acknowledgement"
    assert own["target"] == [{"reference": f"MessageHeader/{letter.letter_id}"}]
    assert own["entity"] == [{"role": "revision", "what": {"reference": f"MessageHeader/{MESSAGE_ID}"}}]
    assert [o["target"] for o in original] == [[{"reference": f"MessageHeader/{MESSAGE_ID}"}]] * (count - 1)


# ------------------------------------------------------------------ which receipts
OWED = {
    "KR1: every message, asked for or not": ({}, None, ["Acknowledgement ok"]),
    "a wrong one": ({}, "GW-120", ["Acknowledgement fatal-error"]),
    "in a reliable VANSEnvelope": (IN_VANS, None, ["VANSReceipt", "Acknowledgement ok"]),
    "a wrong one in a reliable VANSEnvelope": (IN_VANS, "GW-120", ["VANSReceipt", "Acknowledgement fatal-error"]),
    "a bare resource, which has no message id": ({"message_id": ""}, "GW-120", []),
}


@pytest.mark.parametrize("case", OWED)
def test_which_receipts_are_owed(case: str) -> None:
    around, fault, expected = OWED[case]
    replies = receipts(Reading(arrival=arrival(**around)), (answered(fault),), None, MUNICIPALITY, RECEIVED)
    assert [_kind(encode(reply, MUNICIPALITY)) for reply in replies] == expected
    assert arrival(**around).positive_owed


def _kind(letter: Outgoing) -> str:
    if letter.kind == "VANSReceipt":
        assert letter.payload is Payload.MEDCOM_XML
        return letter.kind
    return f"{letter.kind} {resources(letter)['MessageHeader'][0]['response']['code']}"


# ------------------------------------------------------------------ care communication
def test_a_status_letter() -> None:
    letter = letter_of(status_letter())
    found = resources(letter)
    (communication,) = found["Communication"]
    (payload,) = communication["payload"]
    assert payload["contentString"] == "Borgeren er visiteret.\nVi ringer."
    assert communication["category"][0]["coding"][0]["code"] == "regarding-referral"
    assert communication["topic"]["text"] == "Henvisning visiteret"
    assert found["Patient"][0]["identifier"] == [{"use": "official", "system": "urn:oid:1.2.208.176.1.2", "value": CPR}]
    assert found["Patient"][0]["name"] == [{"use": "official", "family": "Prøvesen", "given": ["Kai", "Åge"]}]
    assert found["Encounter"][0]["episodeOfCare"][0]["identifier"]["value"] == status_letter().episode_id
    assert found["Practitioner"][0]["name"] == [
        {"family": "Rehabilitering", "given": ["Ishøj", "Kommune", "Forebyggelse", "og"]}
    ]
    (own,) = found["Provenance"]
    assert own["activity"]["coding"][0]["code"] == "reply-message"
    assert [entity["role"] for entity in own["entity"]] == ["source", "revision"]
    assert (letter.obstacle, letter.wants_receipt, letter.episode_id) == ("", True, None)


ANCESTORS = {
    "a FHIR message": (arrival(), MESSAGE_ID, {"reference": f"MessageHeader/{MESSAGE_ID}"}),
    "a MedCom letter": (
        Arrival(sender_gln=SENDER_GLN),
        "SYNBRV00000001",
        {"identifier": {"value": f"{SENDER_GLN}#SYNBRV00000001"}},
    ),
    "a bare ServiceRequest": (arrival(message_id=""), "request-1", None),
    "a MedCom letter of nobody": (Arrival(), "SYNBRV00000001", None),
    "a FHIR message that was not kept": (Arrival(payload=Payload.FHIR_XML), MESSAGE_ID, None),
}


@pytest.mark.parametrize("ancestor", ANCESTORS)
def test_the_message_before_is_named(ancestor: str) -> None:
    came, referral_id, expected = ANCESTORS[ancestor]
    told = msgspec.structs.replace(MUNICIPALITY, sors={SENDER_GLN: SENDER_SOR}, formats={SENDER_GLN: "fhir-json"})
    (own,) = resources(letter_of(status_letter(referral_id=referral_id), came, told))["Provenance"]
    before = [entity["what"] for entity in own["entity"] if entity["role"] == "revision"]
    assert before == ([expected] if expected else [])
    assert own["activity"]["coding"][0]["code"] == ("reply-message" if expected else "new-message")


PAYLOADS = ("urn:uuid:24d01288-ad36-4af2-96a8-fd1432dadee1",)
EARLIER_ONES = {
    "a CareCommunication of the practice": (provenance(payloads=PAYLOADS), [SENDER_GLN]),
    "a CareCommunication of ours": (provenance(payloads=PAYLOADS, agent=US), [OUR_GLN]),
    "a CareCommunication of a third": (provenance(payloads=PAYLOADS, agent=WARD, previous=EARLIER), [OTHER_GLN]),
    "no CareCommunication": (provenance(), []),
    "of nobody": (provenance(payloads=PAYLOADS, agent=None), []),
    "of someone without SOR id": (provenance(payloads=PAYLOADS, agent=FhirParty(gln=OTHER_GLN)), []),
    "of someone without GLN": (provenance(payloads=PAYLOADS, agent=FhirParty(sor=OTHER_SOR)), []),
    "an activity of another standard": (provenance(payloads=PAYLOADS, activity="retract-message"), []),
}


@pytest.mark.parametrize("earlier", EARLIER_ONES)
def test_the_chain_of_care_communications_is_carried_on(earlier: str) -> None:
    came, agents = EARLIER_ONES[earlier]
    found = resources(letter_of(status_letter(), arrival(provenances=(came, came))))
    glns = {f"Organization/{o['id']}": o["identifier"][1]["value"] for o in found["Organization"]}
    _own, *carried = found["Provenance"]
    assert [glns[p["agent"][0]["who"]["reference"]] for p in carried] == agents * 2
    assert len(glns) == (3 if agents == [OTHER_GLN] else 2)


LACKING = {
    "nothing": ({}, {}, ""),
    "our SOR id": ({"sor": ""}, {}, "GW-206 afsenderens SOR-kode (letterhead.sor) mangler"),
    "our telephone": ({"phone": None}, {}, "GW-206 afsenderens telefon (letterhead.phone) mangler"),
    "the receiver's SOR id": ({}, {"gln": OTHER_GLN}, "GW-206 modtagerens SOR-kode (tabellen sors) mangler"),
    "the receiver's GLN": (
        {},
        {"gln": None},
        "GW-206 modtagerens lokationsnummer, modtagerens SOR-kode (tabellen sors) mangler",
    ),
}


@pytest.mark.parametrize("lack", LACKING)
def test_a_letter_that_lacks_a_fact_is_kept_with_the_reason(lack: str) -> None:
    head, receiver, obstacle = LACKING[lack]
    told = msgspec.structs.replace(
        MUNICIPALITY, letterhead=msgspec.structs.replace(MUNICIPALITY.letterhead, department=None, **head)
    )
    party = msgspec.structs.replace(status_letter().receiver, **receiver)
    assert letter_of(status_letter(receiver=party), municipality=told).obstacle == obstacle


def test_a_draft_has_ids_of_its_own() -> None:
    cause = Cause(sender=SENDER_GLN, id=BUNDLE_ID)
    sent, draft = (
        encode(Reply(content=status_letter(), cause=cause, arrival=arrival(), draft=is_draft), MUNICIPALITY)
        for is_draft in (False, True)
    )
    assert (sent.draft, draft.draft) == (False, True)
    assert sent.letter_id != draft.letter_id


# ------------------------------------------------------------------ which standard, which carrier
FORMATS = {
    "as it came": ({}, Payload.FHIR_JSON, "CareCommunication"),
    "XML came": ({}, Payload.FHIR_XML, "CareCommunication"),
    "the receiver wants FHIR XML": ({SENDER_GLN: "fhir-xml"}, Payload.FHIR_JSON, "CareCommunication"),
    "the receiver wants MedCom XML": ({SENDER_GLN: "medcom-xml"}, Payload.FHIR_JSON, "XDIS91"),
    "another receiver's wish": ({OTHER_GLN: "medcom-xml"}, Payload.FHIR_JSON, "CareCommunication"),
}


@pytest.mark.parametrize("case", FORMATS)
def test_the_standard_the_receiver_wants(case: str) -> None:
    formats, came, kind = FORMATS[case]
    told = msgspec.structs.replace(MUNICIPALITY, formats=formats)
    letter = letter_of(status_letter(), arrival(payload=came), told)
    assert (letter.kind, letter.payload.value) == (kind, formats.get(SENDER_GLN, came.value))
    acknowledged = letter_of(receipt(payload=came), municipality=told)
    assert (acknowledged.kind, acknowledged.payload) == ("Acknowledgement", came)


FORMS = {
    Payload.FHIR_JSON: ("application/fhir+json", "json", b'{"resourceType":"Bundle","id":"'),
    Payload.FHIR_XML: ("application/fhir+xml", "xml", b'<?xml version="1.0" encoding="UTF-8"?>\n<Bundle '),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_transmission_has_a_new_uuid_and_its_mime_type(form: Payload) -> None:
    letter = letter_of(receipt(payload=form))
    first, second = (mint(letter, RECEIVED) for _ in range(2))
    content_type, suffix, start = FORMS[form]
    assert (first.content_type, first.suffix) == (content_type, suffix)
    assert first.data.startswith(start)
    assert len({first.envelope_id, second.envelope_id, letter.letter_id}) == 3
    assert first.envelope_id.encode() in first.data
    assert first.data.replace(first.envelope_id.encode(), second.envelope_id.encode()) == second.data


DOCUMENTS = {
    "ok": (receipt(**IN_VANS), "MCM:FCTL#ok", "2.0.0"),
    "fatal": (receipt("GW-120", **IN_VANS), "MCM:FCTL#fatal-error", "2.0.0"),
    "transient": (receipt("GW-190", **IN_VANS), "MCM:FCTL#transient-error", "2.0.0"),
    "status letter": (status_letter(), "MCM:FDIS91#regarding-referral", "5.0"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_in_a_vans_envelope(name: str, form: Payload) -> None:
    content, document, version = DOCUMENTS[name]
    came = arrival(payload=form, **IN_VANS)
    written = mint(letter_of(content, came), RECEIVED)
    assert (written.content_type, written.suffix) == ("application/xml", "xml")
    root = etree.fromstring(written.data)
    told = {etree.QName(e).localname: e.text for e in root.iter()}
    assert (told["Format"], told["Name"], told["Version"]) == ("HL7", document, version)
    (mime,) = (e for e in root.iter("{*}ServiceTag") if e.get("name") == "MCM:MIME")
    assert mime.text == FORMS[form][0]
    data = b64decode(told["Data"])
    assert data.startswith(FORMS[form][2][:30])
    assert int(told["SizeInBytes"]) == len(data)
    assert not violations(root, NAMESPACE)
