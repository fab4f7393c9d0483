"""What people do about a case, done in a browser on simulated cases; the effect is read from the store and the page."""

import pytest
from playwright.sync_api import Page, expect

from gateway.console.letters import words_of
from gateway.referral.case import Case, State
from tests.console.conftest import Town, picture, tab_to

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.broker]
CONSULTANTS, TRAINING = "sundhedskonsulenter", "genoptraening-ishoej"


def open_case(page: Page, town: Town, case: Case) -> None:
    page.goto(f"{town.url}/cases/{case.case_id}")


def acts(town: Town, subject: str) -> list[tuple[str, str, str]]:
    """Who did what to it and why, the last first; that somebody looked is left out."""
    rows = town.store.audit.latest(subject)
    return [(row.who, row.what, row.why) for row in rows if row.what != "case.seen"]


def sent(town: Town, case: Case, kinds: set[str]) -> list[str]:
    """What the letters of those kinds about the case say, once they have left by the transport, the first first."""
    town.settle()
    dossier = town.store.dossiers.find(case.case_id)
    assert dossier is not None
    gone = [went for went in dossier.went if went.kind in kinds and went.status == "sent"]
    letters = [town.store.outbox.letter(went.letter_id) for went in sorted(gone, key=lambda went: went.created_at)]
    words = [words_of(letter) for letter in letters if letter is not None]
    return [word.text for word in words if word is not None]


TO_REFERRER = {"XDIS91", "DIS91", "CareCommunication"}


def test_a_drafted_answer_is_approved_by_keyboard_alone(ida: Page, town: Town) -> None:
    case = town.take(State.DRAFTED_RETURN)
    ida.goto(f"{town.url}/board?waits_for=decision")
    tab_to(ida, f'a[href="/cases/{case.case_id}"]')
    ida.keyboard.press("Enter")
    expect(ida.get_by_role("heading", name="Svar til henviser")).to_be_visible()
    tab_to(ida, "#return-text")
    ida.keyboard.press("Control+End")
    ida.keyboard.type(" Venlig hilsen")
    tab_to(ida, 'form[action$="/return"] button')
    ida.keyboard.press("Enter")
    expect(ida.locator(".timeline")).to_contain_text("svar til henviser godkendt")
    picture(ida, "case-returned")
    assert town.case(case.case_id).state is State.RETURNED
    assert sent(town, case, TO_REFERRER)[-1].endswith("Venlig hilsen")
    assert acts(town, case.case_id)[0][:2] == ("ida", "case.returned")


def test_a_drafted_answer_is_worded_anew(ida: Page, town: Town) -> None:
    case = town.take(State.DRAFTED_RETURN)
    open_case(ida, town, case)
    drafted = ida.locator("#return-text").input_value()
    ida.locator("#return-text").fill("Vi har desværre ikke tilbuddet.\nRing gerne på 43 57 70 00.")
    ida.get_by_role("button", name="Godkend og send svaret").click()
    expect(ida.locator(".facts")).to_contain_text("besvaret")
    answer = sent(town, case, TO_REFERRER)[-1]
    assert "Vi har desværre ikke tilbuddet." in answer
    assert drafted not in answer
    dossier = town.store.dossiers.find(case.case_id)
    assert dossier is not None
    assert {went.status for went in dossier.went if went.kind in TO_REFERRER} == {"sent", "superseded"}


def test_a_review_is_answered_in_ones_own_words(ida: Page, town: Town) -> None:
    case = town.take(State.FOR_REVIEW)
    open_case(ida, town, case)
    ida.locator("#return-text").fill("Borgeren er allerede i forløb.")
    ida.get_by_role("button", name="Send svaret").click()
    expect(ida.locator(".timeline")).to_contain_text("Borgeren er allerede i forløb.")
    assert town.case(case.case_id).state is State.RETURNED
    assert "Borgeren er allerede i forløb." in sent(town, case, TO_REFERRER)[-1]


