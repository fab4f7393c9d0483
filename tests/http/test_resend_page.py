"""A letter sent again from the page: once, by right, and not when its receipt has come; more letters in a message."""

import re

import pytest

from gateway.inbound.source import Delivery
from gateway.store.accounts import Right
from gateway.store.receipts import Watch
from tests.builders import emessage, xctl, xref15
from tests.http.conftest import Site
from tests.http.sent_letters import (
    METADATA,
    MINUTES,
    answer,
    listed,
    main_of,
    posted,
    press,
    put,
    send_all,
    tile,
    waiting_to_go,
)
from tests.store.material import entry, outgoing


# ------------------------------------------------------------------ several letters
@pytest.fixture
def two(site: Site) -> tuple[Site, str, str]:
    """An Emessage of two referrals; a status letter for each has gone."""
    letters = [xref15(letter_id=f"BRV0000000000{n}", episode=f"{n}" * 32, cpr=f"120365990{n}") for n in (1, 2)]
    site.pipeline.handle_one(Delivery(data=emessage(*letters)))
    send_all(site)
    site.log_in()
    first, second = listed(site)
    return site, first, second


def test_of_a_message_with_more_letters_each_waits_for_itself(two: tuple[Site, str, str]) -> None:
    site, first, second = two
    assert len({row.case_id for row in site.store.receipts.rows(Watch(), 9)}) == 2
    press(site, first, posted(site, first))
    assert waiting_to_go(site) == [first]
    refusal = xctl("XCTL02", first, answers="UKENDT", code="syntaksfejl", letter_code="syntaksfejl")
    site.pipeline.handle_one(Delivery(data=refusal))
    assert (listed(site), listed(site, "?state=refused")) == ([second], [first])
    assert "XCTL02 syntaksfejl" in main_of(site, f"/receipts/{first}")


def test_one_receipt_settles_all_letters_that_it_names(two: tuple[Site, str, str]) -> None:
    site, first, second = two
    site.pipeline.handle_one(Delivery(data=xctl("XCTL03", first, second, answers="UKENDT")))
    assert listed(site) == []
    assert tile(site)[1] == "0"
    for letter_id in (first, second):
        assert "leveret" in main_of(site, f"/receipts/{letter_id}")


# ------------------------------------------------------------------ sent again
def test_a_press_sends_the_same_letter_once_more_and_is_written_down(site: Site) -> None:
    put(site, "OUT1")
    site.clock.forward(minutes=MINUTES + 1)
    site.log_in()
    shown = press(site, "OUT1", posted(site, "OUT1", why="modtageren mangler det"))
    assert "Brevet sendes igen i en ny kuvert." in shown
    assert "sendes igen nu" in shown
    assert "signe: brev sendt igen: «modtageren mangler det»" in shown
    assert send_all(site) == ["OUT1"]
    (act,) = site.store.audit.latest("OUT1")
    assert (act.who, act.what, act.why) == ("signe", "letter.resent", "modtageren mangler det")
    assert len(site.store.receipts.sendings("OUT1")) == 2
    assert "sendt igen 1 gang, senest 23.11. 10:31" in main_of(site, "/receipts")


def test_the_list_has_a_form_for_each_letter(site: Site) -> None:
    put(site, "OUT1", "OUT2")
    site.log_in()
    assert "Send igen</button>" not in main_of(site, "/receipts")  # there is time yet; the letter's own page lets one
    assert "Send igen</button>" in main_of(site, "/receipts/OUT1")
    site.clock.forward(minutes=MINUTES)
    shown = site.page("/receipts").text
    keys = re.findall(r'name="key" value="([^"]+)"', shown.partition("<main")[2])
    seen = re.findall(r'name="seen" value="([^"]+)"', shown)
    assert (len(set(keys)), seen) == (2, ["waiting-1", "waiting-1"])
    assert 'aria-label="Send igen: OUT2"' in shown
    csrf = re.findall(r'name="csrf" value="([^"]+)"', shown)[0]
    press(site, "OUT2", {"csrf": csrf, "key": keys[1], "seen": seen[1]})
    assert waiting_to_go(site) == ["OUT2"]


