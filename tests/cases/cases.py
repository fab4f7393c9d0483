"""Labelled cases (format: README of the reference data's ``cases``): read, made into referrals, decided, compared."""

from datetime import datetime
from functools import cache
from pathlib import Path

import msgspec

from gateway.mapping.interpretation import interpretation
from gateway.mapping.weighing import needs
from gateway.municipality.model import Municipality, load
from gateway.referral.decide import Decision, Running, decide
from gateway.referral.model import Address, Citizen, ClinicalText, CodeSystem, Diagnosis, Party, Referral

FILES = tuple(sorted(Path(__file__).parent.glob("*.jsonl")))
SYSTEMS = {"SKS": CodeSystem.SKS, "ICPC2": CodeSystem.ICPC2, None: None}
#: how a referrer of each kind identifies itself
IDENTIFIERS = {
    "practice": ("ydernummer", "079741"),
    "hospital": ("sygehusafdelingsnummer", "9999041"),
    "municipal": ("kommunenummer", "183"),
    "unknown": ("sorkode", "825810000141005"),
    "self": ("sorkode", "925810000141005"),
}
#: a Condition with such a verificationStatus is none (decision.md §1)
UNREAL = frozenset({"refuted", "entered-in-error"})


class CaseDiagnosis(msgspec.Struct, frozen=True, kw_only=True):
    system: str | None
    code: str | None
    text: str
    kind: str
    verification: str | None = None


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    value: float
    unit: str
    date: str

    @property
    def text(self) -> str:
        """As a doctor would write it: «HbA1c 45 mmol/mol (2026-01-08)»."""
        return f"{self.kind} {f'{self.value:g}'.replace('.', ',')} {self.unit} ({self.date})"


class Home(msgspec.Struct, frozen=True, kw_only=True):
    postcode: str | None
    municipality_code: str | None


class Assigned(msgspec.Struct, frozen=True, order=True):
    team: str
    code: str


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What of a decision is labelled; lists are sorted."""

    outcome: str
    programmes: tuple[str, ...]
    assignments: tuple[Assigned, ...]
    review_team: str | None
    reasons: tuple[str, ...]
    flags: tuple[str, ...]


class LabelledCase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: str
    carrier: str
    referrer: str
    priority: str | None
    diagnoses: tuple[CaseDiagnosis, ...]
    text: str
    observations: tuple[Observation, ...]
    patient: Home
    received: datetime
    expected: View
    note: str


@cache
def read_cases(file: Path) -> tuple[LabelledCase, ...]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return tuple(msgspec.json.decode(line, type=LabelledCase) for line in lines)


def all_cases() -> list[LabelledCase]:
    return [case for file in FILES for case in read_cases(file)]


def referral_of(case: LabelledCase) -> Referral:
    """The referral as a reader of its carrier would hand it on."""
    code, identifier = IDENTIFIERS[case.referrer]
    observed = tuple(ClinicalText(place="Observation", text=o.text) for o in case.observations)
    return Referral(
        message_type=case.carrier.split("-")[0],
        version="",
        letter_id=case.id,
        episode_id=None,
        authorised=case.received,
        sender=Party(identifier=identifier, identifier_code=code),
        receiver=Party(),
        citizen=Citizen(
            cpr="1203659901",
            surname="Prøvesen",
            address=Address(postcode=case.patient.postcode),
            municipality_code=case.patient.municipality_code,
        ),
        diagnoses=tuple(_diagnosis(d) for d in case.diagnoses if d.verification not in UNREAL),
        texts=(ClinicalText(place="Anamnesis", text=case.text), *observed),
        priority=case.priority,
        self_referred=case.referrer == "self",
    )


def _diagnosis(given: CaseDiagnosis) -> Diagnosis:
    return Diagnosis(system=SYSTEMS[given.system], code=given.code, text=given.text, main=given.kind == "main")


def decided(case: LabelledCase, municipality: Municipality | None = None) -> Decision:
    """The decision on a case, of a citizen who has no running course."""
    ours, referral = municipality or _ishoej(), referral_of(case)
    found = needs(referral, interpretation(), ours.offered)
    return decide(referral, found, ours, case.received, Running())


@cache
def _ishoej() -> Municipality:
    return load()


def view(decision: Decision) -> View:
    """A decision as the labels see it."""
    return View(
        outcome=decision.outcome,
        programmes=decision.programmes,
        assignments=tuple(sorted({Assigned(a.team, a.intervention.code) for a in decision.assignments})),
        review_team=decision.review_team,
        reasons=decision.reasons,
        flags=decision.flags,
    )


def dangers(want: View, got: View) -> list[str]:
    """What a wrong decision may lead to that nobody would notice in time; empty when nothing of the kind."""
    missed_teams = {a.team for a in want.assignments} - {a.team for a in got.assignments}
    other_teams = {a.team for a in got.assignments} - {a.team for a in want.assignments}
    told = {
        "accepted though a person should look": got.outcome == "accepted" != want.outcome,
        "returned though a person should look": got.outcome == "return" and want.outcome == "review",
        "sign of danger missed": "URGENT" in want.reasons and "URGENT" not in got.reasons,
        "programme missed": not set(want.programmes) <= set(got.programmes),
        "wrong team": bool(missed_teams or other_teams),
    }
    return [name for name, so in told.items() if so]


def retold(case: LabelledCase, text: str) -> LabelledCase:
    """The same case with another text."""
    return msgspec.structs.replace(case, text=text)


def difference(case: LabelledCase, found: View) -> str:
    """For a person: the case, its text's beginning, and both views where they differ."""
    pairs = ((f, getattr(case.expected, f), getattr(found, f)) for f in View.__struct_fields__)
    told = [f"  {name}: expected {want}, decided {got}" for name, want, got in pairs if want != got]
    return "\n".join([f"{case.id}: {case.text[:200]!r}", *told, f"  note: {case.note}"])
