"""FHIR JSON → FHIR XML, for receivers that want XML: elements in the specification's order, values in attributes.

Only for what we write ourselves: no ``_name`` beside a simple value, no ids inside data types.
"""

from html import escape

from gateway.mapping.fhir.elements import RESOURCE, shape

NAMESPACE = "http://hl7.org/fhir"
_XHTML = "xhtml"


def to_xml(resource: dict[str, object]) -> bytes:
    """A resource as an XML document."""
    kind = str(resource["resourceType"])
    text = f'<{kind} xmlns="{NAMESPACE}">{_inside(kind, resource)}</{kind}>'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _inside(type_name: str, value: dict[str, object]) -> str:
    """The child elements of a value, in order; unknown ones are a programming error."""
    elements = shape(type_name).elements
    order = {name: number for number, name in enumerate(elements)}
    names = sorted(value.keys() - {"resourceType"}, key=order.__getitem__)
    parts = []
    for name in names:
        if (type_name, name) == ("Extension", "url"):
            continue
        item = value[name]
        items = item if isinstance(item, list) else [item]
        parts += [_element(name, elements[name].type, one) for one in items]
    return "".join(parts)


def _element(name: str, type_name: str, value: object) -> str:
    if type_name == _XHTML:
        return str(value)
    if not isinstance(value, dict):
        return f'<{name} value="{_attribute(value)}"/>'
    if type_name == RESOURCE:
        kind = str(value["resourceType"])
        return f"<{name}><{kind}>{_inside(kind, value)}</{kind}></{name}>"
    url = f' url="{_attribute(value["url"])}"' if type_name == "Extension" else ""
    return f"<{name}{url}>{_inside(type_name, value)}</{name}>"


def _attribute(value: object) -> str:
    r"""A simple value for an attribute, line breaks kept.

    >>> _attribute('A & "B"\n'), _attribute(True)
    ('A &amp; &quot;B&quot;&#xA;', 'true')
    """
    if isinstance(value, bool):
        return str(value).lower()
    return escape(str(value)).replace("\n", "&#xA;").replace("\t", "&#x9;")
