"""The watch over receipts on the page: what waits, to whom, since when, what it means and what to do."""

import re
from datetime import timedelta

from gateway.console.receipt_wording import REFUSALS
from gateway.console.receipts import line_of
from gateway.errors import RefuseCode
from gateway.inbound.source import Delivery
from gateway.simulate.stories import recorded
from gateway.store.outbox import RETRY_AFTER
from tests.builders import CPR, NAME, SENDER_GLN, emessage
from tests.http.conftest import Site
from tests.http.sent_letters import (
    METADATA,
    MINUTES,
    answer,
    count_of,
    listed,
    look,
    main_of,
    posted,
    press,
    put,
    send_all,
    tile,
)
from tests.store.material import entry, outgoing


def test_without_letters_the_page_says_so_and_has_its_place_in_the_menu(site: Site) -> None:
    site.log_in()
    shown = main_of(site, "/receipts")
    assert "Ingen breve her." in shown
    assert '<p role="status">0 breve: venter på kvittering</p>' in shown
    assert '<a href="/receipts" aria-current="page">Kvitteringer</a>' in site.page("/receipts").text
    assert site.page("/receipts/unknown").status_code == 404


def test_a_letter_tells_to_whom_when_how_long_which_case_and_when_its_alarm_rings(site: Site) -> None:
    site.pipeline.handle_one(Delivery(data=emessage()))
    send_all(site)
    (case,) = site.store.past.cases()
    site.clock.forward(minutes=12)
    site.log_in(rights=METADATA)
    (letter_id,) = listed(site)
    for path in ("/receipts", f"/receipts/{letter_id}"):
        shown = main_of(site, path)
        for told in ("Lægehuset Prøvely", SENDER_GLN, f'href="/cases/{case.case_id}"', "23.11.2026 kl. 10:00"):
            assert told in shown
        assert "12 minutter" in shown
        assert re.search(r"ringer 23\.11\.(2026 kl\.)? 10:30", shown)
        assert "venter, inden for tiden" in shown
        assert not [word for word in (NAME, CPR, CPR[:6]) if word in shown]
    assert site.store.audit.latest(letter_id) == []


def test_an_overdue_letter_says_what_it_means_and_since_when_its_alarm_stands(site: Site) -> None:
    put(site, "OUT1")
    site.clock.forward(minutes=MINUTES + 1)
    site.log_in()
    assert "ringer om lidt" in main_of(site, "/receipts")
    look(site)
    site.clock.forward(minutes=5)
    shown = main_of(site, "/receipts")
    assert "alarm siden 23.11. 10:31" in shown
    assert "ingen kvittering i tide" in shown
    assert "Vi ved ikke, om brevet er nået frem." in shown
    assert "alarm siden 23.11.2026 kl. 10:31" in main_of(site, "/receipts/OUT1")


def test_times_are_danish_in_summer_too(site: Site) -> None:
    site.clock.now = site.clock.now.replace(month=7, day=1, hour=22, minute=30)
    put(site, "OUT1")
    assert "02.07.2026 kl. 00:30" in main_of(site.log_in(), "/receipts")


def test_the_longest_wait_stands_first_and_the_tile_counts_what_its_link_lists(site: Site) -> None:
    for letter_id in ("B", "A", "C"):
        put(site, letter_id)
        site.clock.forward(minutes=20)
    answer(site, "A")
    put(site, "D")
    site.log_in()
    assert listed(site) == ["B", "C", "D"]
    assert listed(site, "?state=late") == ["B"]
    assert listed(site, "?state=nonsense") == ["B", "C", "D"]
    link, number = tile(site)
    assert (link, number) == ("/receipts?state=late", "1")
    assert count_of(site, link.removeprefix("/receipts")) == "1 brev"
    site.clock.forward(minutes=60)
    link, number = tile(site)
    assert (number, count_of(site, link.removeprefix("/receipts"))) == ("3", "3 breve")


def test_a_receiver_is_chosen_by_its_number(site: Site) -> None:
    put(site, "OUT1")
    put(site, "OUT2", receiver="5790009992028")
    site.log_in()
    assert 'href="/receipts?state=waiting&receiver=5790009992028"' in main_of(site, "/receipts")
    assert listed(site, "?state=waiting&receiver=5790009992028") == ["OUT2"]
    assert listed(site, "?receiver=%205790009992028%20") == ["OUT2"]
    assert count_of(site, "?receiver=5790009992028") == "1 brev"
    assert "Ingen breve her." in main_of(site, "/receipts?receiver=1")