def test_a_proposal_is_taken_as_it_stands(ida: Page, town: Town) -> None:
    case = town.take(State.FOR_REVIEW, lambda case: case.programmes and "REFERRAL_NEEDED" not in case.decision.reasons)
    open_case(ida, town, case)
    ida.get_by_role("button", name="Tag forslaget, som det står").click()
    expect(ida.locator(".facts")).to_contain_text("visiteret")
    after = town.case(case.case_id)
    assert (after.state, after.programmes) == (State.ACCEPTED, case.programmes)
    assert after.events[-1].author.name == "Ida Prøve"
    assert "Borgeren er visiteret til Afklarende samtale" in sent(town, case, TO_REFERRER)[-1]
    assert acts(town, case.case_id)[0][:2] == ("ida", "case.accepted")


def test_a_review_is_decided_by_programme_and_team_and_handed_over(ida: Page, town: Town) -> None:
    case = town.take(State.FOR_REVIEW, lambda case: "REFERRAL_NEEDED" not in case.decision.reasons)
    open_case(ida, town, case)
    for box in ida.locator('input[name="programme"]:checked').all():
        box.uncheck()
    ida.get_by_label("hjertesygdom", exact=True).check()
    ida.locator("#t-0").select_option(CONSULTANTS)
    ida.locator("#i-0").select_option(label="Afklarende samtale")
    ida.locator("#d-0").select_option("individual")
    picture(ida, "case-review-filled")
    ida.get_by_role("button", name="Afgør vurderingen").click()
    expect(ida.locator(".timeline")).to_contain_text("vurdering afgjort")
    expect(ida.locator(".facts")).to_contain_text("hjertesygdom")
    after = town.case(case.case_id)
    assert (after.state, after.programmes) == (State.ACCEPTED, ("heart",))
    assert [(a.team, a.delivery) for a in after.assignments if not a.has_ended] == [(CONSULTANTS, "individual")]
    assert acts(town, case.case_id)[0][:2] == ("ida", "case.review_decided")

    ida.get_by_label("Nyt team").select_option(TRAINING)
    ida.get_by_role("button", name="Overgiv").click()
    expect(ida.locator(".timeline")).to_contain_text("overgivet til andet team")
    assert [a.team for a in town.case(case.case_id).assignments if not a.has_ended] == [TRAINING]
    assert acts(town, case.case_id)[0][:2] == ("ida", "case.reassigned")
    town.settle()
    dossier = town.store.dossiers.find(case.case_id)
    assert dossier is not None
    assert {went.receiver for went in dossier.went if went.kind == "Task"} == {CONSULTANTS, TRAINING}


def test_a_decision_that_says_too_little_is_refused_with_what_was_chosen(
    ida: Page, town: Town, complaints: list[str]
) -> None:
    case = town.long_named(State.FOR_REVIEW)
    before = acts(town, case.case_id)
    open_case(ida, town, case)
    ida.locator("#t-0").select_option("")
    ida.locator("#i-0").select_option("")
    ida.get_by_role("button", name="Afgør vurderingen").click()
    expect(ida.get_by_role("alert")).to_have_text("Vælg mindst én opgave: team og indsats.")
    ida.get_by_label("KOL", exact=True).check()
    ida.locator("#t-0").select_option(TRAINING)
    ida.locator("#i-0").select_option(label="Fysisk træning")
    ida.locator("#d-0").select_option("group")
    ida.get_by_text("Flere opgaver").click()
    ida.locator("#t-1").select_option(CONSULTANTS)  # and no intervention: what is meant is not guessed
    ida.get_by_role("button", name="Afgør vurderingen").click()
    expect(ida.get_by_role("alert")).to_have_text("Hver opgave skal have både team og indsats.")
    picture(ida, "case-review-refused")
    expect(ida.get_by_label("KOL", exact=True)).to_be_checked()
    chosen = {f"#{name}": ida.locator(f"#{name}").input_value() for name in ("t-0", "d-0", "t-1", "i-1")}
    assert chosen == {"#t-0": TRAINING, "#d-0": "group", "#t-1": CONSULTANTS, "#i-1": ""}
    assert ida.locator("#i-0 option:checked").inner_text() == "Fysisk træning"
    assert town.case(case.case_id) == case
    assert acts(town, case.case_id) == before
    assert [told for told in complaints if "422" not in told] == []
    complaints.clear()


