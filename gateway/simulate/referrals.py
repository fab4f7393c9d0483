"""One simulated referral as a value: who, about whom, with which diagnoses and words. The same seed, the same value."""

from datetime import date, datetime, time, timedelta
from random import Random

import msgspec

from gateway.municipality.model import Municipality
from gateway.referral.ids import Cause, fhir_id, letter_id
from gateway.referral.model import ClinicalText, Referral
from gateway.referral.workdays import COPENHAGEN
from gateway.simulate.matters import Matter, diagnoses, drawn_matter, wording
from gateway.simulate.persons import Sender, drawn_citizen, drawn_copy, drawn_sender, receiver

#: kinds of sender of the matters that name none, and how often
_SENDERS = {"practice": 76, "hospital": 20, "unknown": 4}
_OPENS, _OPEN_MINUTES = time(8), 8 * 60


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What a run of the simulator is derived from; two equal runs yield the same bytes."""

    seed: str
    #: the referrals are written on this day, in office hours
    day: date
    municipality: Municipality

    def random(self, number: int) -> Random:
        """The chance of the run's ``number``-th message; it depends on nothing before it."""
        return Random(f"{self.seed}/{number}")  # noqa: S311  (nothing secret: made to be repeated)


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """A referral not yet in any carrier's form."""

    referral: Referral
    matter: Matter
    sender: Sender
    #: UUID; what FHIR calls the letter
    uuid: str
    #: of the message's own envelope: 1 to 14 characters in MedCom's, a UUID in FHIR's
    envelope_id: str
    envelope_uuid: str
    #: of the VANSEnvelope around it
    vans_uuid: str


def drawn_referral(run: Run, number: int, random: Random) -> Drawn:
    """The ``number``-th referral of the run."""
    matter = drawn_matter(random)
    kind = random.choice(matter.referrers or random.choices(tuple(_SENDERS), tuple(_SENDERS.values())))
    sender = drawn_sender(kind, random)
    cause = Cause(sender=run.seed, id=str(number))
    referral = Referral(
        message_type="XREF15",
        version="XH1530R",
        letter_id=letter_id(cause, "letter", ""),
        # MedCom XML has no room for the hyphens (an1..35)
        episode_id=fhir_id(cause, "episode", "").replace("-", ""),
        authorised=_moment(run, random),
        sender=sender.party,
        referrer=sender.referrer,
        receiver=receiver(run.municipality),
        answer_cc=drawn_copy(run.municipality, random),
        citizen=drawn_citizen(run.municipality, random),
        diagnoses=diagnoses(matter, kind, random),
        texts=(ClinicalText(place="Anamnesis", text=wording(matter, random)),),
        self_referred=kind == "self",
    )
    return Drawn(
        referral=referral,
        matter=matter,
        sender=sender,
        uuid=fhir_id(cause, "letter", ""),
        **envelopes(cause),
    )


def corrected(before: Drawn, random: Random) -> Drawn:
    """The same referral put right by its referrer: a new letter of the same episode, with one sentence more."""
    text = before.referral.texts[0]
    more = f"Rettelse: borgeren træffes bedst efter kl. {random.randint(9, 16)}."
    cause = Cause(sender=before.uuid, id=f"correction {random.random()}")
    referral = msgspec.structs.replace(
        before.referral,
        letter_id=letter_id(cause, "letter", ""),
        correction=True,
        authorised=before.referral.authorised + timedelta(minutes=random.randint(5, 50)),
        texts=(msgspec.structs.replace(text, text=f"{text.text}\n{more}"),),
    )
    return msgspec.structs.replace(before, referral=referral, uuid=fhir_id(cause, "letter", ""), **envelopes(cause))


def helped_to(before: Drawn, run: Run, random: Random) -> Drawn:
    """The doctor's referral to which a citizen was helped: the same matter, another sender, an episode of its own."""
    cause = Cause(sender=before.uuid, id="helped to")
    sender = drawn_sender("practice", random)
    referral = msgspec.structs.replace(
        before.referral,
        letter_id=letter_id(cause, "letter", ""),
        episode_id=fhir_id(cause, "episode", "").replace("-", ""),
        authorised=_moment(run, random),
        sender=sender.party,
        referrer=sender.referrer,
        self_referred=False,
    )
    return msgspec.structs.replace(
        before, referral=referral, sender=sender, uuid=fhir_id(cause, "letter", ""), **envelopes(cause)
    )


def envelopes(cause: Cause) -> dict[str, str]:
    """Envelope ids of a transmission."""
    return {
        "envelope_id": letter_id(cause, "envelope", ""),
        "envelope_uuid": fhir_id(cause, "envelope", ""),
        "vans_uuid": fhir_id(cause, "VANS", ""),
    }


def _moment(run: Run, random: Random) -> datetime:
    opens = datetime.combine(run.day, _OPENS, COPENHAGEN)
    return opens + timedelta(minutes=random.randrange(_OPEN_MINUTES))
