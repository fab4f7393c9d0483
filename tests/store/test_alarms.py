"""Clocks in the database: every alarm once and its end once, over 200 days, restarts, two processes, odd clocks."""

import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
import structlog
from sqlalchemy import func, select

from gateway.clocks import Ticker
from gateway.errors import StoreError
from gateway.inbound.pipeline import Pipeline
from gateway.inbound.source import Delivery
from gateway.municipality.model import load
from gateway.receive import Entrance
from gateway.referral.case import Case
from gateway.referral.clocks import Clock, clocks
from gateway.referral.inbox import Settled
from gateway.referral.workdays import COPENHAGEN
from gateway.store import schema
from gateway.store.alarms import Alarm, Tick
from gateway.store.engine import reading
from gateway.store.outbox import Sent
from gateway.store.store import Store, open_store
from tests.builders import BACK_TEAM, CONSULTANTS, emessage, event, icpc, sks, xref15
from tests.store.material import NOW, entry, later, outgoing

MUNICIPALITY = load()
RULES = MUNICIPALITY.clocks
#: a Monday; respond_by is Monday 30 November
MONDAY = datetime(2026, 11, 16, 9, 20, tzinfo=COPENHAGEN)


class Desk:
    """A store with referrals and teams, and a clock that is set."""

    def __init__(self, store: Store, now: datetime = MONDAY) -> None:
        self.store = store
        self.now = now
        self.pipeline = Pipeline(store, MUNICIPALITY, lambda: self.now)
        self.ticker = Ticker(store, lambda: self.now, RULES)
        self.cases: dict[str, Case] = {}

    def refer(self, number: int, **given: Any) -> str:  # noqa: ANN401  (parts of an XREF15)
        local = f"{self.now.astimezone(COPENHAGEN):%Y-%m-%dT%H:%M}"
        letter = xref15(letter_id=f"BRV{number:011}", episode=f"{number:032}", authorised=local, **given)
        data = emessage(letter, envelope_id=f"KUV{number:011}", sent=local)
        (case,) = self.pipeline.handle_one(Delivery(data=data)).cases
        self.cases[case.case_id] = case
        return case.case_id

    def tell(self, case_id: str, kind: str, **changes: object) -> None:
        told = {"event_id": f"{case_id[:8]}-{kind}", "case_id": case_id, "occurred": self.now.isoformat()}
        data = event(kind, **told | {"episode_of_care_id": None} | changes)
        outcome = self.pipeline.handle_one(Delivery(data=data, entrance=Entrance.TEAM))
        assert not outcome.parked, outcome.parked
        self.cases[case_id] = outcome.cases[0]

    def at(self, text: str) -> Tick:
        """What a look at that time tells; Danish civil time."""
        self.now = datetime.fromisoformat(text).replace(tzinfo=COPENHAGEN)
        return self.ticker.step()


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


def told(alarms: Sequence[Alarm]) -> list[str]:
    return [f"{alarm.kind} {alarm.level}" for alarm in alarms]


# ------------------------------------------------------------------ one case
def test_a_first_talk_that_is_not_held_rings_three_times_and_clears_once(desk: Desk) -> None:
    case_id = desk.refer(1)
    assert desk.at("2026-11-23T23:59:58") == Tick()
    assert told(desk.at("2026-11-24T00:00:00").raised) == ["first_talk warning"]
    assert desk.at("2026-11-24T00:00:10") == Tick()
    assert told(desk.at("2026-11-29T08:00:00").raised) == ["first_talk alarm"]
    assert told(desk.at("2026-12-01T00:00:00").raised) == ["first_talk overdue"]
    assert desk.at("2026-12-02T08:00:00") == Tick()
    (alarm,) = desk.store.alarms.open()
    assert (alarm.subject, alarm.case_id) == (case_id, case_id)
    assert alarm.raised_at == datetime(2026, 11, 24, tzinfo=COPENHAGEN)

    desk.tell(case_id, "talk_held")
    assert desk.store.alarms.open() == []
    cleared = desk.at("2026-12-02T08:00:10")
    assert (cleared.raised, told(cleared.cleared)) == ((), ["first_talk overdue"])
    assert desk.at("2026-12-02T08:00:20") == Tick()
    (kept,) = desk.store.alarms.of_case(case_id)
    assert (kept.level, kept.cleared_at) == ("overdue", desk.now - timedelta(seconds=10))


