"""The decision by decision.md §§2, 4, 6: from codes through the core, and from needs where text will decide."""

from datetime import date

import msgspec
import pytest

from fsiii import BEHOVSSAMTALE, FYSISK_TRAENING, VEJLEDNING_OG_INTRODUKTION
from gateway.mapping.interpretation import interpretation
from gateway.municipality.model import Municipality
from gateway.referral.case import Case, State
from gateway.referral.decide import Decision, Running, decide, referrer_kind
from gateway.referral.inbox import Known
from gateway.referral.model import Citizen, Referral, ReferrerKind
from gateway.referral.needs import Coded, Finding, Needs, Programme
from tests.builders import (
    BACK_TEAM,
    CONSULTANTS,
    RECEIVED,
    SENDER_GLN,
    TALK,
    diagnosis,
    emessage,
    handle,
    icpc,
    opened,
    referral,
    sks,
    tell,
    xref15,
)

NICOTINE, ALCOHOL = "6d24992e-e0a2-43e7-bc27-0234622a8655", "924e9828-84cf-4689-9551-0ebb6dc71b98"
Diagnoses = tuple[tuple[str | None, str, str], ...]


def decided(*diagnoses: tuple[str | None, str, str], **changes: object) -> Decision:
    told = {"text": "Færdigudredt.", **changes}
    (letter,) = handle(emessage(xref15(diagnoses=diagnoses, **told))).letters
    assert letter.decision is not None
    return letter.decision


def assigned(decision: Decision) -> set[tuple[str, str, str | None]]:
    return {(a.team, a.intervention.code, a.delivery) for a in decision.assignments}


def finding(name: str, rule: str = "T-TEST") -> Finding:
    return Finding(name=name, rule=rule, evidence="ord", source="seed 000")


def programme(name: str) -> Programme:
    return Programme(finding=finding(name), by_code=True, plan=interpretation().programmes[name].plan)


def from_needs(municipality: Municipality, running: Running = Running(), **parts: object) -> Decision:  # noqa: B008
    return decide(referral(), Needs(**parts), municipality, RECEIVED, running)


# ------------------------------------------------------------------ §2: programmes and what starts first
@pytest.mark.parametrize(
    ("diagnoses", "programmes", "assignments", "flags"),
    [
        (sks("DE119"), ["diabetes_2"], {(CONSULTANTS, TALK, None)}, ["PRO_QUESTIONNAIRE"]),
        (icpc("T90"), ["diabetes_2"], {(CONSULTANTS, TALK, None)}, ["PRO_QUESTIONNAIRE"]),
        (sks("DE139"), ["diabetes_secondary"], {(CONSULTANTS, TALK, None)}, ["PRO_QUESTIONNAIRE"]),
        (sks("DJ449"), ["copd"], {(CONSULTANTS, TALK, None)}, []),
        (icpc("R95"), ["copd"], {(CONSULTANTS, TALK, None)}, []),
        (sks("DC509"), ["cancer"], {(CONSULTANTS, TALK, None)}, []),
        (icpc("D75"), ["cancer"], {(CONSULTANTS, TALK, None)}, []),
        (sks("DI252B"), ["heart"], {(CONSULTANTS, TALK, None)}, ["ALBERTSLUND"]),
        (sks("DM545"), ["low_back"], {(BACK_TEAM, TALK, None)}, []),
        (icpc("P17"), ["nicotine"], {(CONSULTANTS, NICOTINE, None)}, []),
        (sks("DZ720"), ["nicotine"], {(CONSULTANTS, NICOTINE, None)}, []),
        (sks("DZ721"), ["alcohol"], {(CONSULTANTS, ALCOHOL, "individual")}, []),
        (sks("DE119", "DJ449"), ["copd", "diabetes_2"], {(CONSULTANTS, TALK, None)}, ["PRO_QUESTIONNAIRE"]),
        (
            icpc("T90", "P17"),
            ["diabetes_2", "nicotine"],
            {(CONSULTANTS, TALK, None), (CONSULTANTS, NICOTINE, None)},
            ["PRO_QUESTIONNAIRE"],
        ),
        (
            (diagnosis("DE119"), diagnosis("L86", "ICPCkode")),
            ["diabetes_2", "low_back"],
            {(CONSULTANTS, TALK, None), (BACK_TEAM, TALK, None)},
            ["PRO_QUESTIONNAIRE"],
        ),
        (sks("DE119", "DE113"), ["diabetes_2"], {(CONSULTANTS, TALK, None)}, ["PRO_QUESTIONNAIRE"]),
    ],
)
def test_accepted_by_code(
    diagnoses: Diagnoses, programmes: list[str], assignments: set[tuple[str, str, str | None]], flags: list[str]
) -> None:
    decision = decided(*diagnoses)
    assert decision.outcome == "accepted"
    assert decision.reasons == ()
    assert decision.review_team is None
    assert list(decision.programmes) == programmes
    assert assigned(decision) == assignments
    assert list(decision.flags) == flags


