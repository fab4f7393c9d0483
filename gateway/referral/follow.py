"""What follows a known case or letter: team events, and receipts for what we sent."""

import msgspec

from gateway.errors import Fault
from gateway.municipality.model import Municipality
from gateway.referral import lifecycle
from gateway.referral.case import Case
from gateway.referral.enclosures import files_for_new_teams
from gateway.referral.events import TeamEvent
from gateway.referral.handled import Handled
from gateway.referral.inbox import Known, SentLetter, Settled
from gateway.referral.letters import ReceivedReceipt
from gateway.referral.policy import to_event


def follow_event(event: TeamEvent, known: Known, municipality: Municipality) -> Handled:
    """A team event: the case after it, the letters by policy, the discharge note when the last assignment ends."""
    case = _case_of(event, known)
    if isinstance(case, Fault):
        return _put_aside(case)
    after = lifecycle.apply(case, event, municipality)
    if isinstance(after, Fault):
        return msgspec.structs.replace(_put_aside(after), case_id=case.case_id)
    if after is case:
        return Handled(case_id=case.case_id)
    after = msgspec.structs.replace(after, number=case.number + 1)
    replies = [*to_event(case, after, event, municipality), *files_for_new_teams(case, after, event, known)]
    if after.owes_discharge_note and not case.all_ended:
        after = msgspec.structs.replace(after, discharged_at=event.occurred)
    return Handled(cases=(after,), case_id=case.case_id, replies=tuple(replies))


def _case_of(event: TeamEvent, known: Known) -> Case | Fault:
    if event.case_id is not None:
        return known.cases.get(event.case_id) or Fault(id="GW-161")
    found = known.of_episode(event.episode_of_care_id)
    if len(found) > 1:
        ids = ", ".join(sorted(case.case_id for case in found))
        return Fault(id="GW-163", detail=f"case_id: {ids}")
    return found[0] if found else Fault(id="GW-161")


def _put_aside(fault: Fault) -> Handled:
    return Handled(fault=fault, parked=(fault,))


def follow_receipt(receipt: ReceivedReceipt, known: Known) -> Handled:
    """A receipt for what we sent: delivered or refused; one that fits nothing is put aside visibly (GW-170).

    A second receipt changes nothing and is noted as such; a refusal after the transport's receipt is a refusal.
    """
    letters = [sent for sent in known.sent if _speaks_of(receipt, sent)]
    if not letters:
        return Handled(parked=(Fault(id="GW-170", detail=receipt.kind),))
    settled = tuple(_settle(receipt, sent) for sent in letters)
    refused = [s for s in settled if s.verdict == "refused" and not s.again]
    return Handled(settled=settled, parked=tuple(Fault(id="GW-172", detail=s.why) for s in refused))


def _speaks_of(receipt: ReceivedReceipt, sent: SentLetter) -> bool:
    if receipt.message_id is not None:
        return receipt.message_id == sent.message_id
    named = {letter.letter_id for letter in receipt.letters}
    if named:
        return sent.letter_id in named
    # inside a VANSEnvelope our letter's own envelope has the letter's id
    return receipt.envelope_id in sent.envelopes | {sent.letter_id}


def _settle(receipt: ReceivedReceipt, sent: SentLetter) -> Settled:
    codes = [letter.refuse_code for letter in receipt.letters if letter.letter_id == sent.letter_id]
    code = next((c for c in codes if c is not None), None) or receipt.refuse_code
    why = f"{receipt.kind} {code}" if code else receipt.kind
    verdict = "delivered" if receipt.positive else "refused"
    again = sent.verdict in {verdict, "refused"}
    return Settled(letter_id=sent.letter_id, verdict=verdict, why=why, again=again)