def test_what_is_held_in_time_leaves_nothing(desk: Desk) -> None:
    case_id = desk.refer(1)
    desk.now += timedelta(days=4)
    desk.tell(case_id, "talk_held")
    assert desk.at("2027-06-01T08:00:00") == Tick()
    with reading(desk.store.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(schema.clocks)) == 0


def test_a_withdrawn_talk_starts_the_clock_anew(desk: Desk) -> None:
    case_id = desk.refer(1)
    assert told(desk.at("2026-11-25T08:00:00").raised) == ["first_talk warning"]
    desk.tell(case_id, "talk_held")
    assert told(desk.at("2026-11-25T08:00:10").cleared) == ["first_talk warning"]
    desk.tell(case_id, "withdrawn", withdraws=f"{case_id[:8]}-talk_held")
    assert told(desk.at("2026-11-25T08:00:20").raised) == ["first_talk warning"]
    assert len(desk.store.alarms.of_case(case_id)) == 2


def test_a_talk_told_and_withdrawn_between_two_looks_is_one_end_and_one_beginning(desk: Desk) -> None:
    case_id = desk.refer(1)
    desk.at("2026-11-25T08:00:00")
    desk.tell(case_id, "talk_held")
    desk.tell(case_id, "withdrawn", withdraws=f"{case_id[:8]}-talk_held")
    tick = desk.at("2026-11-25T08:00:10")
    assert (told(tick.raised), told(tick.cleared)) == (["first_talk warning"], ["first_talk warning"])


def test_a_step_that_changes_no_promise_leaves_the_clock_alone(desk: Desk) -> None:
    case_id = desk.refer(1)
    desk.at("2026-11-25T08:00:00")
    desk.tell(case_id, "contacted")
    desk.tell(case_id, "talk_booked")
    assert desk.at("2026-11-25T08:00:10") == Tick()
    assert len(desk.store.alarms.open()) == 1


def test_nobody_looked_for_weeks_and_the_clock_rings_once_at_its_last(desk: Desk) -> None:
    desk.refer(1)
    assert told(desk.at("2027-01-10T08:00:00").raised) == ["first_talk overdue"]
    assert desk.at("2027-01-10T08:00:10") == Tick()


def test_a_clock_put_back_tells_nothing_twice(desk: Desk) -> None:
    desk.refer(1)
    desk.at("2026-11-25T08:00:00")
    assert desk.at("2026-11-20T08:00:00") == Tick()
    assert desk.at("2026-11-25T08:00:00") == Tick()
    assert told(desk.at("2026-11-29T08:00:00").raised) == ["first_talk alarm"]


def test_a_review_and_a_drafted_answer_are_late_after_two_working_days(desk: Desk) -> None:
    review = desk.refer(1, diagnoses=icpc("A97"))
    answer = desk.refer(2, diagnoses=icpc("T82"))
    assert desk.at("2026-11-18T23:59:58") == Tick()
    assert sorted(told(desk.at("2026-11-19T00:00:00").raised)) == ["decision overdue", "drafted_return overdue"]
    desk.tell(review, "review_decided")
    desk.tell(answer, "returned")
    assert sorted(told(desk.at("2026-11-19T09:00:00").cleared)) == ["decision overdue", "drafted_return overdue"]
    assert told(desk.at("2026-11-24T00:00:00").raised) == ["first_talk warning"]


def test_danger_rings_at_once(desk: Desk) -> None:
    desk.refer(1, diagnoses=sks("DF103"))
    assert told(desk.at("2026-11-16T09:20:10").raised) == ["urgent alarm"]
    assert told(desk.at("2026-11-17T00:00:00").raised) == ["urgent overdue"]


def test_the_page_can_ask_by_team_and_kind_the_loudest_first(desk: Desk) -> None:
    back = desk.refer(1, diagnoses=icpc("L86"), text="Færdigudredt.")
    desk.now += timedelta(days=6)
    talks = desk.refer(2)
    review = desk.refer(3, diagnoses=icpc("A97"))
    desk.at("2026-11-30T08:00:00")
    alarms = desk.store.alarms
    found = [(a.case_id, a.kind, a.level) for a in alarms.open()]
    assert found[:2] == [(review, "decision", "overdue"), (back, "first_talk", "alarm")]
    assert set(found[2:]) == {(talks, "first_talk", "warning"), (review, "first_talk", "warning")}
    assert [a.case_id for a in alarms.open(team=BACK_TEAM)] == [back]
    assert {a.case_id for a in alarms.open(team=CONSULTANTS, kind="first_talk")} == {talks, review}
    assert [a.case_id for a in alarms.open(limit=1)] == [review]
    counted = desk.store.overview.numbers(desk.now).alarms
    assert [(c.kind, c.level, c.count) for c in counted] == [
        ("decision", "overdue", 1),
        ("first_talk", "alarm", 1),
        ("first_talk", "warning", 2),
    ]
    assert counted[0].oldest == desk.now


