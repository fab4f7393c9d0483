"""Logging in, finding, filtering and counting, done in a browser; what is shown is compared with the store."""

import csv
import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from gateway.errors import FAULTS
from gateway.referral.case import State
from gateway.store import schema
from gateway.store.accounts import Right
from gateway.store.board import Filter
from gateway.store.engine import reading
from gateway.store.transmissions import transmissions
from tests.console.conftest import Town, picture

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.broker]


def test_logging_in_and_out(browser: Browser, town: Town) -> None:
    password = town.store.accounts.add("eva", "Eva Prøve", frozenset(Right), town.clock())
    page = browser.new_page(locale="da-DK")
    page.goto(f"{town.url}/board?team=genoptraening-ishoej")
    page.get_by_label("Navn").fill("eva")
    page.get_by_label("Adgangskode").fill("forkert kodeord")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Navn og adgangskode passer ikke sammen.")
    page.get_by_label("Navn").fill("eva")
    page.get_by_label("Adgangskode").fill(password or "")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Åbne forløb")).to_be_visible()
    assert page.url.endswith("/board?team=genoptraening-ishoej")
    page.get_by_role("button", name="Log ud").click()
    expect(page.get_by_role("heading", name="Log ind")).to_be_visible()
    page.goto(f"{town.url}/board")
    expect(page.get_by_role("heading", name="Log ind")).to_be_visible()
    page.close()
    done = [row.what for row in town.store.audit.latest() if row.who == "eva"]
    assert done == ["logout", "login", "login.failed"]


# ------------------------------------------------------------------ the search box
def keys(town: Town, case_id: str) -> dict[str, str]:
    """Everything by which people look for a case."""
    case, dossier = town.case(case_id), town.store.dossiers.find(case_id)
    assert dossier is not None
    status = next(went for went in dossier.went if went.kind == "XDIS91")
    with reading(town.store.engine) as connection:
        (digest,) = (came.message for came in dossier.came if came.letter_id == case.referral.letter_id)
        came = schema.messages.c.digest == digest
        message = connection.execute(select(schema.messages).where(came)).one()
        ours = transmissions.c.letter_id == status.letter_id
        sent_in = connection.scalar(select(transmissions.c.envelope_id).where(ours))
    found = {
        "CPR": case.referral.citizen.identifier,
        "CPR with a hyphen": re.sub(r"(.{6})", r"\1-", case.referral.citizen.identifier, count=1),
        "case": case_id,
        "the case's first eight": case_id[:8],
        "episode": case.referral.episode_id or "",
        "letter": case.referral.letter_id,
        "our letter": status.letter_id,
        "our envelope": sent_in or "",
        "message": message.digest,
        "envelope": message.envelope_id or "",
        "VANS envelope": message.network_envelope_id or "",
        "VANS message": message.network_message_id or "",
        "sender": case.referral.sender_gln,
    }
    return {name: key for name, key in found.items() if key}


def test_a_case_is_found_by_every_key(ida: Page, town: Town) -> None:
    with reading(town.store.engine) as connection:
        m, x = schema.messages.c, schema.letters.c
        query = select(x.case_id).join(schema.messages, m.digest == x.message).order_by(x.case_id)
        in_vans = (m.network_message_id != "") & (x.type == "XREF15") & x.case_id.is_not(None)
        case_id = connection.scalars(query.where(in_vans)).first() or ""
    looked_for = keys(town, case_id)
    assert len(looked_for) == 13
    ida.goto(f"{town.url}/search")
    for name, key in looked_for.items():
        ida.locator("#q").fill(key)
        ida.keyboard.press("Enter")
        expect(ida.locator('[role="status"]'), name).to_contain_text(key[:6])
        expect(ida.locator(f'a[href="/cases/{case_id}"]'), name).to_be_visible()
        assert looked_for["CPR"] not in ida.url + ida.content()
        assert looked_for["CPR with a hyphen"] not in ida.content()
    picture(ida, "found")
    searched = [row for row in town.store.audit.latest() if row.what == "citizen.searched"]
    assert {row.subject for row in searched[:2]} == {town.store.search.citizen_key(looked_for["CPR"])}


