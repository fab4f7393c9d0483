"""MedCom FormattedText ⇄ plain text (facts: §2.3 of the MedCom XML page; OS2korrespondance's reading rule).

``Break`` is a line break, ``Space`` a non-breaking space. A run of white space that holds a line feed is the XML's
own formatting and counts as one space, except inside ``FixedFont``. Bold, Italic and so on carry no meaning for us.
"""

import re

from lxml import etree

from gateway.mapping.medcom.elements import escaped

NBSP = "\N{NO-BREAK SPACE}"
#: text set apart on a line of its own
_OWN_LINE = frozenset({"Center", "Right"})
_LAYOUT = re.compile(r"[ \t]*[\r\n][ \t\r\n]*")
#: marks a space that stands for XML layout, so that it can vanish beside a Break
_SOFT = "\x00"
#: marks the edge of a line of its own, so that it can vanish beside a Break
_EDGE = "\x01"
_MARKS = f"[{_SOFT}{_EDGE}]"
_SOFT_RUN = re.compile(f"{_SOFT}+")
_LINE_END = re.compile(f"{_MARKS}*\n{_MARKS}*|{_SOFT}*{_EDGE}{_MARKS}*")
_RUN = re.compile(r" {2,}|^ | $|(?<=\n) | (?=\n)|" + NBSP)


def flatten(element: etree._Element | None) -> str | None:
    """Plain text of a FormattedText element; None when it is absent or holds nothing."""
    if element is None:
        return None
    pieces: list[str] = []
    _collect(element, pieces, fixed=False)
    text = "".join(pieces)
    if _SOFT in text or _EDGE in text:
        text = _SOFT_RUN.sub(" ", _LINE_END.sub("\n", text.strip(_SOFT + _EDGE)))
    return text or None


def _collect(element: etree._Element, pieces: list[str], *, fixed: bool) -> None:
    pieces.append(_words(element.text, fixed=fixed))
    for child in element:
        name = child.tag.rpartition("}")[2]
        if name == "Break":
            pieces.append("\n")
        elif name == "Space":
            pieces.append(NBSP)
        elif name in _OWN_LINE:
            pieces.append(_EDGE)
            _collect(child, pieces, fixed=fixed)
            pieces.append(_EDGE)
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