def test_two_clicks_and_two_operators_have_one_effect(site: Site) -> None:
    put(site, "OUT1")
    site.log_in()
    form = posted(site, "OUT1")
    assert "Brevet sendes igen" in press(site, "OUT1", form)
    assert "Brevet sendes igen" in press(site, "OUT1", form)
    assert "brevet er allerede på vej" in press(site, "OUT1", form | {"key": "k" * 20})
    assert send_all(site) == ["OUT1"]
    assert "brevet er sendt igen, efter at siden blev vist" in press(site, "OUT1", form | {"key": "l" * 20})
    assert waiting_to_go(site) == []
    assert [row.what for row in site.store.audit.latest("OUT1")] == ["letter.resent"]


@pytest.mark.parametrize(("verdict", "told"), [("delivered", "nåede at komme"), ("refused", "nåede at afvise brevet")])
def test_a_receipt_that_came_between_the_look_and_the_press_is_told_and_nothing_sent(
    site: Site, verdict: str, told: str
) -> None:
    put(site, "OUT1")
    site.log_in()
    form = posted(site, "OUT1")
    answer(site, "OUT1", verdict)
    shown = press(site, "OUT1", form)
    assert told in shown
    assert "Brevet sendes igen" not in shown
    assert waiting_to_go(site) == []
    assert site.store.audit.latest("OUT1") == []


def test_a_refused_letter_is_sent_again_and_waits_anew(site: Site) -> None:
    put(site, "OUT1")
    answer(site, "OUT1", "refused", "XCTL02 ukendt_lokationsnummer")
    site.log_in()
    assert "Brevet sendes igen" in press(site, "OUT1", posted(site, "OUT1"))
    assert send_all(site) == ["OUT1"]
    assert (listed(site), listed(site, "?state=refused")) == (["OUT1"], [])


def test_what_was_never_ready_is_told(site: Site) -> None:
    site.store.inbox.save([entry(outgoing=(outgoing("OUT1", wants_receipt=True, draft=True),))], site.clock())
    put(site, "OUT2")
    form = posted(site.log_in(), "OUT2")
    assert "ikke klar til at blive sendt" in press(site, "OUT1", form | {"seen": "waiting-0"})
    assert waiting_to_go(site) == []


def test_looking_takes_metadata_and_sending_takes_the_right_to_replay(site: Site) -> None:
    put(site, "OUT1")
    assert site.page("/receipts", follow_redirects=False).headers["location"].startswith("/login")
    site.log_in(rights=METADATA)
    assert listed(site) == ["OUT1"]
    assert "resend" not in main_of(site, "/receipts")
    shown = main_of(site, "/receipts/OUT1")
    assert "kræver rettigheden «genafspille og sende igen»" in shown
    form = site.form("/receipts/OUT1") | {"seen": "waiting-1"}
    refused = site.client.post("/receipts/OUT1/resend", data=form, headers={"accept": "text/html"})
    assert (refused.status_code, waiting_to_go(site)) == (403, [])
    site.log_in("bo", rights=frozenset({Right.REPLAY}))
    assert site.page("/receipts").status_code == site.page("/receipts/OUT1").status_code == 403


def test_a_press_needs_the_sessions_token_a_key_and_a_letter(site: Site) -> None:
    put(site, "OUT1")
    form = posted(site.log_in(), "OUT1")
    answers = [
        site.client.post(f"/receipts/{letter}/resend", data=form | changed).status_code
        for letter, changed in (
            ("OUT1", {"csrf": "other"}),
            ("OUT1", {"key": ""}),
            ("OUT2", {}),
        )
    ]
    assert answers == [403, 400, 404]
    assert site.client.get("/receipts/OUT1/resend").status_code in {404, 405}
    assert "efter at siden blev vist" in press(site, "OUT1", form | {"seen": ""})
    assert (waiting_to_go(site), site.store.audit.latest("OUT1")) == ([], [])


def test_a_link_cannot_make_the_page_say_what_it_likes(site: Site) -> None:
    put(site, "OUT1")
    site.log_in()
    assert 'role="alert"' not in main_of(site, "/receipts/OUT1?done=hacked")


def test_what_someone_wrote_about_a_resend_takes_the_right_to_content(site: Site) -> None:
    put(site, "OUT1")
    press(site, "OUT1", posted(site.log_in(), "OUT1", why="Kai mangler brevet"))
    site.log_in("bo", rights=METADATA)
    shown = main_of(site, "/receipts/OUT1")
    assert "signe: brev sendt igen" in shown
    assert "Kai" not in shown
