"""Which case a correction is about, a referral taken back, and what is said of the difference."""

import msgspec
import pytest

from gateway.municipality.model import Municipality
from gateway.receive import Entrance, read
from gateway.referral.admission import take_in
from gateway.referral.case import Case, State
from gateway.referral.gate import Desk
from gateway.referral.handled import Handled
from gateway.referral.inbox import Known
from gateway.referral.letters import Arrival, TeamMessage
from gateway.referral.model import Referral
from gateway.referral.needs import Needs
from tests.builders import (
    BACK_TEAM,
    CONSULTANTS,
    EPISODE,
    emessage,
    event,
    faults,
    handle,
    kinds,
    only,
    opened,
    sks,
    tag,
    tell,
    xref15,
)
from tests.referral.corrections import LATER, after, correction, note, tasks, teams

AFTERWARDS = "2026-11-16T09:12"


# ------------------------------------------------------------------ which case
def test_a_correction_of_something_unknown_opens_a_case_and_says_so() -> None:
    outcome = correction(opened(episode="f" * 32))
    (new,) = outcome.cases
    assert (new.number, new.earlier) == (1, ())
    (task,) = tasks(outcome, CONSULTANTS)
    assert "vi kender ingen åben henvisning" in note(task)
    assert faults(outcome) == []
    assert kinds(outcome) == ["XCTL03", "XDIS91", "Task"]


def test_another_sender_corrects_nothing() -> None:
    assert correction(opened(), sender="5790009992028").cases[0].number == 1


def test_another_citizen_under_the_same_number_is_for_a_person() -> None:
    outcome = correction(opened(), cpr="0101659907")
    assert outcome.cases[0].number == 1
    assert faults(outcome) == ["GW-112"]


def test_upper_case_and_hyphens_are_the_same_episode() -> None:
    assert correction(opened(), episode=EPISODE.upper()).cases[0].number == 2


def test_a_case_that_is_over_is_not_opened_again() -> None:
    over = after(opened(), "talk_held", "closed")
    assert over.discharged_at is not None
    (new,) = correction(over).cases
    assert new.case_id != over.case_id


def test_a_new_letter_with_a_used_number_is_a_new_case() -> None:
    case = opened()
    letter = emessage(xref15(letter_id="NYTBREV0000001"), envelope_id="NYKUVERT000001")
    (new,) = handle(letter, Known(cases={case.case_id: case})).cases
    assert new.case_id != case.case_id


# ------------------------------------------------------------------ in another order
def test_a_referral_that_comes_after_its_correction_opens_no_second_case() -> None:
    """The correction stands; a person sees that the letters came the other way round."""
    (first,) = correction(opened(episode="f" * 32), authorised=AFTERWARDS).cases
    outcome = handle(emessage(xref15()), Known(cases={first.case_id: first}), at=LATER)
    assert (outcome.cases, faults(outcome), kinds(outcome)) == ((), ["GW-117"], ["XCTL03"])
    assert [letter.case_id for letter in outcome.letters] == [first.case_id]


def test_an_earlier_correction_does_not_take_the_place_of_a_later_one() -> None:
    (second,) = correction(opened(), letter_id="RETTET00000002", authorised=AFTERWARDS).cases
    outcome = correction(second)
    assert (outcome.cases, faults(outcome), kinds(outcome)) == ((), ["GW-117"], ["XCTL03"])


def test_a_correction_from_a_clock_that_is_far_ahead_does_not_keep_the_next_one_out() -> None:
    (first,) = correction(opened(), authorised="2027-11-16T09:10").cases
    outcome = correction(first, letter_id="RETTET00000002")
    assert ([case.number for case in outcome.cases], faults(outcome)) == ([3], [])


def test_a_later_referral_under_the_number_of_a_correction_is_a_new_case() -> None:
    (first,) = correction(opened(episode="f" * 32)).cases
    letter = emessage(xref15(letter_id="NYTBREV0000001", authorised=AFTERWARDS), envelope_id="NYKUVERT000001")
    (new,) = handle(letter, Known(cases={first.case_id: first})).cases
    assert new.case_id != first.case_id


def test_an_older_letter_under_the_number_of_a_known_referral_is_a_new_case() -> None:
    (corrected,) = correction(opened(), authorised=AFTERWARDS).cases
    letter = emessage(xref15(letter_id="NYTBREV0000001"), envelope_id="NYKUVERT000001")
    (new,) = handle(letter, Known(cases={corrected.case_id: corrected})).cases
    assert new.case_id != corrected.case_id


# ------------------------------------------------------------------ taken back
def taken_back(case: Case | None, municipality: Municipality, **changes: object) -> Handled:
    letter = read(emessage(xref15(letter_id="ANNULLERING001", **changes))).letters[0].content
    assert isinstance(letter, Referral)
    known = Known(cases={case.case_id: case} if case else {})
    desk = Desk(arrival=Arrival(), known=known, municipality=municipality, received_at=LATER)
    return take_in(msgspec.structs.replace(letter, cancellation=True), Needs(), desk)


def messages(handled: Handled) -> list[TeamMessage]:
    return [reply.content for reply in handled.replies if isinstance(reply.content, TeamMessage)]


