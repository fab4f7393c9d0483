"""The parked page: why, what to do, the message masked; replay, correct and discard by right, each at most once."""

import re

import pytest

from gateway.inbound.source import Delivery
from gateway.receive import Entrance
from gateway.simulate.stories import recorded
from gateway.store.accounts import Right
from tests.builders import event
from tests.http.conftest import Site

GOOD = recorded()["01-type-2-diabetes.xml"]
CPR = GOOD.partition(b"<CivilRegistrationNumber>")[2][:10].decode()


def give_up(site: Site, data: bytes = GOOD) -> str:
    return site.pipeline.give_up(Delivery(data=data)).parked[0].id


def put_aside(site: Site, data: bytes, entrance: Entrance = Entrance.MEDCOM) -> str:
    return site.pipeline.handle_one(Delivery(data=data, entrance=entrance)).parked[0].id


def test_items_are_listed_with_reason_and_advice(site: Site) -> None:
    item = put_aside(site, recorded()["18-impossible-cpr.xml"])
    site.log_in(rights=frozenset({Right.METADATA}))
    listed = site.page("/parked").text
    assert f'href="/parked/{item}"' in listed
    assert "Bed afsenderen rette personnummeret" in listed
    assert "Intet er parkeret her." in site.page("/parked?state=discarded&sender=x").text
    assert '<a href="/parked">1</a>' in site.page("/").text
    shown = site.page(f"/parked/{item}").text
    assert "Kan ikke genafspilles: afsenderen har fået at vide" in shown
    assert "negativ kvittering" in shown
    for missing in ("<form method", "Vis beskeden"):
        assert missing not in shown.partition("<main")[2]
    assert site.page("/parked/unknown").status_code == 404


def test_the_message_is_shown_masked_and_that_someone_looked_is_written_down(site: Site) -> None:
    item = give_up(site)
    site.log_in(rights=frozenset({Right.METADATA, Right.CONTENT}))
    shown = site.page(f"/parked/{item}/message").text
    assert CPR not in shown
    assert f"{CPR[:6]}-xxxx" in shown
    (row,) = [r for r in site.store.audit.latest() if r.what == "message.seen"]
    assert row.who == "signe"


def test_the_full_number_takes_a_reason(site: Site) -> None:
    item = give_up(site)
    site.log_in()
    refused = site.submit(f"/parked/{item}/message", f"/parked/{item}/message", why=" x ")
    assert (refused.status_code, CPR in refused.text) == (422, False)
    shown = site.submit(f"/parked/{item}/message", f"/parked/{item}/message", why="ringer til lægen")
    assert CPR in shown.text
    assert "cache-control" in shown.headers
    (row,) = [r for r in site.store.audit.latest() if r.what == "message.cpr_seen"]
    assert row.why == "ringer til lægen"


def test_an_envelope_is_shown_with_what_it_carries(site: Site) -> None:
    item = give_up(site, recorded()["02-copd-in-vans-envelope.xml"])
    shown = site.log_in().page(f"/parked/{item}/message").text
    assert "Indhold i kuverten" in shown
    assert "&lt;XREF15" in shown or "&lt;Emessage" in shown


def test_the_fault_is_marked(site: Site) -> None:
    told = event("contacted", episode_of_care_id=None, case_id="unknown", note=7)
    item = put_aside(site, told, Entrance.TEAM)
    shown = site.log_in().page(f"/parked/{item}/message").text
    assert re.search(r"<mark>&#34;note&#34;:\s*7</mark>", shown)
    broken = give_up(site, b"x")
    assert "<mark>" not in site.page(f"/parked/{broken}/message").text
    line = put_aside(site, recorded()["15-truncated.xml"])
    assert "<mark>" in site.page(f"/parked/{line}/message").text


def test_two_clicks_and_two_operators_have_one_effect(site: Site) -> None:
    item = give_up(site)
    site.log_in()
    form = site.form(f"/parked/{item}")
    first = site.client.post(f"/parked/{item}/replay", data=form, follow_redirects=False)
    again = site.client.post(f"/parked/{item}/replay", data=form, follow_redirects=False)
    assert (first.status_code, again.status_code) == (303, 303)
    other = site.client.post(f"/parked/{item}/replay", data=form | {"key": "k" * 20}, headers={"accept": "text/html"})
    assert (other.status_code, "Nogen kom først" in other.text) == (409, True)
    assert site.client.post(f"/parked/{item}/replay", data=form | {"csrf": "x"}).status_code == 403
    assert len(list(site.store.past.cases())) == 1
    assert site.store.overview.numbers(site.clock()).outbox_pending == 3
    assert [r.what for r in site.store.audit.latest(item)] == ["parked.replayed"]
    shown = site.page(f"/parked/{item}").text
    assert 'href="/cases/' in shown
    assert "Genafspil" not in shown.partition("<main")[2]


