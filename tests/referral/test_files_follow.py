"""A team that is given a case is handed its files, whoever gave it and wherever they came from; nobody else is."""

import json

import pytest

from gateway.referral.inbox import Outcome
from tests.attachment_builders import OTHER_ID, binary, reference, xbin, xbin_message
from tests.builders import BACK_TEAM, CONSULTANTS, TRAINING, event, faults, kinds, sks
from tests.correspondence_builders import xdis91, xdis91_message
from tests.referral.test_attachments import handed, referral, resources, run

REASSIGNED = event("reassigned")
LATER = {"occurred": "2026-11-21T11:00:00+01:00"}


def korrespondance(references: str) -> bytes:
    return xdis91_message(xdis91(references=references), envelope_id="KUVSVAR0000001")


def receivers(outcome: Outcome) -> list[str]:
    return [letter.receiver for letter in handed(outcome)]


def titles(outcome: Outcome) -> list[str]:
    (letter,) = handed(outcome)
    return [document["description"] for document in resources(letter)["DocumentReference"]]


def test_a_reassigned_case_takes_its_files_along() -> None:
    opened, attached, moved = run(referral(), xbin_message(), REASSIGNED)
    assert receivers(attached) == [CONSULTANTS]
    assert (receivers(moved), faults(moved)) == ([BACK_TEAM], [])
    (letter,) = handed(moved)
    assert letter.case_id == opened.cases[0].case_id
    assert json.loads(letter.content)["id"] == letter.letter_id != handed(attached)[0].letter_id
    same = [resources(handed(outcome)[0])["DocumentReference"] for outcome in (attached, moved)]
    assert same[0][0]["content"] == same[1][0]["content"]
    assert moved.cases[0].assignments[-1].id in letter.content.decode()


def test_files_that_came_before_the_referral_go_along_too() -> None:
    assert receivers(run(xbin_message(), referral(), REASSIGNED)[-1]) == [BACK_TEAM]


def test_files_that_come_afterwards_go_to_the_new_team_alone() -> None:
    _, moved, attached = run(referral(), REASSIGNED, xbin_message())
    assert (receivers(moved), receivers(attached)) == ([], [BACK_TEAM])


def test_files_of_referral_and_korrespondance_in_one_message() -> None:
    reply = korrespondance(reference(OTHER_ID.replace("-", ""), "Røntgen"))
    both = xbin_message(xbin(binary(), binary(OTHER_ID)))
    moved = run(referral(), reply, both, REASSIGNED)[-1]
    assert sorted(titles(moved)) == ["Røntgen", "Spirometri"]


def test_a_file_that_two_letters_name_comes_once() -> None:
    reply = korrespondance(reference())
    assert titles(run(referral(), reply, xbin_message(), REASSIGNED)[-1]) == ["Spirometri"]


def test_files_of_another_case_stay_there() -> None:
    other = referral(letter_id="BRV00000000002", episode="0" * 31 + "1").replace(b"KUV00000000001", b"KUV00000000002")
    opened, _, _, moved = run(referral(references=""), other, xbin_message(), REASSIGNED)
    assert moved.cases[0].case_id == opened.cases[0].case_id
    assert handed(moved) == []


def test_a_file_that_is_awaited_still_is_not_handed_over() -> None:
    assert handed(run(referral(), REASSIGNED)[-1]) == []


def test_who_is_referred_to_in_the_case_gets_them() -> None:
    referred_on = event("referred_on", interventions=[TRAINING], **LATER)
    referred = run(referral(), xbin_message(), event("talk_held"), referred_on)[-1]
    assert (receivers(referred), faults(referred)) == ([BACK_TEAM], [])


def test_who_a_reviewer_decides_on_gets_them() -> None:
    decided = event("review_decided", assignments=[{"team": BACK_TEAM, "intervention": TRAINING}])
    opened, attached, after = run(referral(diagnoses=sks("DX999")), xbin_message(), decided)
    assert opened.cases[0].decision.outcome == "review"
    assert (receivers(attached), receivers(after)) == ([CONSULTANTS], [BACK_TEAM])


def test_who_gets_a_case_back_gets_what_came_meanwhile() -> None:
    withdrawn = event("withdrawn", withdraws="E-reassigned", **LATER)
    back = run(referral(), REASSIGNED, xbin_message(), withdrawn)[-1]
    assert receivers(back) == [CONSULTANTS]


@pytest.mark.parametrize("kind", ["contacted", "talk_booked", "declined_by_citizen"])
def test_what_gives_no_team_hands_over_nothing(kind: str) -> None:
    told = run(referral(), xbin_message(), event(kind))[-1]
    assert (handed(told), faults(told)) == ([], [])


def test_the_same_event_again_hands_over_nothing() -> None:
    again = run(referral(), xbin_message(), REASSIGNED, REASSIGNED)[-1]
    assert kinds(again) == []


def test_a_file_that_only_an_older_referral_names_goes_along_too() -> None:
    """The referral came after its correction, which names no file."""
    corrected = referral(
        letter_id="RETTET00000001", status="rettetbrev", authorised="2026-11-16T09:12", references=""
    ).replace(b"KUV00000000001", b"KUV00000000002")
    _, older, attached, moved = run(corrected, referral(), xbin_message(), REASSIGNED)
    assert faults(older) == ["GW-117"]
    assert (receivers(attached), receivers(moved)) == ([CONSULTANTS], [BACK_TEAM])