# ------------------------------------------------------------------ §4: outcome and reasons
@pytest.mark.parametrize(
    ("diagnoses", "outcome", "programmes", "reasons", "flags"),
    [
        (sks("DQ999"), "review", [], ["UNKNOWN_CODE"], []),
        ((diagnosis("DD75", "ICPCkode"),), "review", [], ["UNKNOWN_CODE"], []),
        ((diagnosis(None, "uspecificeretkode"),), "review", [], ["NOTHING_RECOGNISED"], []),
        ((diagnosis("DE119", "uspecificeretkode"),), "review", [], ["NOTHING_RECOGNISED"], []),
        ((), "review", [], ["NOTHING_RECOGNISED"], []),
        (sks("DI10"), "review", [], ["NOTHING_RECOGNISED"], []),
        (sks("DZ720B"), "review", [], ["NOTHING_RECOGNISED"], []),
        (sks("DE109"), "review", [], ["OTHER_CHRONIC"], []),
        (sks("DE149"), "review", [], ["OTHER_CHRONIC"], []),
        (icpc("P16"), "review", [], ["OTHER_CHRONIC"], []),
        (sks("DF431"), "review", [], ["OTHER_CHRONIC"], []),
        (sks("DQ999", "DI639"), "review", [], ["OTHER_CHRONIC"], []),
        (sks("DE119", "DI639"), "accepted", ["diabetes_2"], [], ["OTHER_CONDITIONS", "PRO_QUESTIONNAIRE"]),
        (sks("DJ449", "DQ999"), "accepted", ["copd"], [], ["ALSO_UNKNOWN_CODE"]),
        (sks("DJ449", "DE669"), "accepted", ["copd"], [], ["ALSO_NOT_OFFERED"]),
        (icpc("T82"), "return", [], ["NOT_OFFERED"], []),
        (sks("DZ733"), "return", [], ["NOT_OFFERED"], []),
        (sks("DE669", "DF432"), "return", [], ["NOT_OFFERED"], []),
        (sks("DE669", "DI639"), "review", [], ["OTHER_CHRONIC"], []),
        (sks("DE669", "DQ999"), "review", [], ["UNKNOWN_CODE"], []),
        (sks("DF102"), "review", [], ["ALCOHOL_DEPENDENCE"], []),
        (sks("DF103"), "review", [], ["ALCOHOL_DEPENDENCE", "URGENT"], []),
        (sks("DE119", "DF102"), "review", ["diabetes_2"], ["ALCOHOL_DEPENDENCE"], ["PRO_QUESTIONNAIRE"]),
        (sks("DO244"), "review", [], ["PREGNANT"], []),
        (sks("DE119", "DO244"), "accepted", ["diabetes_2"], [], ["PRO_QUESTIONNAIRE"]),
        (sks("DE119", "DE149"), "accepted", ["diabetes_2"], [], ["OTHER_CONDITIONS", "PRO_QUESTIONNAIRE"]),
    ],
)
def test_reasons_by_code(
    diagnoses: Diagnoses, outcome: str, programmes: list[str], reasons: list[str], flags: list[str]
) -> None:
    decision = decided(*diagnoses)
    assert decision.outcome == outcome
    assert list(decision.programmes) == programmes
    assert list(decision.reasons) == reasons
    assert list(decision.flags) == flags


