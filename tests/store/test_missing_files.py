"""A file that a letter names and that does not come: one alarm until it comes or the case ends."""

import pytest

from gateway.inbound.source import Delivery
from gateway.store.alarms import Tick
from gateway.store.store import Store
from tests.attachment_builders import NAMED, reference, xbin, xbin_message
from tests.correspondence_builders import xdis91, xdis91_message
from tests.store.test_alarms import Desk, told

A_DAY_LATER = "2026-11-17T09:21:00"


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


def late(tick: Tick) -> list[str]:
    return [line for line in told(tick.raised) if line.startswith("attachment")]


def over(tick: Tick) -> list[str]:
    return [line for line in told(tick.cleared) if line.startswith("attachment")]


def attach(desk: Desk, **changes: str | None) -> None:
    desk.pipeline.handle_one(Delivery(data=xbin_message(xbin(**changes))))


def test_it_rings_once_after_a_day_and_is_over_when_the_file_comes(desk: Desk) -> None:
    case_id = desk.refer(1, references=reference())
    assert late(desk.at("2026-11-17T09:19:00")) == []
    raised = desk.at(A_DAY_LATER).raised
    assert told(raised) == ["attachment overdue"]
    (alarm,) = raised
    assert (alarm.subject, alarm.case_id) == (NAMED, case_id)
    assert desk.at("2026-11-17T10:00:00") == Tick()
    assert [a.kind for a in desk.store.alarms.of_case(case_id)] == ["attachment"]
    attach(desk)
    assert over(desk.at("2026-11-17T10:01:00")) == ["attachment overdue"]
    assert desk.at("2026-11-17T10:02:00") == Tick()


def test_a_step_of_the_case_does_not_end_it(desk: Desk) -> None:
    case_id = desk.refer(1, references=reference())
    assert late(desk.at(A_DAY_LATER)) == ["attachment overdue"]
    desk.tell(case_id, "contacted")
    assert over(desk.at("2026-11-17T10:00:00")) == []


@pytest.mark.parametrize("first", [True, False])
def test_a_file_that_came_rings_for_nobody(desk: Desk, *, first: bool) -> None:
    if first:
        attach(desk)
    desk.refer(1, references=reference())
    if not first:
        attach(desk)
    assert late(desk.at(A_DAY_LATER)) == []


def test_a_file_about_another_citizen_is_not_the_one(desk: Desk) -> None:
    desk.refer(1, references=reference())
    attach(desk, cpr="0101659901")
    assert late(desk.at(A_DAY_LATER)) == ["attachment overdue"]


def test_it_is_over_with_the_case(desk: Desk) -> None:
    case_id = desk.refer(1, references=reference())
    assert late(desk.at(A_DAY_LATER)) == ["attachment overdue"]
    desk.tell(case_id, "declined_by_citizen")
    assert over(desk.at("2026-11-17T10:00:00")) == ["attachment overdue"]


def test_a_case_that_has_ended_waits_for_no_file(desk: Desk) -> None:
    case_id = desk.refer(1, references=reference())
    desk.tell(case_id, "declined_by_citizen")
    assert desk.at(A_DAY_LATER).raised == ()


def test_letters_without_files_and_letters_of_no_case_ring_for_nothing(desk: Desk) -> None:
    desk.refer(1)
    desk.pipeline.handle_one(Delivery(data=xdis91_message(xdis91(cpr="0101659901", references=reference()))))
    assert late(desk.at(A_DAY_LATER)) == []


def test_a_file_waits_for_the_letters_of_its_case(desk: Desk) -> None:
    """Korrespondance in a case names a file too."""
    case_id = desk.refer(1)
    episode = desk.cases[case_id].referral.episode_id
    reply = xdis91_message(xdis91(episode=episode, references=reference()), envelope_id="KUVSVAR0000001")
    desk.pipeline.handle_one(Delivery(data=reply))
    assert late(desk.at(A_DAY_LATER)) == ["attachment overdue"]


def test_what_nobody_looked_at_for_days_rings_once(desk: Desk) -> None:
    desk.refer(1, references=reference())
    assert late(desk.at("2026-11-20T09:00:00")) == ["attachment overdue"]
    assert late(desk.at("2026-11-20T10:00:00")) == []
