"""FormattedText both ways, ISO-8859-1, lengths: what may stand in a MedCom letter and what is read from one."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gateway.mapping.latin1 import latin1, latin1_letter
from gateway.mapping.medcom.elements import cut, demanded, escaped, group, tag
from gateway.mapping.medcom.formatted_text import NBSP, flatten, render
from gateway.mapping.medcom.xdis91 import MAX_PARTS, PART_LENGTH, split_text
from gateway.referral.model import Address, CodeSystem, Diagnosis, Party

#: every character that JSON and Python can hold, but for lone surrogates, which no UTF-8 holds
ANY_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=300)
STYLES = ("Bold", "Italic", "Underline", "Center", "Right")


def read(content: str) -> str | None:
    return flatten(etree.fromstring(f"<Text01>{content}</Text01>"))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Henvises til samtale.", "Henvises til samtale."),
        ("en<Break/>to<Break/><Break/>fire", "en\nto\n\nfire"),
        ("en<Space/>to<Space/><Space/>tre", f"en{NBSP}to{NBSP}{NBSP}tre"),
        ("en to  tre", "en to  tre"),
        ("en\n    to", "en to"),
        ("en  \r\n\t to", "en to"),
        ("\n  en\n", "en"),
        ("\n  en<Break/>\n  to\n", "en\nto"),
        ("en <Break/> to", "en \n to"),
        ("<Bold>A</Bold>\n <Bold>\n B</Bold>", "A B"),
        ("a<Bold>b<Break/>c</Bold>d", "ab\ncd"),
        ("<FixedFont>a  b\n c<Bold>d\n e</Bold></FixedFont>\n f", "a  b\n cd\n e f"),
        ("&lt;Bold&gt;fed&lt;/Bold&gt; &amp;", "<Bold>fed</Bold> &"),
        ("<![CDATA[<a> & \n b]]>", "<a> & b"),
        ("a&#13;b", "a b"),
        ("  ", "  "),
        ("", None),
        ("\n ", None),
        ("<Bold/>", None),
    ],
)
def test_reading(content: str, text: str | None) -> None:
    assert read(content) == text


@pytest.mark.parametrize("style", sorted({*STYLES} - {"Center", "Right"}))
def test_styles_carry_no_meaning(style: str) -> None:
    assert read(f"x<{style}>y</{style}>z") == "xyz"


@pytest.mark.parametrize("style", ["Center", "Right"])
def test_text_that_is_set_apart_stands_on_its_own_line(style: str) -> None:
    apart = f"<{style}>y</{style}>"
    assert read(f"x{apart}z") == "x\ny\nz"
    assert read(f"{apart}<Break/>z{apart}") == "y\nz\ny"
    assert read(f"\n {apart}\n {apart}") == "y\ny"


def test_an_absent_element_has_no_text() -> None:
    assert flatten(None) is None


@given(ANY_TEXT)
def test_what_is_written_is_read_again(text: str) -> None:
    written = render(text)
    element = etree.fromstring(f"<Text01>{written}</Text01>")
    assert {child.tag for child in element} <= {"Break", "Space"}
    legal = "".join(
        c for c in text if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff"
    )
    lines = legal.replace("\r\n", "\n").replace("\r", "\n")
    assert (flatten(element) or "").replace(NBSP, " ") == lines.replace(NBSP, " ")


@given(ANY_TEXT)
def test_an_element_is_well_formed_whatever_stands_in_it(text: str) -> None:
    written = tag("A", text)
    if not written:
        assert not escaped(text)
        return
    assert (etree.fromstring(written).text or "").replace("\n", "") == _legal(text)


def _legal(text: str) -> str:
    return "".join(
        c for c in text if c == "\t" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c >= "\U00010000"
    )


def test_groups_and_absent_parts() -> None:
    assert group("A", "", "") == tag("A", "") == tag("A", None) == tag("A", "\x00\x07") == ""
    assert group("A", tag("B", "1"), "") == "<A><B>1</B></A>"


@pytest.mark.parametrize(
    ("value", "limit", "expected"),
    [
        ("abc", 2, "ab"),
        ("ab ", 5, "ab"),
        ("a b", 2, "a"),
        ("  ", 5, None),
        ("", 5, None),
        (None, 5, None),
        ("\x07ab", 2, "ab"),
    ],
)
def test_cut(value: str | None, limit: int, expected: str | None) -> None:
    assert cut(value, limit) == expected
    assert demanded(value, limit) == (expected or "_")


# ------------------------------------------------------------------ ISO-8859-1
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Rødgrød med fløde: 5 µg ½", "Rødgrød med fløde: 5 µg ½"),
        ("“Hej” – ’ok’ …", "\"Hej\" - 'ok' ..."),
        ("10 € • ≥ 48", "10 EUR - >= 48"),
        ("Dvořák Şükrü Łukasz Đorđe", "Dvorák Sükrü Lukasz Dorde"),
        ("Œuvre œ Š š Ž ž Ÿ", "OEuvre oe S s Z z Y"),
        ("ﬁn ①", "fin 1"),
        ("漢字 🙂", "?? ?"),
        ("a\u200bb\u2009c", "ab c"),
    ],
)
def test_latin1(text: str, expected: str) -> None:
    assert latin1(text) == expected


@given(ANY_TEXT)
def test_latin1_can_always_be_written_and_is_stable(text: str) -> None:
    fitted = latin1(text)
    fitted.encode("iso-8859-1")
    assert latin1(fitted) == fitted


@given(st.text(string.ascii_letters + "æøåÆØÅéüöäß§½ \n", max_size=50))
def test_latin1_leaves_danish_alone(text: str) -> None:
    assert latin1(text) == text


def test_latin1_of_a_whole_letter() -> None:
    party = Party(organisation="Lægehuset “Prøvely”", address=Address(street="Vej 1…"), gln=None)
    assert latin1_letter(party) == Party(organisation='Lægehuset "Prøvely"', address=Address(street="Vej 1..."))
    coded = Diagnosis(system=CodeSystem.SKS, code="DE119", text="≥", main=True)
    assert latin1_letter(coded) == Diagnosis(system=CodeSystem.SKS, code="DE119", text=">=", main=True)


# ------------------------------------------------------------------ parts of a long text
@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", [""]),
        ("12345", ["12345"]),
        ("123456", ["12345", "6"]),
        ("12 4567", ["12", "4567"]),
        ("1\n3 56 89", ["1\n3", "56 89"]),
        ("12345 78", ["12345", "78"]),
        (" 1234567", [" 1234", "567"]),
        ("\n\n12345", ["\n", "12345"]),
        ("12345     ", ["12345", ""]),
    ],
)
def test_split(text: str, parts: list[str]) -> None:
    assert split_text(text, 5) == parts


@given(st.text("ab \n", max_size=200), st.integers(1, 20))
def test_split_loses_no_word(text: str, limit: int) -> None:
    parts = split_text(text, limit)
    assert all(len(part) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())
    longest = max((len(word) for word in text.split()), default=0)
    if longest <= limit:
        assert [word for part in parts for word in part.split()] == text.split()


def test_a_letter_holds_the_longest_note() -> None:
    longest = "ord " * (20_000 // 4)
    assert len(split_text(longest, PART_LENGTH)) <= MAX_PARTS