def test_a_parked_item_is_found_by_letter_and_sender(ida: Page, town: Town) -> None:
    (item, *_) = (row for row in town.store.overview.parked_items() if row.fault_id == "GW-130")
    ida.goto(f"{town.url}/search")
    for key in (item.id, item.letter_id, item.sender):
        ida.locator("#q").fill(key)
        ida.keyboard.press("Enter")
        expect(ida.locator('[role="status"]')).to_contain_text(key)
        expect(ida.locator(f'a[href="/parked/{item.id}"]')).to_be_visible()
    ida.locator("#q").fill("findes-ikke")
    ida.keyboard.press("Enter")
    expect(ida.locator(".empty")).to_be_visible()


# ------------------------------------------------------------------ the board
def rows_on(page: Page) -> list[str]:
    return [link.get_attribute("href") or "" for link in page.locator(".board tbody th a").all()]


def test_the_board_is_filtered(ida: Page, town: Town) -> None:
    board, now = town.store.board, town.clock()
    sender = board.rows(Filter(programme="copd"), 1)[0].sender
    ida.goto(f"{town.url}/board")
    for choose, wanted, name in (
        (lambda: ida.get_by_label("Team").select_option("genoptraening-ishoej"), "team", "genoptraening-ishoej"),
        (lambda: ida.get_by_label("Program").select_option("copd"), "programme", "copd"),
        (lambda: ida.get_by_label("Venter på").select_option("team"), "waits_for", "team"),
        (lambda: (ida.locator("#sender").fill(sender), ida.keyboard.press("Enter")), "sender", sender),
    ):
        ida.goto(f"{town.url}/board")
        choose()
        found = board.rows(Filter(**{wanted: name}), 50)
        expect(ida.locator('#rows [role="status"]')).to_have_text(re.compile(rf"^{len(found)} åbne forløb"))
        assert 0 < len(found) < board.count(Filter())
        assert rows_on(ida) == [f"/cases/{row.case_id}" for row in found]
        assert f"{wanted}={name}" in ida.url
        ida.reload()
        assert rows_on(ida) == [f"/cases/{row.case_id}" for row in found]
    ida.goto(f"{town.url}/board")
    ida.get_by_label("kun overskredne").check()
    late = board.rows(Filter(due_before=now), 50)
    expect(ida.locator('#rows [role="status"]')).to_have_text(f"{len(late)} åbne forløb")
    assert [f"/cases/{row.case_id}" for row in late] == rows_on(ida)


def test_the_board_is_turned_over(ida: Page, town: Town) -> None:
    ida.goto(f"{town.url}/board")
    first = rows_on(ida)
    ida.get_by_role("link", name="Næste").click()
    expect(ida.locator('[role="status"]')).to_contain_text("side 2/2")
    second = rows_on(ida)
    assert len(set(first + second)) == len(first + second) == town.store.board.count(Filter())


# ------------------------------------------------------------------ figures
def test_the_overview_counts_and_leads_on(ida: Page, town: Town) -> None:
    ida.goto(town.url)
    now = town.clock()
    told = {
        "/parked": town.store.overview.numbers(now).parked,
        "/board?late=1": town.store.board.count(Filter(due_before=now)),
    }
    waiting, _ = town.store.board.waiting("decision")
    for address, count in (told | {"/board?waits_for=decision": waiting}).items():
        ida.goto(town.url)
        link = ida.locator(f'.tiles a[href="{address}"]').first
        expect(link).to_have_text(str(count))
        link.click()
        expect(ida.locator('[role="status"]')).to_contain_text(str(count))


