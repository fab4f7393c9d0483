"""Reading MedCom elements (children by local name) and writing them (escaped, absent parts left out)."""

import re
from collections.abc import Mapping
from functools import lru_cache
from html import escape
from uuid import UUID

from lxml import etree

#: characters that no XML 1.0 document can hold; a team's JSON may
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MARKUP = re.compile("[&<>]")
#: what MedCom's senders write where a text is demanded and there is none (facts §2.6, §9)
NOTHING = "_"


class ImpossibleValueError(ValueError):
    """A value that its schema allows and the world does not (year 12022); the text names the element only."""

    fault_id = "GW-141"


class UnreadableFileError(ImpossibleValueError):
    """A file that is not base64, which the schema does not check; the text names the element only."""

    fault_id = "GW-116"


#: children of one element by local name; of repeated ones the first
Children = Mapping[str, etree._Element]


def children(element: etree._Element) -> Children:
    """The element's children by local name. Comments and processing instructions are gone since the parse."""
    found: dict[str, etree._Element] = {}
    for child in element:
        found.setdefault(_local_name(child.tag), child)
    return found


@lru_cache(maxsize=1024)
def _local_name(name: str) -> str:
    return name.rpartition("}")[2]


def text_of(found: Children, name: str) -> str | None:
    """Text of a child; None when it is absent or empty."""
    element = found.get(name)
    return element.text if element is not None else None


def needed(found: Children, name: str) -> str:
    """Text of a child the schema demands; the schema was checked before."""
    return found[name].text or ""


def below(found: Children, name: str) -> Children:
    """Grandchildren by local name; empty when the child is absent."""
    element = found.get(name)
    return children(element) if element is not None else {}


def all_named(element: etree._Element, name: str) -> list[etree._Element]:
    """Every child of that local name, in order."""
    return [child for child in element if child.tag.rpartition("}")[2] == name]


def real_uuid(text: str | None) -> str | None:
    """A UUID in its plain spelling; None for what only looks like one."""
    try:
        return str(UUID((text or "").strip()))
    except ValueError:
        return None


def tag(name: str, value: str | None) -> str:
    """``<name>value</name>``, or nothing where there is no value: an empty optional element is not valid.

    >>> tag("UnitName", None), tag("UnitName", "A & B")
    ('', '<UnitName>A &amp; B</UnitName>')
    """
    text = escaped(value or "")
    return f"<{name}>{text}</{name}>" if text else ""


def escaped(text: str) -> str:
    r"""Text for an element's content, without the control characters that XML cannot hold.

    >>> escaped("A & B\x07")
    'A &amp; B'
    """
    text = possible(text)
    return escape(text, quote=False) if _MARKUP.search(text) else text


def possible(text: str) -> str:
    """Without what no XML can hold; what is printable can stand there, and that is told fast."""
    return text if text.isprintable() else _NOT_XML.sub("", text)


def group(name: str, *parts: str) -> str:
    """``<name>…</name>`` around the parts; nothing where all parts are empty."""
    content = "".join(parts)
    return f"<{name}>{content}</{name}>" if content else ""


def cut(value: str | None, limit: int) -> str | None:
    """At most ``limit`` characters that XML can hold, without trailing blanks; None where nothing is left."""
    return possible(value)[:limit].rstrip() or None if value else None


def demanded(value: str | None, limit: int) -> str:
    """The same for a text that the schema demands: a placeholder where there is none.

    >>> demanded("  ", 35)
    '_'
    """
    return cut(value, limit) or NOTHING
