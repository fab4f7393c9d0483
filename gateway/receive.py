"""The way of a message: bytes → ``read`` → ``Reading`` → ``receive`` → ``Outcome``. Pure; open this file first.

``read`` identifies, checks and decodes. ``receive`` takes each letter through *known case × letter → case′, letters*.
``gateway.inbound`` saves and acknowledges; ``gateway.outbound`` sends.
"""

import hashlib
from datetime import datetime
from enum import StrEnum

from gateway.errors import Fault
from gateway.mapping import catalogue, encoding, team_event
from gateway.mapping.interpretation import interpretation
from gateway.mapping.weighing import needs
from gateway.municipality.model import Municipality
from gateway.referral import answer
from gateway.referral.admission import take_in
from gateway.referral.events import TeamEvent
from gateway.referral.fhir_events import told_by_event
from gateway.referral.follow import follow_event, follow_receipt
from gateway.referral.gate import Desk
from gateway.referral.handled import Handled
from gateway.referral.inbox import Known, Outcome
from gateway.referral.mail import Mail, follow_mail
from gateway.referral.model import Referral
from gateway.referral.reading import Reading, ReadLetter

DEFAULT_LIMIT = 10_000_000


class Entrance(StrEnum):
    """Where a message came in. A sender of referrals can never speak as a team."""

    MEDCOM = "medcom"
    FHIR = "fhir"
    TEAM = "team"


def read(
    data: bytes, entrance: Entrance = Entrance.MEDCOM, limit: int = DEFAULT_LIMIT, *, sbdh: bool = False
) -> Reading:
    """Bytes → reading. Never raises for what a message says; ``limit`` in bytes; ``sbdh`` opens EHMI's envelope."""
    digest = hashlib.sha256(data).hexdigest()
    if len(data) > limit:
        return catalogue.read_head(data, Fault(id="GW-104", detail=f"(højst {limit} bytes)"), digest, with_sbdh=sbdh)
    if entrance is Entrance.TEAM:
        return team_event.read(data, digest)
    return catalogue.read_message(data, digest, fhir_only=entrance is Entrance.FHIR, with_sbdh=sbdh)


def receive(reading: Reading, known: Known, municipality: Municipality, received_at: datetime) -> Outcome:
    """Reading × what is known → everything the message leads to. Handling it twice yields the same letters."""
    stored = answer.stored(reading, known, received_at)
    if stored is not None:
        return stored
    reading = told_by_event(reading, municipality)
    handled = []
    for letter in reading.letters:
        desk = Desk(arrival=reading.arrival, known=known, municipality=municipality, received_at=received_at)
        result = answer.recognise(letter, reading, known) or _handle(letter, desk)
        handled.append(result)
        known = answer.remember(known, letter, result, reading)
    composed = answer.compose(reading, handled, municipality, received_at)
    replies = [*composed.receipts, *(reply for result in handled for reply in result.replies)]
    return answer.finish(composed, [encoding.encode(reply, municipality) for reply in replies])


def _handle(letter: ReadLetter, desk: Desk) -> Handled:
    content = letter.content
    if isinstance(content, Referral):
        found = needs(content, interpretation(), desk.municipality.offered)
        return take_in(content, found, desk)
    if isinstance(content, Mail):
        return follow_mail(content, desk)
    if isinstance(content, TeamEvent):
        return follow_event(content, desk.known, desk.municipality)
    if content is not None:
        return follow_receipt(content, desk.known)
    return Handled(fault=letter.fault)
