"""What people do about parked messages, done in a browser: on what the day's teams told too early, and on faults."""

import pytest
from playwright.sync_api import Browser, Page, expect

from gateway.referral.case import Case
from gateway.store.replay import ParkedMessage
from tests.console.conftest import Town, picture, tab_to
from tests.console.day import mistyped
from tests.console.test_deciding import acts

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.broker]
#: told about an episode that was not known
EARLY = "GW-161"


def about(town: Town, item: ParkedMessage) -> Case | None:
    """The case that the event is about, now that its referral has come."""
    named = [c for c in town.cases() if c.referral.episode_id and f'"{c.referral.episode_id}"'.encode() in item.data]
    return named[0] if named else None


def open_item(page: Page, town: Town, item: ParkedMessage) -> None:
    page.goto(f"{town.url}/parked/{item.id}")


def state_of(town: Town, item: ParkedMessage) -> str:
    found = town.store.parking.item(item.id)
    assert found is not None
    assert found.data == item.data
    return found.state


def test_a_message_is_replayed_by_keyboard_alone(ida: Page, town: Town) -> None:
    item = town.take_parked(EARLY, lambda item: about(town, item))
    case = about(town, item)
    assert case is not None
    ida.goto(town.url)
    tab_to(ida, '.tiles a[href="/parked"]')
    ida.keyboard.press("Enter")
    expect(ida.get_by_role("heading", name="Parkeret")).to_be_visible()
    tab_to(ida, f'a[href="/parked/{item.id}"]')
    ida.keyboard.press("Enter")
    expect(ida.get_by_role("button", name="Genafspil")).to_be_visible()
    tab_to(ida, "#replay-why")
    ida.keyboard.type("henvisningen er kommet")
    tab_to(ida, 'form[action$="/replay"] button')
    ida.keyboard.press("Enter")
    expect(ida.locator(".acts")).to_contain_text("ida: genafspillet: «henvisningen er kommet»")
    picture(ida, "parked-replayed")
    assert state_of(town, item) == "replayed"
    assert len(town.case(case.case_id).events) == len(case.events) + 1
    assert acts(town, item.id) == [("ida", "parked.replayed", "henvisningen er kommet")]


def test_two_people_and_a_double_click_have_one_effect(browser: Browser, ida: Page, town: Town) -> None:
    item = town.take_parked(EARLY, lambda item: about(town, item))
    case = about(town, item)
    assert case is not None
    bo = town.person(browser, "bo").new_page()
    for page in (ida, bo):
        open_item(page, town, item)
    ida.get_by_role("button", name="Genafspil").dblclick()
    expect(ida.locator("main dl")).to_contain_text("genafspillet")
    bo.get_by_role("button", name="Genafspil").click()
    expect(bo.get_by_role("heading", name="Nogen kom først")).to_be_visible()
    bo.context.close()
    assert len(town.case(case.case_id).events) == len(case.events) + 1
    assert acts(town, item.id) == [("ida", "parked.replayed", "")]


def test_what_fails_again_says_so_and_waits(ida: Page, town: Town) -> None:
    item = town.take_parked(EARLY, lambda item: not about(town, item))
    open_item(ida, town, item)
    ida.get_by_role("button", name="Genafspil").click()
    expect(ida.get_by_role("alert")).to_have_text("Beskeden fejlede igen af samme grund.")
    assert state_of(town, item) == "open"
    assert [what for _, what, _ in acts(town, item.id)] == ["parked.replayed"]


