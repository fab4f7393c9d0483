"""The discharge note: what it says, that it comes once, and what follows when the case ends again."""

import msgspec
import pytest

from gateway.municipality.model import Municipality
from gateway.municipality.texts import LetterText
from tests.builders import (
    BACK_TEAM,
    CONSULTANTS,
    EPISODE,
    TRAINING,
    diagnosis,
    emessage,
    handle,
    icpc,
    kinds,
    only,
    opened,
    tell,
    xref15,
)
from tests.referral.told import after, subject_of, text_of

TEAM = "sundhedskonsulenterne"


def test_the_discharge_note() -> None:
    case, _ = after(opened(), "talk_held", "course_started")
    note = only(tell(case, "course_completed"), "XDIS15")
    assert text_of(note) == (
        "Forløb efter henvisning modtaget 16. november 2026 er afsluttet.\n"
        "Sygdomshåndtering (hold) hos sundhedskonsulenterne, 23. november 2026 til 25. januar 2027: gennemført.\n"
        "20. november 2026, Karen Prøvekonsulent, Sundhedskonsulent: Gennemført med godt udbytte."
    )
    content = note.content.decode()
    for part in (
        "<VersionCode>XD1530L</VersionCode>",
        f"<EpisodeOfCareIdentifier>{EPISODE}</EpisodeOfCareIdentifier>",
        "<SpecialityName>Kommunal forebyggelse</SpecialityName>",
        "<Referral><Identifier>BRV00000000001</Identifier>",
        "<Received><Date>2026-11-16</Date><Time>09:20</Time></Received><Refer><DiagnoseCode>DE119</DiagnoseCode>",
        "<Admission><Date>2026-11-16</Date><Time>09:10</Time></Admission>",
        "<Discharge><Date>2027-01-25</Date><Time>00:00</Time></Discharge>",
        "<Signed><Date>2026-11-20</Date><SignedBy>Karen Prøvekonsulent</SignedBy>",
        "<JobTitle>Sundhedskonsulent</JobTitle>",
    ):
        assert part in content
    assert "StreetName" not in content.split("<Patient>")[1].split("</Patient>")[0]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (
            "not_reached",
            "samtale hos sundhedskonsulenterne (20. november 2026): borgeren kunne ikke træffes.",
        ),
        ("declined_by_citizen", "(20. november 2026): borgeren ønskede ikke tilbuddet."),
        ("stopped", "(20. november 2026): stoppet før tid ("),
    ],
)
def test_how_it_ended(kind: str, words: str) -> None:
    assert words in text_of(only(tell(opened(), kind, note="Derfor."), "XDIS15"))


def test_the_note_waits_for_the_last_assignment_and_comes_once() -> None:
    case = opened(diagnoses=(diagnosis("DE119"), diagnosis("L86", "ICPCkode")), text="Færdigudredt.")
    back, talk = case.assignments
    case, outcomes = after(
        case,
        ("declined_by_citizen", {"note": "Kun ryggen."}),
        ("course_started", {"team": BACK_TEAM, "interventions": [TRAINING]}),
        ("course_completed", {"team": BACK_TEAM}),
        ("closing_talk_held", {"team": BACK_TEAM}),
        ("follow_up_held", {"team": BACK_TEAM}),
        ("closed", {"team": BACK_TEAM}),
    )
    assert [kinds(o) for o in outcomes] == [[], [], ["XDIS15"], [], [], []]
    assert text_of(outcomes[2].outgoing[0]).split("\n")[1:] == [
        "Fysisk træning (hold) hos Genoptræning Ishøj, 23. november 2026 til 25. januar 2027: gennemført.",
        "20. november 2026, Karen Prøvekonsulent, Sundhedskonsulent: Gennemført med godt udbytte.",
        "Afklarende samtale hos sundhedskonsulenterne (20. november 2026): borgeren ønskede ikke tilbuddet.",
        "20. november 2026, Karen Prøvekonsulent, Sundhedskonsulent: Kun ryggen.",
    ]
    assert (back.team, talk.team) == (BACK_TEAM, CONSULTANTS)
    assert case.discharged_at is not None


def test_no_note_after_a_return() -> None:
    case, outcomes = after(opened(diagnoses=icpc("T82")), "returned", "closed")
    assert [kinds(o) for o in outcomes] == [["XDIS91"], []]
    assert case.discharged_at is None


def test_reassigned_is_no_end() -> None:
    case, outcomes = after(opened(), "reassigned")
    assert kinds(outcomes[0]) == ["Task"]
    note = only(tell(case, "not_reached", team=BACK_TEAM), "XDIS15")
    assert "hos sundhedskonsulenterne (20. november 2026): overgivet til andet team." in text_of(note)


def test_a_withdrawn_end_gives_no_second_note() -> None:
    case, _ = after(opened(), "course_started", ("course_completed", {"event_id": "C"}))
    case, outcomes = after(case, ("withdrawn", {"withdraws": "C"}), ("course_completed", {"event_id": "D"}))
    assert [kinds(o) for o in outcomes] == [["XDIS91"], ["XDIS91"]]
    assert case.all_ended
    error, again = (outcome.outgoing[0] for outcome in outcomes)
    assert subject_of(error) == "Rettelse: se bort fra tidligere besked"
    assert subject_of(again) == "Tilføjelse til afslutningsnotat"
    assert "træder i stedet for det tidligere afslutningsnotat.\nSygdomshåndtering (hold) hos" in text_of(again)


def test_referred_on_before_the_end() -> None:
    _, outcomes = after(
        opened(),
        "talk_held",
        ("referred_on", {"event_id": "R"}),
        "closed",
        ("course_started", {"team": BACK_TEAM, "interventions": [TRAINING]}),
        ("course_completed", {"team": BACK_TEAM, "event_id": "C"}),
    )
    assert [kinds(o) for o in outcomes] == [[], ["Task"], [], [], ["XDIS15"]]
    assert outcomes[1].outgoing[0].receiver == BACK_TEAM


