"""Senders and statistics: counts without person data; alarms on the overview."""

import time
from datetime import timedelta

import pytest

from gateway.console.kept import Kept
from gateway.console.senders import quality
from gateway.console.statistics import Counting
from gateway.errors import StoreError
from gateway.inbound.source import Delivery
from gateway.referral.statistics import Figure
from gateway.simulate.stories import recorded
from tests.http.conftest import Site
from tests.http.test_health import persons


@pytest.fixture
def busy(site: Site) -> Site:
    site.pipeline.handle([Delivery(data=data) for data in recorded().values()])
    return site.log_in()


def test_a_sender_is_shown_with_faults_and_a_text_for_the_supplier(busy: Site) -> None:
    shown = busy.page("/senders").text
    assert "MedCom-kode syntaksfejl" in shown
    assert 'href="/parked?sender=5790009991014"' in shown
    assert not [name for name in persons() if name in shown]


def test_the_shares_add_up(busy: Site) -> None:
    found = busy.store.trends.senders(busy.clock() - timedelta(days=1))
    assert sum(sum(counts.values()) for counts in found.values()) == 18
    row = quality("5790009991014", {"": 7, "GW-102": 1, "GW-140": 2}, busy.clock())
    assert (row.messages, row.faulty, row.share, row.faults[0]) == (10, 3, 30.0, ("GW-140", 2))
    assert "3 af dem (30,0 %) kunne ikke behandles:" in row.text
    assert quality("1", {"": 7}, busy.clock()).text == quality("", {"GW-101": 1}, busy.clock()).text == ""


def test_empty_pages_say_so(site: Site) -> None:
    site.log_in()
    assert "Der er endnu ingen beskeder." in site.page("/senders").text
    assert "Der er endnu ingen forløb." in site.page("/statistics").text


def test_statistics_are_shown_plotted_and_fetched(busy: Site) -> None:
    shown = busy.page("/statistics?year=x").text
    assert "Henvisninger modtaget" in shown
    assert "<rect" in shown
    file = busy.page("/statistics.csv")
    assert file.headers["content-type"].startswith("text/csv")
    assert "received" not in file.text
    assert "Henvisninger modtaget" in file.text
    assert not [name for name in persons() if name in shown + file.text]


def test_while_it_is_counted_the_page_says_so(busy: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Counting, "look", lambda _: None)
    assert "Tæller alle forløb." in busy.page("/statistics").text
    assert busy.page("/statistics.csv").status_code == 503


def test_it_is_counted_once_and_a_failure_is_tried_again() -> None:
    tries: list[int] = []

    def count() -> tuple[Figure, ...]:
        tries.append(1)
        if len(tries) == 1:
            raise StoreError("gone")
        return (Figure(period="2026", measure="received", value=1),)

    counting = Counting(count)
    assert counting.look() is None
    assert counting.look() == counting.look()
    assert len(tries) == 2


def test_alarms_stand_on_the_overview(busy: Site) -> None:
    assert "Alarmer" not in busy.page("/").text
    busy.clock.forward(days=15)
    busy.store.alarms.tick(busy.clock())
    shown = busy.log_in("bo").page("/").text
    assert "første samtale ikke holdt: fristen er overskredet" in shown
    assert 'href="/cases/' in shown


def test_what_is_kept_is_worked_out_anew_when_it_is_old() -> None:
    values = iter(range(9))
    kept: Kept[int] = Kept(0.05)
    assert [kept.get(lambda: next(values)) for _ in range(2)] == [0, 0]
    time.sleep(0.06)
    assert kept.get(lambda: next(values)) == 1
