"""Which form a FHIR request has and which its answer should have: JSON or XML."""

from collections.abc import Callable
from enum import Enum

import msgspec

from gateway.mapping.fhir.answers import MIME
from gateway.mapping.fhir.xml_writing import to_xml
from gateway.referral.letters import Payload


class Form(Enum):
    """A form of FHIR."""

    JSON = Payload.FHIR_JSON
    XML = Payload.FHIR_XML

    @property
    def payload(self) -> Payload:
        """The form as a letter's payload."""
        return self.value

    @property
    def mime(self) -> str:
        """Its MIME type."""
        return MIME[self.value]

    @property
    def write(self) -> Callable[[dict[str, object]], bytes]:
        """A resource in this form."""
        return msgspec.json.encode if self is Form.JSON else to_xml


_FORMS = {
    "application/fhir+json": Form.JSON,
    "application/json": Form.JSON,
    "text/json": Form.JSON,
    "json": Form.JSON,
    "application/fhir+xml": Form.XML,
    "application/xml": Form.XML,
    "text/xml": Form.XML,
    "xml": Form.XML,
}
_ANY = frozenset({"*/*", "application/*", ""})


def content_form(content_type: str | None) -> Form | None:
    """The form a body is said to have; None for neither, or for another encoding than UTF-8.

    >>> content_form("application/fhir+xml; charset=UTF-8")
    <Form.XML: <Payload.FHIR_XML: 'fhir-xml'>>
    >>> content_form("text/plain") is content_form("application/json; charset=latin-1") is None
    True
    """
    name, _, rest = (content_type or "").lower().partition(";")
    charset = rest.partition("charset=")[2].strip().strip('"')
    return _FORMS.get(name.strip()) if charset in {"", "utf-8", "utf8"} else None


def wanted_form(accept: str | None, default: Form) -> Form | None:
    """The form that an ``Accept`` header (or ``_format``) asks for first; None when it takes neither.

    >>> wanted_form("text/html, application/fhir+xml;q=0.9, */*;q=0.1", Form.JSON) is Form.XML
    True
    >>> wanted_form(None, Form.XML) is Form.XML, wanted_form("image/png", Form.JSON)
    (True, None)
    """
    ranges = [_range(part) for part in (accept or "").lower().split(",")]
    for name, weight in sorted(ranges, key=lambda one: -one[1]):
        form = default if name in _ANY else _FORMS.get(name)
        if form is not None and weight > 0:
            return form
    return None


def _range(part: str) -> tuple[str, float]:
    """A media range and its weight; a weight that is none counts as 0."""
    name, *parameters = (text.strip() for text in part.split(";"))
    weights = [text.removeprefix("q=") for text in parameters if text.startswith("q=")]
    # ``_format=application/fhir+json`` in a URL: the plus may have become a blank
    return name.replace(" ", "+"), _number(weights[0]) if weights else 1.0


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
