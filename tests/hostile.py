"""Hostile messages, one list for every entrance: what the bytes are, and the fault they must end with ("" for none)."""

import gzip
import json
import sys
from base64 import b64encode
from functools import cache
from typing import NamedTuple

from gateway.mapping.bounds import MOST_TEXT
from gateway.receive import DEFAULT_LIMIT
from tests.builders import NAMESPACES, WORDS, emessage, vans, xref15
from tests.edifact_builders import UNA
from tests.fhir_messages import as_json, referral

#: CPU seconds that one message may take, whatever it holds; a run that measures coverage takes several times as long
LONGEST_S = 2.0 if sys.gettrace() is None else 8.0
#: room below the limit for whatever stands around a huge part
ROOM = DEFAULT_LIMIT - 100_000
DEEP = 20_000
#: just below the limit for the free text of one message
LONG_TEXT = MOST_TEXT - 1_000


class Hostile(NamedTuple):
    name: str
    data: bytes
    #: one of these; "" is accepted
    faults: frozenset[str]


def _one(name: str, data: bytes, *faults: str) -> Hostile:
    return Hostile(name, data, frozenset(faults))


def _text(inserted: str, *, declared: str = 'encoding="UTF-8"', encoding: str = "utf-8") -> bytes:
    message = emessage().decode().replace(WORDS, f"{WORDS} {inserted}", 1).replace('encoding="UTF-8"', declared, 1)
    return message.encode(encoding)


def _doctype(subset: str, use: str = "") -> bytes:
    return _text(use).replace(b"<Emessage", f"<!DOCTYPE Emessage {subset}><Emessage".encode(), 1)