@pytest.mark.parametrize(
    ("diagnoses", "programmes", "reasons"),
    [
        (sks("DR730"), ["prediabetes"], ["HBA1C_MISSING"]),
        (sks("DR739"), ["prediabetes"], ["HBA1C_MISSING"]),
        ((*sks("DR730"), *icpc("A91")), ["prediabetes"], ["HBA1C_MISSING"]),
        (sks("DR730", "DF171"), ["nicotine", "prediabetes"], ["HBA1C_MISSING"]),
        (sks("DR730", "DM545"), ["low_back", "prediabetes"], ["HBA1C_MISSING"]),
        (sks("DR730", "DE669"), ["prediabetes"], ["HBA1C_MISSING"]),
        (sks("DR730", "DJ449"), ["copd"], []),
        (sks("DR730", "DE119"), ["diabetes_2"], []),
        (sks("DR730", "DE109"), [], ["OTHER_CHRONIC"]),
    ],
)
def test_prediabetes_by_code(diagnoses: Diagnoses, programmes: list[str], reasons: list[str]) -> None:
    decision = decided(*diagnoses, text=None)
    assert list(decision.programmes) == programmes
    assert list(decision.reasons) == reasons


@pytest.mark.parametrize("codes", [("DE119", "DE109"), ("DE119", "DE139"), ("DE109", "DE139")])
def test_two_coded_types_of_diabetes_contradict_each_other(codes: tuple[str, ...]) -> None:
    decision = decided(*sks(*codes))
    assert (decision.outcome, decision.reasons) == ("review", ("EVIDENCE_CONFLICT",))
    assert {f"SKS {code}" for code in codes} == {w.evidence for w in decision.why if w.name == "EVIDENCE_CONFLICT"}


def test_a91_alone_is_no_sign_of_prediabetes() -> None:
    decision = decided(*icpc("A91"), text=None)
    assert decision.programmes == ()
    assert decision.outcome == "review"


@pytest.mark.parametrize(
    ("changes", "outcome", "reasons"),
    [
        ({"postcode": "2635"}, "accepted", ()),
        ({"postcode": None}, "accepted", ()),
        ({"postcode": ""}, "accepted", ()),
        ({"postcode": "2670"}, "review", ("OUTSIDE_MUNICIPALITY",)),
        ({"postcode": "2670", "diagnoses": icpc("T82")}, "review", ("NOT_OFFERED", "OUTSIDE_MUNICIPALITY")),
        ({"postcode": "2620", "diagnoses": sks("DI252")}, "accepted", ()),
        ({"postcode": "2630", "diagnoses": sks("DI252")}, "review", ("OUTSIDE_MUNICIPALITY",)),
        ({"postcode": "2630", "diagnoses": icpc("P17")}, "accepted", ()),
        ({"postcode": "2620", "diagnoses": icpc("K74", "P17")}, "accepted", ()),
        ({"postcode": "2630", "diagnoses": icpc("K74", "P17")}, "review", ("OUTSIDE_MUNICIPALITY",)),
        ({"postcode": "2620", "diagnoses": ()}, "review", ("OUTSIDE_MUNICIPALITY",)),
    ],
)
def test_outside_by_postcode(changes: dict[str, object], outcome: str, reasons: tuple[str, ...]) -> None:
    given = {"diagnoses": sks("DE119"), **changes}
    decision = decided(*given.pop("diagnoses"), **given)
    assert (decision.outcome, decision.reasons) == (outcome, reasons)


def with_code(code: str, **changes: object) -> Referral:
    original = referral(**changes)
    citizen: Citizen = msgspec.structs.replace(original.citizen, municipality_code=code)
    return msgspec.structs.replace(original, citizen=citizen)


@pytest.mark.parametrize(
    ("code", "programmes", "reasons", "outcome"),
    [
        ("0183", ("copd",), (), "accepted"),
        ("0461", ("copd",), ("OUTSIDE_MUNICIPALITY",), "return"),
        ("0461", (), ("OUTSIDE_MUNICIPALITY",), "return"),
        ("0165", ("heart",), (), "accepted"),
        ("0165", ("heart", "nicotine"), (), "accepted"),
        ("0153", ("heart", "nicotine"), ("OUTSIDE_MUNICIPALITY",), "review"),
        ("0153", ("nicotine",), (), "accepted"),
        ("0165", ("copd", "heart"), ("OUTSIDE_MUNICIPALITY",), "review"),
    ],
)
def test_outside_by_municipality_code(
    code: str, programmes: tuple[str, ...], reasons: tuple[str, ...], outcome: str, municipality: Municipality
) -> None:
    needs = Needs(programmes=tuple(programme(name) for name in programmes))
    # the postcode is not looked at where the code tells
    decision = decide(with_code(code, postcode="2635"), needs, municipality, RECEIVED, Running())
    assert (decision.outcome, decision.reasons) == (outcome, reasons)
    if outcome == "return":
        assert decision.assignments == ()
        assert decision.review_team == CONSULTANTS


