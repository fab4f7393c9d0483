"""Korrespondance about a citizen: joined to its case and handed to the team, or to the review team; never dropped.

Knows nothing of the carrier: XDIS91, EDIFACT DIS91 and CareCommunication are the same value here.
"""

from datetime import datetime

import msgspec

from gateway.errors import Fault
from gateway.municipality.model import Municipality
from gateway.referral.attachments import named_objects
from gateway.referral.case import WAITING, Case
from gateway.referral.correspondence import CaseLetter, Correspondence, ForwardedLetter
from gateway.referral.enclosures import with_attachments
from gateway.referral.gate import Desk, gate
from gateway.referral.handled import Handled
from gateway.referral.ids import Cause, fhir_id
from gateway.referral.inbox import Known
from gateway.referral.letters import Arrival
from gateway.referral.lifecycle import information_arrived
from gateway.referral.model import episode_key
from gateway.referral.reply import Reply, case_reply

_WRITTEN = "Afsenderen har skrevet om forløbet."
_ANSWERED = "Forløbet venter på oplysninger fra henviser, og svaret er kommet. Tag stilling til henvisningen."
_BY_CITIZEN = "Brevet nævner ikke et kendt forløb. Det er knyttet til borgerens eneste åbne forløb fra samme afsender."
_DEAD = "Afsenderen oplyser, at borgeren er død."
_CORRECTION = "Brevet er en rettelse, som erstatter et tidligere brev i forløbet."
_NOTHING_CORRECTED = "Brevet er en rettelse, men gatewayen har ikke det brev, der rettes."


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the team is told beside the letter: where it belongs, and whether the case waited for it."""

    note: str
    answers_question: bool


def follow_correspondence(content: Correspondence, desk: Desk) -> Handled:
    """The letter in its case's history and before the team that owns the case; without a case before the review team.

    GW-165 no case fits, GW-166 several fit, GW-167 the episode is another citizen's: accepted, forwarded and parked.
    """
    municipality, received_at = desk.municipality, desk.received_at
    fault = gate(content, municipality, received_at)
    if fault is not None:
        return Handled(fault=fault)
    case = _case_of(content, desk.known)
    if isinstance(case, Fault):
        reply = _forward(content, municipality.review.team, case.row.text, received_at)
        return with_attachments(Handled(parked=(case,), replies=(reply,)), content, desk)
    return with_attachments(_in_case(content, case, municipality, received_at), content, desk)


def _case_of(content: Correspondence, known: Known) -> Case | Fault:
    """By the episode; failing that, the one open case of this citizen from this sender."""
    citizen = content.citizen.identifier
    named = known.of_episode(content.episode_id)
    if named and all(case.referral.citizen.identifier != citizen for case in named):
        return Fault(id="GW-167")
    own = [case for case in named if case.referral.citizen.identifier == citizen]
    found = own or [
        case
        for case in known.cases.values()
        if not case.all_ended
        and case.referral.citizen.identifier == citizen
        and case.referral.sender_gln == content.sender_gln
    ]
    if len(found) > 1:
        found = [c for c in found if not c.all_ended and c.referral.sender_gln == content.sender_gln] or found
    if len(found) > 1:
        return Fault(id="GW-166")
    return found[0] if found else Fault(id="GW-165")


def _in_case(content: Correspondence, case: Case, municipality: Municipality, received_at: datetime) -> Handled:
    """In the case's history; what waited for the answer goes on where it stood before the question."""
    by_episode = _is_of_episode(content, case)
    replaced = _replaced(content, case)
    entry = CaseLetter(
        letter_id=content.letter_id,
        message_type=content.message_type,
        sender_gln=content.sender_gln,
        subject=content.subject,
        written_at=content.at,
        received_at=received_at,
        linked_by="episode" if by_episode else "citizen",
        correction=content.correction,
        replaces=replaced,
        objects=tuple(named_objects(content.attachments)),
    )
    answered = information_arrived(case, _cause(content), received_at, municipality)
    after = msgspec.structs.replace(answered, letters=(*case.letters, entry), number=case.number + 1)
    lines = [_WRITTEN if answered is case else _ANSWERED]
    lines += [] if by_episode else [_BY_CITIZEN]
    told = Told(note="\n".join(lines), answers_question=answered is not case)
    replies = tuple(_to_team(content, after, team, told) for team in case.owners)
    return Handled(cases=(after,), case_id=case.case_id, replies=replies)


def _is_of_episode(content: Correspondence, case: Case) -> bool:
    key = episode_key(content.episode_id)
    return key is not None and key == episode_key(case.referral.episode_id)


def _replaced(content: Correspondence, case: Case) -> str | None:
    """The letter id that a ``rettetbrev`` replaces: it names none, so the last of that sender and subject is meant."""
    if not content.correction:
        return None
    same = [x for x in case.letters if (x.sender_gln, x.subject) == (content.sender_gln, content.subject)]
    return same[-1].letter_id if same else None


def _to_team(content: Correspondence, case: Case, team: str, told: Told) -> Reply:
    entry = case.letters[-1]
    forwarded = _forwarded(content, team, told.note, entry.received_at)
    mine = tuple(a.id for a in case.assignments if a.team == team or a.state in WAITING)
    forwarded = msgspec.structs.replace(
        forwarded,
        case_id=case.case_id,
        assignments=mine,
        answers_question=told.answers_question,
        replaces=entry.replaces,
        note=_told(content, forwarded.note, entry.replaces),
    )
    return case_reply(case, forwarded, _cause(content))


def _forward(content: Correspondence, team: str, note: str, received_at: datetime) -> Reply:
    forwarded = _forwarded(content, team, _told(content, note, None), received_at)
    return Reply(content=forwarded, cause=_cause(content), arrival=Arrival(), episode_id=content.episode_id)


def _forwarded(content: Correspondence, team: str, note: str, received_at: datetime) -> ForwardedLetter:
    own = fhir_id(_cause(content), "Communication", team)
    return ForwardedLetter(id=own, team=team, letter=content, note=note, at=received_at)


def _told(content: Correspondence, note: str, replaces: str | None) -> str:
    lines = [note]
    if content.correction:
        lines.append(_CORRECTION if replaces else _NOTHING_CORRECTED)
    if content.citizen_status == "doed":
        lines.append(_DEAD)
    return "\n".join(lines)


def _cause(content: Correspondence) -> Cause:
    return Cause(sender=content.sender_gln, id=content.letter_id)
