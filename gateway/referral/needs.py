"""What the mapping found in a referral: the bridge between reading (``mapping``) and deciding (``decide``)."""

import msgspec


class Coded(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """An FSIII or KL code with its published title."""

    code: str
    display: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something a rule concluded, and why. A decision without its why is a defect (decision.md §8)."""

    #: programme, reason or flag
    name: str
    #: stable rule id
    rule: str
    #: the code with its system, or the quoted words with their place
    evidence: str
    #: seed file or implementation guide the rule comes from
    source: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a programme starts with and what may follow (tables ``programmes.tsv``, ``suggestions.tsv``)."""

    first: Coded
    #: ``individual``, ``group`` or None where the team chooses
    delivery: str | None
    #: the first intervention is the course itself, without an afklarende samtale (seed 004)
    direct: bool
    #: starts without a diagnosis of a doctor's (nicotine, alcohol); the others need a referral (seed 000)
    open_access: bool
    #: later interventions worth a thought; never granted here
    suggested: tuple[Coded, ...] = ()
    #: FSIII conditions worth looking at; never reported here
    conditions: tuple[Coded, ...] = ()


class Programme(msgspec.Struct, frozen=True, kw_only=True):
    """A programme (target group) found in the referral."""

    finding: Finding
    by_code: bool
    plan: Plan

    @property
    def name(self) -> str:
        """The programme's name, e.g. ``diabetes_2``."""
        return self.finding.name


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the mapping concluded about one referral, before any municipality's rules."""

    programmes: tuple[Programme, ...] = ()
    #: wishes for what this municipality does not offer
    not_offered: tuple[Finding, ...] = ()
    #: reasons for a person to look, found in codes and text
    reasons: tuple[Finding, ...] = ()
    flags: tuple[Finding, ...] = ()
    #: coded diagnoses in a table, but with role ``review``
    other_chronic: tuple[Finding, ...] = ()
    #: coded diagnoses in no table
    unknown_codes: tuple[Finding, ...] = ()
    #: an offer (training, diet, sygdomsmestring) is asked for
    offer_asked: Finding | None = None
    #: physical training is asked for
    training_asked: bool = False
    #: training interventions leave the suggestions (a running §140 course)
    training_blocked: bool = False
    #: version of the tables that were read
    tables: str = ""