@cache
def medcom(url: str = "http://127.0.0.1:9") -> tuple[Hostile, ...]:
    """For the queue and the folder. ``url`` is where a document type or an entity would lead."""
    laughs = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    quadratic = f'[<!ENTITY a "{"ha" * 50_000}">]'
    root = f'<Emessage xmlns="{NAMESPACES["XH1530R"]}"'
    return (
        _one("external DTD", _doctype(f'SYSTEM "{url}/x.dtd"'), "GW-103"),
        _one("external entity", _doctype(f'[<!ENTITY x SYSTEM "{url}/x">]', "&x;"), "GW-103"),
        _one("a file as entity", _doctype('[<!ENTITY x SYSTEM "file:///etc/passwd">]', "&x;"), "GW-103"),
        _one("parameter entity", _doctype(f'[<!ENTITY % x SYSTEM "{url}/x.dtd"> %x;]'), "GW-103"),
        _one("a billion laughs", _doctype(f'[<!ENTITY a0 "ha">{laughs}]', "&a9;"), "GW-103"),
        _one("quadratic growth", _doctype(quadratic, "&a;" * 10_000), "GW-103"),
        _one("XInclude", _text(f'<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="{url}/x"/>'), "GW-120"),
        _one(
            "a style sheet",
            b'<?xml version="1.0"?><?xml-stylesheet href="%s/x"?>' % url.encode() + emessage()[38:],
            "",
        ),
        _one("not XML", "Markørsen ringer i morgen".encode(), "GW-101"),
        _one("empty", b"", "GW-101"),
        _one("truncated", emessage()[:-300], "GW-102"),
        _one("a wrong root", b"<Henvisning xmlns='urn:x'/>", "GW-110"),
        _one("gzip", gzip.compress(emessage(), mtime=0), "GW-101"),
        _one("zip in a VANSEnvelope", vans(b"PK\x03\x04" + bytes(1000)), "GW-101"),
        _one("zeros", bytes(1_000_000), "GW-101"),
        _one("nested 20 000 deep", _text("<Bold>" * DEEP + "</Bold>" * DEEP), "GW-102"),
        _one("a text of 20 MB", _text("a" * 20_000_000), "GW-104"),
        _one("a text as long as may be", _text("a" * ROOM), "GW-104"),
        _one("a word as long as a text may be", _text("a" * LONG_TEXT), ""),
        _one("words that are none", _text(" ".join(f"{n:x}skole" for n in range(LONG_TEXT // 11))), ""),
        _one("a sentence without end", _text("ikke KOL, men rygning og diabetes, " * (LONG_TEXT // 35)), ""),
        _one("sentences without end", _text("KOL. " * (LONG_TEXT // 5)), ""),
        _one("lines without end", _text("KOL\n" * (LONG_TEXT // 4)), ""),
        _one("a million breaks", _text("<Break/>" * (ROOM // 8)), "GW-104"),
        _one("as many breaks as may be", _text("<Break/>" * 39_000), "GW-120"),
        _one("a million bold words", _text("<Bold>a</Bold>" * (ROOM // 14)), "GW-104"),
        _one("as many bold words as may be", _text("<Bold>a</Bold>" * 39_000), "GW-120"),
        _one(
            "a million attributes",
            root.encode() + b"".join(b' a%d=""' % n for n in range(700_000)) + b"/>",
            "GW-104",
        ),
        _one("many attributes", root.encode() + b"".join(b' a%d=""' % n for n in range(39_000)) + b"/>", "GW-121"),
        _one("a huge attribute", f'{root} a="{"a" * ROOM}"/>'.encode(), "GW-102", "GW-121"),
        _one(
            "many namespaces",
            root.encode() + b"".join(b' xmlns:a%d="u"' % n for n in range(39_000)) + b"/>",
            "GW-121",
        ),
        _one("a name of a megabyte", f"<{'a' * 1_000_000}/>".encode(), "GW-102", "GW-110"),
        _one("a million empty letters", f"{root}>{'<a/>' * (ROOM // 4)}</Emessage>".encode(), "GW-104"),
        _one("many empty letters", f"{root}>{'<a/>' * 39_000}</Emessage>".encode(), "GW-121"),
        _one("many comments", _text("<!---->" * 39_000), ""),
        _one("many CDATA", _text("<![CDATA[a]]>" * 39_000), ""),
        _one("many letters", emessage(*(xref15(letter_id=f"BRV{n:011}") for n in range(99))), ""),
        _one("an envelope that is mostly payload", vans(b64encode(bytes(3_000_000))), "GW-101"),
        _one(
            "windows-1252 called ISO-8859-1",
            _text("– “citat” €", declared='encoding="ISO-8859-1"', encoding="cp1252"),
            "",
        ),
        _one("UTF-8 without a declared charset", _text("æøå", declared=""), ""),
        _one("EDIFACT without end", f"{UNA}UNB+{'a' * ROOM}".encode(), "GW-121", "GW-123"),
        _one(
            "a million EDIFACT segments",
            f"{UNA}UNB+UNOC:3+1:14+2:14+261116:0915+1'{'A' * 2}".encode() + b"A'" * (ROOM // 2),
            "GW-121", "GW-123",
        ),
        _one("a million EDIFACT elements", f"{UNA}UNB{'+' * ROOM}'".encode(), "GW-121", "GW-123"),
        *fhir(url),
    )  # fmt: skip


@cache
def fhir(url: str = "http://127.0.0.1:9") -> tuple[Hostile, ...]:
    """For every entrance that takes FHIR."""
    good = as_json(referral())
    text = json.dumps(WORDS, ensure_ascii=False)[1:-1].encode()
    bundle = b'<Bundle xmlns="http://hl7.org/fhir">'
    not_read = ("GW-102", "GW-110", "GW-125")

    def said(value: bytes) -> bytes:
        assert text in good
        return good.replace(text, value, 1)

    return (
        _one(
            "FHIR with a DOCTYPE",
            b'<!DOCTYPE Bundle SYSTEM "%s/x.dtd">' % url.encode() + bundle + b"</Bundle>",
            "GW-103",
        ),
        _one("XML nested 20 000 deep", bundle + b"<entry>" * DEEP + b"</entry>" * DEEP + b"</Bundle>", "GW-102"),
        _one("lists nested 20 000 deep", b"[" * DEEP + b"]" * DEEP, *not_read),
        _one("objects nested 20 000 deep", b'{"a":' * DEEP + b"1" + b"}" * DEEP, *not_read),
        _one(
            "nested inside a Bundle",
            b'{"resourceType":"Bundle","entry":' + b"[" * DEEP + b"]" * DEEP + b"}",
            *not_read,
        ),
        _one("a list without end", b"[" * ROOM, "GW-104"),
        _one("a JSON text of 20 MB", said(b"a" * 20_000_000), "GW-104"),
        _one("a JSON text as long as may be", said(b"a" * ROOM), "GW-104"),
        _one(
            "a million entries",
            b'{"resourceType":"Bundle","type":"message","entry":[' + b"{}," * (ROOM // 3) + b"{}]}",
            "GW-104",
        ),
        _one(
            "as many entries as may be",
            b'{"resourceType":"Bundle","type":"message","entry":[' + b"{}," * 39_000 + b"{}]}",
            "GW-125", "GW-126", "GW-145",
        ),
        _one(
            "a million numbers",
            b'{"resourceType":"Bundle","entry":[' + b"1," * (ROOM // 2) + b"1]}",
            "GW-125", "GW-126",
        ),
        _one(
            "a number of a million digits",
            b'{"resourceType":"Bundle","total":' + b"9" * 1_000_000 + b"}",
            *not_read, "GW-126",
        ),
        _one("a number beyond all", b'{"resourceType":"Bundle","total":1e400}', *not_read, "GW-126"),
        _one("half a character", said(rb"\ud800"), "", "GW-102", "GW-126"),
        _one("a NUL", said(rb"a\u0000b"), "", "GW-102", "GW-126"),
        _one("a key twice", good.replace(b"{", b'{"resourceType":"Patient",', 1), "", *not_read),
        _one("Latin-1 in JSON", good.decode().replace(WORDS, "forløb").encode("iso-8859-1"), "GW-102", ""),
        _one("JSON in UTF-16", good.decode().encode("utf-16"), "GW-101", "GW-102"),
        _one("a byte order mark and JSON", b"\xef\xbb\xbf" + good, ""),
    )  # fmt: skip
