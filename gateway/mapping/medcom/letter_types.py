"""The MedCom XML letter types we read and write, one row each: the table from namespace, element and version.

A namespace is never built from a date: the table is the truth (facts §0).
"""

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType

import msgspec
from lxml import etree

from gateway.mapping.medcom import xbin, xctl, xdis91, xref01, xref15
from gateway.referral.attachments import AttachmentMessage
from gateway.referral.correspondence import Correspondence
from gateway.referral.letters import ReceivedReceipt
from gateway.referral.model import Referral

_OIO = "http://rep.oio.dk/"
_2005 = f"{_OIO}sundcom.dk/medcom.dk/xml/schemas/2005/08/07/"
_2006 = f"{_OIO}sundcom.dk/medcom.dk/xml/schemas/2006/07/01/"
_2015 = f"{_OIO}medcom.dk/xml/schemas/2015/08/01/"
_2012 = f"{_OIO}medcom.dk/xml/schemas/2012/03/28/"
_2016_10 = f"{_OIO}medcom.dk/xml/schemas/2016/10/02/"
_2016 = f"{_OIO}medcom.dk/xml/schemas/2016/12/01/"
_2017 = f"{_OIO}medcom.dk/xml/schemas/2017/05/01/"
_2020 = f"{_OIO}medcom.dk/xml/schemas/2020/05/06/"

Letter = Referral | Correspondence | AttachmentMessage | ReceivedReceipt


class LetterType(msgspec.Struct, frozen=True, kw_only=True):
    """A type we read: where it lives, what it is called, how it is decoded."""

    type: str
    version: str
    namespace: str
    element: str
    decode: Callable[[etree._Element], Letter]


def _row(
    letter: tuple[str, str],
    namespace: str,
    element: str,
    decode: Callable[[etree._Element], Letter],
) -> LetterType:
    return LetterType(type=letter[0], version=letter[1], namespace=namespace, element=element, decode=decode)


#: what arrives
LETTER_TYPES: tuple[LetterType, ...] = (
    _row(("XREF15", "XH1530R"), _2016, "MunicipalityReferral", xref15.decode),
    _row(("XREF15", "XH1531R"), _2020, "MunicipalityReferral", xref15.decode),
    _row(("XREF01", "XH0130R"), _2005, "HospitalReferral", xref01.decode),
    _row(("XREF01", "XH0131R"), _2017, "HospitalReferral", xref01.decode),
    _row(("XDIS91", "XD9134L"), _2006, "ClinicalEmail", xdis91.decode),
    _row(("XDIS91", "XD9135L"), _2015, "ClinicalEmail", xdis91.decode),
    _row(("XBIN01", "XB0131X"), _2012, "BinaryLetter", xbin.decode),
    _row(("XBIN02", "XB0210X"), _2016_10, "ReferralAttachment", xbin.decode),
    _row(("XCTL01", "XC0130Q"), _2005, "NegativeVansReceipt", xctl.decode),
    _row(("XCTL02", "XC0230Q"), _2005, "NegativeReceipt", xctl.decode),
    _row(("XCTL03", "XC0330Q"), _2005, "PositiveReceipt", xctl.decode),
)

#: (type, version) → namespace of what we send
NAMESPACE_OF: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("XDIS15", "XD1530L"): _2016,
        ("XDIS15", "XD1531L"): _2020,
        ("XDIS91", "XD9134L"): _2006,
        ("XDIS91", "XD9135L"): _2015,
        ("XCTL02", "XC0230Q"): _2005,
        ("XCTL03", "XC0330Q"): _2005,
    }
)


@cache
def known_elements(namespace: str) -> Mapping[str, tuple[LetterType, ...]]:
    """The letter elements we read in a namespace, each with its versions."""
    names = {t.element for t in LETTER_TYPES if t.namespace == namespace}
    rows = {name: tuple(t for t in LETTER_TYPES if (t.namespace, t.element) == (namespace, name)) for name in names}
    return MappingProxyType(rows)
