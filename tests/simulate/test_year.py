"""A scripted year: 400 simulated referrals and everything the teams tell, through the real store (SQLite)."""

import math
import statistics as figures_of
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from fsiii import NIKOTIN_OG_TOBAKSAFVAENNING, care_social_codes
from gateway.referral.case import Case, State
from gateway.referral.letters import FHIR, Outgoing, Payload
from gateway.referral.statistics import statistics
from gateway.referral.workdays import COPENHAGEN
from gateway.simulate.carriers import sent_at
from gateway.simulate.messages import Message
from gateway.simulate.referrals import Drawn
from gateway.store.store import open_store
from tests.reference import check_with_medcom, own_violations
from tests.simulate.year import ISHOEJ, REFERRALS, Year, as_sent, told

pytestmark = pytest.mark.xdist_group("year")
#: long after the last step of the last course
AS_OF = date(2028, 1, 1)
#: where a case may come to rest; the last one waits for a doctor's referral
RESTING = {
    State.COURSE_COMPLETED, State.CLOSING_TALK_HELD, State.FOLLOW_UP, State.CLOSED, State.NOT_REACHED,
    State.DECLINED_BY_CITIZEN, State.STOPPED, State.RETURNED, State.REFERRAL_REQUESTED,
}  # fmt: skip


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Year]:
    with open_store(f"sqlite:///{tmp_path_factory.mktemp('year')}/gateway.sqlite3") as store:
        played = Year(store)
        played.play()
        yield played


@pytest.fixture(scope="module")
def cases(year: Year) -> dict[str, Case]:
    return {case.case_id: case for case in year.store.past.cases()}


# ------------------------------------------------------------------ the cases
def test_every_referral_has_its_case_and_every_case_comes_to_rest(year: Year, cases: dict[str, Case]) -> None:
    assert len(year.referrals) == REFERRALS
    assert set(cases) == set(year.referrals)
    assert {case.state for case in cases.values()} <= RESTING
    assert len({case.state for case in cases.values()}) >= 8, "a year has every kind of end"


def test_a_referral_that_was_asked_for_goes_on_in_its_case(year: Year, cases: dict[str, Case]) -> None:
    assert len(year.helped) >= 2
    for case_id, doctors in year.helped.items():
        case = cases[case_id]
        assert case.referral.letter_id == doctors.referral.letter_id
        assert [earlier.referral.sender.identifier_code for earlier in case.earlier] != ["ydernummer"]
        assert case.state is not State.REFERRAL_REQUESTED
    waiting = [case for case in cases.values() if case.state is State.REFERRAL_REQUESTED]
    assert waiting, "not every doctor writes"


def test_every_event_is_in_the_history_of_its_case(year: Year, cases: dict[str, Case]) -> None:
    stored = sorted((case.case_id, event.event_id) for case in cases.values() for event in case.events)
    assert stored == sorted((event.case_id, event.id) for event in year.events)
    assert len(year.events) > 2000


# ------------------------------------------------------------------ the letters
def is_discharge_note(letter: Outgoing) -> bool:
    return letter.kind == "XDIS15" or "Afslutningsnotat" in letter.content.decode()


def test_every_case_that_was_taken_on_and_ended_has_one_discharge_note_per_receiver(
    year: Year, cases: dict[str, Case]
) -> None:
    notes = Counter((x.case_id, x.receiver) for x in year.letters if is_discharge_note(x))
    never_taken_on = {State.RETURNED, State.REFERRAL_REQUESTED}
    expected = Counter[tuple[str | None, str]]()
    for case in (case for case in cases.values() if case.state not in never_taken_on):
        expected[case.case_id, case.referral.sender_gln] += 1
        if case.referral.answer_cc is not None:
            expected[case.case_id, ISHOEJ.addresses[case.referral.answer_cc.identifier or ""]] += 1
    assert notes == expected
    assert len(notes) > 350
    assert set(notes.values()) == {1}
    assert {gln for _, gln in notes} > set(ISHOEJ.addresses.values()), "copies too"


def test_every_letter_is_valid_by_our_schemas_and_medcoms(year: Year, shared: Path, tmp_path: Path) -> None:
    sent = [as_sent(letter) for letter in year.letters if letter.payload not in FHIR]
    assert [own_violations(data) for data in sent if not data.startswith(b"{")] == [[]] * len(sent)
    xml = [data for data in sent if data.startswith(b"<")]
    assert len(xml) > 600
    check_with_medcom(shared, tmp_path, xml)


