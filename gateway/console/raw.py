"""A message as it reads: text of its bytes, citizens' numbers masked, the place of a fault marked."""

import base64
import binascii
import re

import msgspec

#: bytes; what is longer is shown from its beginning
SHOWN = 400_000
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*\bencoding=["']([A-Za-z0-9._-]{1,40})["']""")
_DATA = re.compile(rb"<(?:\w+:)?(?:Data|BinaryContent)\b[^>]*>([A-Za-z0-9+/=\s]+)</")
_NETWORK = re.compile(rb"urn:oio:medcom:vans-envelope|StandardBusinessDocument\b")
#: a CPR or its replacement: a day, then four characters; not in the midst of a longer word or number
_CPR = re.compile(r"(?<![0-9A-Za-z])((?:[04][1-9]|[1256]\d|[37][01])(?:0[1-9]|1[0-2])\d\d)-?[0-9A-Z]{4}(?![0-9A-Za-z])")
_LINE = re.compile(r"linje (\d+)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,}")
_MOST_MARKS = 20
#: the place of an entry in a FHIR Bundle, as a fault's detail names it
_ENTRY = re.compile(r"\bentry\[(\d+)\]\.resource")
_RESOURCE = re.compile(r'<resource>\s*<[^>]*>|"resource"\s*:\s*\{\s*"resourceType"\s*:\s*"[^"]*"')


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the text; ``marked`` where the fault may be."""

    text: str
    marked: bool = False


def encoding_of(data: bytes) -> str:
    """The encoding that the XML declaration names, else UTF-8 where it fits, else windows-1252."""
    declared = _DECLARED.match(data[:400])
    for name in (declared[1].decode() if declared else "utf-8", "windows-1252"):
        try:
            data.decode(name)
        except (LookupError, UnicodeDecodeError):
            continue
        return name
    return "iso-8859-1"


def text_of(data: bytes) -> str:
    """Bytes as text; a byte order mark is left out."""
    return data.decode(encoding_of(data)).removeprefix("\ufeff")


def bytes_of(text: str, original: bytes) -> bytes:
    """An edited text as bytes, in the original's encoding and with its line ends.

    Raises:
        UnicodeEncodeError: a character that the encoding does not have.
    """
    lines = text.replace("\r\n", "\n")
    if b"\r\n" in original:
        lines = lines.replace("\n", "\r\n")
    return lines.encode(encoding_of(original))


def unpacked(data: bytes) -> bytes | None:
    """What a network's envelope (VANS, SBDH) carries; None for anything else."""
    found = _DATA.search(data) if _NETWORK.search(data[:2000]) else None
    if found is None:
        return None
    try:
        return base64.b64decode(b"".join(found[1].split()), validate=True)
    except binascii.Error:
        return None


def masked(text: str) -> str:
    """The same without the last four characters of citizens' numbers.

    >>> masked("<Cpr>0102034567</Cpr> 311299-AB12 5790009999997 0013130000")
    '<Cpr>010203-xxxx</Cpr> 311299-xxxx 5790009999997 0013130000'
    """
    return _CPR.sub(r"\1-xxxx", text)


def masked_number(cpr: str) -> str:
    """``ddmmåå-xxxx``."""
    return f"{cpr[:6]}-xxxx" if cpr else "–"


def pieces(text: str, detail: str) -> list[Piece]:
    """The text with the line that the fault names, or else the elements that it names, marked."""
    spans = _line_span(text, detail) or _entry_spans(text, detail) or _name_spans(text, detail)
    out, at = [], 0
    for start, end in spans:
        out += [Piece(text=text[at:start]), Piece(text=text[start:end], marked=True)]
        at = end
    return [piece for piece in (*out, Piece(text=text[at:])) if piece.text]


def _line_span(text: str, detail: str) -> list[tuple[int, int]]:
    named = _LINE.search(detail)
    lines = text.splitlines(keepends=True)
    number = int(named[1]) if named else 0
    if not 0 < number <= len(lines):
        return []
    start = sum(len(line) for line in lines[: number - 1])
    return [(start, start + len(lines[number - 1].rstrip()))]


def _entry_spans(text: str, detail: str) -> list[tuple[int, int]]:
    """In a FHIR Bundle: the elements that are named inside the entry that is named, or else where it begins."""
    named = _ENTRY.search(detail)
    found = [match.span() for match in _RESOURCE.finditer(text)]
    number = int(named[1]) if named else len(found)
    if named is None or number >= len(found):
        return []
    start, end = found[number][0], found[number + 1][0] if number + 1 < len(found) else len(text)
    inside = _name_spans(text[start:end], detail[named.end() :])
    return [(start + a, start + b) for a, b in inside] or [found[number]]


def _name_spans(text: str, detail: str) -> list[tuple[int, int]]:
    """The last of the names in the detail that the text has: paths name the outer elements first."""
    for name in reversed(_NAME.findall(detail)):
        found = re.finditer(rf'<(?:\w+:)?{name}\b[^>]*>[^<]*|"{name}"\s*:\s*("[^"]*"|[^\s,}}]*)', text)
        spans = [match.span() for match in found][:_MOST_MARKS]
        if spans:
            return spans
    return []
