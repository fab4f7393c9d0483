"""Everyone can use every page: axe sees no WCAG 2.1 A/AA violation, in light and dark; no sideways scroll at 320 px."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from gateway.referral.case import State
from gateway.store.board import Filter
from gateway.store.receipts import Watch
from tests.console.conftest import Town, picture

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.broker]
#: a page looks the same whatever store it is read from
ONE = pytest.mark.parametrize("town", ["embedded"], indirect=True)
_WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}


def long_named(town: Town, state: State) -> str:
    return f"/cases/{town.long_named(state).case_id}"


def one_parked(town: Town, fault_id: str) -> str:
    return f"/parked/{next(row.id for row in town.store.overview.parked_items() if row.fault_id == fault_id)}"


def pages(town: Town) -> dict[str, str]:
    """Every page by a name for its picture."""
    closed, running = (
        next(f"/cases/{case.case_id}" for case in town.cases() if case.state is state)
        for state in (State.CLOSED, State.COURSE_STARTED)
    )
    dossier = town.store.dossiers.find(closed.removeprefix("/cases/"))
    assert dossier is not None
    letters = {went.kind: went.letter_id for went in dossier.went}
    refused = one_parked(town, "GW-125")
    unanswered = town.store.receipts.rows(Watch(), 1)[0].letter_id
    return {
        "overview": "/",
        "board": "/board",
        "board-second": "/board?page=2",
        "board-late": "/board?late=1",
        "board-none": "/board?team=x",
        "parked": "/parked",
        "parked-none": "/parked?state=discarded",
        "parked-refused": refused,
        "parked-message": f"{refused}/message",
        "parked-early": one_parked(town, "GW-161"),
        "parked-by-receiver": one_parked(town, "GW-172"),
        "case-accepted": long_named(town, State.ACCEPTED),
        "case-return": long_named(town, State.DRAFTED_RETURN),
        "case-for-review": long_named(town, State.FOR_REVIEW),
        "case-running": running,
        "case-closed": closed,
        **{f"letter-{kind}": f"{closed}/letters/{letter_id}" for kind, letter_id in letters.items()},
        "message": f"{closed}/messages/{dossier.came[0].message}",
        "receipts": "/receipts",
        "receipts-refused": "/receipts?state=refused",
        "receipts-none": "/receipts?receiver=1",
        "receipt": f"/receipts/{unanswered}?done=resent",
        "search": "/search",
        "senders": "/senders",
        "statistics": "/statistics",
        "certificates": "/certificates",
        "log": "/audit",
        "account": "/account",
        "not-found": "/cases/unknown",
    }


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options=_WCAG).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found]


def too_wide(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def looked_at(page: Page, name: str) -> list[str]:
    """What is wrong with the page as it stands: in light and dark, and on a small screen."""
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light")
    picture(page, name)
    faults = [f"{name} {fault}" for fault in violations(page)]
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 320, "height": 640})
    picture(page, f"{name}-320")
    faults += [f"{name} dark, 320 px {fault}" for fault in violations(page)]
    return faults + ([f"{name} is wider than 320 px"] if too_wide(page) else [])


@ONE
def test_every_page_is_for_everyone(browser: Browser, town: Town) -> None:
    context = town.person(browser, "ida")
    page, faults = context.new_page(), []
    for name, path in pages(town).items():
        page.goto(town.url + path)
        faults += looked_at(page, name)
    context.close()
    assert faults == []


@pytest.mark.parametrize("town", ["neighbours"], indirect=True)
def test_the_queues_are_for_everyone_too(browser: Browser, town: Town) -> None:
    context = town.person(browser, "ida")
    page = context.new_page()
    page.goto(town.url)
    assert town.service.settings.amqp_prefix in page.content()
    assert looked_at(page, "overview-queues") == []
    context.close()


@ONE
def test_what_a_form_answers_is_for_everyone_too(browser: Browser, town: Town) -> None:
    context = town.person(browser, "ida")
    page, faults = context.new_page(), []
    page.goto(f"{town.url}/search")
    page.locator("#q").fill(town.store.board.rows(Filter(), 1)[0].sender)
    page.keyboard.press("Enter")
    page.wait_for_selector('[role="status"]')
    faults += looked_at(page, "found")
    page.goto(town.url + one_parked(town, "GW-161"))
    page.locator("#correct-why").fill("prøve")
    page.get_by_role("button", name="Ret en kopi").click()
    page.wait_for_selector("#text")
    faults += looked_at(page, "correct")
    page.goto(town.url + long_named(town, State.FOR_REVIEW))
    page.locator("#i-0").select_option("")
    page.get_by_role("button", name="Afgør vurderingen").click()
    page.wait_for_selector('[role="alert"]')
    faults += looked_at(page, "case-refused")
    context.close()
    page = browser.new_page()
    page.goto(f"{town.url}/login")
    faults += looked_at(page, "login")
    page.close()
    assert faults == []


@ONE
def test_the_page_is_english_by_a_switch(browser: Browser, town: Town) -> None:
    context = town.person(browser, "ida")
    page = context.new_page()
    page.goto(f"{town.url}/parked?state=discarded&sender=1")
    page.get_by_role("link", name="English").click()
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.url.endswith("/parked?state=discarded&sender=1")
    assert looked_at(page, "parked-english") == []
    context.close()


@ONE
def test_the_case_page_prints_without_forms(browser: Browser, town: Town) -> None:
    context = town.person(browser, "ida")
    page = context.new_page()
    page.goto(town.url + long_named(town, State.FOR_REVIEW))
    page.emulate_media(media="print")
    assert page.get_by_role("heading", name="Tidslinje").is_visible()
    assert not page.locator("#note-text").is_visible()
    assert not page.get_by_role("button", name="Log ud").is_visible()
    context.close()


@ONE
def test_the_letters_without_receipt_print_without_forms(browser: Browser, town: Town) -> None:
    context = town.person(browser, "ida")
    page = context.new_page()
    page.goto(f"{town.url}/receipts")
    assert page.get_by_role("button", name="Send igen").first.is_visible()
    page.emulate_media(media="print")
    picture(page, "receipts-print")
    assert page.get_by_text("ingen kvittering i tide").first.is_visible()
    assert not page.get_by_role("button", name="Send igen").first.is_visible()
    context.close()
