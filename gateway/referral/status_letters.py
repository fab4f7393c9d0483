"""Status letters: what is told about the referral, in the municipality file's words, to the receivers it names."""

from collections.abc import Iterator, Mapping
from datetime import datetime

import msgspec

from gateway.municipality.model import Municipality
from gateway.municipality.texts import RETURN_REASONS
from gateway.referral.case import Case
from gateway.referral.decide import Decision
from gateway.referral.ids import Cause
from gateway.referral.letters import StatusLetter
from gateway.referral.model import Party
from gateway.referral.moments import danish_date
from gateway.referral.reply import Reply, case_reply, our_party
from gateway.referral.workdays import local_date

#: what an assignment without an intervention of §119 is to the referrer (a §140 matter that its team took)
_NO_INTERVENTION = "vurdering"
#: characters that the ten parts of a XDIS91 (and its EDIFACT twin) hold for certain, however the words fall: two parts
#: that follow each other hold more than the 3150 of one
_LETTER_LENGTH = 15_000


class Occasion(msgspec.Struct, frozen=True, kw_only=True):
    """Why we write now: a section of the municipality file, and what its placeholders stand for."""

    name: str
    cause: Cause
    #: when we write: the stored received or occurred time
    at: datetime
    words: Mapping[str, str] = {}
    #: waits for approval
    draft: bool = False


def status_letters(case: Case, municipality: Municipality, occasion: Occasion) -> list[Reply]:
    """The letters of one occasion: one for each receiver, or several where the text is longer than a letter holds."""
    words = municipality.letters[occasion.name]
    values = {"received": danish_date(local_date(case.received_at)), **occasion.words}
    texts = divided(filled(words.text, values))
    out = []
    for receiver in receivers(case, municipality, words.to):
        for ordinal, text in enumerate(texts):
            letter = _letter(case, municipality, occasion, receiver, text)
            out.append(case_reply(case, letter, occasion.cause, draft=occasion.draft, ordinal=ordinal))
    return out


def _letter(case: Case, municipality: Municipality, occasion: Occasion, receiver: Party, text: str) -> StatusLetter:
    return StatusLetter(
        subject=municipality.letters[occasion.name].subject,
        text=text,
        sender=our_party(municipality),
        receiver=receiver,
        citizen=case.referral.citizen,
        episode_id=case.referral.episode_id,
        referral_id=case.referral.letter_id,
        at=occasion.at,
    )


def receivers(case: Case, municipality: Municipality, to: tuple[str, ...]) -> Iterator[Party]:
    """The referrer, and the copy receiver that the referral names where its GLN is known; nobody else, ever."""
    if "referrer" in to:
        yield case.referral.sender
    copy = case.referral.answer_cc
    gln = municipality.addresses.get(copy.identifier or "") if copy else None
    if "copy" in to and copy is not None and gln is not None:
        yield msgspec.structs.replace(copy, gln=gln)


def filled(text: str, values: Mapping[str, str]) -> str:
    """A text of the municipality file with its placeholders filled; a line that would be left empty falls away."""
    lines = text.strip().split("\n")
    alone = {f"{{{name}}}" for name, value in values.items() if not value}
    return "\n".join(line for line in lines if line.strip() not in alone).format_map(values)


def divided(text: str) -> list[str]:
    """The text in parts of a letter's length, each told its number; nothing is ever cut away."""
    parts = []
    while len(text) > _LETTER_LENGTH:
        at = max(text.rfind("\n", 1, _LETTER_LENGTH), text.rfind(" ", 1, _LETTER_LENGTH))
        at = at if at > 0 else _LETTER_LENGTH
        parts.append(text[:at])
        text = text[at:].lstrip(" \n")
    parts.append(text)
    if len(parts) == 1:
        return parts
    return [f"(Del {n} af {len(parts)})\n{part}" for n, part in enumerate(parts, start=1)]


def drafted_answer(decision: Decision, municipality: Municipality, received_at: datetime) -> str:
    """The answer a sundhedskonsulent may approve: one paragraph per return reason, in the municipality's words."""
    received = danish_date(local_date(received_at))
    offers = told_offers(tuple(sorted(municipality.offers)), municipality)
    paragraphs = []
    for reason in RETURN_REASONS:
        evidence = [why.evidence for why in decision.why if why.name == reason]
        if evidence:
            text = municipality.returns[reason].strip()
            paragraphs.append(text.format(received=received, evidence=evidence[0], offers=offers))
    return "\n".join(paragraphs)


def told_offers(programmes: tuple[str, ...], municipality: Municipality) -> str:
    """What the programmes hold, a line each."""
    return "\n".join(municipality.offers[name].strip() for name in programmes if name in municipality.offers)


def told_interventions(case: Case, municipality: Municipality) -> str:
    """What the citizen is directed to, and where: the open assignments."""
    parts = [
        f"{a.intervention.display if a.intervention else _NO_INTERVENTION} hos {municipality.teams[a.team].display}"
        for a in case.assignments
        if not a.has_ended
    ]
    return " og ".join(dict.fromkeys(parts))