def test_urgent_is_never_returned(municipality: Municipality) -> None:
    needs = Needs(reasons=(finding("URGENT"),), programmes=(programme("copd"),))
    decision = decide(with_code("0461"), needs, municipality, RECEIVED, Running())
    assert (decision.outcome, decision.reasons) == ("review", ("OUTSIDE_MUNICIPALITY", "URGENT"))


@pytest.mark.parametrize(
    ("priority", "urgent"),
    [("akut", True), ("urgent", True), ("stat", True), ("asap", False), ("elektiv", False), (None, False)],
)
def test_priority(*, priority: str | None, urgent: bool, municipality: Municipality) -> None:
    asked = msgspec.structs.replace(referral(), priority=priority)
    decision = decide(asked, Needs(programmes=(programme("copd"),)), municipality, RECEIVED, Running())
    assert decision.outcome == ("review" if urgent else "accepted")
    assert decision.reasons == (("URGENT",) if urgent else ())


@pytest.mark.parametrize(
    ("parts", "outcome", "reasons"),
    [
        ({"reasons": (finding("HBA1C_BELOW"),)}, "return", ("HBA1C_BELOW",)),
        ({"reasons": (finding("HBA1C_BELOW"),), "training_asked": True}, "review", ("HBA1C_BELOW",)),
        (
            {"reasons": (finding("HBA1C_BELOW"),), "not_offered": (finding("overweight"),)},
            "return",
            ("HBA1C_BELOW", "NOT_OFFERED"),
        ),
        (
            {"reasons": (finding("COPD_VERY_SEVERE"), finding("HBA1C_BELOW"))},
            "review",
            ("COPD_VERY_SEVERE", "HBA1C_BELOW"),
        ),
        ({"offer_asked": finding("training")}, "review", ("NO_DIAGNOSIS",)),
        (
            {"offer_asked": finding("training"), "unknown_codes": (finding("UNKNOWN_CODE"),)},
            "review",
            ("UNKNOWN_CODE",),
        ),
        ({"offer_asked": finding("diet"), "not_offered": (finding("overweight"),)}, "return", ("NOT_OFFERED",)),
        ({"other_chronic": (finding("x", "DX-1"), finding("y", "DX-2"))}, "review", ("OTHER_CHRONIC",)),
    ],
)
def test_reasons_that_text_will_give(
    parts: dict[str, object], outcome: str, reasons: tuple[str, ...], municipality: Municipality
) -> None:
    decision = from_needs(municipality, **parts)
    assert (decision.outcome, decision.reasons) == (outcome, reasons)
    assert bool(decision.assignments) == (outcome == "review")


def test_section_140(municipality: Municipality) -> None:
    decision = from_needs(municipality, reasons=(finding("SECTION_140"),), programmes=(programme("low_back"),))
    assert decision.outcome == "review"
    assert decision.assignments == ()
    assert decision.review_team == BACK_TEAM
    assert decision.respond_by == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("programmes", "team"),
    [(("low_back",), BACK_TEAM), (("low_back", "copd"), CONSULTANTS), (("copd",), CONSULTANTS), ((), CONSULTANTS)],
)
def test_review_team(programmes: tuple[str, ...], team: str, municipality: Municipality) -> None:
    found = tuple(programme(name) for name in programmes)
    decision = from_needs(municipality, reasons=(finding("KEYWORD_ONLY"),), programmes=found)
    assert (decision.outcome, decision.review_team) == ("review", team)
    assert {(a.team, a.intervention.code) for a in decision.assignments} == (
        {(municipality.routes[name].team, TALK) for name in programmes} or {(CONSULTANTS, TALK)}
    )


# ------------------------------------------------------------------ who refers
@pytest.mark.parametrize(
    ("code", "kind", "reasons"),
    [
        ("ydernummer", ReferrerKind.PRACTICE, ()),
        ("sygehusafdelingsnummer", ReferrerKind.HOSPITAL, ()),
        ("lokationsnummer", ReferrerKind.UNKNOWN, ()),
        ("sorkode", ReferrerKind.UNKNOWN, ()),
        ("kommunenummer", ReferrerKind.MUNICIPAL, ("REFERRAL_NEEDED",)),
    ],
)
def test_referrer(code: str, kind: ReferrerKind, reasons: tuple[str, ...], municipality: Municipality) -> None:
    assert referrer_kind(referral(sender_code=code), municipality) is kind
    assert decided(*sks("DE119"), sender_code=code).reasons == reasons
    assert decided(*icpc("P17"), sender_code=code).reasons == ()
    assert decided(*sks("DZ721", "DE119"), sender_code=code).reasons == reasons
    assert "REFERRAL_NEEDED" not in decided(*sks("DQ999"), sender_code=code).reasons