def test_a_copy_is_corrected(ida: Page, town: Town, complaints: list[str]) -> None:
    item = town.take_parked(EARLY, lambda item: not about(town, item))
    (case,) = (
        c for c in town.cases() if c.referral.episode_id and mistyped(c.referral.episode_id).encode() in item.data
    )
    open_item(ida, town, item)
    ida.locator("#correct-why").fill("slutningen er tastet forkert")
    ida.get_by_role("button", name="Ret en kopi").click()
    wrong = ida.locator("#text").input_value()
    assert wrong.encode() == item.data
    ida.get_by_role("button", name="Genafspil den rettede kopi").click()
    expect(ida.get_by_role("alert")).to_contain_text("Kopien fejler også og er ikke gemt: GW-161")
    assert "422" in complaints.pop()
    episode = case.referral.episode_id or ""
    ida.locator("#text").fill(wrong.replace(mistyped(episode), episode))
    picture(ida, "parked-correct")
    ida.get_by_role("button", name="Genafspil den rettede kopi").click()
    expect(ida.get_by_text("Originalen er uændret.")).to_be_visible()
    assert state_of(town, item) == "replayed"
    assert len(town.case(case.case_id).events) == len(case.events) + 1
    told = [("ida", "parked.corrected", "slutningen er tastet forkert")]
    assert acts(town, item.id) == told
    assert acts(town, item.digest)[0] == ("ida", "message.cpr_seen", "slutningen er tastet forkert")


def test_discarding_takes_a_reason_and_a_second_person(browser: Browser, ida: Page, town: Town) -> None:
    item = town.take_parked("GW-131")
    open_item(ida, town, item)
    expect(ida.get_by_text("Kan ikke genafspilles: afsenderen har fået at vide")).to_be_visible()
    expect(ida.get_by_role("button", name="Genafspil")).to_have_count(0)
    ida.get_by_role("button", name="Foreslå at kassere").click()  # without a reason nothing happens
    assert acts(town, item.id) == []
    ida.locator("#discard-why").fill("sendt til Albertslund")
    ida.get_by_role("button", name="Foreslå at kassere").click()
    expect(ida.get_by_text("En anden end dig skal bekræfte.")).to_be_visible()
    expect(ida.get_by_role("button", name="Bekræft: kassér")).to_have_count(0)
    assert state_of(town, item) == "open"
    bo = town.person(browser, "bo").new_page()
    open_item(bo, town, item)
    expect(bo.locator("#discard-title + p")).to_contain_text("ida vil kassere den: «sendt til Albertslund»")
    bo.get_by_role("button", name="Bekræft: kassér").click()
    expect(bo.locator("main dl")).to_contain_text("kasseret")
    bo.context.close()
    assert state_of(town, item) == "discarded"
    assert [act[:2] for act in acts(town, item.id)] == [("bo", "parked.discarded"), ("ida", "parked.discard_asked")]
    ida.goto(f"{town.url}/parked?state=discarded")
    expect(ida.locator(f'a[href="/parked/{item.id}"]')).to_be_visible()


def test_what_one_would_discard_another_keeps(browser: Browser, ida: Page, town: Town) -> None:
    item = town.take_parked("GW-125")
    open_item(ida, town, item)
    ida.locator("#discard-why").fill("haster ikke")
    ida.get_by_role("button", name="Foreslå at kassere").click()
    bo = town.person(browser, "bo").new_page()
    open_item(bo, town, item)
    bo.get_by_role("button", name="Behold den").click()
    expect(bo.get_by_role("button", name="Foreslå at kassere")).to_be_visible()
    bo.context.close()
    assert state_of(town, item) == "open"
    assert acts(town, item.id)[0][:2] == ("bo", "parked.discard_declined")


def test_the_message_is_shown_with_its_fault_marked_and_in_full_for_a_reason(ida: Page, town: Town) -> None:
    item = town.take_parked("GW-140")
    open_item(ida, town, item)
    ida.get_by_role("link", name="Vis beskeden").click()
    expect(ida.locator("pre.raw").first).to_be_visible()
    picture(ida, "parked-message-masked")
    assert "3102" in item.data.decode()
    assert not [n for n in numbers(item) if n in ida.content()]
    ida.locator("#why").fill("læser nummeret op for lægen")
    ida.get_by_role("button", name="Vis fuldt CPR").click()
    expect(ida.get_by_text("CPR vises fuldt ud; det er skrevet ned.")).to_be_visible()
    assert [n for n in numbers(item) if n in ida.content()]
    assert acts(town, item.digest)[0] == ("ida", "message.cpr_seen", "læser nummeret op for lægen")


def numbers(item: ParkedMessage) -> list[str]:
    """The impossible number as it stands in the message."""
    text = item.data.decode()
    at = text.index("3102")
    return [text[at : at + 10]]