@pytest.mark.parametrize("name", ["Acknowledgement", "CareCommunication"])
def test_every_fhir_message_follows_its_profiles(year: Year, shared: Path, tmp_path: Path, name: str) -> None:
    lines = [as_sent(x, Payload.FHIR_JSON) for x in year.letters if x.kind == name]
    assert len(lines) > 70
    file = tmp_path / "messages.jsonl"
    file.write_bytes(b"\n".join(lines))
    command = [sys.executable, str(shared / "tools" / "check-fhir"), "--set", name.lower(), str(file)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.stdout.splitlines()[-1] == f"{len(lines)} resources, 0 issues", result.stdout[:2000]


# ------------------------------------------------------------------ the statistics, counted a second time
def month_of(moment: datetime) -> str:
    return f"{moment.astimezone(COPENHAGEN):%Y-%m}"


class Recount:
    """The same figures from what was sent and what the teams said; shares no code with ``statistics``."""

    def __init__(self, year: Year) -> None:
        self.counts: Counter[tuple[str, str, str]] = Counter()
        self.waits: dict[str, list[int]] = defaultdict(list)
        self.overdue: Counter[str] = Counter()
        said: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for event in year.events:
            said[event.case_id].append(told(event))
        for case_id, message in year.referrals.items():
            self.referral(message, said[case_id], year.helped.get(case_id))
        for event in (e for events in said.values() for e in events):
            self.step(event)

    def add(self, month: str, measure: str, group: str = "") -> None:
        self.counts.update({(month, measure, group): 1, (month[:4], measure, group): 1})

    def referral(self, message: Message, said: list[dict[str, Any]], helped: Drawn | None) -> None:
        matter, month = message.drawn.matter, month_of(sent_at(message.drawn))
        decided = [e["programmes"] for e in said if e["type"] == "review_decided"]
        programmes = decided[-1] if decided else matter.programmes
        self.add(month, "received")
        if "NOT_OFFERED" in matter.reasons and not programmes:
            self.add(month, "not_offered")
            return
        self.add(month, "low_back" if list(programmes) == ["low_back"] else "relevant")
        self.add(month, "outcome", "accepted" if helped else matter.outcome)
        for programme in programmes or ["none"]:
            self.add(month, "programme", programme)
        kind = message.drawn.sender.kind
        in_fhir = message.carrier.payload in FHIR
        self.add(month, "referrer", "unknown" if kind == "hospital" and in_fhir else kind)
        left = {e["assignment"] for e in said if e["type"] == "reassigned"}
        for team in {e["team"] for e in said if e.get("assignment") not in left}:
            self.add(month, "team", team)
        self.wait(helped or message.drawn, said, month)

    def wait(self, since: Drawn, said: list[dict[str, Any]], month: str) -> None:
        talks = [datetime.fromisoformat(e["period"]["start"]) for e in said if e["type"] == "talk_held"]
        days = [talk.astimezone(COPENHAGEN).date() for talk in talks]
        days += [date.fromisoformat(e["started"]) for e in said if e["type"] == "course_started"]
        received = sent_at(since).astimezone(COPENHAGEN).date()
        for period in (month, month[:4]):
            if days:
                self.waits[period].append((min(days) - received).days)
            elif said[-1]["type"] == "referral_requested":
                self.overdue[period] += 1
        if not days and said[-1]["type"] == "referral_requested":
            self.add(month, "still_waiting")

    def step(self, event: dict[str, Any]) -> None:
        kind = event["type"]
        if kind == "course_started":
            self.add(event["started"][:7], "course_started")
            if NIKOTIN_OG_TOBAKSAFVAENNING in event["interventions"]:
                self.add(event["started"][:7], "nicotine_course", event["delivery"])
        elif kind == "course_completed":
            self.add(event["ended"][:7], "course_completed")
        elif kind == "stopped":
            month = month_of(datetime.fromisoformat(event["occurred"]))
            self.add(month, "stopped")
            self.add(month, "stop_reason", care_social_codes("stop_reason")[event["stop_reason"]].display)

    def all(self) -> dict[tuple[str, str, str], float]:
        found: dict[tuple[str, str, str], float] = dict(self.counts)
        for period in self.waits:
            days = sorted(self.waits[period])
            ninety = next(d for d in days if sum(other <= d for other in days) >= math.ceil(0.9 * len(days)))
            in_time = 100 * sum(d <= 14 for d in days) / (len(days) + self.overdue[period])
            found[period, "waited", ""] = len(days)
            found[period, "wait_median", ""] = figures_of.median(days)
            found[period, "wait_p90", ""] = ninety
            found[period, "wait_in_time", ""] = round(in_time, 1)
        return found


def test_the_statistics_are_what_the_events_add_up_to(year: Year, cases: dict[str, Case]) -> None:
    counted = statistics(cases.values(), ISHOEJ, AS_OF)
    assert {(f.period, f.measure, f.group): f.value for f in counted} == Recount(year).all()
    measures = {f.measure for f in counted if f.period == "2026"}
    assert len(measures) == 18, "every measure occurs in a year"
    assert [f.value for f in counted if (f.period, f.measure) == ("2026", "received")] == [REFERRALS]
