"""The look-ups, their records and their errors."""

import dataclasses
import doctest
import pickle
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import pytest

import fsiii
from fsiii import codes

TOBACCO = "c203c6b5-3be0-40a8-8204-e93751deabf5"
NICOTINE = "6d24992e-e0a2-43e7-bc27-0234622a8655 (Nikotin- og tobaksafvænning)"
EMOTION = "525b5dd8-d62b-4efa-bf66-262ac47eca5b"
WELL_BEING = "ba083ca7-fe46-41d0-acd5-85851ac8137f"

INTERVENTION_TITLES = {
    "AFKLARENDE_SAMTALE": "Afklarende samtale",
    "AFSLUTTENDE_SAMTALE": "Afsluttende samtale",
    "BEHOVSSAMTALE": "Behovssamtale",
    "DIAETBEHANDLING": "Diætbehandling",
    "FAERDIGHEDSTRAENING": "Færdighedstræning",
    "FYSISK_TRAENING": "Fysisk træning",
    "KOSTVEJLEDNING": "Kostvejledning",
    "MADLAVNING_I_PRAKSIS": "Madlavning i praksis",
    "MENTAL_HAANDTERING": "Mental håndtering",
    "NIKOTIN_OG_TOBAKSAFVAENNING": "Nikotin- og tobaksafvænning",
    "OPFOELGNING": "Opfølgning",
    "SAMTALE_OM_ALKOHOL": "Samtale om alkohol",
    "SYGDOMSHAANDTERING": "Sygdomshåndtering",
    "VEJLEDNING_OG_INTRODUKTION": "Vejledning og introduktion til fysiske aktiviteter",
}
CARE_SOCIAL_TITLES = {
    "CONTACT_AT_HOME": ("contact_class", "home health"),
    "CONTACT_AT_MUNICIPALITY": ("contact_class", "ambulatory"),
    "CONTACT_PHONE": ("contact_class", "Telefonisk"),
    "CONTACT_SCREEN": ("contact_class", "Skærmbesøg"),
    "DELIVERY_GROUP": ("delivery_type", "Gruppebaseret indsats"),
    "DELIVERY_INDIVIDUAL": ("delivery_type", "Individuel indsats"),
    "PLAN_FOLLOW_UP_119": ("plan_category", "Opfølgningsforløb efter §119"),
    "PLAN_INTERVENTION_119": ("plan_category", "Interventionsforløb efter §119"),
    "SERVICE_TYPE_119": ("service_type", "Kommunal Sundhedsfremme og forebyggelse"),
    "STOP_DECLINED": ("stop_reason", "Aktivt fravalg"),
    "STOP_EVENT": ("stop_reason", "Hændelse medfører ophør"),
    "STOP_NOT_REACHED": ("stop_reason", "Borger har ikke henvendt sig eller er udeblevet"),
    "STOP_NO_FURTHER_NEED_CITIZEN": ("stop_reason", "Ikke yderligere behov (borger-vurderet)"),
    "STOP_NO_FURTHER_NEED_PROFESSIONAL": ("stop_reason", "Ikke yderligere behov (fagperson-vurderet)"),
}


def test_the_examples_of_the_module() -> None:
    failures, attempted = doctest.testmod(codes)
    assert (failures, attempted) == (0, 7)


@pytest.mark.parametrize(("name", "title"), INTERVENTION_TITLES.items())
def test_named_interventions_are_current(name: str, title: str) -> None:
    assert fsiii.intervention(getattr(fsiii, name)).display == title


def test_every_current_intervention_has_a_name() -> None:
    current = {code for code, row in fsiii.interventions_119().items() if not row.retired}
    assert {getattr(fsiii, name) for name in INTERVENTION_TITLES} == current


@pytest.mark.parametrize(("name", "expected"), CARE_SOCIAL_TITLES.items())
def test_named_administrative_codes(name: str, expected: tuple[Any, str]) -> None:
    group, title = expected
    assert fsiii.care_social_codes(group)[getattr(fsiii, name)].display == title


def test_every_named_code_is_proved_here() -> None:
    named = {name for name in fsiii.__all__ if name.isupper() and not name.endswith("_SYSTEM")}
    assert named == INTERVENTION_TITLES.keys() | CARE_SOCIAL_TITLES.keys()


def test_an_intervention() -> None:
    assert fsiii.intervention(fsiii.BEHOVSSAMTALE) == fsiii.Intervention(
        code="ee5606ac-1bed-487e-aa3c-72dcc30ec037",
        display="Behovssamtale",
        paragraph="119",
        retired=False,
        successor=None,
    )


def test_a_condition() -> None:
    assert fsiii.condition(WELL_BEING) == fsiii.Condition(
        code=WELL_BEING,
        display="Trivsel",
        paragraph="119",
        area="3547a306-8623-4713-a8ce-db1e82839c50",
        area_display="Mental sundhed",
        retired=False,
        successor=None,
    )


