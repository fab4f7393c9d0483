"""What every MedCom FHIR message that we write is made of: Bundle, header, organisations, provenance, narrative.

A message is written once, as JSON, complete but for its envelope: ``Bundle.id`` and the times of sending, which
``in_envelope`` fills in at each transmission (facts: a new Bundle.id and new Provenance times on every send, the same
MessageHeader.id). All other ids are derived from the letter's own.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

import msgspec

from gateway.mapping.fhir.systems import GLN, MEDCOM_TERMINOLOGY, SOR
from gateway.referral.ids import Cause, fhir_id
from gateway.referral.letters import FhirParty, FhirProvenance

Json = dict[str, object]
_MESSAGING = "http://medcomfhir.dk/ig/messaging/StructureDefinition"
ORGANIZATION_PROFILE = f"{_MESSAGING}/medcom-messaging-organization"
PROVENANCE_PROFILE = f"{_MESSAGING}/medcom-messaging-provenance"
_EVENTS = f"{MEDCOM_TERMINOLOGY}/medcom-messaging-eventCodes"
_ACTIVITIES = f"{MEDCOM_TERMINOLOGY}/medcom-messaging-activityCodes"
#: stands where the standard demands a text and there is none
NOTHING = "_"
#: activities of the value set, but those of hospital notifications
_KNOWN_ACTIVITIES = frozenset(
    {"new-message", "forward-message", "reply-message", "retract-message", "modified-message", "carboncopy-message"}
)
#: where a message for a SOR unit is sent, as all MedCom examples write it
_ENDPOINT = "https://sor2.sum.dsdn.dk/#id={}"
#: what neither FHIR strings nor XML can hold
_NOT_TEXT = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Sides(msgspec.Struct, frozen=True, kw_only=True):
    """Who writes to whom."""

    sender: FhirParty
    receiver: FhirParty


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """Where a resource stands: the letter it belongs to, and the base of its ``fullUrl``."""

    letter_id: str
    base: str

    def id(self, name: str) -> str:
        """The derived id of one resource of the letter."""
        return fhir_id(Cause(sender=self.letter_id, id=name), "part", "")


def clean(text: str) -> str:
    r"""Text as a FHIR string may hold it: no control characters, one kind of line break, no blanks around.

    >>> clean("Til \x07KOL-hold\r\n")
    'Til KOL-hold'
    """
    return _NOT_TEXT.sub("", text).replace("\r\n", "\n").replace("\r", "\n").strip()


def without_nothing(resource: Json) -> Json:
    """FHIR knows no null and no empty array: leave such elements out."""
    return {key: value for key, value in resource.items() if value not in (None, "", [], {})}


def reference(kind: str, own: str) -> Json:
    """A reference to a resource by type and id."""
    return {"reference": f"{kind}/{own}"}


def narrative(*lines: str) -> Json:
    """The text that a person may read instead of the resource (SHALL in every MedCom message)."""
    paragraphs = "".join(f"<p>{escape(line, quote=False)}</p>" for text in lines for line in clean(text).split("\n"))
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{paragraphs}</div>'}


def resource(kind: str, own: str, profile: str, text: Json, rest: Json) -> Json:
    """A resource in the order of the specification: type, id, profile, narrative, then its own elements."""
    head = {"resourceType": kind, "id": own, "meta": {"profile": [profile]}, "text": text}
    return head | without_nothing(rest)


def coded(system: str, code: str) -> Json:
    """A CodeableConcept of one coding."""
    return {"coding": [{"system": system, "code": code}]}


# ------------------------------------------------------------------ the message's own resources
def header(spot: Spot, sides: Sides, event: str, profile: str, rest: Json) -> Json:
    """The MessageHeader; its id is the letter's."""
    use = {
        "url": f"{_MESSAGING}/medcom-messaging-destinationUseExtension",
        "valueCoding": {"system": f"{MEDCOM_TERMINOLOGY}/medcom-messaging-destinationUse", "code": "primary"},
    }
    destination = {
        "extension": [use],
        "endpoint": endpoint(sides.receiver),
        "receiver": reference("Organization", spot.id("receiver")),
    }
    own: Json = {
        "eventCoding": {"system": _EVENTS, "code": event},
        "destination": [destination],
        "sender": reference("Organization", spot.id("sender")),
        "source": {"endpoint": endpoint(sides.sender)},
    }
    text = narrative(f"{event}: {sides.sender.name} → {sides.receiver.name}")
    return resource("MessageHeader", spot.letter_id, profile, text, own | rest)


