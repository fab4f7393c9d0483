"""What simulated cases showed on the page and hand-made ones had not: order, wording, empty columns, broken words."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from gateway.console.wording import EVENTS, QUEUE_PURPOSES, STATES
from gateway.referral.case import State
from gateway.store.board import Filter
from tests.console.conftest import Town

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.broker]
#: a page says the same whatever store it is read from
ONE = pytest.mark.parametrize("town", ["embedded"], indirect=True)


#: words that the browser has set on two lines
_BROKEN = """table => {
  const broken = [], walker = document.createTreeWalker(table, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    for (const word of walker.currentNode.data.matchAll(/[^\\s-]+/g)) {
      const range = document.createRange();
      range.setStart(walker.currentNode, word.index);
      range.setEnd(walker.currentNode, word.index + word[0].length);
      if (range.getClientRects().length > 1) broken.push(word[0]);
    }
  }
  return broken;
}"""


def texts(page: Page, selector: str) -> list[str]:
    return page.locator(selector).all_inner_texts()


@ONE
def test_danger_comes_before_what_is_merely_old(ida: Page, town: Town) -> None:
    case = town.long_named(State.FOR_REVIEW)
    assert "URGENT" in case.decision.reasons
    ida.goto(town.url)
    alarms = texts(ida, 'section[aria-labelledby="alarms-title"] li')
    assert alarms[0].startswith("1 × haster: vurdering mangler")
    named = next(line for line in alarms if re.match("[0-9a-f]{8} ", line))
    assert named.startswith(f"{case.case_id[:8]} haster")
    overdue = [("overskredet" in line) for line in alarms[1 : alarms.index(named)]]
    assert overdue == sorted(overdue, reverse=True)
    ida.goto(f"{town.url}/board")
    assert texts(ida, ".board th b") == ["haster"]
    expect(ida.locator(".board tr", has_text="haster")).to_contain_text(case.case_id[:8])
    ida.goto(f"{town.url}/cases/{case.case_id}")
    expect(ida.locator(".notice")).to_contain_text("Haster: se på henvisningen i dag")
    ida.goto(f"{town.url}/cases/{town.long_named(State.DRAFTED_RETURN).case_id}")
    expect(ida.locator(".notice")).to_have_count(0)


@ONE
def test_the_overview_is_in_order_and_in_danish(ida: Page, town: Town) -> None:
    ida.goto(town.url)
    (told,) = texts(ida, 'section[aria-labelledby="states-title"] p')
    shown = [part.rstrip("0123456789 ") for part in told.split(" · ")]
    assert shown == [name for name in STATES.values() if name in shown]
    drafts = sum(case.state is State.DRAFTED_RETURN for case in town.cases())
    expect(ida.locator(".tiles")).to_contain_text(f"heraf svar til godkendelse: {drafts}")
    latency = texts(ida, "figcaption")[1]
    assert re.search(r"højest \d+,\d s", latency)
    assert texts(ida, 'section[aria-labelledby="queues-title"] th[scope="col"]') == ["Mappe", "Venter", "Ældste"]
    assert set(texts(ida, 'section[aria-labelledby="queues-title"] th small')) <= set(QUEUE_PURPOSES.values())


@pytest.mark.parametrize("town", ["neighbours"], indirect=True)
def test_every_queue_tells_what_it_is_for(ida: Page, town: Town) -> None:
    ida.goto(town.url)
    rows = texts(ida, 'section[aria-labelledby="queues-title"] tbody th')
    prefix = town.service.settings.amqp_prefix
    told = {name.removeprefix(prefix): purpose for name, _, purpose in (row.partition("\n") for row in rows)}
    assert told == {
        "referrals.in": QUEUE_PURPOSES["in"],
        "team-events.in": QUEUE_PURPOSES["events"],
        **{
            f"{o}.retry.{w}": QUEUE_PURPOSES["retry"]
            for o in ("referrals", "team-events")
            for w in ("10s", "1m", "10m")
        },
        "referrals.parked": QUEUE_PURPOSES["net"],
        "medcom.out": QUEUE_PURPOSES["out"],
        "team.sundhedskonsulenter": QUEUE_PURPOSES["team"],
        "team.genoptraening-ishoej": QUEUE_PURPOSES["team"],
    }


@ONE
def test_the_board_tells_the_programme_and_breaks_no_word(ida: Page, town: Town) -> None:
    ida.goto(f"{town.url}/board?programme=copd")
    rows = ida.locator(".board tbody th").all_inner_texts()
    assert len(rows) == town.store.board.count(Filter(programme="copd"))
    assert all("KOL" in row for row in rows)
    ida.goto(f"{town.url}/board")
    assert ida.locator(".board").evaluate(_BROKEN) == []


@ONE
def test_a_case_speaks_danish_and_not_the_standards_names(ida: Page, town: Town) -> None:
    for state in (State.FOR_REVIEW, State.DRAFTED_RETURN, State.ACCEPTED):
        case = town.long_named(state)
        ida.goto(f"{town.url}/cases/{case.case_id}")
        shown = ida.locator("main").inner_text()
        assert not [
            word for word in ("Anamnesis", "seed 0", "decision.md", "interpretation", "henviserVis") if word in shown
        ]
        assert "Anamnese" in shown
        first = ida.locator(".timeline li").first.inner_text()
        assert f"henvisning modtaget fra henviser (XREF15, brev {case.referral.letter_id})" in first
        assert "opgave til team" not in shown
    in_fhir = next(case for case in town.cases() if case.referral.message_type == "ServiceRequest")
    ida.goto(f"{town.url}/cases/{in_fhir.case_id}")
    headings = texts(ida, 'section[aria-labelledby="referral-title"] h3')
    assert headings
    assert not {"code", "note"} & set(headings)


@ONE
def test_what_is_over_is_not_told_as_agreed(ida: Page, town: Town) -> None:
    held = next(c for c in town.cases() if c.state is State.CLOSED and any(a.booked_for for a in c.assignments))
    ida.goto(f"{town.url}/cases/{held.case_id}")
    expect(ida.locator(".timeline")).to_contain_text(EVENTS["talk_booked"])
    assert "aftalt til" not in "".join(texts(ida, 'section[aria-labelledby="tasks-title"] li'))
    booked = next(c for c in town.cases() if c.state is State.TALK_BOOKED)
    ida.goto(f"{town.url}/cases/{booked.case_id}")
    assert "aftalt til" in "".join(texts(ida, 'section[aria-labelledby="tasks-title"] li'))


@ONE
def test_a_proposal_says_what_it_is_and_more_tasks_are_folded_away(ida: Page, town: Town) -> None:
    case = town.long_named(State.FOR_REVIEW)
    ida.goto(f"{town.url}/cases/{case.case_id}")
    proposed = case.assignments[0].intervention
    assert proposed is not None
    expect(ida.get_by_text(f"Forslag: lænderygbesvær; {proposed.display} (Genoptræning Ishøj)")).to_be_visible()
    expect(ida.locator("#t-1")).to_be_hidden()
    ida.get_by_text("Flere opgaver").click()
    expect(ida.locator("#t-1")).to_be_visible()


@ONE
def test_a_teams_event_is_called_that_where_it_is_parked(ida: Page, town: Town) -> None:
    (item, *_) = (row for row in town.store.overview.parked_items() if row.fault_id == "GW-161")
    ida.goto(f"{town.url}/parked")
    row = ida.locator("tr", has=ida.locator(f'a[href="/parked/{item.id}"]'))
    expect(row).to_contain_text(f"hændelse {item.letter_id}")
    expect(row).to_contain_text("et team")
    expect(row).to_contain_text("Er henvisningen kommet siden, så genafspil hændelsen")
    moments = [r.parked_at for r in town.store.overview.parked_items()]
    assert moments == sorted(moments)
    expect(ida.get_by_role("status")).to_contain_text("ældste først")


@ONE
def test_lists_have_no_empty_cells_and_lead_to_no_empty_lists(ida: Page, town: Town) -> None:
    ida.goto(f"{town.url}/statistics")
    assert "" not in [cell.strip() for cell in texts(ida, "tbody td")]
    ida.goto(f"{town.url}/senders")
    linked = set(texts(ida, "tbody th a"))
    faulty = {
        sender
        for sender, counts in town.store.trends.senders(town.clock() - timedelta(days=90)).items()
        if set(counts) - {""}
    }
    assert linked
    assert linked == faulty - {""}
