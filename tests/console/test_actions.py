"""Everything a person does on the page, done in a browser; what it led to is read from the store."""

import pytest
from playwright.sync_api import Browser, Page, expect

from gateway.simulate.stories import recorded
from tests.console.conftest import Served, picture, tab_to

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.broker]
BOTH = pytest.mark.parametrize("served", ["embedded", "neighbours"], indirect=True)
ACCEPTED, RETURN, REVIEW, PROPOSED = (f"PRBRV0000000{n}" for n in ("01", "10", "11", "14"))


def new(data: bytes) -> bytes:
    """The same referral under ids of its own."""
    return data.replace(b"PRBRV000000001", b"PRBRV000000091").replace(b"PRKUV000000001", b"PRKUV000000091")


@pytest.fixture
def parked(served: Served) -> str:
    return served.given_up(new(recorded()["01-type-2-diabetes.xml"]))


def open_case(page: Page, served: Served, letter_id: str) -> None:
    page.goto(f"{served.url}/cases/{served.case(letter_id).case_id}")


def test_logging_in_and_out(browser: Browser, served: Served) -> None:
    served.person(browser, "bo").close()
    password = served.store.accounts.new_password("bo")
    page = browser.new_page()
    page.goto(f"{served.url}/board")
    page.get_by_label("Navn").fill("bo")
    page.get_by_label("Adgangskode").fill(password or "")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Løfter")).to_be_visible()
    page.get_by_role("button", name="Log ud").click()
    expect(page.get_by_role("heading", name="Log ind")).to_be_visible()
    page.close()


@BOTH
def test_an_answer_is_approved_by_keyboard_alone(ida: Page, served: Served) -> None:
    ida.goto(f"{served.url}/board?waits_for=decision")
    tab_to(ida, f'a[href="/cases/{served.case(RETURN).case_id}"]')
    ida.keyboard.press("Enter")
    expect(ida.get_by_role("heading", name="Svar til henviser")).to_be_visible()
    tab_to(ida, "#return-text")
    ida.keyboard.press("Control+End")
    ida.keyboard.type(" Venlig hilsen")
    tab_to(ida, 'form[action$="/return"] button')
    ida.keyboard.press("Enter")
    expect(ida.get_by_text("svar til henviser godkendt")).to_be_visible()
    picture(ida, "case-returned")
    case = served.case(RETURN)
    assert case.state == "returned"
    assert (case.events[-1].note or "").endswith("Venlig hilsen")


@BOTH
def test_a_parked_message_is_replayed_by_keyboard_alone(ida: Page, served: Served, parked: str) -> None:
    ida.goto(served.url)
    tab_to(ida, '.tiles a[href="/parked"]')
    ida.keyboard.press("Enter")
    expect(ida.get_by_role("heading", name="Parkeret")).to_be_visible()
    tab_to(ida, f'a[href="/parked/{parked}"]')
    ida.keyboard.press("Enter")
    expect(ida.get_by_role("button", name="Genafspil")).to_be_visible()
    tab_to(ida, 'form[action$="/replay"] button')
    ida.keyboard.press("Enter")
    expect(ida.get_by_text("genafspillet", exact=False).first).to_be_visible()
    picture(ida, "parked-replayed")
    assert served.case("PRBRV000000091").state == "accepted"


@BOTH
def test_two_operators_and_a_double_click_have_one_effect(
    browser: Browser, ida: Page, served: Served, parked: str
) -> None:
    bo = served.person(browser, "bo").new_page()
    for page in (ida, bo):
        page.goto(f"{served.url}/parked/{parked}")
    ida.get_by_role("button", name="Genafspil").dblclick()
    expect(ida.locator("main")).to_contain_text("genafspillet")
    bo.get_by_role("button", name="Genafspil").click()
    expect(bo.get_by_role("heading", name="Nogen kom først")).to_be_visible()
    bo.context.close()
    assert len([c for c in served.store.past.cases() if c.referral.letter_id == "PRBRV000000091"]) == 1
    assert [row.what for row in served.store.audit.latest(parked)] == ["parked.replayed"]