def endpoint(party: FhirParty) -> str:
    """Where messages for that organisation go: as it told us itself, else by its SOR id."""
    return party.endpoint or _ENDPOINT.format(party.sor)


def organization(own: str, party: FhirParty) -> Json:
    """A MessagingOrganization: GLN and SOR, as far as they are known."""
    identifiers = [
        {"use": "official", "system": system, "value": value}
        for system, value in ((SOR, party.sor), (GLN, party.gln))
        if value
    ]
    name = clean(party.name)
    text = narrative(
        name or "Organisation", *(f"{'SOR' if i['system'] == SOR else 'GLN'} {i['value']}" for i in identifiers)
    )
    return resource("Organization", own, ORGANIZATION_PROFILE, text, {"identifier": identifiers, "name": name})


def organizations(spot: Spot, sides: Sides) -> list[Json]:
    """Both organisations of the message."""
    return [organization(spot.id("sender"), sides.sender), organization(spot.id("receiver"), sides.receiver)]


def own_provenance(spot: Spot, activity: str, profile: str, entities: Sequence[Json], at: datetime) -> Json:
    """What we do with this message; ``in_envelope`` writes the time of sending into it."""
    moment = instant(at)
    rest: Json = {
        "target": [reference("MessageHeader", spot.letter_id)],
        "occurredDateTime": moment,
        "recorded": moment,
        "activity": coded(_ACTIVITIES, activity),
        "agent": [{"who": reference("Organization", spot.id("sender"))}],
        "entity": list(entities),
    }
    return resource("Provenance", spot.id("provenance"), profile, narrative(f"Provenance: {activity}"), rest)


def carried_provenance(own: str, earlier: FhirProvenance, agent: str, profile: str) -> Json:
    """A Provenance of an earlier message, carried on; its target is not in this Bundle (by design)."""
    entities: list[Json] = [{"role": "source", "what": {"identifier": {"value": p}}} for p in earlier.payloads]
    rest: Json = {
        "target": [reference("MessageHeader", earlier.target)],
        "occurredDateTime": earlier.occurred,
        "recorded": earlier.recorded,
        "activity": coded(_ACTIVITIES, earlier.activity),
        "agent": [{"who": reference("Organization", agent)}],
        "entity": [*entities, *([revision(earlier.previous)] if earlier.previous else [])],
    }
    return resource("Provenance", own, profile, narrative(f"Provenance: {earlier.activity}"), rest)


def is_whole(earlier: FhirProvenance) -> bool:
    """Whether a Provenance tells what the standard demands, in the standard's words."""
    return bool(earlier.occurred and earlier.recorded) and earlier.activity in _KNOWN_ACTIVITIES


def revision(previous: str) -> Json:
    """The message before: a MessageHeader by its id, a MedCom letter by ``[lokationsnummer]#[brevid]``.

    >>> revision("5790009992011#BRV00000000001")
    {'role': 'revision', 'what': {'identifier': {'value': '5790009992011#BRV00000000001'}}}
    """
    what = {"identifier": {"value": previous}} if "#" in previous else reference("MessageHeader", previous)
    return {"role": "revision", "what": what}


def instant(at: datetime) -> str:
    """A moment with its zone, to the second."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


# ------------------------------------------------------------------ the envelope
def message_bundle(spot: Spot, profile: str, resources: Sequence[Json], at: datetime) -> Json:
    """The message without its envelope: ``resources`` begin with the header and our own Provenance."""
    return {
        "resourceType": "Bundle",
        "id": spot.letter_id,
        "meta": {"profile": [profile]},
        "type": "message",
        "timestamp": instant(at),
        "entry": [{"fullUrl": f"{spot.base}/{r['resourceType']}/{r['id']}", "resource": r} for r in resources],
    }


def in_envelope(content: bytes, envelope_id: str, sent_at: datetime) -> Json:
    """A message as it is sent now: with this Bundle.id, and our times of sending."""
    bundle = msgspec.json.decode(content)
    moment = instant(sent_at)
    bundle |= {"id": envelope_id, "timestamp": moment}
    bundle["entry"][1]["resource"] |= {"occurredDateTime": moment, "recorded": moment}
    told: Json = bundle
    return told
