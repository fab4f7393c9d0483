"""The stream of simulated messages: number by number a carrier, a matter, perhaps a fault. Nothing is read or sent."""

from collections.abc import Iterator, Mapping
from random import Random

import msgspec

from gateway.simulate.carriers import CARRIERS, Carrier, written
from gateway.simulate.faults import SPOILINGS, Spoiling
from gateway.simulate.referrals import Drawn, Run, drawn_referral

_HUNDRED = 100
#: so many earlier referrals may be sent again or corrected
_REMEMBERED = 50


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a run beside its size."""

    #: carrier → weight; empty for the usual mix
    mix: Mapping[str, float] = {}
    #: per cent of the messages in a VANSEnvelope
    in_vans: float = 30
    #: fault → per cent of the messages
    faults: Mapping[str, float] = {}


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One simulated message."""

    number: int
    data: bytes
    drawn: Drawn
    carrier: Carrier
    in_vans: bool
    #: name of what is wrong with it; None for nothing
    fault: str | None

    @property
    def name(self) -> str:
        """A file name that tells what it is."""
        suffix = "xml" if self.in_vans else self.carrier.suffix
        told = self.fault or self.drawn.matter.name
        return f"{self.number:06}-{self.carrier.name}-{told.replace('_', '-')}.{suffix}"

    @property
    def content_type(self) -> str:
        """MIME type."""
        return "application/xml" if self.in_vans else self.carrier.content_type


class _Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A message without fault that may be followed by another of its letter."""

    drawn: Drawn
    carrier: Carrier
    in_vans: bool


def messages(run: Run, count: int, wishes: Wishes) -> Iterator[Message]:
    """The first ``count`` messages of the run."""
    before: list[_Sent] = []
    for number in range(1, count + 1):
        random = run.random(number)
        spoiling = _drawn_fault(wishes, random)
        earlier = _earlier(before, spoiling, random)
        if earlier is not None and spoiling is not None and spoiling.again is not None:
            sent = msgspec.structs.replace(
                earlier, drawn=spoiling.again(earlier.drawn, random, in_vans=earlier.in_vans)
            )
        else:
            sent = _new(run, number, wishes, random)
            spoiling = spoiling if spoiling is None or spoiling.again is None else None
        if spoiling is None:
            before = [*before[1 - _REMEMBERED :], sent]
        elif sent.drawn.referral.correction:  # what is corrected once more builds on it, and is written later
            before = [sent if one is earlier else one for one in before]
        yield _message(run, number, sent, spoiling)


def _drawn_fault(wishes: Wishes, random: Random) -> Spoiling | None:
    chance = random.random() * _HUNDRED
    for name, per_cent in wishes.faults.items():
        if chance < per_cent:
            return SPOILINGS[name]
        chance -= per_cent
    return None


def _earlier(before: list[_Sent], spoiling: Spoiling | None, random: Random) -> _Sent | None:
    """The referral that comes again; a bare ServiceRequest cannot be corrected."""
    if spoiling is None or spoiling.again is None:
        return None
    able = [sent for sent in before if spoiling.name == "duplicate" or not sent.carrier.alone]
    return random.choice(able) if able else None


def _new(run: Run, number: int, wishes: Wishes, random: Random) -> _Sent:
    weights = wishes.mix or {name: carrier.share for name, carrier in CARRIERS.items()}
    carrier = CARRIERS[random.choices(tuple(weights), tuple(weights.values()))[0]]
    drawn = drawn_referral(run, number, random)
    while drawn.sender.kind == "self" and not carrier.tells_self:
        drawn = drawn_referral(run, number, random)
    in_vans = random.random() * _HUNDRED < wishes.in_vans
    return _Sent(drawn=drawn, carrier=carrier, in_vans=in_vans)


def _message(run: Run, number: int, sent: _Sent, spoiling: Spoiling | None) -> Message:
    drawn, carrier = sent.drawn, sent.carrier
    if spoiling is not None and spoiling.value is not None:
        drawn = spoiling.value(drawn)
    if spoiling is not None and spoiling.data is not None:
        spoil, write = spoiling.data, carrier.write
        carrier = msgspec.structs.replace(carrier, write=lambda *given: spoil(write(*given), sent.carrier))
    data = written(drawn, carrier, run.municipality, in_vans=sent.in_vans)
    fault = spoiling.name if spoiling else None
    return Message(number=number, data=data, drawn=drawn, carrier=sent.carrier, in_vans=sent.in_vans, fault=fault)
