"""Attachments on their way to the team: taken in, joined to the letter that names them, handed over.

Whoever comes second, the letter or the attachment, leads to the team's message; a team that is given the case later is
handed what has come. An attachment that no letter names yet waits visibly (GW-168); the item is settled by itself when
the letter comes.
"""

import msgspec

from gateway.errors import Fault
from gateway.municipality.model import Municipality
from gateway.referral.attachments import (
    AttachmentMessage,
    ForwardedFiles,
    HeldFile,
    Naming,
    SentObject,
    TeamFile,
    TrackedObject,
    named_objects,
)
from gateway.referral.case import WAITING, Case
from gateway.referral.correspondence import Correspondence
from gateway.referral.events import GIVES_A_TEAM, TeamEvent
from gateway.referral.gate import Desk, gate
from gateway.referral.handled import Handled
from gateway.referral.ids import Cause, fhir_id
from gateway.referral.inbox import Known
from gateway.referral.letters import Arrival
from gateway.referral.model import Referral
from gateway.referral.reply import Reply, case_reply

_REFUSED_EXTENSIONS = frozenset({"exe", "com"})
_PROGRAM_CODE = "program"
#: DOS and Windows programs begin so, whatever their name says
_PROGRAM = b"MZ"
_JOINED = "Bilag til forløbet."
_NO_CASE = "Bilag til en korrespondance, som ikke passer til et kendt forløb."
_OTHER_SIZE = "Et bilag har en anden størrelse, end afsenderen oplyser; kontrollér, at det er helt."
_replace = msgspec.structs.replace


# ------------------------------------------------------------------ the attachment comes
def follow_attachments(message: AttachmentMessage, desk: Desk) -> Handled:
    """Every file kept, and handed to the team where a letter has named it; GW-168 for each that must wait.

    Refused whole: GW-130, GW-131, GW-140 as any letter, GW-114 a program, GW-115 a file beyond the limit.
    """
    known, municipality = desk.known, desk.municipality
    fault = gate(message, municipality, desk.received_at) or _refusal(message, municipality)
    if fault is not None:
        return Handled(fault=fault)
    tracked = [_holding(known, one, message) for one in message.objects]
    found = {one.object_id: one.named_for(message) for one in tracked}
    waiting = tuple(Fault(id="GW-168", detail=key) for key, namings in found.items() if not namings)
    replies, touched, named = [], [], {naming.case_id for namings in found.values() for naming in namings}
    for case_id in sorted(named, key=str):
        latest = {key: n for key, namings in found.items() for n in namings if n.case_id == case_id}
        files = [(one.files[-1], latest[one.object_id]) for one in tracked if one.object_id in latest]
        case = known.cases.get(case_id or "")
        replies += _handed_over(files, case, Cause(sender=message.sender_gln, id=message.letter_id), municipality)
        touched += [_touched(case)] if case else []
    case_id = next((c for c in sorted(named, key=str) if c is not None), None)
    return Handled(
        objects=tuple(tracked), cases=tuple(touched), parked=waiting, replies=tuple(replies), case_id=case_id
    )


def _touched(case: Case) -> Case:
    """The same under another number: who gives it to another team in this moment looks again, and hands the file on."""
    return _replace(case, number=case.number + 1)


def _refusal(message: AttachmentMessage, municipality: Municipality) -> Fault | None:
    if len({one.object_id for one in message.objects}) < len(message.objects):
        return Fault(id="GW-116", detail="ObjectIdentifier")
    for one in message.objects:
        if one.extension in _REFUSED_EXTENSIONS:
            return Fault(id="GW-114", detail=f"({one.extension})")
        if one.code == _PROGRAM_CODE or one.data.startswith(_PROGRAM):
            return Fault(id="GW-114", detail="(program)")
        if len(one.data) > municipality.attachments.max_bytes:
            return Fault(id="GW-115", detail=f"(højst {municipality.attachments.max_bytes} bytes)")
    return None


def _holding(known: Known, file: SentObject, message: AttachmentMessage) -> TrackedObject:
    before = known.objects.get(file.object_id)
    held = HeldFile(
        letter_id=message.letter_id, sender=message.sender, citizen=message.citizen, file=file, at=message.at
    )
    if before is None:
        return TrackedObject(object_id=file.object_id, files=(held,))
    others = tuple(h for h in before.files if (h.sender.gln, h.letter_id) != (held.sender.gln, held.letter_id))
    return _replace(before, number=before.number + 1, files=(*others, held))


