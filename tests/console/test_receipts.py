"""What people do about letters that nobody receipted, done in a browser at the end of the day; the relay sends them."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from gateway.store.receipts import Watch, Watched
from tests.builders import xctl
from tests.console.conftest import Town, picture, tab_to
from tests.console.day import ISHOEJ
from tests.console.test_deciding import acts

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.broker]
ONCE_MORE = [("ida", "letter.resent", "")]


def overdue(town: Town) -> Watch:
    return Watch(waits_since_before=town.clock() - timedelta(minutes=ISHOEJ.clocks.receipt_minutes))


def times(town: Town, letter: Watched) -> int:
    """How often it has gone, once everything that is to go has gone."""
    town.settle()
    return len(town.store.receipts.sendings(letter.letter_id))


def button(page: Page, letter: Watched) -> None:
    page.get_by_role("button", name=f"Send igen: {letter.letter_id}").click()


def test_the_overview_leads_to_as_many_letters_as_it_counts(ida: Page, town: Town) -> None:
    ida.goto(town.url)
    tile = ida.locator('.tiles a[href="/receipts?state=late"]')
    counted = int(tile.inner_text())
    assert counted == town.store.receipts.count(overdue(town))
    tile.click()
    expect(ida.get_by_role("status")).to_have_text(f"{counted} breve: kvitteringen er over tiden")
    expect(ida.locator(".watch tbody tr")).to_have_count(counted)
    expect(ida.locator(".watch tbody b", has_text="alarm siden")).to_have_count(counted)
    listed = [link.inner_text() for link in ida.locator(".watch tbody th a").all()]
    assert listed == [row.letter_id for row in town.store.receipts.rows(overdue(town), 50)]


def test_a_letter_is_sent_again_by_keyboard_alone(ida: Page, town: Town) -> None:
    letter = town.take_unanswered(overdue(town))
    ida.goto(town.url)
    tab_to(ida, '.tiles a[href="/receipts?state=late"]')
    ida.keyboard.press("Enter")
    expect(ida.get_by_role("heading", name="Kvitteringer")).to_be_visible()
    tab_to(ida, f'button[aria-label="Send igen: {letter.letter_id}"]')
    ida.keyboard.press("Enter")
    expect(ida.get_by_role("alert")).to_have_text("Brevet sendes igen i en ny kuvert.")
    picture(ida, "receipt-again")
    assert times(town, letter) == letter.times + 1
    assert acts(town, letter.letter_id) == ONCE_MORE
    ida.goto(f"{town.url}/receipts")
    row = ida.locator("tr", has=ida.locator(f'a[href="/receipts/{letter.letter_id}"]'))
    expect(row).to_contain_text("sendt igen 1 gang")
    expect(row).to_contain_text("alarm siden")


def test_a_remark_is_kept_with_the_act(ida: Page, town: Town) -> None:
    letter = town.take_unanswered(overdue(town))
    ida.goto(f"{town.url}/receipts?state=late")
    ida.get_by_role("link", name=letter.letter_id).click()
    ida.get_by_label("Bemærkning (kan udelades)").fill("lægen har ringet")
    ida.get_by_role("button", name="Send igen").click()
    expect(ida.locator(".acts").last).to_contain_text("ida: brev sendt igen: «lægen har ringet»")
    assert times(town, letter) == letter.times + 1


def test_a_double_click_and_two_people_send_a_letter_once(browser: Browser, ida: Page, town: Town) -> None:
    letter = town.take_unanswered(overdue(town))
    bo = town.person(browser, "bo").new_page()
    for page in (ida, bo):
        page.goto(f"{town.url}/receipts/{letter.letter_id}")
    ida.get_by_role("button", name="Send igen").dblclick()
    expect(ida.get_by_role("alert")).to_have_text("Brevet sendes igen i en ny kuvert.")
    bo.get_by_role("button", name="Send igen").click()
    expect(bo.get_by_role("alert")).to_contain_text("Ikke sendt en gang til")
    bo.context.close()
    assert times(town, letter) == letter.times + 1
    assert acts(town, letter.letter_id) == ONCE_MORE


def test_a_receipt_that_comes_while_one_looks_keeps_the_letter_back(ida: Page, town: Town) -> None:
    letter = town.take_unanswered(overdue(town), "XDIS91")  # that is what an XCTL03 answers
    ida.goto(f"{town.url}/receipts?state=late")
    envelope = town.store.receipts.sendings(letter.letter_id)[-1].envelope_id
    town.put("kvittering.xml", xctl("XCTL03", letter.letter_id, answers=envelope))
    town.settle()
    button(ida, letter)
    expect(ida.get_by_role("alert")).to_contain_text("kvitteringen nåede at komme")
    picture(ida, "receipt-came")
    assert (times(town, letter), acts(town, letter.letter_id)) == (letter.times, [])


def test_a_refused_letter_is_sent_again_and_waits_anew(ida: Page, town: Town) -> None:
    letter = town.take_unanswered(Watch(refused=True))
    ida.goto(f"{town.url}/receipts?state=refused")
    expect(ida.locator("main")).to_contain_text("tog ikke imod brevet")
    button(ida, letter)
    expect(ida.get_by_role("alert")).to_have_text("Brevet sendes igen i en ny kuvert.")
    assert times(town, letter) == letter.times + 1
    now = town.store.receipts.find(letter.letter_id)
    assert now is not None
    assert (now.verdict, now.waits_since) == (None, now.sent_at)


def test_one_receivers_letters_are_chosen(ida: Page, town: Town) -> None:
    (first, *_) = town.store.receipts.rows(Watch(), 1)
    ida.goto(f"{town.url}/receipts")
    ida.get_by_label("Modtagers lokationsnummer").fill(first.receiver)
    ida.keyboard.press("Enter")
    count = town.store.receipts.count(Watch(receiver=first.receiver))
    assert count < town.store.receipts.count(Watch())
    expect(ida.locator(".watch tbody tr")).to_have_count(count)
