"""Validation of MedCom XML with the project's own schemas, ``schemas/*.xsd``.

The schemas hold MedCom's published structure as facts: names, order, cardinalities, lengths, code lists. One file
stands for each namespace; what versions share stands once, in files without a namespace that they include. A verdict is
the one that MedCom's own schema gives for the letter types handled here; other types of the namespace are not valid.

What the schemas leave open is the decoders' to check: check digits of GLN and CPR, real UUIDs, base64 of attachments.
``Local_Elements`` belongs to sender and receiver: only a whole letter or envelope in there is checked.

A violation names the rule and the place, never the content: it goes into logs and receipts, where no citizen's data may
stand.
"""

import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from itertools import islice
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol, cast

from lxml import etree

#: Namespace of the root element → schema file. A table: MedCom's namespaces cannot be built from their dates.
SCHEMA_FILES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "http://rep.oio.dk/sundcom.dk/medcom.dk/xml/schemas/2005/08/07/": "medcom-2005-08-07.xsd",
        "http://rep.oio.dk/sundcom.dk/medcom.dk/xml/schemas/2006/07/01/": "medcom-2006-07-01.xsd",
        "http://rep.oio.dk/medcom.dk/xml/schemas/2012/03/28/": "medcom-2012-03-28.xsd",
        "http://rep.oio.dk/medcom.dk/xml/schemas/2015/08/01/": "medcom-2015-08-01.xsd",
        "http://rep.oio.dk/medcom.dk/xml/schemas/2016/10/02/": "medcom-2016-10-02.xsd",
        "http://rep.oio.dk/medcom.dk/xml/schemas/2016/12/01/": "medcom-2016-12-01.xsd",
        "http://rep.oio.dk/medcom.dk/xml/schemas/2017/05/01/": "medcom-2017-05-01.xsd",
        "http://rep.oio.dk/medcom.dk/xml/schemas/2020/05/06/": "medcom-2020-05-06.xsd",
        "urn:oio:medcom:vans-envelope:1.0.4": "vans-envelope-1.0.4.xsd",
    }
)

#: Nobody reads more than this, and finding the place of each one costs.
MAX_VIOLATIONS: Final = 20

#: Larger trees are refused unseen. For each faulty element libxml2 counts the siblings, to write down its path: a
#: hostile message of ten megabytes would take hours. A letter has some hundred elements, an envelope a hundred letters.
MAX_ELEMENTS: Final = 50_000
MAX_SIBLINGS: Final = 10_000

_UNKNOWN: Final = "(name unknown here)"
_XSD: Final = "{http://www.w3.org/2001/XMLSchema}"
_XSI: Final = frozenset({"type", "nil", "schemaLocation", "noNamespaceSchemaLocation"})

# lxml keeps the error log on the schema object, and compiled schemas are shared: a second thread's validation would
# overwrite the log between the verdict and its reading. A message takes about a millisecond, so one lock is enough.
_VALIDATING: Final = threading.Lock()

