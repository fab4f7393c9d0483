"""The parts of FHIR R4 resources that we read, typed. What was checked by ``structure`` converts without fail.

A required simple value may still be absent (an extension says why), so everything here may be.
"""

from typing import Any, TypeVar

import msgspec

Json = dict[str, Any]
T = TypeVar("T")


class View(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Some elements of a type; the others are passed over."""


class Coding(View, frozen=True, kw_only=True):
    """A code of a code system."""

    system: str | None = None
    code: str | None = None
    display: str | None = None


class Concept(View, frozen=True, kw_only=True):
    """CodeableConcept: codes for one thing, and what the author called it."""

    coding: tuple[Coding, ...] = ()
    text: str | None = None

    @property
    def words(self) -> str:
        """The author's text, else the first display, else the first code."""
        shown = [c.display for c in self.coding] + [c.code for c in self.coding]
        return next(filter(None, [self.text, *shown]), "")


class Identifier(View, frozen=True, kw_only=True):
    """An identifier of a system."""

    system: str | None = None
    value: str | None = None


class Reference(View, frozen=True, kw_only=True):
    """A pointer to another resource, by address or by identifier."""

    reference: str | None = None
    identifier: Identifier | None = None
    display: str | None = None


class Extension(View, frozen=True, kw_only=True):
    """An extension with one of the kinds of value that we read."""

    url: str | None = None
    value_coding: Coding | None = None
    value_codeable_concept: Concept | None = None
    value_date_time: str | None = None
    value_reference: Reference | None = None


class HumanName(View, frozen=True, kw_only=True):
    """A name; ``given`` has null where only an extension stands."""

    use: str | None = None
    text: str | None = None
    family: str | None = None
    given: tuple[str | None, ...] = ()

    @property
    def whole(self) -> str:
        """The name as one text."""
        return " ".join(filter(None, [*self.given, self.family])) or self.text or ""


class ContactPoint(View, frozen=True, kw_only=True):
    """A telephone number or mail address."""

    system: str | None = None
    value: str | None = None
    use: str | None = None


class Address(View, frozen=True, kw_only=True):
    """A postal address."""

    extension: tuple[Extension, ...] = ()
    use: str | None = None
    line: tuple[str | None, ...] = ()
    city: str | None = None
    postal_code: str | None = None


class Meta(View, frozen=True, kw_only=True):
    """What is said about a resource as a whole."""

    security: tuple[Coding, ...] = ()


class Quantity(View, frozen=True, kw_only=True):
    """A measured amount."""

    value: float | None = None
    comparator: str | None = None
    unit: str | None = None
    code: str | None = None


class Annotation(View, frozen=True, kw_only=True):
    """A note."""

    text: str | None = None


class Period(View, frozen=True, kw_only=True):
    """A span of time."""

    start: str | None = None


class Patient(View, frozen=True, kw_only=True):
    """The citizen."""

    meta: Meta = Meta()
    identifier: tuple[Identifier, ...] = ()
    name: tuple[HumanName, ...] = ()
    telecom: tuple[ContactPoint, ...] = ()
    address: tuple[Address, ...] = ()


class Organization(View, frozen=True, kw_only=True):
    """A practice, department or municipality."""

    identifier: tuple[Identifier, ...] = ()
    name: str | None = None
    telecom: tuple[ContactPoint, ...] = ()


class Practitioner(View, frozen=True, kw_only=True):
    """A health professional."""

    name: tuple[HumanName, ...] = ()


class PractitionerRole(View, frozen=True, kw_only=True):
    """A health professional at an organisation."""

    practitioner: Reference | None = None
    organization: Reference | None = None
    code: tuple[Concept, ...] = ()


class Condition(View, frozen=True, kw_only=True):
    """A diagnosis."""

    verification_status: Concept = Concept()
    code: Concept | None = None
    subject: Reference = Reference()


class Observation(View, frozen=True, kw_only=True):
    """A measurement."""

    status: str | None = None
    code: Concept = Concept()
    subject: Reference | None = None
    effective_date_time: str | None = None
    effective_instant: str | None = None
    effective_period: Period | None = None
    value_quantity: Quantity | None = None
    value_string: str | None = None
    value_codeable_concept: Concept | None = None


class Attachment(View, frozen=True, kw_only=True):
    """Something attached, inside (base64) or elsewhere."""

    content_type: str | None = None
    data: str | None = None
    url: str | None = None
    title: str | None = None


class DocumentContent(View, frozen=True, kw_only=True):
    """One form of a document."""

    attachment: Attachment = Attachment()


class DocumentReference(View, frozen=True, kw_only=True):
    """A pointer to a document."""

    description: str | None = None
    type: Concept = Concept()
    content: tuple[DocumentContent, ...] = ()


class EpisodeReference(View, frozen=True, kw_only=True):
    """Encounter: the contact that carries the episode of care's id."""

    episode_of_care: tuple[Reference, ...] = ()


class ServiceRequest(View, frozen=True, kw_only=True):
    """A referral."""

    id: str | None = None
    identifier: tuple[Identifier, ...] = ()
    status: str | None = None
    priority: str | None = None
    do_not_perform: bool = False
    code: Concept = Concept()
    order_detail: tuple[Concept, ...] = ()
    subject: Reference = Reference()
    encounter: Reference | None = None
    authored_on: str | None = None
    requester: Reference | None = None
    performer: tuple[Reference, ...] = ()
    reason_code: tuple[Concept, ...] = ()
    reason_reference: tuple[Reference, ...] = ()
    supporting_info: tuple[Reference, ...] = ()
    note: tuple[Annotation, ...] = ()
    patient_instruction: str | None = None


class Destination(View, frozen=True, kw_only=True):
    """Where a message goes; the extension says whether it is the primary receiver or a copy."""

    extension: tuple[Extension, ...] = ()
    endpoint: str | None = None
    receiver: Reference | None = None


class Source(View, frozen=True, kw_only=True):
    """Where a message comes from: the target of the Acknowledgement."""

    endpoint: str | None = None


class Response(View, frozen=True, kw_only=True):
    """What an Acknowledgement answers, and how."""

    identifier: str | None = None
    code: str | None = None
    details: Reference | None = None


class MessageHeader(View, frozen=True, kw_only=True):
    """The head of a message."""

    id: str | None = None
    event_coding: Coding | None = None
    destination: tuple[Destination, ...] = ()
    sender: Reference | None = None
    source: Source = Source()
    focus: tuple[Reference, ...] = ()
    response: Response | None = None
    definition: str | None = None


class Agent(View, frozen=True, kw_only=True):
    """Who did something."""

    who: Reference = Reference()


class Entity(View, frozen=True, kw_only=True):
    """What something was done with: a payload (``source``) or the message before (``revision``)."""

    role: str | None = None
    what: Reference = Reference()


class Provenance(View, frozen=True, kw_only=True):
    """What happened to a message."""

    target: tuple[Reference, ...] = ()
    occurred_date_time: str | None = None
    recorded: str | None = None
    activity: Concept = Concept()
    agent: tuple[Agent, ...] = ()
    entity: tuple[Entity, ...] = ()


class Payload(View, frozen=True, kw_only=True):
    """A part of a CareCommunication: words, or an attachment."""

    extension: tuple[Extension, ...] = ()
    content_string: str | None = None
    content_attachment: Attachment | None = None


class Communication(View, frozen=True, kw_only=True):
    """A message in words."""

    category: tuple[Concept, ...] = ()
    subject: Reference | None = None
    topic: Concept = Concept()
    encounter: Reference | None = None
    payload: tuple[Payload, ...] = ()


class Issue(View, frozen=True, kw_only=True):
    """One thing that was wrong."""

    code: str | None = None
    details: Concept = Concept()
    diagnostics: str | None = None


class OperationOutcome(View, frozen=True, kw_only=True):
    """What was wrong."""

    issue: tuple[Issue, ...] = ()


def view(resource: Json, kind: type[T]) -> T:
    """A resource of sound structure as we read it."""
    return msgspec.convert(resource, kind)


def part(value: object, name: str, kind: type[T]) -> T | None:
    """An element of something whose structure may be anything; None where it is not as it should be."""
    try:
        return msgspec.convert(value[name], kind) if isinstance(value, dict) and name in value else None
    except msgspec.ValidationError:
        return None
