"""Bytes → tree: every encoding seen in the field, and nothing but elements in the tree."""

import pytest
from lxml import etree

from gateway.errors import Fault
from gateway.mapping.medcom.parsing import declared_encoding, parse, salvage

TEXT = "Åse Bjørn é"


def document(declared: str, body: str = TEXT) -> str:
    return f'<?xml version="1.0" encoding="{declared}"?><a>{body}</a>'


def text_of(data: bytes) -> str | None:
    root = parse(data)
    assert isinstance(root, etree._Element), root
    return root.text


@pytest.mark.parametrize(
    "data",
    [
        document("UTF-8").encode(),
        document("utf-8").encode("utf-8-sig"),
        f"<a>{TEXT}</a>".encode(),
        f"\n\n<a>{TEXT}</a>\n".encode(),
        document("ISO-8859-1").encode("iso-8859-1"),
        document("iso-8859-15").encode("iso-8859-15"),
        document("windows-1252").encode("cp1252"),
        document("UTF-16").encode("utf-16"),
        document("UTF-16").encode("utf-16-le"),
        b"\xfe\xff" + document("UTF-16").encode("utf-16-be"),
    ],
)
def test_encodings(data: bytes) -> None:
    assert text_of(data) == TEXT


@pytest.mark.parametrize("name", ["ISO-8859-1", "iso-8859-1", "latin1", "Latin-1"])
def test_windows_characters_under_a_latin1_declaration(name: str) -> None:
    for quote in ('"', "'"):
        data = f"<?xml version='1.0' encoding={quote}{name}{quote}?><a>“ja” – 5 €…</a>".encode("cp1252")
        assert declared_encoding(data) == "windows-1252"
        assert text_of(data) == "“ja” – 5 €…"


def test_what_windows_has_not_stays_latin1() -> None:
    data = document("ISO-8859-1", "\x81\x93").encode("iso-8859-1")
    assert declared_encoding(data) is None
    assert text_of(data) == "\x81\x93"
    assert declared_encoding(document("UTF-8", "“").encode()) is None


def test_comments_and_instructions_are_gone() -> None:
    root = parse(b"<?a b?><!-- c --><r>1<!-- d -->2<?e f?>3<s/><!-- g --></r><!-- h -->")
    assert isinstance(root, etree._Element)
    assert root.text == "123"
    assert [child.tag for child in root] == ["s"]


def test_a_message_beyond_libxml2s_plain_limit() -> None:
    data = b"<a>" + b"x" * 11_000_000 + b"</a>"
    assert len(text_of(data) or "") == 11_000_000


@pytest.mark.parametrize("kind", ["doctype", "DOCTYPE"])
def test_a_doctype_is_refused_whatever_it_says(kind: str) -> None:
    assert parse(f"<!{kind} a><a/>".encode()) == Fault(id="GW-103")
    assert parse(f"<!{kind} a><a/>".encode("utf-16")) == Fault(id="GW-103")


@pytest.mark.parametrize(
    ("data", "left"),
    [
        (b"<a><b>1</b><c>2", b"<a><b>1</b><c/></a>"),
        (b"<a><b>1</b><c>2</d><e>3</e></a>", b"<a><b>1</b><c>2</c><e>3</e></a>"),
        (b"<a>&hest;<b>&ko;1</b></a>", b"<a><b>1</b></a>"),
        (b"<!DOCTYPE Emessage []><Emessage>&x;</Emessage>", b"<Emessage/>"),
        (b"<!DOCTYPE a><m:Emessage xmlns:m='urn:m'/>", b'<m:Emessage xmlns:m="urn:m"/>'),
        (b'<?xml version="1.0" encoding="hest"?><a/>', b"<a/>"),
        (b"", None),
        (b"a", None),
        (b">", None),
        (b"<", None),
        (b"<!-- a -->", None),
        (b"<!DOCTYPE a><a/>", None),
        ("<!DOCTYPE Emessage><Emessage/>".encode("utf-16"), None),
        (b'<?xml version="1.0" encoding="UTF-7"?>\n+ADwAIQ-DOCTYPE a+AD4-<a/>', None),
    ],
)
def test_what_can_be_salvaged(data: bytes, left: bytes | None) -> None:
    root = salvage(data)
    assert (None if root is None else etree.tostring(root)) == left