def test_a_course_of_an_assignment_without_proposal_is_told() -> None:
    case = opened()
    bare = msgspec.structs.replace(case.assignments[0], intervention=None)
    note = only(tell(msgspec.structs.replace(case, assignments=(bare,)), "not_reached", note=None), "XDIS15")
    assert text_of(note) == "Forløb efter henvisning modtaget 16. november 2026 er afsluttet."
    case, _ = after(msgspec.structs.replace(case, assignments=(bare,)), "course_started")
    assert "Sygdomshåndtering (hold) hos" in text_of(only(tell(case, "course_completed"), "XDIS15"))


def test_everything_that_was_told_stands_in_the_note() -> None:
    """Two courses with their own starts, the first talk, notes of several steps and both authors (issue: discharge)."""
    other = {"name": "Bo Prøveterapeut"}
    case, _ = after(
        opened(),
        ("contacted", {"note": "Ringet op."}),
        ("talk_held", {"note": "Ønsker kost og træning."}),
        "course_started",
        ("course_started", {"interventions": [TRAINING], "delivery": "individual", "started": "2026-12-01"}),
    )
    note = only(tell(case, "stopped", note="Flyttet.", author=other, occurred="2027-01-08T09:00:00+01:00"), "XDIS15")
    end = "8. januar 2027: stoppet før tid (Aktivt fravalg)."
    assert text_of(note).split("\n")[1:] == [
        f"Sygdomshåndtering (hold) hos {TEAM}, 23. november 2026 til {end}",
        f"Fysisk træning (individuelt) hos {TEAM}, 1. december 2026 til {end}",
        "20. november 2026, Karen Prøvekonsulent, Sundhedskonsulent: Ringet op.",
        "20. november 2026, Karen Prøvekonsulent, Sundhedskonsulent: Ønsker kost og træning.",
        "8. januar 2027, Bo Prøveterapeut: Flyttet.",
    ]
    assert "<SignedBy>Bo Prøveterapeut</SignedBy>" in note.content.decode()


def test_no_course_after_the_talk() -> None:
    case, _ = after(opened(), "talk_held")
    (line,) = text_of(only(tell(case, "closed"), "XDIS15")).split("\n")[1:]
    talk = f"Afklarende samtale hos {TEAM} (20. november 2026)"
    assert line == f"{talk}: samtalen er holdt, og der er ikke aftalt et forløb."


def test_a_case_that_goes_on_after_its_note_ends_with_a_letter(municipality: Municipality) -> None:
    case, outcomes = after(opened(), "course_started", "course_completed", ("referred_on", {"event_id": "R"}))
    assert [kinds(o) for o in outcomes] == [[], ["XDIS15"], ["Task"]]
    ended = tell(case, "declined_by_citizen", team=BACK_TEAM)
    assert kinds(ended) == ["XDIS91"]
    assert "Fysisk træning hos Genoptræning Ishøj (20. november 2026): borgeren ønskede" in text_of(ended.outgoing[0])
    assert kinds(tell(ended.cases[0], "withdrawn", withdraws="E-declined_by_citizen")) == ["XDIS91"]


def test_a_return_beside_an_ended_case_gives_each_letter_its_own_id() -> None:
    case, _ = after(opened(diagnoses=icpc("T90", "L86", "K90"), text="Færdigudredt."), "accepted")
    case, _ = after(case, ("not_reached", {}), ("not_reached", {"team": BACK_TEAM, "event_id": "B"}))
    case, _ = after(case, ("withdrawn", {"withdraws": "B", "event_id": "W", "team": BACK_TEAM}))
    case, _ = after(case, ("info_requested", {"team": BACK_TEAM, "event_id": "I"}))
    letters = tell(case, "returned", team=BACK_TEAM).outgoing
    assert [letter.kind for letter in letters] == ["XDIS91", "XDIS91"]
    assert len({letter.letter_id for letter in letters}) == 2


def test_nothing_of_a_long_text_is_lost(municipality: Municipality) -> None:
    case, _ = after(opened(), "course_started", ("course_completed", {"event_id": "C", "note": "n" * 19_000}))
    words = " ".join(["ord"] * 4_500) + " slut"
    case, _ = after(case, ("withdrawn", {"withdraws": "C"}))
    letters = tell(case, "course_completed", event_id="D", note=words).outgoing
    assert [subject_of(letter) for letter in letters] == ["Tilføjelse til afslutningsnotat"] * 2
    assert len({letter.letter_id for letter in letters}) == len({letter.message_id for letter in letters}) == 2
    first, second = (letter.content.decode() for letter in letters)
    assert "<Text01>(Del 1 af 2)<Break/>" in first
    assert "<Text01>(Del 2 af 2)<Break/>" in second
    assert first.count("ord") + second.count("ord") == 4_500
    assert "slut</Text01>" in second
    unbroken = tell(case, "course_completed", event_id="D", note="x" * 19_000).outgoing
    assert sum(letter.content.decode().count("x" * 50) for letter in unbroken) * 50 >= 19_000 - 50 * 20


def test_who_gets_it_is_the_municipalitys_choice(municipality: Municipality) -> None:
    own = LetterText(subject="Slut", text="{courses}", to=("referrer",))
    known = msgspec.structs.replace(
        municipality, addresses={"012008": "5790009992035"}, letters={**municipality.letters, "discharge": own}
    )
    case = handle(emessage(xref15(answer_cc="012008")), municipality=known).cases[0]
    assert kinds(tell(case, "not_reached", municipality=known)) == ["XDIS15"]
