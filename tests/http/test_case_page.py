"""The case page: what it waits for, why, what came and went; each decision once, by right, through the pipeline."""

import json
import re

import pytest

from fsiii import AFKLARENDE_SAMTALE
from gateway.console.letters import words_of
from gateway.inbound.source import Delivery
from gateway.mapping.explanation import explanation
from gateway.municipality.model import load
from gateway.receive import Entrance
from gateway.referral.case import Case
from gateway.referral.model import Citizen
from gateway.simulate.stories import recorded
from gateway.store.accounts import Right
from tests.builders import event
from tests.edifact_builders import interchange, ref01
from tests.fhir_messages import as_json, referral
from tests.http.conftest import Site

TEAM, OTHER = "sundhedskonsulenter", "genoptraening-ishoej"


@pytest.fixture
def busy(site: Site) -> Site:
    site.pipeline.handle([Delivery(data=data) for data in recorded().values()])
    return site


def case_of(site: Site, letter_id: str) -> Case:
    (found,) = (case for case in site.store.past.cases() if case.referral.letter_id == letter_id)
    return found


ACCEPTED, RETURN, REVIEW = "PRBRV000000001", "PRBRV000000010", "PRBRV000000011"


def path(site: Site, letter_id: str) -> str:
    return f"/cases/{case_of(site, letter_id).case_id}"


def names(citizen: Citizen) -> list[str]:
    return [citizen.surname, citizen.identifier, citizen.identifier[:6]]


# ------------------------------------------------------------------ what is shown
def test_metadata_shows_the_steps_and_nobodys_name(busy: Site) -> None:
    page = path(busy, RETURN)
    busy.log_in(rights=frozenset({Right.METADATA}))
    shown = busy.page(page).text
    citizen = case_of(busy, RETURN).referral.citizen
    assert not [name for name in names(citizen) if name in shown]
    assert "ICPC-2" not in shown
    assert "Tilbydes ikke" in shown
    assert "udkast til svar" in shown
    assert "Vis brevet" not in shown
    assert busy.store.audit.latest(case_of(busy, RETURN).case_id) == []
    assert busy.page("/cases/unknown").status_code == 404


def test_content_shows_the_why_in_danish_and_is_written_down(busy: Site) -> None:
    page = path(busy, ACCEPTED)
    busy.log_in()
    case = case_of(busy, ACCEPTED)
    shown = busy.page(page).text
    assert "Sendt til sundhedskonsulenterne til Afklarende samtale" in shown
    assert "DX-SKS-DE11" in shown
    assert case.referral.citizen.identifier not in shown
    assert f"{case.referral.citizen.identifier[:6]}-xxxx" in shown
    assert case.referral.citizen.surname in shown
    for told in (
        "henvisning modtaget",
        "(XREF15, brev",
        "positiv kvittering",
        "statusbrev",
        "opgave",
        "accept fra team",
    ):
        assert told in shown
    assert [row.what for row in busy.store.audit.latest(case.case_id)] == ["case.seen"]
    assert page in busy.page("/board").text


def test_the_full_cpr_takes_a_reason(busy: Site) -> None:
    page = path(busy, ACCEPTED)
    busy.log_in()
    cpr = case_of(busy, ACCEPTED).referral.citizen.identifier
    assert busy.submit(page, f"{page}/cpr", why="").status_code == 422
    shown = busy.submit(page, f"{page}/cpr", why="ringer til borgeren").text
    assert f"{cpr[:6]}-{cpr[6:]}" in shown
    (row,) = [r for r in busy.store.audit.latest() if r.what == "case.cpr_seen"]
    assert row.why == "ringer til borgeren"


