"""What was sent held against what came out and what is stored: pure counting."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from statistics import median

import msgspec

_ENVELOPE = re.compile(rb"<Envelope>.*?</Envelope>", re.DOTALL)
_LETTER = re.compile(rb"<Letter>\s*<Identifier>([^<]+)</Identifier>")
#: a receipt names the letter, a status letter the episode; the team's Bundle names the episode as an identifier
_ABOUT = (
    re.compile(rb"<OriginalLetterIdentifier>B([0-9A-F]{13})<"),
    re.compile(rb"<EpisodeOfCareIdentifier>([0-9a-f]{13})"),
    re.compile(rb'episode-of-care","value":"([0-9a-f]{13})'),
)
POSITIVE, NEGATIVE = "XCTL03", "XCTL02"
RECEIPTS = frozenset({POSITIVE, NEGATIVE})


class Sent(msgspec.Struct, kw_only=True):
    """A referral that the broker confirmed."""

    key: str
    #: what must come out of it, whatever happens: one letter of each kind
    kinds: frozenset[str]
    at: float
    envelopes: int = 1


class Out(msgspec.Struct, frozen=True, kw_only=True):
    """A letter that left the gateway and reached its receiver."""

    key: str
    kind: str
    letter_id: str
    envelope_id: str
    #: apart from the envelope
    content: bytes
    at: float


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """What the database holds: letters by their key, and what is not as it should be at the end."""

    letters: frozenset[str]
    unsent: int = 0
    parked_by_fault: dict[str, int] = {}


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """The figures. All but the first five must be nought."""

    sent: int
    repeated_by_sender: int
    receipted: int
    stored: int
    #: letters out, each counted once
    delivered: int
    #: the same letter in a further envelope: allowed, the receiver knows it by its id
    sent_again_same_letter: int
    #: referrals that miss a letter or are not in the database
    lost: int
    #: letters that nothing sent asks for
    unexpected: int
    #: referrals with two letters of one kind under different ids
    twice: int
    #: referrals told yes and no, or one letter id with two contents
    receipts_changed: int
    contents_changed: int
    unsent: int
    unexpectedly_parked: int
    median_s: float
    slowest_s: float

    @property
    def faults(self) -> dict[str, int]:
        """What must be nought and is not."""
        names = ("lost", "unexpected", "twice", "receipts_changed", "contents_changed", "unsent", "unexpectedly_parked")
        return {name: getattr(self, name) for name in names if getattr(self, name)}


def letter_out(kind: str, envelope_id: str, body: bytes, at: float) -> Out:
    """A message as it came from an outgoing queue."""
    about = next((m.group(1) for m in (pattern.search(body) for pattern in _ABOUT) if m), b"")
    letter = _LETTER.search(_ENVELOPE.sub(b"", body, count=1))
    return Out(
        key=about.decode().upper(),
        kind=kind,
        letter_id=letter.group(1).decode() if letter else envelope_id,
        envelope_id=envelope_id,
        content=_ENVELOPE.sub(b"", body, count=1),
        at=at,
    )


def count(sent: Mapping[str, Sent], out: Iterable[Out], stored: Stored) -> Tally:
    """Everything counted; what the broker delivered to us a second time counts once."""
    envelopes = {(o.kind, o.key, o.letter_id, o.envelope_id): o for o in out}
    letters: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    contents: dict[str, set[bytes]] = defaultdict(set)
    first: dict[str, float] = {}
    for o in envelopes.values():
        letters[o.key][o.kind].add(o.letter_id)
        contents[o.letter_id].add(o.content)
        if o.kind in RECEIPTS:
            first[o.key] = min(o.at, first.get(o.key, o.at))
    waits = [first[key] - s.at for key, s in sent.items() if key in first]
    refused = sum(NEGATIVE in s.kinds for s in sent.values())
    return Tally(
        sent=len(sent),
        repeated_by_sender=sum(s.envelopes - 1 for s in sent.values()),
        receipted=sum(key in sent for key in first),
        stored=len(stored.letters & sent.keys()),
        delivered=len(contents),
        sent_again_same_letter=len(envelopes) - len(contents),
        lost=sum(not s.kinds <= letters[s.key].keys() or s.key not in stored.letters for s in sent.values()),
        unexpected=sum(bool(found.keys() - _kinds_of(sent, key)) for key, found in letters.items()),
        twice=sum(any(len(ids) > 1 for ids in found.values()) for found in letters.values()),
        receipts_changed=sum(len(found.keys() & RECEIPTS) > 1 for found in letters.values()),
        contents_changed=sum(len(found) > 1 for found in contents.values()),
        unsent=stored.unsent,
        unexpectedly_parked=abs(sum(stored.parked_by_fault.values()) - refused),
        median_s=round(median(waits), 3) if waits else 0.0,
        slowest_s=round(max(waits), 1) if waits else 0.0,
    )


def _kinds_of(sent: Mapping[str, Sent], key: str) -> frozenset[str]:
    return sent[key].kinds if key in sent else frozenset()