# The end of libxml2's message, by error type. What stands before the end may quote content; the end holds only what
# stands in the schema. Matched greedily from the left, so that a value which imitates an ending stays outside.
_ENDINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "SCHEMAV_CVC_PATTERN_VALID": r"is not accepted by the pattern '.*'\.",
        "SCHEMAV_CVC_ENUMERATION_VALID": r"is not an element of the set \{.*\}\.",
        "SCHEMAV_CVC_MINLENGTH_VALID": r"has a length of '\d+'; this underruns the allowed minimum length of '\d+'\.",
        "SCHEMAV_CVC_MAXLENGTH_VALID": r"has a length of '\d+'; this exceeds the allowed maximum length of '\d+'\.",
        "SCHEMAV_CVC_LENGTH_VALID": r"has a length of '\d+'; this differs from the allowed length of '\d+'\.",
        "SCHEMAV_CVC_DATATYPE_VALID_1_2_1": r"is not a valid value of the (?:local )?atomic type(?: '[^']*')?\.",
        "SCHEMAV_CVC_DATATYPE_VALID_1_2_3": r"is not a valid value of the (?:local )?union type(?: '[^']*')?\.",
        "SCHEMAV_ELEMENT_CONTENT": r"(?:This element is not expected|Missing child element\(s\))\.(?: Expected is .*)?",
        "SCHEMAV_CVC_COMPLEX_TYPE_4": r"The attribute '\w+' is required but missing\.",
    }
)
_SENTENCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "SCHEMAV_CVC_COMPLEX_TYPE_2_1": "The element must be empty.",
        "SCHEMAV_CVC_COMPLEX_TYPE_2_2": "Elements are not allowed in it.",
        "SCHEMAV_CVC_COMPLEX_TYPE_2_3": "Text is not allowed between its elements.",
        "SCHEMAV_CVC_COMPLEX_TYPE_3_2_1": "This attribute is not allowed.",
        "SCHEMAV_CVC_TYPE_3_1_1": "This attribute is not allowed.",
        "SCHEMAV_CVC_TYPE_3_1_2": "Elements are not allowed in it.",
        "SCHEMAV_CVC_ELT_1": "No letter or envelope of this namespace has this name.",
        "SCHEMAV_INTERNAL": "It holds an entity that is not resolved.",
    }
)
# libxml2 cuts a message off at 64 000 bytes, so a long one may end in content; the endings need far less than this.
_LONGEST_TRUSTED: Final = 4000


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule. Safe to log and to send: no field quotes content of the message."""

    #: Line of the element in the message as parsed, counted from 1; 0 in a tree that was built.
    line: int
    #: Names from the validated element down, numbered where siblings share one: ``Emessage/PositiveReceipt[2]/Letter``.
    path: str
    #: The element, and the rule in libxml2's words: lengths, pattern, code list, expected elements; never the value.
    text: str


@cache
def compiled(namespace: str) -> etree.XMLSchema:
    """The schema of a namespace, compiled on first use from the package's own files; nothing is fetched.

    Its global elements are ``Emessage``, ``Envelope`` and the letters, or ``VANSEnvelope``.

    Raises:
        KeyError: there is no schema for this namespace.
    """
    with as_file(files("gateway.mapping.medcom") / "schemas") as folder:
        parser = etree.XMLParser(no_network=True, resolve_entities=False)
        return etree.XMLSchema(etree.parse(str(folder / SCHEMA_FILES[namespace]), parser))


def violations(node: etree._Element, namespace: str) -> tuple[Violation, ...]:
    """What is wrong with a root element or with one letter on its own, in document order; empty when it is valid.

    At most ``MAX_VIOLATIONS`` are given; a tree beyond ``MAX_ELEMENTS`` or ``MAX_SIBLINGS`` is one violation, whatever
    it holds. ``xsi:schemaLocation`` is never followed. Threads may call this at the same time, each with its own tree.

    Raises:
        KeyError: there is no schema for this namespace.
    """
    schema = compiled(namespace)
    if _larger_than(MAX_SIBLINGS, MAX_ELEMENTS)(node):
        return (_of_the_whole(node, namespace, "Too many elements to be looked at."),)
    with _VALIDATING:
        if _is_valid(schema, node):
            return ()
        log = cast("Iterable[_LogEntry]", schema.error_log)  # lxml-stubs leave the log opaque
        entries = tuple(islice(log, MAX_VIOLATIONS))
    placed = [(_located(node, entry.path, namespace), entry) for entry in entries]
    placed.sort(key=lambda pair: pair[0].position)
    found = tuple(Violation(entry.line, place.path, _text(place.name, entry, namespace)) for place, entry in placed)
    # An invalid message without a reason must not pass for a valid one.
    return found or (_of_the_whole(node, namespace, "Not valid; no reason was given."),)


@cache
def _larger_than(siblings: int, elements: int) -> etree.XPath:
    return etree.XPath(f"boolean(.//*[{siblings + 1}]) or count(.//*) > {elements}")


def _of_the_whole(node: etree._Element, namespace: str, rule: str) -> Violation:
    name = _known_name(node, namespace)
    return Violation(0, name, f"Element '{name}': {rule}")


class _LogEntry(Protocol):
    line: int
    path: str
    type_name: str
    message: str


class _Place(NamedTuple):
    position: tuple[int, ...]
    path: str
    name: str


def _is_valid(schema: etree.XMLSchema, node: etree._Element) -> bool:
    try:
        return schema.validate(node)
    except etree.XMLSchemaValidateError:  # libxml2 gives up at an entity reference; its log says where
        return False


def _located(root: etree._Element, path: str, namespace: str) -> _Place:
    """Follow libxml2's path, ``/*/*[2]/m:Name[3]``: a star counts all elements, a name those written the same way."""
    node, position, names = root, [0], [_known_name(root, namespace)]
    for step in path.split("/")[2:]:
        written, _, number = step.rstrip("]").partition("[")
        children = list(node.iterchildren("*"))
        matching = children if written == "*" else [child for child in children if _as_written(child) == written]
        node = matching[int(number or 1) - 1]
        position.append(children.index(node))
        names.append(_known_name(node, namespace) + _number(node, children))
    return _Place(tuple(position), "/".join(names), _known_name(node, namespace))


def _as_written(node: etree._Element) -> str:
    return f"{node.prefix}:{etree.QName(node).localname}" if node.prefix else str(node.tag)


def _number(node: etree._Element, siblings: list[etree._Element]) -> str:
    same = [sibling for sibling in siblings if sibling.tag == node.tag]
    return f"[{same.index(node) + 1}]" if len(same) > 1 else ""


def _known_name(node: etree._Element, namespace: str) -> str:
    name = etree.QName(node)
    return _if_known(name.localname) if name.namespace == namespace else _UNKNOWN


def _if_known(name: str) -> str:
    """The name, if it is the standard's; one that the sender made up is content like any other."""
    return name if name in _vocabulary() else _UNKNOWN


@cache
def _vocabulary() -> frozenset[str]:
    """Every element and attribute name that the schemas declare."""
    folder = files("gateway.mapping.medcom") / "schemas"
    schemas = [etree.fromstring(file.read_bytes()) for file in folder.iterdir() if file.name.endswith(".xsd")]
    declared = (node.get("name") for schema in schemas for node in schema.iter(f"{_XSD}element", f"{_XSD}attribute"))
    return _XSI.union(name for name in declared if name)


def _text(name: str, entry: _LogEntry, namespace: str) -> str:
    attribute = re.match(r"Element '[^']*', attribute '(?:\{[^}']*\})?([^']*)': ", entry.message)
    subject = f"Element '{name}'" + (f", attribute '{_if_known(attribute[1])}'" if attribute else "")
    return f"{subject}: {_rule(entry).replace(f'{{{namespace}}}', '')}"


def _rule(entry: _LogEntry) -> str:
    kind, message = entry.type_name, entry.message
    trusted = kind in _ENDINGS and len(message) <= _LONGEST_TRUSTED
    ending = re.fullmatch(f".*({_ENDINGS[kind]})", message, re.DOTALL) if trusted else None
    if ending:
        return ending[1] if ending[1][0].isupper() else f"The value {ending[1]}"
    # The rule's name in the XML Schema specification, as cvc-elt-4-2: says little, but never too much.
    return _SENTENCES.get(kind) or f"Breaks the rule {kind.removeprefix('SCHEMAV_').replace('_', '-').lower()}."
