"""The log of acts on the page: who did what when, for whoever administers; looking at it is written down in it."""

import csv
import re
from datetime import UTC, datetime
from html import unescape

import pytest

from gateway.store.accounts import Right
from gateway.store.audit import Act
from tests.http.conftest import Site

ADMINISTERS = frozenset({Right.ADMINISTER})
CASE = "5b0f3c5e-0000-4000-8000-000000000001"


def do(site: Site, who: str, what: str, subject: str = "", why: str = "") -> None:
    site.store.audit.write(Act(who=who, what=what, subject=subject, why=why), site.clock())


def listed(site: Site, query: str = "") -> list[tuple[str, str]]:
    """(who, act) of a page, from the top."""
    shown = unescape(site.page(f"/audit{query}").text)
    return re.findall(r'<td data-label="Bruger">([^<]*)</td>\s*<td data-label="Handling">([^<]*)</td>', shown)


def lines(site: Site, query: str = "") -> list[list[str]]:
    answer = site.client.get(f"/audit.csv{query}")
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.reader(answer.text.splitlines(), delimiter=";"))


def test_the_latest_act_stands_first_and_that_one_looks_is_written_down(site: Site) -> None:
    do(site, "bo", "case.seen", CASE)
    do(site, "ida", "letter.resent", "OUT1")
    site.log_in(rights=ADMINISTERS)
    expected = [("signe", "logget ind"), ("ida", "brev sendt igen"), ("bo", "forløb set")]
    assert listed(site) == expected
    assert listed(site) == [("signe", "loggen set"), *expected]
    shown = site.page("/audit").text
    for address in (f"/cases/{CASE}", "/receipts/OUT1"):
        assert f'href="{address}"' in shown
    assert "23.11.2026 kl. 10:00" in shown


def test_the_log_takes_the_right_to_administer_and_no_other(site: Site) -> None:
    site.log_in(rights=frozenset(Right) - ADMINISTERS)
    for path in ("/audit", "/audit.csv"):
        assert site.page(path).status_code == 403
    assert 'href="/audit"' not in site.page("/").text
    assert [row.what for row in site.store.audit.latest()] == ["login"]
    site.log_in("bo")
    assert 'href="/audit"' in site.page("/").text
    site.client.cookies.clear()
    assert site.page("/audit", follow_redirects=False).headers["location"].startswith("/login")


def test_acts_are_chosen_by_user_act_and_danish_day(site: Site) -> None:
    site.clock.now = datetime(2026, 11, 22, 22, 59, tzinfo=UTC)
    do(site, "ida", "case.seen", CASE)
    site.clock.forward(minutes=2)  # past midnight in Denmark
    do(site, "ida", "parked.replayed", "p1")
    do(site, "bo", "case.seen", CASE)
    site.clock.forward(days=1)
    site.log_in(rights=ADMINISTERS)
    assert listed(site, "?who=ida") == [("ida", "genafspillet"), ("ida", "forløb set")]
    assert listed(site, "?what=case.seen") == [("bo", "forløb set"), ("ida", "forløb set")]
    assert listed(site, "?day=2026-11-22") == [("ida", "forløb set")]
    assert listed(site, "?day=2026-11-23&who=bo&what=case.seen") == [("bo", "forløb set")]
    assert listed(site, "?who=nobody") == []
    assert "Ingen har gjort det." in site.page("/audit?who=nobody").text
    assert len(listed(site, "?day=yesterday")) == len(listed(site)) - 1
    assert site.page("/audit?day=9999-12-31").status_code == 200


def test_pages_stand_still_while_one_turns_them_and_never_run_past_the_end(site: Site) -> None:
    for number in range(250):
        do(site, f"user {number:03}", "case.seen", CASE)
    site.log_in(rights=ADMINISTERS)
    shown = unescape(site.page("/audit").text)
    (older,) = re.findall(r'href="/audit(\?until=\d+&page=2)"', shown)
    assert [who for who, _ in listed(site)][1] == "signe"
    second = [who for who, _ in listed(site, older)]
    assert second == [f"user {number:03}" for number in range(150, 50, -1)]
    assert listed(site, older) == [(who, "forløb set") for who in second]
    last = [who for who, _ in listed(site, older.replace("page=2", "page=99"))]
    assert last == [f"user {number:03}" for number in range(50, -1, -1)]
    assert len(listed(site, "?until=99999999999999999999")) == 100
    assert site.page("/audit?until=x&page=-1").status_code == 200


def test_what_people_wrote_takes_the_right_to_content_and_is_in_no_file(site: Site) -> None:
    do(site, "ida", "case.cpr_seen", CASE, why="ringer til Kai")
    site.log_in(rights=ADMINISTERS)
    assert "Kai" not in site.page("/audit").text
    site.log_in("bo", rights=frozenset({Right.ADMINISTER, Right.CONTENT}))
    assert "«ringer til Kai»" in site.page("/audit").text
    assert "Kai" not in site.client.get("/audit.csv").text


def test_the_file_holds_every_act_that_was_asked_for_and_is_written_down(site: Site) -> None:
    for number in range(2001):
        do(site, "ida", "case.seen", f"case {number}")
    do(site, "=cmd()", "login.failed")
    site.log_in(rights=ADMINISTERS)
    head, *rows = lines(site)
    assert head == ["tidspunkt", "hvem", "handling", "handling i ord", "hvad det gjaldt"]
    assert len(rows) == 2003
    assert rows[0] == ["2026-11-23 10:00:00", "signe", "login", "logget ind", ""]
    assert rows[1][1:3] == ["'=cmd()", "login.failed"]
    assert [row[4] for row in rows[2:]] == [f"case {number}" for number in range(2000, -1, -1)]
    assert len(lines(site, "?what=audit.fetched")) == 2
    assert lines(site, "?who=nobody") == [head]


@pytest.mark.parametrize("query", ["?who=0102031234", "?what=0102031234", "?day=0102031234"])
def test_what_was_looked_for_is_not_written_down(site: Site, query: str) -> None:
    site.log_in(rights=ADMINISTERS).page(f"/audit{query}")
    (row, *_) = site.store.audit.latest()
    assert (row.what, row.subject, row.why) == ("audit.seen", "", "")


def test_the_page_speaks_english_too(site: Site) -> None:
    site.log_in(rights=ADMINISTERS).page("/language/en")
    shown = site.page("/audit").text
    for told in ("Who did what", "log seen", "logged in", "Get as CSV"):
        assert told in shown