def test_the_referrer_is_asked(ida: Page, town: Town) -> None:
    case = town.take(State.FOR_REVIEW, lambda case: "REFERRAL_NEEDED" not in case.decision.reasons)
    open_case(ida, town, case)
    ida.locator("#ask-text").fill("Bor borgeren i Ishøj?")
    ida.get_by_role("button", name="Send spørgsmålet").click()
    expect(ida.locator(".timeline")).to_contain_text("oplysninger efterspurgt")
    assert town.case(case.case_id).state is State.INFO_REQUESTED
    assert "Bor borgeren i Ishøj?" in sent(town, case, TO_REFERRER)[-1]
    assert acts(town, case.case_id)[0][:2] == ("ida", "case.info_requested")


def test_a_note_stays_in_the_house(ida: Page, town: Town) -> None:
    case = town.take(State.COURSE_STARTED)
    letters = town.store.dossiers.find(case.case_id)
    open_case(ida, town, case)
    ida.locator("#note-text").fill("Ring efter kl. 14. CPR 010203-4567 er nævnt i telefonen.")
    ida.get_by_role("button", name="Gem noten").click()
    expect(ida.locator(".timeline")).to_contain_text("Ring efter kl. 14. CPR 010203-xxxx")
    after = town.store.dossiers.find(case.case_id)
    assert letters is not None
    assert after is not None
    assert [note.who for note in after.notes] == ["ida"]
    assert (after.went, after.case) == (letters.went, letters.case)
    assert acts(town, case.case_id)[0] == ("ida", "case.noted", "")


def test_the_full_number_takes_a_reason(ida: Page, town: Town) -> None:
    case = town.take(State.CONTACTED)
    number = case.referral.citizen.identifier
    whole = f"{number[:6]}-{number[6:]}"
    open_case(ida, town, case)
    shown = ida.content()
    assert f"{number[:6]}-xxxx" in shown
    assert number not in shown
    assert whole not in shown
    ida.get_by_text("Vis fuldt CPR").first.click()
    ida.get_by_role("button", name="Vis fuldt CPR").click()  # without a reason nothing happens
    assert "case.cpr_seen" not in [what for _, what, _ in acts(town, case.case_id)]
    ida.locator("#cpr-why").fill("ringer til borgeren")
    ida.get_by_role("button", name="Vis fuldt CPR").click()
    expect(ida.locator(".facts")).to_contain_text(whole)
    assert acts(town, case.case_id)[0] == ("ida", "case.cpr_seen", "ringer til borgeren")
    open_case(ida, town, case)
    expect(ida.locator(".facts")).to_contain_text(f"{number[:6]}-xxxx")


def test_letters_and_messages_are_read_masked(ida: Page, town: Town) -> None:
    case = town.take(State.CLOSED)
    number = case.referral.citizen.identifier
    open_case(ida, town, case)
    addresses = [link.get_attribute("href") for link in ida.get_by_role("link", name="Vis b").all()]
    assert len(addresses) > 5
    for address in addresses:
        ida.goto(f"{town.url}{address}")
        expect(ida.locator("pre.raw").first).to_be_visible()
        assert number not in ida.content()
    dossier = town.store.dossiers.find(case.case_id)
    assert dossier is not None
    (task, *_) = (went.letter_id for went in dossier.went if went.kind == "Task")
    ida.goto(f"{town.url}/cases/{case.case_id}/letters/{task}")
    expect(ida.locator(".card .words")).to_contain_text("sundhedskonsulenterne")
    expect(ida.locator(".card .words")).to_contain_text("Ishøjs status for forløbsprogrammer 2022")
    seen = [row.what for row in town.store.audit.latest(limit=len(addresses))]
    assert set(seen) == {"letter.seen", "message.seen"}