# ------------------------------------------------------------------ letters without receipt
def test_a_letter_without_receipt_is_one_alarm_until_the_receipt_comes(store: Store) -> None:
    desk = Desk(store, NOW)
    letters = (outgoing("OUT1", wants_receipt=True, case_id="case-1"), outgoing("OUT2"))
    store.inbox.save([entry("one", outgoing=letters)], NOW)
    store.outbox.mark_sent([Sent(letter_id=f"OUT{n}", envelope_id=f"E{n}", at=NOW) for n in (1, 2)])
    desk.now = later(minutes=30)
    assert desk.ticker.step() == Tick()
    desk.now = later(minutes=31)
    (alarm,) = desk.ticker.step().raised
    assert (alarm.kind, alarm.subject, alarm.case_id, alarm.level) == ("receipt", "OUT1", "case-1", "overdue")
    assert (alarm.started_at, alarm.due_at) == (NOW, later(minutes=30))
    desk.now = later(hours=5)
    assert desk.ticker.step() == Tick()

    store.inbox.save([entry("receipt", settled=(Settled(letter_id="OUT1", verdict="delivered"),))], desk.now)
    assert told(desk.ticker.step().cleared) == ["receipt overdue"]
    assert desk.ticker.step() == Tick()
    assert store.alarms.open() == []


def test_a_change_of_the_case_does_not_end_a_letters_clock(desk: Desk) -> None:
    case_id = desk.refer(1)
    letter = outgoing("OUT1", wants_receipt=True, case_id=case_id, at=desk.now)
    desk.store.inbox.save([entry("one", outgoing=(letter,))], desk.now)
    desk.store.outbox.mark_sent([Sent(letter_id="OUT1", envelope_id="E1", at=desk.now)])
    assert told(desk.at("2026-11-16T10:00:00").raised) == ["receipt overdue"]
    desk.tell(case_id, "talk_held")
    assert desk.at("2026-11-16T10:00:10") == Tick()


# ------------------------------------------------------------------ several processes, no store
def test_of_several_processes_one_tells(store: Store, store_url: str) -> None:
    desk = Desk(store)
    cases = [desk.refer(number) for number in range(6)]
    desk.now += timedelta(days=30)
    ticks = _at_once(store_url, desk.now, 4)
    assert sorted(a.subject for tick in ticks for a in tick.raised) == sorted(cases)
    for case_id in cases:
        desk.tell(case_id, "talk_held")
    ticks = _at_once(store_url, desk.now, 4)
    assert sorted(a.subject for tick in ticks for a in tick.cleared) == sorted(cases)
    assert not any(tick.raised for tick in ticks)