def test_letters_and_messages_are_shown_as_they_read_and_raw(busy: Site) -> None:
    page = path(busy, ACCEPTED)
    busy.log_in()
    cpr = case_of(busy, ACCEPTED).referral.citizen.identifier
    shown = busy.page(page).text
    letters = re.findall(rf'href="({page}/letters/[^"]+)"', shown)
    assert len(letters) == 2
    read = [busy.page(letter).text for letter in letters]
    assert any("Henvisning visiteret" in text and "&lt;ClinicalEmail&gt;" in text for text in read)
    (message,) = re.findall(rf'href="({page}/messages/[^"]+)"', shown)
    read.append(busy.page(message).text)
    assert "&lt;Emessage" in read[-1]
    assert not [text for text in read if cpr in text]
    looked = [row.what for row in busy.store.audit.latest()]
    assert (looked.count("letter.seen"), looked.count("message.seen")) == (2, 1)
    assert busy.page(f"{page}/letters/unknown").status_code == 404
    assert busy.page(f"{page}/messages/unknown").status_code == 404
    other = path(busy, RETURN)
    assert busy.page(letters[0].replace(page, other)).status_code == 404
    assert busy.page(message.replace(page, other)).status_code == 404


def test_a_teams_event_and_its_message_stand_in_the_timeline(busy: Site) -> None:
    case = case_of(busy, ACCEPTED)
    told = event("contacted", episode_of_care_id=None, case_id=case.case_id, team=TEAM, note="Talte med borgeren")
    assert not busy.pipeline.handle_one(Delivery(data=told, entrance=Entrance.TEAM)).parked
    shown = busy.log_in().page(f"/cases/{case.case_id}").text
    assert "borger kontaktet" in shown
    assert "Talte med borgeren" in shown
    messages = re.findall(r'href="([^"]+/messages/[^"]+)"', shown)
    assert any("Talte med borgeren" in busy.page(message).text for message in messages)


@pytest.mark.parametrize("data", [interchange(ref01()), as_json(referral())])
def test_letters_of_every_standard_read_as_words(site: Site, data: bytes) -> None:
    outcome = site.pipeline.handle_one(Delivery(data=data))
    assert not outcome.parked
    told = {letter.kind: words for letter in outcome.outgoing if (words := words_of(letter))}
    (case,) = outcome.cases
    assert told.pop("Task").text.startswith(explanation(case.decision, load()).headline)
    assert told
    assert all("Henvisning" in words.text or "modtaget" in words.text for words in told.values())


# ------------------------------------------------------------------ what is done
def test_an_answer_is_approved_once(busy: Site) -> None:
    page = path(busy, RETURN)
    busy.log_in()
    form = busy.form(page) | {"text": "Vi har ikke det tilbud.\r\nVenlig hilsen"}
    for _ in range(2):
        assert busy.client.post(f"{page}/return", data=form, follow_redirects=False).status_code == 303
    case = case_of(busy, RETURN)
    assert case.state == "returned"
    assert case.events[-1].note == "Vi har ikke det tilbud.\nVenlig hilsen"
    assert case.events[-1].author.name == "Signe Prøve"
    shown = busy.page(page).text
    assert "udkast bortfaldet" in shown
    assert [row.what for row in busy.store.audit.latest(case.case_id) if row.what != "case.seen"] == ["case.returned"]
    late = busy.submit(page, f"{page}/return", text="en gang til")
    assert (late.status_code, "mulige trin" in late.text) == (422, True)


def test_the_draft_stands_in_the_form(busy: Site) -> None:
    shown = busy.log_in().page(path(busy, RETURN)).text
    draft = re.search(r'<textarea id="return-text"[^>]*>\n(.*?)</textarea>', shown, re.DOTALL)
    assert draft
    assert draft[1].startswith("Ishøj Kommune har ikke et tilbud")
    assert "Vi har vurderet henvisningen" not in draft[1]


def test_a_review_is_decided_by_programme_and_team(busy: Site) -> None:
    page = path(busy, REVIEW)
    busy.log_in()
    form = busy.form(page) | {
        "programme": ["copd", "low_back"],
        "team": [TEAM, OTHER, ""],
        "intervention": [AFKLARENDE_SAMTALE, AFKLARENDE_SAMTALE, ""],
        "delivery": ["", "individual", ""],
    }
    assert busy.client.post(f"{page}/decide", data=form, follow_redirects=False).status_code == 303
    case = case_of(busy, REVIEW)
    assert case.programmes == ("copd", "low_back")
    assert [(a.team, a.delivery, a.state.value) for a in case.assignments] == [
        (TEAM, None, "accepted"),
        (OTHER, "individual", "accepted"),
    ]