def test_alarms_are_named_and_lead_to_their_case(ida: Page, town: Town) -> None:
    ida.goto(town.url)
    alarms = town.store.alarms.open()
    late = [alarm for alarm in alarms if (alarm.kind, alarm.level) == ("first_talk", "overdue")]
    section = ida.locator('section[aria-labelledby="alarms-title"]')
    expect(section).to_contain_text(f"{len(late)} × første samtale ikke holdt: fristen er overskredet")
    section.get_by_role("link", name=f"{late[0].case_id or ''}"[:8]).first.click()
    expect(ida.locator(".facts")).to_contain_text("overskredet med")


def test_statistics_are_shown_and_fetched(ida: Page, town: Town, tmp_path: Path) -> None:
    ida.goto(f"{town.url}/statistics")
    expect(ida.get_by_role("table")).to_be_visible()
    with ida.expect_download() as download:
        ida.get_by_role("link", name="Hent alle tal som CSV").click()
    download.value.save_as(tmp_path / "statistik.csv")
    text = (tmp_path / "statistik.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.reader(text.splitlines(), delimiter=";"))
    year = [row for row in rows if "Henvisninger modtaget" in row and "2026" in row]
    assert len(year) == 1
    assert str(len(town.cases())) in year[0]
    cells = ida.locator("tbody tr").first.locator("td")
    assert cells.last.inner_text() == str(len(town.cases()))
    assert sum(int(cell.inner_text().rstrip("*")) for cell in cells.all()[:-1]) == len(town.cases())
    names = {case.referral.citizen.surname for case in town.cases()}
    assert not [name for name in names if name in text + ida.content()]


def test_senders_are_told_apart_by_their_faults(ida: Page, town: Town) -> None:
    ida.goto(f"{town.url}/senders")
    found = town.store.trends.senders(town.clock() - timedelta(days=90))
    assert len(ida.locator("tbody tr").all()) == len(found)
    faulty = {sender: counts for sender, counts in found.items() if set(counts) - {""}}
    worst = max(sum(n for fault, n in counts.items() if fault) for counts in faulty.values())
    first = ida.locator("tbody tr").first
    expect(first).to_contain_text(f"{worst} (")
    first.get_by_text("Vis tekst").click()
    expect(first.locator(".words")).to_contain_text("kunne ikke behandles:")
    (named, *_) = (fault for fault in faulty[first.locator("th").inner_text()] if fault)
    expect(first.locator(".words")).to_contain_text(f"{named}: {FAULTS[named].text}")
    sender = first.locator("th").inner_text()
    first.get_by_role("link").click()
    expect(ida.locator("#sender")).to_have_value(sender)
    picture(ida, "parked-of-sender")
    assert {cell.inner_text().split("\n")[0] for cell in ida.locator('td[data-label="Afsender"]').all()} == {sender}


def test_ones_password_is_changed_and_ends_every_session(browser: Browser, town: Town) -> None:
    old = town.store.accounts.add("per", "Per Prøve", frozenset({Right.METADATA}), town.clock())
    context = town.person(browser, "per")
    page = context.new_page()
    page.goto(f"{town.url}/account")
    page.locator("#old").fill(old or "")
    page.locator("#new").fill("et nyt og langt kodeord")
    page.get_by_role("button", name="Skift adgangskode").click()
    expect(page.get_by_role("heading", name="Log ind")).to_be_visible()
    page.goto(f"{town.url}/board")
    expect(page.get_by_role("heading", name="Log ind")).to_be_visible()
    context.close()
    assert [row.what for row in town.store.audit.latest("per")] == ["account.password"]


def test_without_the_right_to_content_nothing_about_a_person_is_shown(browser: Browser, town: Town) -> None:
    case = town.long_named(State.FOR_REVIEW)
    town.store.accounts.add("tal", "Tal Prøve", frozenset({Right.METADATA}), town.clock())
    context = town.person(browser, "tal")
    page = context.new_page()
    page.goto(f"{town.url}/cases/{case.case_id}")
    shown = page.content()
    citizen = case.referral.citizen
    assert not [word for word in (citizen.surname, citizen.identifier[:6], "Hvad vil du gøre?") if word in shown]
    expect(page.get_by_role("heading", name="Tidslinje")).to_be_visible()
    context.close()