def _at_once(url: str, now: datetime, count: int) -> list[Tick]:
    stores = [open_store(url) for _ in range(count)]
    gate, ticks = threading.Barrier(count), []

    def look(store: Store) -> None:
        gate.wait()
        ticks.append(Ticker(store, lambda: now, RULES).step())

    threads = [threading.Thread(target=look, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for store in stores:
        store.close()
    assert len(ticks) == count
    return ticks


def test_the_ticker_outlives_a_database_that_is_down_and_tells_in_ids(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = desk.refer(1)
    desk.now += timedelta(days=30)
    tick, calls = desk.store.alarms.tick, []

    def down_at_first(now: datetime, overdue: Iterator[Clock]) -> Tick:
        calls.append(now)
        if len(calls) == 1:
            raise StoreError("the database failed: OperationalError")
        ticker.stop()
        return tick(now, overdue)

    monkeypatch.setattr(desk.store.alarms, "tick", down_at_first)
    ticker = Ticker(desk.store, lambda: desk.now, RULES, every_s=0.01)
    with structlog.testing.capture_logs() as lines:
        ticker.run()
    assert [line["event"] for line in lines] == ["neighbour.down", "alarm.raised"]
    assert lines[1] == {
        "event": "alarm.raised",
        "log_level": "warning",
        "kind": "first_talk",
        "level": "overdue",
        "subject": case_id,
        "case": case_id,
        "due": "2026-11-30T22:59:59+00:00",
    }


# ------------------------------------------------------------------ 200 days
class Expected:
    """Independent of the database: what a look must tell, from the clocks of the cases as they are."""

    def __init__(self) -> None:
        self._levels: dict[tuple[str, str, datetime], str] = {}

    def look(self, cases: dict[str, Case], now: datetime) -> tuple[list[str], list[str]]:
        running = {(c.kind, c.subject, c.due_at): c for case in cases.values() for c in clocks(case, MUNICIPALITY)}
        cleared = [f"{key[0]} {key[1]} {level}" for key, level in self._levels.items() if key not in running]
        self._levels = {key: level for key, level in self._levels.items() if key in running}
        raised = []
        for key, clock in running.items():
            level = _level(clock, now)
            if level and self._levels.get(key) != level:
                self._levels[key] = level
                raised.append(f"{key[0]} {key[1]} {level}")
        return sorted(raised), sorted(cleared)


def _level(clock: Clock, now: datetime) -> str | None:
    times = (("overdue", clock.due_at), ("alarm", clock.alarm_at), ("warning", clock.warn_at))
    return next((name for name, moment in times if moment is not None and moment <= now), None)


#: what happens to the n-th case of six: (day after receipt, step)
_COURSES: tuple[tuple[tuple[int, str], ...], ...] = (
    ((5, "talk_held"), (8, "course_started"), (30, "course_completed"), (33, "closing_talk_held"), (110, "closed")),
    ((9, "talk_held"), (12, "course_started"), (40, "course_completed"), (41, "closing_talk_held")),
    ((13, "talk_held"), (20, "closed")),
    ((22, "course_started"),),
    ((4, "review_decided"), (10, "talk_held")),
    ((1, "returned"),),
)
_DIAGNOSES = {4: icpc("A97"), 5: icpc("T82")}


def test_200_days_with_summer_time_christmas_and_easter_and_a_restart_in_the_middle(store_url: str) -> None:
    start = datetime(2026, 10, 12, 9, 0, tzinfo=COPENHAGEN)
    expected, looks = Expected(), {"raised": 0, "cleared": 0}
    desk = Desk(open_store(store_url), start)
    other = open_store(store_url)
    plans: list[tuple[int, str, str]] = []
    for hour in range(0, 200 * 24, 8):
        desk.now = start + timedelta(hours=hour)
        day, number = divmod(hour, 24)[0], hour // 48
        if hour % 48 == 0:
            case_id = desk.refer(number, diagnoses=_DIAGNOSES.get(number % 6, sks("DE119")))
            plans += [(day + after, case_id, step) for after, step in _COURSES[number % 6]]
        for plan in [plan for plan in plans if plan[0] == day and hour % 24 == 8]:
            _play(desk, plan[1], plan[2])
        raised, cleared = expected.look(desk.cases, desk.now)
        tick = desk.ticker.step()
        assert (_in_words(tick.raised), _in_words(tick.cleared)) == (raised, cleared), desk.now
        looks["raised"] += len(raised)
        looks["cleared"] += len(cleared)
        if hour % 240 == 0:
            assert Desk(other, desk.now).ticker.step() == Tick()
        if hour == 2400:
            desk = _restarted(desk, store_url)
    assert looks["raised"] > 150
    assert looks["cleared"] > 80
    other.close()
    desk.store.close()


def _play(desk: Desk, case_id: str, step: str) -> None:
    now = desk.now
    period = {"period": {"start": now.isoformat(), "end": (now + timedelta(minutes=45)).isoformat()}}
    days = {"course_started": {"started": f"{now:%Y-%m-%d}"}, "course_completed": {"ended": f"{now:%Y-%m-%d}"}}
    times = period if step in {"talk_held", "closing_talk_held"} else {}
    desk.tell(case_id, step, **times, **days.get(step, {}))


def _restarted(desk: Desk, url: str) -> Desk:
    desk.store.close()
    again = Desk(open_store(url), desk.now)
    again.cases = desk.cases
    return again


def _in_words(alarms: Sequence[Alarm]) -> list[str]:
    return sorted(f"{alarm.kind} {alarm.subject} {alarm.level}" for alarm in alarms)