def test_a_decision_that_cannot_be_is_shown_again_as_it_was_chosen(busy: Site) -> None:
    page = path(busy, "PRBRV000000012")
    busy.log_in()
    before = case_of(busy, "PRBRV000000012")
    empty = busy.submit(page, f"{page}/decide")
    assert (empty.status_code, "Vælg mindst én opgave: team og indsats." in empty.text) == (422, True)
    half = busy.submit(page, f"{page}/decide", team=OTHER, intervention="", delivery="group")
    assert (half.status_code, "Hver opgave skal have både team og indsats." in half.text) == (422, True)
    assert f'<option value="{OTHER}" selected>' in half.text
    unknown = busy.submit(page, f"{page}/decide", team=OTHER, intervention="x", delivery="group", programme="alcohol")
    assert (unknown.status_code, "Teamets hændelse kan ikke læses." in unknown.text) == (422, True)
    assert f'<option value="{OTHER}" selected>' in unknown.text
    assert 'value="alcohol" checked' in unknown.text
    assert case_of(busy, "PRBRV000000012") == before


def test_a_proposal_is_taken_as_it_stands(busy: Site) -> None:
    page = path(busy, "PRBRV000000014")
    busy.log_in()
    assert "Tag forslaget, som det står" in busy.page(page).text
    assert busy.submit(page, f"{page}/accept").status_code == 200
    assert case_of(busy, "PRBRV000000014").state == "accepted"


def test_the_referrer_is_asked_and_what_was_typed_is_not_lost(busy: Site) -> None:
    page = path(busy, REVIEW)
    busy.log_in()
    busy.submit(page, f"{page}/ask", text="Hvad er HbA1c?")
    assert case_of(busy, REVIEW).state == "info_requested"
    accepted = path(busy, ACCEPTED)
    refused = busy.submit(accepted, f"{accepted}/return", text="mine ord")
    assert refused.status_code == 422


def test_an_assignment_is_handed_over(busy: Site) -> None:
    page = path(busy, ACCEPTED)
    busy.log_in()
    assignment = case_of(busy, ACCEPTED).assignments[0].id
    busy.submit(page, f"{page}/reassign", assignment=assignment, to_team=OTHER)
    assert [(a.team, a.state.value) for a in case_of(busy, ACCEPTED).assignments] == [
        (TEAM, "reassigned"),
        (OTHER, "accepted"),
    ]


def test_a_note_stays_in_the_house(busy: Site) -> None:
    page = path(busy, ACCEPTED)
    busy.log_in()
    before = busy.store.overview.numbers(busy.clock()).outbox_pending
    form = busy.form(page) | {"text": "Ring efter kl. 14"}
    for _ in range(2):
        busy.client.post(f"{page}/note", data=form)
    assert busy.page(page).text.count("Ring efter kl. 14") == 1
    assert busy.store.overview.numbers(busy.clock()).outbox_pending == before
    assert busy.submit(page, f"{page}/note", text=" ").status_code == 422


@pytest.mark.parametrize("action", ["accept", "decide", "return", "ask", "reassign", "note", "cpr"])
def test_every_act_needs_its_right(busy: Site, action: str) -> None:
    missing = Right.CONTENT if action == "cpr" else Right.DECIDE
    page = path(busy, REVIEW)
    busy.log_in(rights=frozenset(Right) - {missing})
    assert busy.submit("/account", f"{page}/{action}", text="x", why="fordi").status_code == 403
    assert case_of(busy, REVIEW).events == ()
    assert "Hvad vil du gøre?" not in busy.page(page).text


def test_two_who_decide_at_once_have_one_effect(busy: Site) -> None:
    """The second finds the case decided and is told; nothing is sent twice."""
    page = path(busy, RETURN)
    busy.log_in()
    first, second = busy.form(page), busy.form(page)
    busy.client.post(f"{page}/return", data=first | {"text": "første"})
    answer = busy.client.post(f"{page}/return", data=second | {"text": "anden"}, headers={"accept": "text/html"})
    assert answer.status_code == 422
    assert "anden" not in json.dumps([e.note for e in case_of(busy, RETURN).events])
