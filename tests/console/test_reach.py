"""Everyone can use every page: axe sees no WCAG 2.1 A/AA violation, in light and dark; no sideways scroll at 320 px."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from gateway.simulate.stories import recorded
from tests.console.conftest import Served, picture
from tests.console.test_actions import ACCEPTED, RETURN, REVIEW, new

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.broker]
_WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}


def pages(served: Served) -> dict[str, str]:
    """Every page by a name for its picture."""
    refused = served.store.overview.parked_items()[0].id
    given_up = served.given_up(recorded()["02-copd-in-vans-envelope.xml"] + b"\n")
    case = served.case(ACCEPTED).case_id
    dossier = served.store.dossiers.find(case)
    assert dossier is not None
    return {
        "overview": "/",
        "board": "/board",
        "board-none": "/board?team=x",
        "parked": "/parked",
        "parked-none": "/parked?state=discarded",
        "parked-refused": f"/parked/{refused}",
        "parked-open": f"/parked/{given_up}",
        "parked-message": f"/parked/{refused}/message",
        "case-accepted": f"/cases/{case}",
        "case-return": f"/cases/{served.case(RETURN).case_id}",
        "case-for-review": f"/cases/{served.case(REVIEW).case_id}",
        "letter": f"/cases/{case}/letters/{dossier.went[0].letter_id}",
        "message": f"/cases/{case}/messages/{dossier.came[0].message}",
        "search": "/search",
        "senders": "/senders",
        "statistics": "/statistics",
        "certificates": "/certificates",
        "account": "/account",
        "not-found": "/cases/unknown",
    }


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options=_WCAG).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found]


def too_wide(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def test_every_page_is_for_everyone(browser: Browser, served: Served) -> None:
    context = served.person(browser, "ida", viewport={"width": 1280, "height": 900})
    page, faults = context.new_page(), []
    for name, path in pages(served).items():
        page.set_viewport_size({"width": 1280, "height": 900})
        page.emulate_media(color_scheme="light")
        page.goto(served.url + path)
        picture(page, name)
        faults += [f"{path} {fault}" for fault in violations(page)]
        page.emulate_media(color_scheme="dark")
        faults += [f"{path} dark {fault}" for fault in violations(page)]
        page.set_viewport_size({"width": 320, "height": 640})
        picture(page, f"{name}-320")
        faults += [f"{path} is wider than 320 px"] if too_wide(page) else []
    context.close()
    assert faults == []


def test_what_a_form_answers_is_for_everyone_too(browser: Browser, served: Served) -> None:
    context = served.person(browser, "ida", viewport={"width": 320, "height": 640})
    page, faults = context.new_page(), []

    def look(name: str) -> None:
        picture(page, f"{name}-320")
        faults.extend([f"{name} {fault}" for fault in violations(page)] + ([f"{name}: wide"] if too_wide(page) else []))

    page.goto(f"{served.url}/search")
    page.locator("#q").fill("5790009991014")
    page.keyboard.press("Enter")
    page.wait_for_selector('[role="status"]')
    look("found")
    item = served.given_up(new(recorded()["01-type-2-diabetes.xml"]))
    page.goto(f"{served.url}/parked/{item}")
    page.locator("#correct-why").fill("prøve")
    page.get_by_role("button", name="Ret en kopi").click()
    page.wait_for_selector("#text")
    look("correct")
    page.goto(f"{served.url}/language/en?next=/board")
    look("english")
    context.close()
    page = browser.new_page(viewport={"width": 320, "height": 640})
    page.goto(f"{served.url}/login")
    look("login")
    page.close()
    assert faults == []


def test_the_case_page_prints_without_forms(browser: Browser, served: Served) -> None:
    context = served.person(browser, "ida")
    page = context.new_page()
    page.goto(f"{served.url}/cases/{served.case(RETURN).case_id}")
    page.emulate_media(media="print")
    assert page.get_by_role("heading", name="Tidslinje").is_visible()
    assert not page.locator("#return-text").is_visible()
    assert not page.get_by_role("button", name="Log ud").is_visible()
    context.close()
