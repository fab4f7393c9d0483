"""English by switch: no Danish of our own is left on any page; what is of record stays Danish, and is marked so."""

import html
import re
from collections.abc import Iterator

import msgspec
import pytest

from fsiii import care_social_codes
from gateway.console.language import english
from gateway.console.statistics import _name
from gateway.errors import FAULTS
from gateway.inbound.source import Delivery
from gateway.mapping import statistics_csv
from gateway.mapping.explanation import wordings
from gateway.municipality.model import load
from gateway.receive import Entrance
from gateway.referral.statistics import Figure
from gateway.simulate.stories import recorded
from gateway.store.accounts import Right
from tests.builders import event
from tests.http.conftest import Site

#: what is of record, as it was written: the decision's why, letters, notes, a fault's place, raw messages
_OF_RECORD = re.compile(r'<(?!html)(\w+)[^>]* lang="da"[^>]*>.*?</\1>|<pre.*?</pre>|<textarea.*?</textarea>', re.DOTALL)
#: Danish phrases that have an English wording; single words may be names, or the same in both languages
PHRASES = sorted(danish for danish, told in english().items() if " " in danish and danish != told)


@pytest.fixture
def site(site: Site) -> Site:
    site.pipeline.handle([Delivery(data=data) for data in recorded().values()])
    site.pipeline.give_up(Delivery(data=b"given up"))
    site.clock.forward(days=15)
    site.store.alarms.tick(site.clock())
    site.log_in().page("/language/en?next=/")
    return site


def shown(site: Site, path: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "\n", _OF_RECORD.sub("", site.page(path).text)))


def danish(text: str) -> list[str]:
    """The longest phrases that are in it."""
    return [phrase for phrase in PHRASES if re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", text)]


def paths(site: Site) -> Iterator[str]:
    yield from ("/", "/board", "/board?team=x", "/board?late=1", "/overview/now", "/overview/queues", "/account")
    yield from ("/senders", "/statistics", "/certificates", "/search", "/nowhere", "/parked", "/parked?state=settled")
    for item in site.store.overview.parked_items():
        yield from (f"/parked/{item.id}", f"/parked/{item.id}?again=1", f"/parked/{item.id}/message")
    for case in site.store.past.cases():
        dossier = site.store.dossiers.find(case.case_id)
        assert dossier is not None
        yield f"/cases/{case.case_id}"
        yield from (f"/cases/{case.case_id}/letters/{went.letter_id}" for went in dossier.went)
        yield from (f"/cases/{case.case_id}/messages/{came.message}" for came in dossier.came)


def test_no_page_shows_a_danish_phrase_of_ours(site: Site) -> None:
    found = {path: told for path in paths(site) if (told := danish(shown(site, path)))}
    assert found == {}


def test_nor_does_one_without_the_right_to_content(site: Site) -> None:
    site.log_in("bo", rights=frozenset({Right.METADATA}))
    reviewed = [case for case in site.store.past.cases() if case.decision.reasons]
    assert reviewed
    for case in reviewed:
        told = shown(site, f"/cases/{case.case_id}")
        assert danish(told) == []
        titles = [english()[wordings()[reason].title] for reason in case.decision.reasons]
        assert all(title in told for title in titles)


def test_the_measure_finds_danish(site: Site) -> None:
    site.page("/language/da?next=/")
    assert {"Beskeder pr. time", "Modtaget i dag"} <= set(danish(shown(site, "/")))


def test_every_fault_is_told_in_english_with_what_to_do(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    (one, *_) = site.store.overview.parked_items()
    item = site.store.parking.item(one.id)
    assert item is not None
    all_of_them = {fault_id: msgspec.structs.replace(item, fault_id=fault_id) for fault_id in FAULTS}
    monkeypatch.setattr(site.store.parking, "rows", lambda *_: list(all_of_them.values()))
    listed = shown(site, "/parked")
    assert danish(listed) == []
    for fault_id, row in FAULTS.items():
        text, advice = english()[row.text], english()[row.advice]
        assert (text.endswith("."), advice.endswith(".")) == (True, True)
        monkeypatch.setattr(site.store.parking, "item", all_of_them.get)
        alone = shown(site, f"/parked/{fault_id}")
        assert danish(alone) == []
        for told in (listed, alone):
            assert text in told
            assert advice in told


def test_what_an_event_is_refused_with_is_told_in_english(site: Site) -> None:
    (case, *_) = (c for c in site.store.past.cases() if c.decision.outcome == "review")
    page = f"/cases/{case.case_id}"
    answer = site.submit(page, f"{page}/decide", programme="no such programme", team="x", intervention="y")
    assert answer.status_code == 422
    (notice,) = re.findall(r'role="alert">(.*?)</p>', answer.text)
    fault = next(row for row in FAULTS.values() if english()[row.text] in html.unescape(notice))
    assert fault.text not in notice


def test_every_title_and_group_of_the_statistics_has_its_english(site: Site) -> None:
    texts = {*statistics_csv.TITLES.values(), *statistics_csv._GROUPS.values()}
    texts |= {reason.display for reason in care_social_codes("stop_reason").values()}
    texts |= {wording.title for wording in wordings().values() if wording.kind in {"programme", "reason"}}
    assert sorted(texts - english().keys()) == []
    assert all(english()[text].count("{days}") == text.count("{days}") for text in texts)
    told = shown(site, "/statistics")
    for title in ("Relevant referrals (without low back and without what is not offered)", "Programme: COPD"):
        assert title in told
    figure = Figure(period="2026", measure="wait_in_time", value=80.0)
    assert _name(figure, load(), "en") == "First talk within 14 days, per cent"
    assert _name(figure, load(), "da") == "Første samtale inden for 14 dage, procent"


def test_the_why_stays_danish_and_the_page_says_so_once(site: Site) -> None:
    (case, *_) = site.store.past.cases()
    page = site.page(f"/cases/{case.case_id}").text
    assert page.count("The decision is told in Danish, the language of record.") == 1
    assert re.search(r'<p lang="da">(Sendt til|Til vurdering|Udkast til svar)', page)
    site.page("/language/da?next=/")
    assert "language of record" not in site.page(f"/cases/{case.case_id}").text


def test_the_text_for_the_supplier_stays_as_it_is_sent(site: Site) -> None:
    assert re.search(r'<p class="words" lang="da">Fra lokationsnummer', site.page("/senders").text)


def test_times_are_told_without_danish_words(site: Site) -> None:
    told = event("contacted", episode_of_care_id=None, case_id="unknown")
    site.pipeline.handle_one(Delivery(data=told, entrance=Entrance.TEAM))
    assert " kl. " not in shown(site, f"/parked/{site.store.overview.parked_items()[-1].id}")
