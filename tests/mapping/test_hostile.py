"""Messages made to harm: each is answered or parked within its seconds and within bounds of memory."""

import time
from pathlib import Path

import pytest

from gateway.mapping.interpretation import interpretation
from gateway.receive import Entrance
from tests.builders import emessage, faults, handle, xref15
from tests.hostile import LONGEST_S, Hostile, fhir, medcom

#: beside the message itself; a tree of a 10 MB message takes the most
MOST_MEMORY_MB = 450
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def memory_mb(kind: str) -> float:
    (line,) = (line for line in _STATUS.read_text(encoding="utf-8").splitlines() if line.startswith(kind))
    return int(line.split()[1]) / 1024


@pytest.mark.parametrize("hostile", medcom(), ids=lambda hostile: hostile.name)
def test_it_ends_in_time_within_bounds_and_with_its_fault(hostile: Hostile) -> None:
    handle(b"<warm/>")
    _CLEAR.write_text("5", encoding="ascii")  # Linux: the peak is counted from here
    before, started = memory_mb("VmRSS"), time.process_time()
    outcome = handle(hostile.data)
    assert time.process_time() - started < LONGEST_S
    assert memory_mb("VmHWM") - before < MOST_MEMORY_MB
    found = set(faults(outcome))
    assert (found or {""}) <= hostile.faults
    assert found or outcome.cases, "accepted, or parked with its reason"


@pytest.mark.parametrize("hostile", fhir(), ids=lambda hostile: hostile.name)
def test_so_it_is_where_only_fhir_is_taken(hostile: Hostile) -> None:
    started = time.process_time()
    outcome = handle(hostile.data, entrance=Entrance.FHIR)
    assert time.process_time() - started < LONGEST_S
    assert (set(faults(outcome)) or {""}) <= hostile.faults


def test_a_word_without_end_stays_in_no_cache() -> None:
    lexicon = interpretation().words.lexicon
    handle(emessage(xref15(text="Henvises til KOL-hold.")))
    assert lexicon.tokens.cache_info().currsize > 0
    handle(emessage(xref15(text="a" * 5_000)))
    assert lexicon.tokens.cache_info().currsize == lexicon.read.cache_info().currsize == 0
