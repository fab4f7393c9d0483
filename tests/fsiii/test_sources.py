"""SOURCES.toml says where every table comes from, and the table is still the one it speaks of."""

import hashlib
import re
from datetime import date
from importlib.resources import files
from types import ModuleType

import pytest

import fsiii

BY_TABLE = {source.table: source for source in fsiii.sources()}


def test_one_entry_a_table() -> None:
    assert tuple(source.table for source in fsiii.sources()) == fsiii.tables()


@pytest.mark.parametrize("source", fsiii.sources(), ids=lambda source: source.table)
def test_sha256(source: fsiii.Source) -> None:
    data = files("fsiii").joinpath("data", source.table).read_bytes()
    assert source.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("source", fsiii.sources(), ids=lambda source: source.table)
def test_every_entry_is_filled(source: fsiii.Source) -> None:
    assert re.fullmatch(r"hl7dk/kl-term@[0-9a-f]{40}", source.origin)
    assert re.fullmatch(r"hl7dk/[a-z-]+@[0-9a-f]{8,40}", source.value_sets_origin)
    assert re.fullmatch(r"kl\.dk\.fhir\.term#\d+\.\d+\.\d+", source.package)
    assert re.fullmatch(r"20\d{6}", source.version)
    assert type(source.date) is date
    assert source.licence
    assert source.value_sets


def test_systems_are_those_of_the_rows() -> None:
    assert BY_TABLE["care_social_codes.tsv"].systems == (fsiii.CARE_SOCIAL_SYSTEM, fsiii.ACT_ENCOUNTER_SYSTEM)
    others = {source.systems for table, source in BY_TABLE.items() if table != "care_social_codes.tsv"}
    assert others == {(fsiii.FSIII_SYSTEM,)}


def test_the_value_sets_are_those_the_regenerator_reads(regenerate: ModuleType) -> None:
    for subtree in regenerate.SUBTREES:
        (value_set,) = BY_TABLE[subtree.table].value_sets
        assert value_set.partition("|")[0] == subtree.value_set
    named = {value_set.partition("|")[0] for value_set in BY_TABLE["care_social_codes.tsv"].value_sets}
    assert named == {*regenerate.GROUPS.values(), regenerate.ACT_ENCOUNTER_VALUE_SET}
