"""The carriers a simulated referral can come in, each with its writer; any of them may stand in a VANSEnvelope."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

import msgspec

from gateway.mapping.edifact import interchange, medref
from gateway.mapping.fhir.answers import MIME
from gateway.mapping.fhir.xml_writing import to_xml
from gateway.mapping.medcom import vans, xref01, xref15
from gateway.mapping.medcom.elements import group, tag
from gateway.mapping.medcom.letter_types import LETTER_TYPES
from gateway.mapping.medcom.parties import write_moment
from gateway.municipality.model import Municipality
from gateway.referral.ids import Cause, fhir_id
from gateway.referral.letters import FHIR, Channel, Outgoing, Payload
from gateway.referral.model import ClinicalText, Referral
from gateway.simulate import fhir_writing
from gateway.simulate.referrals import Drawn

#: from authorised to sent
_ON_ITS_WAY = timedelta(minutes=5)
_replace = msgspec.structs.replace


class Carrier(msgspec.Struct, frozen=True, kw_only=True):
    """One form of a message."""

    name: str
    #: its part of a hundred where nothing else is asked for
    share: int
    payload: Payload
    #: MedCom's name and version of the letter
    document: vans.Document
    #: a ServiceRequest in no message: it cannot be corrected, and its requester is an organisation
    alone: bool = False
    write: Callable[[Drawn, Municipality, datetime], bytes]

    @property
    def tells_self(self) -> bool:
        """Whether it can say that the citizen refers."""
        return self.payload in FHIR and not self.alone

    @property
    def suffix(self) -> str:
        """File ending."""
        return {Payload.EDIFACT: "edi", Payload.FHIR_JSON: "json"}.get(self.payload, "xml")

    @property
    def content_type(self) -> str:
        """MIME type."""
        fhir = {Payload.FHIR_JSON: "application/fhir+json", Payload.FHIR_XML: "application/fhir+xml"}
        return fhir.get(self.payload, "application/edifact" if self.payload is Payload.EDIFACT else "application/xml")


def sent_at(drawn: Drawn) -> datetime:
    """When the message left its sender."""
    return drawn.referral.authorised + _ON_ITS_WAY


def written(drawn: Drawn, carrier: Carrier, municipality: Municipality, *, in_vans: bool) -> bytes:
    """The bytes of the message."""
    data = carrier.write(drawn, municipality, sent_at(drawn))
    return _in_vans(drawn, carrier, data) if in_vans else data


def _in_vans(drawn: Drawn, carrier: Carrier, data: bytes) -> bytes:
    referral = drawn.referral
    letter = Outgoing(
        letter_id=referral.letter_id,
        message_id=fhir_id(Cause(sender=drawn.uuid, id="vans"), "message", ""),
        kind=carrier.document.name,
        version=carrier.document.version,
        channel=Channel.MEDCOM,
        receiver=referral.receiver.gln or "",
        sender=referral.sender.gln or "",
        at=referral.authorised,
        content=b"",
    )
    return vans.wrap(letter, (data, carrier.document), drawn.vans_uuid, sent_at(drawn))


# ------------------------------------------------------------------ MedCom XML and EDIFACT
def _of_version(drawn: Drawn, kind: str, version: str) -> Referral:
    """The referral as that letter type tells it: XREF01 has places of its own for the text, and a priority."""
    referral = _replace(drawn.referral, message_type=kind, version=version, statistical_code=kind)
    if kind == "XREF15":
        return referral
    (text,) = referral.texts
    opening, _, rest = text.text.partition("\n")
    texts = (ClinicalText(place="ClinicalReason", text=opening), ClinicalText(place="Anamnesis", text=rest))
    return _replace(referral, texts=texts, priority="akut" if drawn.matter.priority else "elektiv")


def _emessage(kind: str, version: str) -> Callable[[Drawn, Municipality, datetime], bytes]:
    (namespace,) = (t.namespace for t in LETTER_TYPES if (t.type, t.version) == (kind, version))
    encode = xref15.encode if kind == "XREF15" else xref01.encode

    def write(drawn: Drawn, _municipality: Municipality, sent: datetime) -> bytes:
        envelope = group(
            "Envelope",
            write_moment("Sent", sent),
            tag("Identifier", drawn.envelope_id),
            tag("AcknowledgementCode", "pluspositivkvitt"),
        )
        letter = encode(_of_version(drawn, kind, version))
        text = f'<Emessage xmlns="{namespace}">{envelope}{letter}</Emessage>'
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()

    return write


def _edifact(drawn: Drawn, _municipality: Municipality, sent: datetime) -> bytes:
    referral = _of_version(drawn, "REF01", "H0130R")
    text = interchange.message(referral.letter_id, ("REF01", "H0130R"), medref.encode(referral))
    letter = Outgoing(
        letter_id=referral.letter_id,
        message_id=drawn.uuid,
        kind="REF01",
        version="H0130R",
        channel=Channel.MEDCOM,
        receiver=referral.receiver.gln or "",
        sender=referral.sender.gln or "",
        at=referral.authorised,
        content=text.encode(),
        wants_receipt=True,
    )
    return interchange.wrap(letter, drawn.envelope_id, sent)


# ------------------------------------------------------------------ FHIR
def _fhir_json(drawn: Drawn, municipality: Municipality, sent: datetime) -> bytes:
    return msgspec.json.encode(fhir_writing.message(drawn, municipality, sent))


def _fhir_xml(drawn: Drawn, municipality: Municipality, sent: datetime) -> bytes:
    return to_xml(fhir_writing.message(drawn, municipality, sent))


def _alone_json(drawn: Drawn, municipality: Municipality, _sent: datetime) -> bytes:
    return msgspec.json.encode(fhir_writing.alone(drawn, municipality))


def _alone_xml(drawn: Drawn, municipality: Municipality, _sent: datetime) -> bytes:
    return to_xml(fhir_writing.alone(drawn, municipality))


# ------------------------------------------------------------------ the table
def _medcom(name: str, share: int, kind: str, version: str) -> Carrier:
    return Carrier(
        name=name,
        share=share,
        payload=Payload.MEDCOM_XML,
        document=vans.Document(format="XML", name=f"MCM:{kind}", version=version),
        write=_emessage(kind, version),
    )


def _fhir(name: str, share: int, payload: Payload, write: Callable[[Drawn, Municipality, datetime], bytes]) -> Carrier:
    document = vans.Document(format="HL7", name="ServiceRequest", version="4.0.1", mime=MIME[payload])
    return Carrier(
        name=name, share=share, payload=payload, document=document, write=write, alone="servicerequest" in name
    )


_ALL = (
    _medcom("xref15", 40, "XREF15", "XH1530R"),
    _medcom("xref15-xh1531r", 12, "XREF15", "XH1531R"),
    _medcom("xref01", 8, "XREF01", "XH0130R"),
    _medcom("xref01-xh0131r", 4, "XREF01", "XH0131R"),
    Carrier(
        name="ref01",
        share=6,
        payload=Payload.EDIFACT,
        document=vans.Document(format="EDIFACT", name="MCM:REF01", version="H0130R"),
        write=_edifact,
    ),
    _fhir("fhir-json", 18, Payload.FHIR_JSON, _fhir_json),
    _fhir("fhir-xml", 6, Payload.FHIR_XML, _fhir_xml),
    _fhir("servicerequest-json", 4, Payload.FHIR_JSON, _alone_json),
    _fhir("servicerequest-xml", 2, Payload.FHIR_XML, _alone_xml),
)
CARRIERS: Mapping[str, Carrier] = MappingProxyType({carrier.name: carrier for carrier in _ALL})
