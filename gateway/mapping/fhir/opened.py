"""A FHIR message opened: its resources by their addresses, and MedCom's rules for messages (facts §3).

A message Bundle begins with its MessageHeader, has a Provenance and the organisations it names. A bare ServiceRequest
comes alone with what it contains, or in a Bundle of type ``collection``; it has no head.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import TypeVar

import msgspec
from stdnum import ean

from gateway.errors import Fault
from gateway.mapping.fhir.resources import (
    Destination,
    Identifier,
    Json,
    MessageHeader,
    Organization,
    Provenance,
    Reference,
    View,
    view,
)
from gateway.mapping.fhir.systems import GLN, GLN_NEW, SOR

V = TypeVar("V", bound=View)
PRIMARY = "primary"
_GLN_DIGITS = 13


class UnusableError(Exception):
    """A message whose structure is right and whose content cannot be used; carries the fault."""

    def __init__(self, fault_id: str, detail: str) -> None:
        super().__init__(detail)
        self.fault = Fault(id=fault_id, detail=f"({detail})")


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """A resource of the message."""

    kind: str
    body: Json
    #: the resource that contains it
    holder: Json | None = None

    @property
    def scope(self) -> Json:
        """Where its references to contained resources lead."""
        return self.holder or self.body


class Opened:
    """The resources of a message, and what their references lead to."""

    def __init__(self, value: Json) -> None:
        self.value = value
        self.is_message = value.get("type") == "message" and value["resourceType"] == "Bundle"
        self.resources = tuple(_all_resources(value))
        self._by_address = dict(self._addresses())

    def _addresses(self) -> Iterator[tuple[str, Resource]]:
        for entry in self.value.get("entry", []):
            body = entry.get("resource")
            if body is not None:
                found = Resource(kind=body["resourceType"], body=body)
                yield entry.get("fullUrl", ""), found
                yield f"{found.kind}/{body.get('id', '')}", found

    def of(self, kind: str) -> list[Resource]:
        """All resources of a type, those inside others too."""
        return [r for r in self.resources if r.kind == kind]

    def find(self, reference: Reference | None, holder: Json) -> Resource | None:
        """What a reference in ``holder`` (or in a resource it contains) leads to; None: nothing in this message."""
        address = (reference and reference.reference) or ""
        if address.startswith("#"):
            held = holder.get("contained", [])
            return next(
                (Resource(kind=r["resourceType"], body=r, holder=holder) for r in held if f"#{r.get('id')}" == address),
                None,
            )
        if not address:
            return None
        address = address.partition("/_history/")[0]
        return self._by_address.get(address) or self._by_address.get("/".join(address.split("/")[-2:]))

    def follow(self, reference: Reference | None, holder: Json, *kinds: str) -> Resource:
        """The same, of one of those types; of any, if none are named.

        Raises:
            UnusableError: GW-142 when it leads nowhere, or to something else.
        """
        found = self.find(reference, holder)
        if found is None:
            raise UnusableError("GW-142", f"{' eller '.join(kinds) or 'ressource'} mangler")
        if kinds and found.kind not in kinds:
            raise UnusableError("GW-142", f"{' eller '.join(kinds)} ventet, ikke {found.kind}")
        return found


def _all_resources(value: Json) -> Iterator[Resource]:
    bodies = (
        [value]
        if value["resourceType"] != "Bundle"
        else [e["resource"] for e in value.get("entry", []) if "resource" in e]
    )
    for body in bodies:
        yield Resource(kind=body["resourceType"], body=body)
        for inner in body.get("contained", []):
            yield Resource(kind=inner["resourceType"], body=inner, holder=body)


# ------------------------------------------------------------------ rules
def check_ids(opened: Opened) -> None:
    """No two resources under one id or address.

    Raises:
        UnusableError: GW-143.
    """
    entries = opened.value.get("entry", [])
    addresses = [e["fullUrl"] for e in entries if "fullUrl" in e]
    own = [(r.kind, r.body["id"], r.holder and r.holder.get("id")) for r in opened.resources if "id" in r.body]
    for name, found in (("fullUrl", addresses), ("id", own)):
        if len(set(found)) != len(found):
            raise UnusableError("GW-143", name)


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """A message's head with the organisations it names."""

    header: MessageHeader
    sender: Organization
    receiver: Organization