def test_a_referrer() -> None:
    code = "2c2d5545-e247-4d73-b454-3b0849b16980"
    assert fsiii.referred_from()[code] == fsiii.ReferredFrom(code=code, key="A9", display="Egen læge/vagtlæge")


def test_an_administrative_code() -> None:
    assert fsiii.care_social_codes("contact_class")["AMB"] == fsiii.CareSocialCode(
        system=fsiii.ACT_ENCOUNTER_SYSTEM, code="AMB", display="ambulatory", group="contact_class"
    )


def test_the_tables_hold_the_retired_with_their_successor() -> None:
    assert fsiii.interventions_119()[TOBACCO].successor == fsiii.NIKOTIN_OG_TOBAKSAFVAENNING
    assert fsiii.conditions_119()[EMOTION].successor == WELL_BEING
    assert fsiii.interventions_119()[TOBACCO].retired
    assert fsiii.conditions_119()[EMOTION].retired


def test_140_is_kept_apart() -> None:
    assert {row.paragraph for row in fsiii.interventions_140().values()} == {"140"}
    assert {row.paragraph for row in fsiii.conditions_140().values()} == {"140"}
    with pytest.raises(fsiii.UnknownCodeError, match="unknown FSIII §119 intervention"):
        fsiii.intervention("2abe20c7-c0b4-41c1-b397-52acf36499ef")


@pytest.mark.parametrize(
    ("look_up", "code", "text"),
    [
        (
            fsiii.intervention,
            TOBACCO,
            f"FSIII §119 intervention {TOBACCO} (Tobaksafvænning) is retired; use {NICOTINE}",
        ),
        (
            fsiii.condition,
            EMOTION,
            f"FSIII §119 condition {EMOTION} (Emotionel funktion) is retired; use {WELL_BEING} (Trivsel)",
        ),
        (fsiii.intervention, "", "unknown FSIII §119 intervention ''"),
        (fsiii.condition, fsiii.BEHOVSSAMTALE, f"unknown FSIII §119 condition {fsiii.BEHOVSSAMTALE!r}"),
        (fsiii.intervention, "EE5606AC-1BED", "unknown FSIII §119 intervention 'EE5606AC-1BED'"),
    ],
)
def test_what_a_failed_look_up_says(look_up: Callable[[str], object], code: str, text: str) -> None:
    with pytest.raises(fsiii.UnknownCodeError) as caught:
        look_up(code)
    assert str(caught.value) == text
    assert caught.value.code == code


def test_a_retired_code_without_successor(monkeypatch: pytest.MonkeyPatch) -> None:
    retired = dataclasses.replace(fsiii.interventions_119()[TOBACCO], successor=None)
    monkeypatch.setattr(codes, "interventions_119", lambda: {TOBACCO: retired})
    with pytest.raises(fsiii.UnknownCodeError, match=r"\(Tobaksafvænning\) is retired; it has no successor") as caught:
        fsiii.intervention(TOBACCO)
    assert caught.value.successor is None


def test_the_error_is_a_key_error_that_carries_the_successor_across_processes() -> None:
    with pytest.raises(KeyError) as caught:
        fsiii.intervention(TOBACCO)
    copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own bytes
    assert (copy.code, copy.successor, str(copy)) == (
        TOBACCO,
        fsiii.NIKOTIN_OG_TOBAKSAFVAENNING,
        str(caught.value),
    )


def test_an_unknown_group() -> None:
    groups = "contact_class, delivery_type, plan_category, service_type, stop_reason"
    with pytest.raises(fsiii.UnknownCodeError, match=f"unknown group 'colour' of KL codes; the groups are {groups}"):
        fsiii.care_social_codes("colour")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "table",
    [
        fsiii.interventions_119,
        fsiii.interventions_140,
        fsiii.conditions_119,
        fsiii.conditions_140,
        fsiii.referred_from,
        lambda: fsiii.care_social_codes("stop_reason"),
    ],
)
def test_tables_are_kept_and_read_only(table: Callable[[], Mapping[str, Any]]) -> None:
    assert table() is table()
    assert isinstance(table(), MappingProxyType)
    assert all(code == row.code for code, row in table().items())


@pytest.mark.parametrize(
    "record", [fsiii.Intervention, fsiii.Condition, fsiii.ReferredFrom, fsiii.CareSocialCode, fsiii.Source]
)
def test_records_are_frozen_slotted_and_keyword_only(record: type) -> None:
    parameters = record.__dataclass_params__  # type: ignore[attr-defined]
    assert parameters.frozen
    assert "__slots__" in vars(record)
    assert all(field.kw_only for field in dataclasses.fields(record))
