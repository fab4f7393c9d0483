"""What goes wrong with some of the simulated messages, each by its percentage: on the value, on the bytes, or again.

``duplicate`` and ``correction`` are no faults of a message: the same letter comes once more in a new envelope, or its
referrer puts it right. Both follow a referral that came before.
"""

from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType
from typing import Protocol

import msgspec

from gateway.referral.ids import Cause
from gateway.referral.letters import Payload
from gateway.simulate.carriers import Carrier
from gateway.simulate.persons import gln
from gateway.simulate.referrals import Drawn, corrected, envelopes

_replace = msgspec.structs.replace
_NOWHERE = 999


class Spoiling(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can go wrong."""

    name: str
    #: of a hundred spoilt ones, where only a total is asked for
    share: int
    #: the value before it is written
    value: Callable[[Drawn], Drawn] | None = None
    #: the message as written, before any VANSEnvelope
    data: Callable[[bytes, Carrier], bytes] | None = None
    #: what comes after an earlier referral
    again: "Again | None" = None


def _to_nobody(drawn: Drawn) -> Drawn:
    receiver = _replace(drawn.referral.receiver, gln=gln(_NOWHERE))
    return _replace(drawn, referral=_replace(drawn.referral, receiver=receiver))


def _to_another_municipality(drawn: Drawn) -> Drawn:
    receiver = _replace(drawn.referral.receiver, identifier="165", organisation="Albertslund Kommune")
    return _replace(drawn, referral=_replace(drawn.referral, receiver=receiver))


def _of_nobody(drawn: Drawn) -> Drawn:
    """A CPR with the 31st of February."""
    citizen = drawn.referral.citizen
    impossible = _replace(citizen, cpr=f"3102{(citizen.cpr or '')[4:]}")
    return _replace(drawn, referral=_replace(drawn.referral, citizen=impossible))


def _cut_off(data: bytes, _carrier: Carrier) -> bytes:
    return data[: len(data) * 2 // 3]


def _against_the_standard(data: bytes, carrier: Carrier) -> bytes:
    """An element that the standard does not know, or a count that is wrong."""
    if carrier.payload is Payload.MEDCOM_XML:
        return data.replace(b"</Letter>", b"<Unknown>x</Unknown></Letter>", 1)
    if carrier.payload is Payload.EDIFACT:
        return data.replace(b"UNT+", b"UNT+9", 1)
    if carrier.payload is Payload.FHIR_JSON:
        return data.replace(b'"intent":"order"', b'"intent":"order","unknown":"x"', 1)
    return data.replace(b'<intent value="order"/>', b'<intent value="order"/><unknown value="x"/>', 1)


def _sent_again(before: Drawn, random: Random, *, in_vans: bool) -> Drawn:
    """In new envelopes; what stands in a VANSEnvelope stays the same to the byte."""
    new = envelopes(Cause(sender=before.uuid, id=f"again {random.random()}"))
    return _replace(before, **({"vans_uuid": new["vans_uuid"]} if in_vans else new))


def _corrected(before: Drawn, random: Random, *, in_vans: bool) -> Drawn:
    del in_vans
    return corrected(before, random)


class Again(Protocol):
    """A later message of a letter that came before."""

    def __call__(self, before: Drawn, random: Random, *, in_vans: bool) -> Drawn:
        """The letter as it comes now."""


_ALL = (
    Spoiling(name="truncated", share=15, data=_cut_off),
    Spoiling(name="not-valid", share=20, data=_against_the_standard),
    Spoiling(name="unknown-receiver", share=10, value=_to_nobody),
    Spoiling(name="other-municipality", share=10, value=_to_another_municipality),
    Spoiling(name="impossible-cpr", share=10, value=_of_nobody),
    Spoiling(name="duplicate", share=25, again=_sent_again),
    Spoiling(name="correction", share=10, again=_corrected),
)
SPOILINGS: Mapping[str, Spoiling] = MappingProxyType({one.name: one for one in _ALL})