def test_taken_back_ends_what_is_open_and_tells_the_teams(municipality: Municipality) -> None:
    case = opened(diagnoses=sks("DE119", "DM545"), text="Færdigudredt.")
    handled = taken_back(case, municipality)
    (new,) = handled.cases
    assert {a.state for a in new.assignments} == {State.CANCELLED_BY_REFERRER}
    assert (new.cancelled_at, new.discharged_at, new.number) == (LATER, None, 2)
    assert new.decision == case.decision
    assert [m.team for m in messages(handled)] == [BACK_TEAM, CONSULTANTS]
    assert {t.status for m in messages(handled) for t in m.tasks} == {"cancelled"}
    assert {t.note for m in messages(handled) for t in m.tasks} == {"Henviseren har trukket henvisningen tilbage."}
    assert len(handled.replies) == 2


def test_taken_back_while_it_waits_for_review(municipality: Municipality) -> None:
    case = opened(diagnoses=(*sks("DE119"), *sks("DE109")))
    (message,) = messages(taken_back(case, municipality))
    assert (message.team, [t.status for t in message.tasks]) == (CONSULTANTS, ["cancelled"])


def test_taken_back_after_another_team_finished_writes_the_note(municipality: Municipality) -> None:
    case = opened(diagnoses=sks("DE119", "DM545"), text="Færdigudredt.")
    case = after(case, "talk_held", "closed")
    handled = taken_back(case, municipality)
    (new,) = handled.cases
    assert new.discharged_at == LATER
    assert len(handled.replies) == len(messages(handled)) + 1


def test_nothing_follows_a_referral_that_was_taken_back(municipality: Municipality) -> None:
    (gone,) = taken_back(opened(), municipality).cases
    assert faults(tell(gone, "contacted")) == ["GW-162"]
    assert correction(gone).cases[0].case_id != gone.case_id
    assert taken_back(gone, municipality).fault is not None


def test_nothing_to_take_back(municipality: Municipality) -> None:
    handled = taken_back(None, municipality)
    assert handled.fault is not None
    assert (handled.fault.id, handled.cases) == ("GW-113", ())


# ------------------------------------------------------------------ the lines
def test_every_part_that_differs_has_its_line() -> None:
    case = opened(
        diagnoses=((None, "uspecificeretkode", "Ondt i ryggen"),), text="Første.<Break/>Anden.<Break/>Tredje."
    )
    phone = tag(
        "TelephoneSubscriber",
        tag("TelephoneSubscriberIdentifier", "99990001") + tag("TelephoneSubscriberCode", "mobil"),
    )
    relative = tag("Relative", tag("RelationCode", "mor") + tag("PersonSurnameName", "Markørsen"))
    link = tag("Reference", tag("RefDescription", "Billede") + tag("URL", "https://billede.example"))
    letter = xref15(
        letter_id="RETTET00000001", status="rettetbrev", surname="Nytnavn", postcode="2640", answer_cc="079742",
        diagnoses=(), text="Første.<Break/>Ny anden.", sender_name="Lægehuset Nyt", references=link,
    ).replace("</Patient>", f"{phone}</Patient>{relative}")  # fmt: skip
    outcome = handle(emessage(letter), Known(cases={case.case_id: case}), at=LATER)
    lines = {line for team in teams(outcome) for task in tasks(outcome, team) for line in note(task).splitlines()}
    assert lines >= {
        "Diagnose: «Ondt i ryggen» → intet («Ondt i ryggen» fjernet)",
        "Navn: Kai Markørsen → Kai Nytnavn",
        "Adresse: 2635 → 2640",
        "Telefon: intet → 99990001",
        "Pårørende: intet → Markørsen (mor)",
        "Henviser: Mona Prøvelæge, Lægehuset Prøvely, 079741 → Mona Prøvelæge, Lægehuset Nyt, 079741",
        "Kopi til: intet → 079742",
        "Vedhæftet: intet → Billede",
        "Tekst (anamnese): «Anden. / Tredje.» → «Ny anden.»",
    }


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("En.\nTo.", "En.", "Tekst (anamnese): «To.» fjernet"),
        ("En.", "En.\nTo.", "Tekst (anamnese): «To.» tilføjet"),
        ("En.", None, "Tekst (anamnese): «En.» fjernet"),
        ("A.\nB.", "B.\nA.", "Tekst (anamnese): «B.» tilføjet; «B.» fjernet"),
    ],
)
def test_texts_are_compared_line_by_line(old: str, new: str | None, line: str) -> None:
    broken = [text.replace("\n", "<Break/>") if text else None for text in (old, new)]
    outcome = correction(opened(text=broken[0]), text=broken[1])
    assert line in note(tasks(outcome, CONSULTANTS)[0])


def test_nothing_of_the_difference_is_in_the_receipt() -> None:
    outcome = correction(opened(), text="Hemmelig ny tekst.")
    assert "Hemmelig" not in only(outcome, "XCTL03").content.decode()


def test_the_team_entrance_corrects_nothing() -> None:
    assert handle(event("contacted"), entrance=Entrance.TEAM).cases == ()