@BOTH
def test_a_copy_is_corrected(ida: Page, served: Served) -> None:
    whole = new(recorded()["01-type-2-diabetes.xml"])
    item = served.given_up(whole[:-30])
    ida.goto(f"{served.url}/parked/{item}")
    ida.locator("#correct-why").fill("slutningen mangler")
    ida.get_by_role("button", name="Ret en kopi").click()
    ida.locator("#text").fill(whole.decode())
    picture(ida, "parked-correct")
    ida.get_by_role("button", name="Genafspil den rettede kopi").click()
    expect(ida.get_by_text("Originalen er uændret.")).to_be_visible()
    found = served.store.parking.item(item)
    assert found is not None
    assert found.data == whole[:-30]
    assert served.case("PRBRV000000091").state == "accepted"


@BOTH
def test_discarding_takes_two_people(browser: Browser, ida: Page, served: Served, parked: str) -> None:
    ida.goto(f"{served.url}/parked/{parked}")
    ida.locator("#discard-why").fill("sendt igen af lægen")
    ida.get_by_role("button", name="Foreslå at kassere").click()
    expect(ida.get_by_text("En anden end dig skal bekræfte.")).to_be_visible()
    bo = served.person(browser, "bo").new_page()
    bo.goto(f"{served.url}/parked/{parked}")
    bo.get_by_role("button", name="Bekræft: kassér").click()
    expect(bo.locator("main dl")).to_contain_text("kasseret")
    bo.context.close()


@BOTH
def test_a_review_is_decided_the_referrer_asked_and_a_task_handed_over(ida: Page, served: Served) -> None:
    open_case(ida, served, REVIEW)
    ida.get_by_label("KOL", exact=True).check()
    ida.locator("#t-0").select_option("sundhedskonsulenter")
    ida.locator("#i-0").select_option(label="Afklarende samtale")
    picture(ida, "case-review")
    ida.get_by_role("button", name="Afgør vurderingen").click()
    expect(ida.get_by_text("vurdering afgjort")).to_be_visible()
    assert served.case(REVIEW).programmes == ("copd",)

    ida.get_by_label("Nyt team").select_option("genoptraening-ishoej")
    ida.get_by_role("button", name="Overgiv").click()
    expect(ida.get_by_text("overgivet til andet team")).to_be_visible()
    assert served.case(REVIEW).assignments[-1].team == "genoptraening-ishoej"

    open_case(ida, served, PROPOSED)
    ida.locator("#ask-text").fill("Bor borgeren i Ishøj?")
    ida.get_by_role("button", name="Send spørgsmålet").click()
    expect(ida.get_by_text("oplysninger efterspurgt")).to_be_visible()
    assert served.case(PROPOSED).state == "info_requested"


@BOTH
def test_a_note_the_full_cpr_and_the_letters(ida: Page, served: Served) -> None:
    case = served.case(ACCEPTED)
    cpr = case.referral.citizen.identifier
    open_case(ida, served, ACCEPTED)
    ida.locator("#note-text").fill("Ring efter kl. 14")
    ida.get_by_role("button", name="Gem noten").click()
    expect(ida.locator(".timeline")).to_contain_text("Ring efter kl. 14")
    assert f"{cpr[:6]}-{cpr[6:]}" not in ida.content()
    ida.get_by_text("Vis fuldt CPR").first.click()
    ida.locator("#cpr-why").fill("ringer til borgeren")
    ida.get_by_role("button", name="Vis fuldt CPR").click()
    expect(ida.get_by_text(f"{cpr[:6]}-{cpr[6:]}")).to_be_visible()
    assert "case.cpr_seen" in [row.what for row in served.store.audit.latest(case.case_id)]
    ida.get_by_role("link", name="Vis brevet").first.click()
    expect(ida.get_by_role("heading", name="Som det sendes, uden kuvert")).to_be_visible()
    picture(ida, "letter")


@BOTH
def test_searching_and_filtering(ida: Page, served: Served) -> None:
    case = served.case(ACCEPTED)
    ida.goto(f"{served.url}/search")
    ida.locator("#q").fill(case.referral.citizen.identifier)
    ida.keyboard.press("Enter")
    expect(ida.get_by_role("link", name=case.case_id[:8])).to_be_visible()
    assert case.referral.citizen.identifier not in ida.url + ida.content()
    ida.goto(f"{served.url}/board")
    ida.get_by_label("Program").select_option("low_back")
    expect(ida.locator("#rows")).not_to_contain_text(case.case_id[:8])
    assert "programme=low_back" in ida.url
