"""MedCom FormattedText ⇄ plain text (facts: §2.3 of the MedCom XML page; OS2korrespondance's reading rule).

``Break`` is a line break, ``Space`` a non-breaking space. A run of white space that holds a line feed is the XML's
own formatting and counts as one space, except inside ``FixedFont``. Bold, Italic and so on carry no meaning for us.
"""

import re

from lxml import etree

from gateway.mapping.medcom.elements import escaped

NBSP = "\N{NO-BREAK SPACE}"
_LAYOUT = re.compile(r"[ \t]*[\r\n][ \t\r\n]*")
#: marks a space that stands for XML layout, so that it can vanish beside a Break
_SOFT = "\x00"
_SOFT_RUN = re.compile(f"{_SOFT}+")
_AROUND_BREAK = re.compile(f"{_SOFT}*\n{_SOFT}*")
_RUN = re.compile(r" {2,}|^ | $|(?<=\n) | (?=\n)|" + NBSP)


def flatten(element: etree._Element | None) -> str | None:
    """Plain text of a FormattedText element; None when it is absent or holds nothing."""
    if element is None:
        return None
    pieces: list[str] = []
    _collect(element, pieces, fixed=False)
    text = "".join(pieces)
    if _SOFT in text:
        text = _SOFT_RUN.sub(" ", _AROUND_BREAK.sub("\n", text).strip(_SOFT))
    return text or None


def _collect(element: etree._Element, pieces: list[str], *, fixed: bool) -> None:
    pieces.append(_words(element.text, fixed=fixed))
    for child in element:
        name = child.tag.rpartition("}")[2]
        if name == "Break":
            pieces.append("\n")
        elif name == "Space":
            pieces.append(NBSP)
        else:
            _collect(child, pieces, fixed=fixed or name == "FixedFont")
        pieces.append(_words(child.tail, fixed=fixed))


def _words(text: str | None, *, fixed: bool) -> str:
    if not text:
        return ""
    return text if fixed or ("\n" not in text and "\r" not in text) else _LAYOUT.sub(_SOFT, text)


def render(text: str) -> str:
    r"""FormattedText content for plain text: escaped, line ends as ``Break``, runs of spaces as ``Space``.

    >>> render("HbA1c < 48\nkost  & motion")
    'HbA1c &lt; 48<Break/>kost<Space/><Space/>&amp; motion'
    """
    spaced = _RUN.sub(lambda run: "<Space/>" * len(run.group()), escaped(text))
    return spaced.replace("\r\n", "<Break/>").replace("\n", "<Break/>").replace("\r", "<Break/>")