def test_pages_never_run_past_the_end(site: Site) -> None:
    put(site, *(f"OUT{n:03}" for n in range(101)))
    site.log_in()
    pages = [listed(site, f"?page={page}") for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [50, 50, 1]
    assert [*pages[0], *pages[1], *pages[2]] == [f"OUT{n:03}" for n in range(101)]
    assert listed(site, "?page=4") == listed(site, "?page=999999") == pages[2]
    assert listed(site, "?page=0") == listed(site, "?page=x") == pages[0]
    shown = main_of(site, "/receipts?page=99&receiver=" + SENDER_GLN)
    assert "side 3/3" in shown
    assert f'href="/receipts?state=waiting&receiver={SENDER_GLN}&page=2"' in shown
    assert "page=4" not in shown


def test_refused_letters_tell_the_reason_the_latest_first(site: Site) -> None:
    put(site, "OUT1", "OUT2")
    answer(site, "OUT1", "refused", "XCTL02 ukendt_lokationsnummer")
    site.clock.forward(minutes=1)
    answer(site, "OUT2", "refused", "XCTL02 syntaksfejl")
    site.log_in()
    assert listed(site) == []
    assert listed(site, "?state=refused") == ["OUT2", "OUT1"]
    shown = main_of(site, "/receipts?state=refused")
    assert "XCTL02 ukendt_lokationsnummer: modtagerens lokationsnummer er ukendt" in shown
    assert "XCTL02 syntaksfejl: modtageren kunne ikke læse brevet" in shown
    assert shown.count("tog ikke imod brevet") == 2


def test_every_refuse_code_has_its_words(site: Site) -> None:
    assert set(REFUSALS) == {code.value for code in RefuseCode}
    put(site, "OUT1")
    answer(site, "OUT1", "refused", "XCTL01")
    assert "XCTL01</small>" in main_of(site.log_in(), "/receipts/OUT1")


def test_what_came_back_delivered_needs_nothing(site: Site) -> None:
    put(site, "OUT1")
    answer(site, "OUT1")
    shown = main_of(site.log_in(), "/receipts/OUT1")
    assert "Der er intet at gøre." in shown
    assert "Send igen" not in shown


def test_what_is_not_sent_yet_waits_for_nothing(site: Site) -> None:
    letters = (outgoing("OUT1", wants_receipt=True), outgoing("OUT2", wants_receipt=True, draft=True))
    site.store.inbox.save([entry(outgoing=letters)], site.clock())
    site.log_in()
    assert listed(site) == []
    for letter_id in ("OUT1", "OUT2"):
        shown = main_of(site, f"/receipts/{letter_id}")
        assert "Brevet er ikke sendt endnu" in shown
        assert "<button" not in shown


def test_a_letter_that_went_unanswered_three_times_asks_for_the_telephone(site: Site) -> None:
    put(site, "OUT1")
    site.log_in()
    for _ in range(2):
        site.clock.forward(minutes=MINUTES + 1)
        press(site, "OUT1", posted(site, "OUT1"))
        send_all(site)
        shown = main_of(site, "/receipts")
        assert "Giv modtagerens system tid til at kvittere" in shown
        assert "Send igen</button>" not in shown
    site.clock.forward(minutes=MINUTES)
    shown = main_of(site, "/receipts")
    assert "Ring til modtageren" in shown
    assert "Send igen</button>" in shown
    assert "sendt igen 2 gange, senest 23.11. 11:02" in shown
    assert main_of(site, "/receipts/OUT1").count("kuvert KUV") == 3


def test_a_letter_that_no_transport_took_the_second_time_says_why(site: Site) -> None:
    put(site, "OUT1")
    site.log_in()
    press(site, "OUT1", posted(site, "OUT1"))
    for _ in range(len(RETRY_AFTER) + 1):
        site.store.outbox.mark_failed("OUT1", "GW-205 NO_ROUTE", site.clock())
    shown = main_of(site, "/receipts")
    assert "kunne ikke sendes igen" in shown
    assert "GW-205 NO_ROUTE" in shown
    assert "Send igen</button>" in shown


def test_the_page_speaks_english_too(site: Site) -> None:
    put(site, "OUT1")
    site.log_in().page("/language/en")
    shown = main_of(site, "/receipts")
    for told in ("Receipts", "waits for a receipt", "rings 23.11. 10:30", "The receiver's system still has time."):
        assert told in shown
    shown += main_of(site, "/receipts/OUT1")
    assert "Send again</button>" in shown
    for word in ("Modtager", "Hvad", "kvittering"):
        assert word not in shown


def test_the_recorded_messages_all_stand_in_the_watch(site: Site) -> None:
    site.pipeline.handle([Delivery(data=data) for data in recorded().values()])
    send_all(site)
    site.clock.forward(minutes=MINUTES + 1)
    look(site)
    site.log_in()
    (alarms,) = (a for a in site.store.overview.numbers(site.clock()).alarms if a.kind == "receipt")
    assert int(tile(site)[1]) == alarms.count == len(listed(site)) == len(listed(site, "?state=late"))


def test_a_wait_exactly_as_long_as_the_limit_has_run_out(site: Site) -> None:
    put(site, "OUT1")
    row = site.store.receipts.find("OUT1")
    assert row is not None
    limit = timedelta(minutes=MINUTES)
    states = [line_of(row, site.clock() + limit + timedelta(seconds=n), limit).state for n in (-1, 0, 1)]
    assert states == ["fresh", "late", "late"]
