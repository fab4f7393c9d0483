"""Sender quality: who sends what cannot be handled, by which rule, and a text for the supplier. Ids and counts only."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.console.access import SeesMetadata
from gateway.console.page import render
from gateway.console.parts import PartsOf
from gateway.errors import FAULTS
from gateway.referral.moments import danish_date
from gateway.referral.workdays import local_date

router = APIRouter(include_in_schema=False)
_DAYS = 90
_ROWS = 200


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """A sender's messages over the period, and the faults among them, the most frequent first."""

    #: GLN; empty where no sender could be read
    sender: str
    messages: int
    faulty: int
    faults: tuple[tuple[str, int], ...]
    #: to be sent to the sender's supplier as it stands; empty where nothing is wrong
    text: str = ""

    @property
    def share(self) -> float:
        """Per cent of the messages that were faulty."""
        return 100 * self.faulty / self.messages


@router.get("/senders")
def senders(request: Request, parts: PartsOf, _session: SeesMetadata) -> Response:
    """Every sender, the one with most faulty messages first."""
    now = parts.clock()
    found = parts.store.trends.senders(now - timedelta(days=_DAYS))
    rows = [quality(sender, counts, now) for sender, counts in found.items()]
    rows.sort(key=lambda row: (-row.faulty, -row.messages, row.sender))
    return render(request, "senders.html", rows=rows[:_ROWS], faults=FAULTS, days=_DAYS, count=len(rows))


def quality(sender: str, counts: Mapping[str, int], now: datetime) -> Quality:
    """What the counts say of a sender; ``counts`` by fault id, the empty one for messages without a fault."""
    faults = sorted(((fault, n) for fault, n in counts.items() if fault), key=lambda pair: (-pair[1], pair[0]))
    row = Quality(sender=sender, messages=sum(counts.values()), faulty=sum(n for _, n in faults), faults=tuple(faults))
    return msgspec.structs.replace(row, text=_for_supplier(row, now)) if faults and sender else row


def _for_supplier(row: Quality, now: datetime) -> str:
    first, last = (danish_date(local_date(moment)) for moment in (now - timedelta(days=_DAYS), now))
    lines = [
        f"- {fault}: {FAULTS[fault].text} ({n} {'besked' if n == 1 else 'beskeder'}; "
        f"MedCom-kode {FAULTS[fault].medcom.value})"
        for fault, n in row.faults
    ]
    share = f"{row.share:.1f}".replace(".", ",")
    return "\n".join(
        [
            f"Fra lokationsnummer {row.sender} har vi mellem {first} og {last} modtaget {row.messages} beskeder.",
            f"{row.faulty} af dem ({share} %) kunne ikke behandles:",
            *lines,
            "Kvitteringerne nævner kuvert- og brev-id og stedet i beskeden. Ret venligst fejlen i systemet, og send",
            "beskederne igen med nye id'er. Vi sender gerne id'erne på de seneste.",
        ]
    )