def test_the_second_of_two_clicks_at_once_is_shown_what_the_first_did(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both looked before either had written: the second finds its own act when it would write."""
    item = give_up(site)
    site.log_in()
    form = site.form(f"/parked/{item}")
    site.client.post(f"/parked/{item}/replay", data=form)
    is_done, looked = site.store.audit.is_done, iter([False])
    monkeypatch.setattr(site.store.audit, "is_done", lambda key: next(looked, None) is None and is_done(key))
    again = site.client.post(f"/parked/{item}/replay", data=form, follow_redirects=False)
    assert (again.status_code, again.headers["location"]) == (303, f"/parked/{item}")
    assert len(list(site.store.past.cases())) == 1


def test_what_fails_again_says_so(site: Site) -> None:
    item = put_aside(site, b"neither XML nor JSON")
    site.log_in()
    answer = site.submit(f"/parked/{item}", f"/parked/{item}/replay")
    assert "Beskeden fejlede igen af samme grund." in answer.text


def test_a_copy_is_corrected_and_the_original_stays(site: Site) -> None:
    item = give_up(site, GOOD[:-40])
    site.log_in()
    assert site.submit(f"/parked/{item}", f"/parked/{item}/correct", why="").status_code == 422
    page = site.submit(f"/parked/{item}", f"/parked/{item}/correct", why="mangler slutningen")
    assert CPR in page.text
    csrf = site.form(f"/parked/{item}")
    bad = csrf | {"why": "mangler slutningen", "text": GOOD.decode()[:-20]}
    failed = site.client.post(f"/parked/{item}/corrected", data=bad)
    assert (failed.status_code, "Kopien fejler også" in failed.text) == (422, True)
    good = bad | {"text": GOOD.decode().replace("\n", "\r\n"), "key": "k" * 20}
    for _ in range(2):
        done = site.client.post(f"/parked/{item}/corrected", data=good)
        assert (done.status_code, "Originalen er uændret." in done.text) == (200, True)
    assert len(list(site.store.past.cases())) == 1
    found = site.store.parking.item(item)
    assert found is not None
    assert found.data == GOOD[:-40]


def test_a_character_that_the_encoding_lacks_is_told(site: Site) -> None:
    item = give_up(site, recorded()["03-cancer-iso-8859-1.xml"][:-40])
    form = site.log_in().form(f"/parked/{item}") | {"why": "rettes", "text": "<?xml version='1.0'?> €"}
    answer = site.client.post(f"/parked/{item}/corrected", data=form)
    assert (answer.status_code, "tegn uden for tegnsættet" in answer.text) == (422, True)


def test_discarding_takes_two(site: Site) -> None:
    item = give_up(site)
    site.log_in()
    page = f"/parked/{item}"
    assert site.submit(page, f"{page}/discard", why="").status_code == 422
    asked = site.submit(page, f"{page}/discard", why="sendt igen af lægen")
    assert "En anden end dig skal bekræfte." in asked.text
    assert site.submit(page, f"{page}/discard/confirm").status_code == 409
    site.log_in("bo")
    assert "Foreslå at kassere" in site.submit(page, f"{page}/discard/decline").text
    site.submit(page, f"{page}/discard", why="sendt igen")
    site.log_in("ida")
    form = site.form(page)
    for _ in range(2):
        assert "kasseret" in site.client.post(f"{page}/discard/confirm", data=form).text
    found = site.store.parking.item(item)
    assert found is not None
    assert (found.state, found.closed_by) == ("discarded", "ida")


@pytest.mark.parametrize(
    ("action", "right"),
    [
        ("replay", Right.REPLAY),
        ("correct", Right.CONTENT),
        ("corrected", Right.REPLAY),
        ("message", Right.CONTENT),
        ("discard", Right.DISCARD),
        ("discard/confirm", Right.DISCARD),
        ("discard/decline", Right.DISCARD),
    ],
)
def test_every_change_needs_its_right(site: Site, action: str, right: Right) -> None:
    item = give_up(site)
    site.log_in(rights=frozenset(Right) - {right})
    answer = site.submit(f"/parked/{item}", f"/parked/{item}/{action}", why="fordi")
    assert answer.status_code == 403
    found = site.store.parking.item(item)
    assert found is not None
    assert (found.state, found.asked_by) == ("open", None)
