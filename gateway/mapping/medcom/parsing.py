"""Bytes → element tree, hardened: no DTD, no entities, no network; bytes are parsed as bytes, the declaration rules.

A message with a DOCTYPE is refused whatever it says. Bytes 0x80–0x9F under an ISO-8859-1 declaration are read as
windows-1252, which is what such senders mean (seen in the field).
"""

import re
from functools import cache

from lxml import etree

from gateway.errors import Fault
from gateway.mapping.bounds import MOST_PARTS, TOO_MANY_PARTS
from gateway.mapping.latin1 import is_cp1252

#: libxml2's own limit for one text node without ``huge_tree``
_PLAIN_LIMIT = 10_000_000
_LATIN1 = re.compile(
    rb"""^(?:\xef\xbb\xbf)?\s*<\?xml[^>]*?encoding\s*=\s*["'](?:iso-8859-1|latin-?1)["']""", re.IGNORECASE
)
_DOCTYPE = re.compile(rb"<!DOCTYPE", re.IGNORECASE)


@cache
def _parser(encoding: str | None, *, huge: bool, recover: bool) -> etree.XMLParser:
    return etree.XMLParser(
        encoding=encoding,
        huge_tree=huge,
        recover=recover,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        remove_comments=True,
        remove_pis=True,
    )


def parse(data: bytes) -> etree._Element | Fault:
    """The root element, or the fault: GW-101 no XML, GW-102 not well-formed, GW-103 DOCTYPE, GW-104 too many parts."""
    if not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and not _is_utf16(data):
        return Fault(id="GW-101")
    if _DOCTYPE.search(data.replace(b"\0", b"")):
        return Fault(id="GW-103")
    if data.count(b"<") - data.count(b"</") > MOST_PARTS or data.count(b"=") > MOST_PARTS:
        return TOO_MANY_PARTS
    huge = len(data) > _PLAIN_LIMIT
    try:
        root = etree.fromstring(data, _parser(declared_encoding(data), huge=huge, recover=False))
    except etree.XMLSyntaxError as error:
        return Fault(id="GW-102", detail=f"(linje {error.lineno})")
    # a DOCTYPE hides in an encoding such as UTF-7; without one, an unknown entity is not well-formed
    return Fault(id="GW-103") if root.getroottree().docinfo.internalDTD is not None else root


def salvage(data: bytes) -> etree._Element | None:
    """What can be read of a faulty message, for the sender's and the message's ids only; None when nothing can.

    What follows the last ``>`` is left out: the message may end in the middle of a number, and half a GLN is another.
    """
    whole = _without_doctype(data[: data.rfind(b">") + 1])
    parser = _parser(declared_encoding(data), huge=False, recover=True)
    try:
        root: etree._Element | None = etree.fromstring(whole, parser)
    except etree.XMLSyntaxError:
        return None
    if root is None or root.getroottree().docinfo.internalDTD is not None:
        return None
    etree.strip_elements(root, etree.Entity, with_tail=False)
    return root


def declared_encoding(data: bytes) -> str | None:
    """``windows-1252`` under an ISO-8859-1 declaration that the bytes belie; None lets the declaration rule."""
    if _LATIN1.match(data) and is_cp1252(data):
        return "windows-1252"
    return None


def _is_utf16(data: bytes) -> bool:
    return data.startswith((b"\xff\xfe", b"\xfe\xff"))


def _without_doctype(data: bytes) -> bytes:
    """The message from its root element on, so that no DTD is ever looked at."""
    if not _DOCTYPE.search(data.replace(b"\0", b"")):
        return data
    root = re.search(rb"<(?:\w+:)?(?:Emessage|VANSEnvelope|Bundle|StandardBusinessDocument)\b", data)
    return data[root.start() :] if root else b""