def check_message(opened: Opened) -> Head:
    """MedCom's rules for a message Bundle.

    Raises:
        UnusableError: GW-142 (a reference), GW-145 (something is missing), GW-146 (no receiver), GW-147 (no sender).
    """
    value = opened.value
    for name in ("id", "timestamp"):
        if name not in value:
            raise UnusableError("GW-145", f"Bundle.{name}")
    first = value.get("entry", [{}])[0].get("resource", {})
    if first.get("resourceType") != "MessageHeader" or len(opened.of("MessageHeader")) != 1:
        raise UnusableError("GW-145", "én MessageHeader, og den først")
    header = view(first, MessageHeader)
    if not header.id or header.event_coding is None or not header.event_coding.code:
        raise UnusableError("GW-145", "MessageHeader.id og eventCoding")
    _check_provenances(opened, header.id)
    sender = organization(opened, header.sender, first)
    if gln_of(sender.identifier) is None or value_of(sender.identifier, SOR) is None:
        raise UnusableError("GW-147", "afsenderens GLN og SOR-id")
    return Head(header=header, sender=sender, receiver=_receiver(opened, header, first))


def _receiver(opened: Opened, header: MessageHeader, first: Json) -> Organization:
    primary = [d for d in header.destination if is_primary(d)]
    if len(primary) != 1:
        raise UnusableError("GW-146", "én destination med brugen primary")
    receiver = organization(opened, primary[0].receiver, first)
    if gln_of(receiver.identifier) is None:
        raise UnusableError("GW-146", "modtagerens GLN")
    return receiver


def is_primary(destination: Destination) -> bool:
    """Whether it is the receiver proper, not a copy."""
    return any(e.value_coding is not None and e.value_coding.code == PRIMARY for e in destination.extension)


def _check_provenances(opened: Opened, header_id: str) -> None:
    """At least one, of this message; each with the moment it speaks of. Who acted must be in the message."""
    found = [(r.body, view(r.body, Provenance)) for r in opened.of("Provenance")]
    ours = [p for _, p in found if any(last_part(t) == header_id for t in p.target)]
    if not ours:
        raise UnusableError("GW-145", "en Provenance for MessageHeader")
    for body, provenance in found:
        if provenance.occurred_date_time is None or provenance.recorded is None:
            raise UnusableError("GW-145", "Provenance.occurredDateTime og recorded")
        for agent in provenance.agent:
            opened.follow(agent.who, body, "Organization", "PractitionerRole", "Practitioner")


def last_part(reference: Reference) -> str:
    """The id at the end of a reference."""
    return (reference.reference or "").rpartition("/")[2].removeprefix("urn:uuid:")


def organization(opened: Opened, reference: Reference | None, holder: Json) -> Organization:
    """The organisation that a reference leads to."""
    return view(opened.follow(reference, holder, "Organization").body, Organization)


# ------------------------------------------------------------------ identifiers
def value_of(identifiers: tuple[Identifier, ...], *systems: str) -> str | None:
    """The first value of one of those systems."""
    return next((i.value for i in identifiers if i.system in systems and i.value), None)


def gln_of(identifiers: tuple[Identifier, ...]) -> str | None:
    """The GLN, under either of its two systems; None where its check digit is wrong."""
    gln = value_of(identifiers, GLN, GLN_NEW)
    return gln if gln and _is_gln(gln) else None


@lru_cache(maxsize=4096)  # the same few senders again and again; the check costs more than reading their resource
def _is_gln(text: str) -> bool:
    return len(text) == _GLN_DIGITS and text.isascii() and bool(ean.is_valid(text))
