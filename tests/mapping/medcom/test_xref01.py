"""XREF01: which episode number counts, what its wider code lists become in our answers, the labelled referrals."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from gateway.mapping.encoding import wrap
from gateway.municipality.model import Municipality
from gateway.receive import read, receive
from gateway.referral.inbox import Known
from gateway.referral.model import Episode, Referral
from tests.builders import EPISODE, RECEIVED, handle, kinds, only, tag, tell
from tests.reference import own_violations
from tests.referral_builders import diagnosis, episodes, xref01, xref01_message

LPR3 = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"


def decoded(**changes: str) -> Referral:
    version = changes.get("version", "XH0131R")
    (letter,) = read(xref01_message(xref01(**changes), version=version)).letters
    assert isinstance(letter.content, Referral), letter.fault
    return letter.content


@pytest.mark.parametrize(
    ("given", "chosen"),
    [
        ((("henviser", EPISODE),), EPISODE),
        ((("LPR3", LPR3), ("henviser", EPISODE)), EPISODE),
        ((("LPR3", LPR3), (" Henvisers nr", EPISODE)), EPISODE),
        ((("LPR3", LPR3), ("forloeb", EPISODE)), EPISODE),
        ((("forloeb", EPISODE), ("ukendt", LPR3)), EPISODE),
        ((("lpr3", LPR3),), LPR3),
        ((("henviser", "_"), ("LPR3", LPR3)), LPR3),
        ((("henviser", "_"),), None),
    ],
)
def test_the_referrers_own_episode_number_counts(given: tuple[tuple[str, str], ...], chosen: str | None) -> None:
    found = decoded(episode=episodes(*given))
    assert found.episode_id == chosen
    assert found.episodes == tuple(Episode(type=kind, identifier=number) for kind, number in given)


@pytest.mark.parametrize(("written", "chosen"), [(EPISODE, EPISODE), ("_", None), (None, None)])
def test_the_older_version_has_one_number_or_none(written: str | None, chosen: str | None) -> None:
    found = decoded(version="XH0130R", episode=tag("EpisodeOfCareIdentifier", written))
    assert (found.episode_id, found.episodes) == (chosen, ())


def test_every_text_is_kept_with_its_place() -> None:
    places = ("Supplementary", "ClinicalReason", "Cave", "Anamnesis", "Examination", "ActualMedicine")
    found = decoded(**{place: f"Tekst {place}" for place in places})
    assert [(t.place, t.text) for t in found.texts] == [(place, f"Tekst {place}") for place in places]


def test_the_discharge_note_speaks_its_own_shorter_lists() -> None:
    """A county's number and a role of the referral are known to XREF01, not to XDIS15."""
    letter = xref01(
        sender_id="70", sender_code="amt", diagnoses=(diagnosis("DE119"), diagnosis("F1", "fysioterapihenvisning"))
    ).replace(">bidiagnose<", ">fysioterapihenvisningspgruppe<")
    copy = tag("AnswerCCReceiver", tag("Identifier", "55") + tag("IdentifierCode", "amt"))
    outcome = handle(xref01_message(letter.replace("<Patient>", f"{copy}<Patient>")))
    (case,) = outcome.cases
    for kind in ("talk_held", "closed"):
        outcome = tell(case, kind)
        (case,) = outcome.cases
    note = only(outcome, "XDIS15")
    content = note.content.decode()
    assert own_violations(wrap(note, "NYKUVERT000001", RECEIVED)) == []
    assert "<IdentifierCode>lokationsnummer</IdentifierCode>" in content
    assert "<DiagnoseDescriptionCode>bidiagnose</DiagnoseDescriptionCode>" in content
    assert "<CCReceiver>" not in content


def test_an_answer_goes_to_the_sender_with_the_episode() -> None:
    outcome = handle(xref01_message(xref01()))
    assert kinds(outcome) == ["XCTL03", "XDIS91", "Task"]
    assert f"<EpisodeOfCareIdentifier>{EPISODE}<" in only(outcome, "XDIS91").content.decode()


def test_the_labelled_referrals_are_all_read(shared: Path, municipality: Municipality) -> None:
    folder = shared / "data" / "cases"
    spec = spec_from_file_location("render_labelled", folder / "render.py")
    assert spec is not None
    assert spec.loader is not None
    render = module_from_spec(spec)
    sys.modules[spec.name] = render
    spec.loader.exec_module(render)
    rows = [row for row in render.read(str(folder / "referrals.jsonl")) if row["carrier"] in render.MEDCOM]
    assert {row["carrier"] for row in rows} >= {"XREF01-XH0130R", "XREF01-XH0131R"}
    for row in rows:
        reading = read(render.render(row)[1])
        outcome = receive(reading, Known(), municipality, reading.sent_at or RECEIVED)
        assert (outcome.parked, len(outcome.cases)) == ((), 1), row["id"]
        urgent = outcome.letters[0].decision is not None and "URGENT" in outcome.letters[0].decision.reasons
        assert urgent or row.get("priority") != "akut", row["id"]