# ------------------------------------------------------------------ the letter comes
def with_attachments(handled: Handled, letter: Referral | Correspondence, desk: Desk) -> Handled:
    """The same, with the files that came before the letter handed over, and the others awaited."""
    named = named_objects(letter.attachments)
    if handled.fault is not None or not named:
        return handled
    case = next((c for c in handled.cases if c.case_id == handled.case_id), None)
    case = case or desk.known.cases.get(handled.case_id or "")
    tracked, files = [], []
    for key, attachment in named.items():
        naming = Naming(
            sender_gln=letter.sender_gln,
            letter_id=letter.letter_id,
            citizen=letter.citizen.identifier,
            case_id=handled.case_id,
            description=attachment.description,
        )
        one = _named(desk.known, key, naming)
        tracked.append(one)
        files += [(held, naming) for held in one.files_for(naming)]
    cause = Cause(sender=letter.sender_gln, id=letter.letter_id)
    return _replace(
        handled,
        objects=tuple(tracked),
        joined=tuple(dict.fromkeys(held.file.object_id for held, _ in files)),
        replies=(*handled.replies, *_handed_over(files, case, cause, desk.municipality)),
    )


def _named(known: Known, key: str, naming: Naming) -> TrackedObject:
    before = known.objects.get(key)
    if before is None:
        return TrackedObject(object_id=key, namings=(naming,))
    mine = (naming.sender_gln, naming.letter_id)
    others = tuple(n for n in before.namings if (n.sender_gln, n.letter_id) != mine)
    return _replace(before, number=before.number + 1, namings=(*others, naming))


# ------------------------------------------------------------------ to the team
def _handed_over(
    files: list[tuple[HeldFile, Naming]], case: Case | None, cause: Cause, municipality: Municipality
) -> list[Reply]:
    """The files of one case to each of its teams; without a case to the review team."""
    if not files:
        return []
    teams = case.owners if case else [municipality.review.team]
    return [_to_team(files, case, cause, team) for team in teams]


def files_for_new_teams(case: Case, after: Case, event: TeamEvent, known: Known) -> list[Reply]:
    """Every file of the case to each team that has the case now and had it not before the event.

    A team that gets a case back gets the files again, for some may have come while another had it.
    """
    if after.all_ended or event.type not in GIVES_A_TEAM:
        return []
    teams = [team for team in after.owners if team not in case.owners]
    found = {
        (one.object_id, held.letter_id): (held, naming)
        for one in known.objects.values()
        for naming in one.namings
        if naming.case_id == case.case_id
        for held in one.files_for(naming)
    }
    files = [found[key] for key in sorted(found)]
    cause = Cause(sender=case.case_id, id=event.event_id)
    return [_to_team(files, after, cause, team) for team in teams] if files else []


def _to_team(files: list[tuple[HeldFile, Naming]], case: Case | None, cause: Cause, team: str) -> Reply:
    first = files[0][0]
    letter = f"{case.case_id if case else files[0][1].letter_id}"
    note = [_JOINED if case else _NO_CASE]
    note += [_OTHER_SIZE] if any(len(held.file.data) != held.file.told_size for held, _ in files) else []
    content = ForwardedFiles(
        id=fhir_id(cause, f"DocumentReference {letter}", team),
        team=team,
        case_id=case.case_id if case else None,
        assignments=tuple(a.id for a in case.assignments if a.team == team or a.state in WAITING) if case else (),
        letter_id=first.letter_id,
        sender=first.sender,
        citizen=case.referral.citizen if case else first.citizen,
        files=tuple(_file(held, naming) for held, naming in files),
        note="\n".join(note),
        at=max(held.at for held, _ in files),
    )
    return case_reply(case, content, cause) if case else Reply(content=content, cause=cause, arrival=Arrival())


def _file(held: HeldFile, naming: Naming) -> TeamFile:
    one = held.file
    return TeamFile(id=one.object_id, title=naming.description, extension=one.extension, data=one.data)
