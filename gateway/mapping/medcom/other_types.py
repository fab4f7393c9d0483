"""MedCom types that we know by name and do not read: refused, or forwarded unread by the municipality file (facts §1).

Of the rehabilitation plans (G-GOP and its forerunner) only the namespace is known; their ids are not read.
"""

from collections.abc import Mapping
from types import MappingProxyType

from lxml import etree

from gateway.mapping.medcom.elements import below, children, text_of
from gateway.referral.correspondence import OtherLetter
from gateway.referral.reading import Reading, ReadLetter, content_digest

_REP = "http://rep.oio.dk/medcom.dk/xml/schemas/"
#: namespace and letter element → type
OTHER_LETTERS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        (f"{_REP}2019/03/31/", "EmergencyMunicipalityReferral"): "XREF22",
        (f"{_REP}2019/03/31/", "EmergencyMunicipalityLetter"): "XDIS22",
        (f"{_REP}2015/08/01/", "PhysiotherapyReferral"): "XREF07",
        (f"{_REP}2016/12/01/", "MunicipalityLetter"): "XDIS15",
        (f"{_REP}2020/05/06/", "MunicipalityLetter"): "XDIS15",
        (f"{_REP}2018/08/06/", "DischargeLetter"): "XDIS01",
        (f"{_REP}2018/08/06/", "OutPatientDischargeLetter"): "XDIS02",
        (f"{_REP}2018/08/06/", "CasualtyWardLetter"): "XDIS03",
    }
)
#: namespaces of Emessages that hold such letters
OTHER_NAMESPACES = frozenset(namespace for namespace, _ in OTHER_LETTERS)
#: namespace → type, where the message is no Emessage
OTHER_MESSAGES: Mapping[str, str] = MappingProxyType({"ggop:ggop100": "GGOP", "dgop:d1gop1.0": "DGOP"})
#: what a municipality file may forward
OTHER_TYPES = frozenset({*OTHER_LETTERS.values(), *OTHER_MESSAGES.values()})


def read_other_letter(element: etree._Element, kind: str, ids: tuple[str, str]) -> ReadLetter:
    """A letter of an Emessage as it came; ``ids`` are its id and version."""
    found = children(element)
    content = OtherLetter(
        message_type=kind,
        version=ids[1],
        letter_id=ids[0],
        sender_gln=text_of(below(found, "Sender"), "EANIdentifier") or "",
        receiver_gln=text_of(below(found, "Receiver"), "EANIdentifier") or "",
        data=etree.tostring(element, encoding="UTF-8", xml_declaration=True, with_tail=False),
    )
    return ReadLetter(type=kind, version=ids[1], letter_id=ids[0], content=content, digest=content_digest(content))


def read_other_message(root: etree._Element, digest: str) -> Reading:
    """A message of a standard of its own, whose ids are not known here; the envelope around it tells the sender."""
    kind = OTHER_MESSAGES[root.tag[1:].partition("}")[0]]
    data = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    content = OtherLetter(message_type=kind, data=data)
    return Reading(letters=(ReadLetter(type=kind, content=content, digest=content_digest(content)),), digest=digest)