@pytest.mark.parametrize("key", ["079741", SENDER_GLN])
def test_a_known_sender_is_what_the_municipality_says(key: str, municipality: Municipality) -> None:
    told = msgspec.structs.replace(municipality, senders={key: "municipal"})
    assert referrer_kind(referral(), told) is ReferrerKind.MUNICIPAL


def test_a_citizen_may_refer_themselves_to_what_is_open(municipality: Municipality) -> None:
    own = msgspec.structs.replace(referral(), self_referred=True)
    assert referrer_kind(own, municipality) is ReferrerKind.SELF
    talk = decide(own, Needs(programmes=(programme("copd"),)), municipality, RECEIVED, Running())
    assert talk.reasons == ("REFERRAL_NEEDED",)
    smoker = decide(own, Needs(programmes=(programme("nicotine"),)), municipality, RECEIVED, Running())
    assert smoker.outcome == "accepted"


# ------------------------------------------------------------------ a running course, suggestions, the why
def test_a_running_course_asks_for_a_talk_about_needs() -> None:
    case = opened()
    (started,) = tell(case, "course_started").cases
    assert started.state is State.COURSE_STARTED
    again = xref15(letter_id="BRV00000000002", episode="anden", diagnoses=(*sks("DJ449", "DM545"), *icpc("P17")))
    decision = handle(emessage(again, envelope_id="KUV2"), known_with(started)).letters[0].decision
    assert decision is not None
    assert assigned(decision) == {
        (CONSULTANTS, BEHOVSSAMTALE, None),
        (CONSULTANTS, NICOTINE, None),
        (BACK_TEAM, TALK, None),
    }
    (ended,) = tell(started, "course_completed").cases
    decision = handle(emessage(again, envelope_id="KUV2"), known_with(ended)).letters[0].decision
    assert decision is not None
    assert (CONSULTANTS, TALK, None) in assigned(decision)


def known_with(case: Case) -> Known:
    return Known(cases={case.case_id: case})


def test_training_leaves_the_suggestions_when_it_is_blocked(municipality: Municipality) -> None:
    open_, blocked = (
        from_needs(municipality, programmes=(programme("diabetes_2"), programme("copd")), training_blocked=value)
        for value in (False, True)
    )
    assert list(open_.suggested) == sorted(open_.suggested)
    gone = {c.code for c in set(open_.suggested) - set(blocked.suggested)}
    assert gone == {FYSISK_TRAENING, VEJLEDNING_OG_INTRODUKTION}


def test_conditions_and_suggestions_are_sorted_and_single() -> None:
    decision = decided(*sks("DE119", "DJ449", "DC509"))
    for codes in (decision.suggested, decision.conditions):
        assert list(codes) == sorted(set(codes))
        assert all(isinstance(c, Coded) and c.display for c in codes)


def test_every_part_of_a_decision_has_its_why(municipality: Municipality) -> None:
    parts = {
        "programmes": (programme("copd"), programme("low_back")),
        "reasons": (finding("KEYWORD_ONLY"), finding("URGENT")),
        "flags": (finding("INTERPRETER"),),
        "not_offered": (finding("overweight"),),
        "unknown_codes": (finding("UNKNOWN_CODE"),),
        "other_chronic": (finding("stroke", "DX-1"), finding("words", "T-1")),
        "tables": "0123456789ab",
    }
    decision = from_needs(municipality, **parts)
    whys = {why.name for why in decision.why}
    assert whys == {*decision.programmes, *decision.reasons, *decision.flags, *(a.team for a in decision.assignments)}
    assert set(decision.flags) == {"INTERPRETER", "ALSO_NOT_OFFERED", "ALSO_UNKNOWN_CODE", "OTHER_CONDITIONS"}
    assert decision.made_by == f"tables 0123456789ab; {municipality.version_label}"


def test_a_chronic_illness_in_words_is_no_coded_condition(municipality: Municipality) -> None:
    decision = from_needs(municipality, programmes=(programme("copd"),), other_chronic=(finding("words", "T-1"),))
    assert decision.flags == ()
