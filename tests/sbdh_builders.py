"""StandardBusinessDocuments with defaults, as MedCom's samples write them, and messages through the core with them."""

import json
from base64 import encodebytes
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from gateway.mapping.encoding import wrap
from gateway.municipality.model import Municipality, load
from gateway.receive import read, receive
from gateway.referral.inbox import Known, Outcome
from gateway.referral.letters import Outgoing
from tests.builders import OUR_GLN, RECEIVED, SENDER_GLN, emessage, tag, xref15
from tests.correspondence_builders import xdis91, xdis91_message
from tests.fhir_messages import BUNDLE_ID, HEADER_ID, Json, as_json, as_xml, referral

SBDH = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"
PEPPOL = "http://peppol.eu/xsd/ticc/envelope/1.0"
SIGNALS = "http://docs.oasis-open.org/ebxml-bp/ebbp-signals-2.0"
SBDH_ENVELOPE, SBDH_MESSAGE = "401cbc36-db1e-4fe0-bf90-6df331dde179", "489de4f2-0d8d-4de2-a7ce-ccb93568799f"
NEW_ENVELOPE, NEW_MESSAGE = "11111111-2222-4333-8444-555555555555", "66666666-7777-4888-9999-aaaaaaaaaaaa"
OTHER_BUNDLE = "5b1f6c1e-7a55-4d0e-9a4e-000000000099"
JSON, FHIR_XML = "application/fhir+json", "application/fhir+xml"
REQUEST = (
    "<CorrelationInformation><RequestingDocumentInstanceIdentifier>x</RequestingDocumentInstanceIdentifier>"
    "</CorrelationInformation>"
)


def scope(kind: str, value: str | None, more: str = "") -> str:
    """A Scope; without a value nothing. Its value is indented, as one sample has it."""
    told = tag("Type", kind) + tag("InstanceIdentifier", f"\n   {value}\n ") + tag("Identifier", "dk-medcom-messaging")
    return "" if value is None else tag("Scope", told + more)


def partner(name: str, gln: str, authority: str = "iso6523-actorid-upis") -> str:
    """Sender or Receiver; ``gln`` with its scheme."""
    return tag(name, f'<Identifier Authority="{authority}">{gln}</Identifier>')


def content(payload: bytes, mime: str = "application/xml", *, namespace: str = SBDH, text: str | None = None) -> str:
    """BinaryContent; its base64 broken into lines."""
    data = encodebytes(payload).decode() if text is None else text
    return f'<BinaryContent xmlns="{namespace}" mimeType="{mime}" encoding="UTF-8">\n{data}\n</BinaryContent>'


def sbdh(
    payload: bytes | None = None,
    *,
    envelope_id: str = SBDH_ENVELOPE,
    sender: str = partner("Sender", f"0088:{SENDER_GLN}"),
    receiver: str = partner("Receiver", f"0088:{OUR_GLN}"),
    created: str = "2026-11-16T09:16:11+01:00",
    standard: str = "XREF15",
    document: str = "urn:dk:healthcare:medcom:messaging:oioxml:schema:xsd:medref:xref15:xh1530r",
    message_id: str | None = SBDH_MESSAGE,
    message_envelope_id: str | None = None,
    process: str | None = "sdn-emergence",
    sender_sor: str | None = "1144561000016002",
    contents: str | None = None,
    mime: str = "application/xml",
) -> bytes:
    """An envelope around a payload (the default message)."""
    scopes = (
        scope("DOCUMENTID", document)
        + scope("PROCESSID", process)
        + scope("PATIENTID", "1203659901")
        + scope("SENDERID", sender_sor)
        + scope("RECEIVERID", "52581000016005")
        + scope("MESSAGEIDENTIFIER", message_id)
        + scope("MESSAGEENVELOPEIDENTIFIER", message_envelope_id)
        + scope("EHMI-ReceiptAcknowledgement", "Request", REQUEST)
    )
    identification = (
        tag("Standard", standard)
        + tag("TypeVersion", "1.1")
        + tag("InstanceIdentifier", envelope_id)
        + tag("Type", "Bundle")
        + tag("MultipleType", "false")
        + tag("CreationDateAndTime", created)
    )
    header = (
        tag("HeaderVersion", "1.0")
        + sender
        + receiver
        + tag("DocumentIdentification", identification)
        + tag("BusinessScope", scopes)
    )
    body = content(emessage() if payload is None else payload, mime) if contents is None else contents
    root = f'<StandardBusinessDocument xmlns="{SBDH}">{tag("StandardBusinessDocumentHeader", header)}{body}'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{root}</StandardBusinessDocument>'.encode()


def taken(data: bytes, known: Known | None = None, *, municipality: Municipality | None = None) -> Outcome:
    """What one message leads to where the SBDH is switched on."""
    return receive(read(data, sbdh=True), known or Known(), municipality or load(), RECEIVED)


def fhir(message_id: str = HEADER_ID, bundle_id: str = BUNDLE_ID) -> Json:
    """The default FHIR referral under these ids."""
    text = as_json(referral()).decode()
    told: Json = json.loads(text.replace(HEADER_ID, message_id).replace(BUNDLE_ID, bundle_id))
    return told


# ------------------------------------------------------------------ what may stand in it
class Sent(NamedTuple):
    """A message: payload by its ids (message, Emessage or Bundle envelope), what the header calls it."""

    payload: Callable[[str, str], bytes]
    mime: str
    #: MESSAGEIDENTIFIER of the first message
    message: str = SBDH_MESSAGE


def _emessage(letter: Callable[[str], bytes]) -> Callable[[str, str], bytes]:
    def payload(message_id: str, _: str) -> bytes:
        return letter("00000000001" if message_id == SBDH_MESSAGE else "00000000002")

    return payload


PAYLOADS = {
    "XREF15": Sent(
        _emessage(lambda n: emessage(xref15(letter_id=f"BRV{n}"), envelope_id=f"KUV{n}")), "application/xml"
    ),
    "XREF15 that is refused": Sent(
        _emessage(lambda n: emessage(xref15(letter_id=f"BRV{n}", cpr="3102659901"), envelope_id=f"KUV{n}")), "text/xml"
    ),
    "XDIS91": Sent(
        _emessage(lambda n: xdis91_message(xdis91()).replace(b"00000000001", n.encode())), "application/xml"
    ),
    "FHIR JSON": Sent(lambda m, b: as_json(fhir(m, b)), JSON, HEADER_ID),
    "FHIR XML": Sent(lambda m, b: as_xml(fhir(m, b)), FHIR_XML, HEADER_ID),
}


def transmitted(letter: Outgoing, envelope_id: str = NEW_ENVELOPE, at: datetime = RECEIVED) -> bytes:
    """The bytes of one transmission."""
    return wrap(letter, envelope_id, at)
