"""What we write to the referrer and the teams, when, in whose words (design §5; texts from the municipality file)."""

import json
from datetime import date, timedelta

import msgspec
import pytest

from gateway.mapping.encoding import wrap
from gateway.municipality.model import Municipality, load
from gateway.municipality.texts import LetterText
from gateway.receive import read
from gateway.referral.case import State
from gateway.referral.letters import Outgoing
from gateway.referral.moments import danish_date, parse_moment
from gateway.referral.policy import to_referral
from gateway.referral.status_letters import drafted_answer
from tests.builders import (
    BACK_TEAM,
    CONSULTANTS,
    EPISODE,
    RECEIVED,
    SENDER_GLN,
    TRAINING,
    emessage,
    faults,
    handle,
    icpc,
    kinds,
    only,
    opened,
    sks,
    tell,
    vans,
    xref15,
)
from tests.referral.told import after, subject_of, text_of

COPY = "012008"
COPY_GLN = "5790009992035"


def tasks_of(letter: Outgoing) -> list[dict[str, object]]:
    bundle = json.loads(letter.content)
    return [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Task"]


# ------------------------------------------------------------------ a referral arrived
def test_accepted() -> None:
    outcome = handle(emessage(xref15(diagnoses=(*sks("DE119", "DM545"), *icpc("P17")), text="Færdigudredt.")))
    letter = only(outcome, "XDIS91")
    assert subject_of(letter) == "Henvisning visiteret"
    assert text_of(letter) == (
        "Henvisningen er modtaget 16. november 2026.\n"
        "Borgeren er visiteret til Afklarende samtale hos Genoptræning Ishøj og Nikotin- og tobaksafvænning hos "
        "sundhedskonsulenterne og Afklarende samtale hos sundhedskonsulenterne, senest 30. november 2026.\n"
        "Vi ringer til borgeren og aftaler tid. Den første samtale ligger senest to uger efter, at vi har modtaget "
        "henvisningen.\n"
        + "\n".join(load().offers[name].strip() for name in ("diabetes_2", "low_back", "nicotine"))
        + "\nTilbuddet er gratis for borgeren. Tolk stilles til rådighed ved behov. Der ydes ikke kørsel."
    )
    assert (letter.receiver, letter.draft, letter.wants_receipt) == (SENDER_GLN, False, True)
    assert (letter.episode_id, letter.at) == (EPISODE, RECEIVED)
    assert f"<EpisodeOfCareIdentifier>{EPISODE}<".encode() in letter.content
    tasks = {t.receiver: len(tasks_of(t)) for t in outcome.outgoing if t.kind == "Task"}
    assert tasks == {BACK_TEAM: 1, CONSULTANTS: 2}


def test_for_review() -> None:
    outcome = handle(emessage(xref15(diagnoses=(*sks("DE109", "DE119"), *icpc("L84")))))
    letter = only(outcome, "XDIS91")
    assert subject_of(letter) == "Henvisning modtaget"
    assert text_of(letter) == (
        "Henvisningen er modtaget 16. november 2026 og vurderes af en medarbejder.\nI får besked, når den er vurderet."
    )
    task = only(outcome, "Task")
    assert task.receiver == CONSULTANTS
    assert [(t["status"], t["businessStatus"]["text"]) for t in tasks_of(task)] == [("requested", "for-review")] * 2


def test_a_review_without_proposal_is_a_task_without_code(municipality: Municipality) -> None:
    case = opened()
    decision = msgspec.structs.replace(case.decision, outcome="review", assignments=(), review_team=BACK_TEAM)
    bare = msgspec.structs.replace(case.assignments[0], intervention=None, team=BACK_TEAM, state=State.FOR_REVIEW)
    waiting = msgspec.structs.replace(case, decision=decision, assignments=(bare,))
    _, message = to_referral(waiting, municipality)
    (task,) = message.content.tasks
    assert message.content.team == BACK_TEAM
    assert (task.code, task.display, task.business_status) == (None, None, "for-review")
    taken = tell(waiting, "accepted", team=BACK_TEAM)
    assert "Borgeren er visiteret til vurdering hos Genoptræning Ishøj, senest" in text_of(only(taken, "XDIS91"))


def test_the_words_are_the_municipalitys(municipality: Municipality) -> None:
    words = LetterText(subject="Modtaget", text="Tak for brevet af {received}.")
    own = msgspec.structs.replace(municipality, letters={**municipality.letters, "review": words})
    letter = only(handle(emessage(xref15(diagnoses=sks("DE109"))), municipality=own), "XDIS91")
    assert (subject_of(letter), text_of(letter)) == ("Modtaget", "Tak for brevet af 16. november 2026.")


def test_a_return_is_drafted_and_waits() -> None:
    outcome = handle(emessage(xref15(diagnoses=icpc("T82"))))
    letter = only(outcome, "XDIS91")
    assert letter.draft
    assert subject_of(letter) == "Svar på henvisning"
    assert text_of(letter).startswith(
        "Vi har vurderet henvisningen modtaget 16. november 2026.\n"
        "Ishøj Kommune har ikke et tilbud om det, der henvises til (ICPC-2 T82)."
    )
    (task,) = tasks_of(only(outcome, "Task"))
    assert task["status"] == "draft"
    assert task["note"][0]["text"] in text_of(letter)
    (case,) = outcome.cases
    sent = only(tell(case, "returned", note="Vi har desværre intet tilbud."), "XDIS91")
    assert not sent.draft
    assert text_of(sent).endswith("\nVi har desværre intet tilbud.")
    assert sent.letter_id != letter.letter_id


def test_a_draft_has_a_paragraph_for_each_reason(municipality: Municipality) -> None:
    (letter,) = handle(emessage(xref15(diagnoses=icpc("T82"), postcode="2670"))).letters
    assert letter.decision is not None
    draft = drafted_answer(letter.decision, municipality, RECEIVED)
    first, *others = draft.split("\n")
    assert first.startswith("Borgeren bor ikke i Ishøj Kommune (postnummer 2670)")
    assert others[0].startswith("Ishøj Kommune har ikke et tilbud om det, der henvises til (ICPC-2 T82)")


# ------------------------------------------------------------------ a team told something
POLICY = {
    "accepted": [],
    "info_requested": ["XDIS91"],
    "contacted": [],
    "not_reached": ["XDIS15"],
    "talk_booked": [],
    "talk_held": [],
    "course_started": [],
    "no_show": [],
    "stopped": ["XDIS15"],
    "declined_by_citizen": ["XDIS15"],
    "reassigned": ["Task"],
}
POLICY_IN_REVIEW = {
    "accepted": ["XDIS91", "Task"],
    "review_decided": ["XDIS91", "Task"],
    "returned": ["XDIS91"],
    "info_requested": ["XDIS91"],
    "referral_requested": [],
    "declined_by_citizen": ["XDIS15"],
}
POLICY_IN_COURSE = {
    "session_held": [],
    "referred_on": ["Task"],
    "course_completed": ["XDIS15"],
}


@pytest.mark.parametrize(("kind", "expected"), POLICY.items())
def test_letters_by_policy(kind: str, expected: list[str]) -> None:
    assert kinds(tell(opened(), kind)) == expected


@pytest.mark.parametrize(("kind", "expected"), POLICY_IN_REVIEW.items())
def test_letters_by_policy_in_review(kind: str, expected: list[str]) -> None:
    assert kinds(tell(opened(diagnoses=sks("DE109")), kind)) == expected


@pytest.mark.parametrize(("kind", "expected"), POLICY_IN_COURSE.items())
def test_letters_by_policy_in_course(kind: str, expected: list[str]) -> None:
    case, _ = after(opened(), "course_started")
    assert kinds(tell(case, kind)) == expected


def test_a_question() -> None:
    letter = only(tell(opened(), "info_requested", note="Hvad er {HbA1c}?\n Og BMI?"), "XDIS91")
    assert subject_of(letter) == "Spørgsmål til henvisning"
    assert text_of(letter) == (
        "Vi mangler oplysninger for at kunne visitere henvisningen modtaget 16. november 2026:\n"
        "Hvad er {HbA1c}?\n<Space/>Og BMI?\n"
        "Svar venligst på denne korrespondance, eller send en rettet henvisning."
    )
    assert letter.at.isoformat() == "2026-11-20T11:00:00+01:00"


def test_a_decided_review_tells_the_referrer_and_the_teams() -> None:
    given = [{"team": BACK_TEAM, "intervention": TRAINING, "delivery": "group"}]
    outcome = tell(opened(diagnoses=sks("DE109")), "review_decided", assignments=given)
    assert "visiteret til Fysisk træning hos Genoptræning Ishøj, senest 30. november 2026" in text_of(
        only(outcome, "XDIS91")
    )
    message = only(outcome, "Task")
    (task,) = tasks_of(message)
    assert (message.receiver, task["code"]["coding"][0]["code"]) == (BACK_TEAM, TRAINING)
    assert task["identifier"][0]["value"] == outcome.cases[0].assignments[0].id
    assert "businessStatus" not in task


def test_a_withdrawn_decision_is_told() -> None:
    case, _ = after(opened(diagnoses=sks("DE109")), ("accepted", {"event_id": "A"}))
    letter = only(tell(case, "withdrawn", withdraws="A", note="Vi vurderer den igen."), "XDIS91")
    assert subject_of(letter) == "Rettelse: se bort fra tidligere besked"
    assert text_of(letter) == (
        "Vores besked af 20. november 2026 om henvisningen modtaget 16. november 2026 var en fejl. Se venligst bort "
        "fra den.\nVi vurderer den igen.\nI får besked, når der er nyt i forløbet."
    )


def test_a_withdrawn_step_that_nobody_was_told_of_is_no_letter() -> None:
    case, _ = after(opened(), ("accepted", {"event_id": "A"}), ("contacted", {"event_id": "C"}))
    assert kinds(tell(case, "withdrawn", withdraws="C")) == kinds(tell(case, "withdrawn", withdraws="A")) == []


# ------------------------------------------------------------------ copies, versions, wrapping, ids
def test_the_copy_goes_to_the_receiver_the_referral_names(municipality: Municipality) -> None:
    known = msgspec.structs.replace(municipality, addresses={COPY: COPY_GLN})
    arrived = handle(emessage(xref15(answer_cc=COPY)), municipality=known)
    assert faults(arrived) == []
    ended = tell(arrived.cases[0], "not_reached", municipality=known)
    first, copy = ended.outgoing
    assert (first.kind, copy.kind) == ("XDIS15", "XDIS15")
    assert (first.receiver, copy.receiver) == (SENDER_GLN, COPY_GLN)
    assert first.letter_id != copy.letter_id
    assert text_of(first) == text_of(copy)
    for letter in (first, copy):
        assert f"<CCReceiver><Identifier>{COPY}</Identifier>".encode() in letter.content
    assert f"<Receiver><EANIdentifier>{COPY_GLN}</EANIdentifier>".encode() in copy.content


def test_a_copy_receiver_nobody_knows_is_put_aside_visibly() -> None:
    arrived = handle(emessage(xref15(answer_cc=COPY)))
    assert [(p.fault.id, p.fault.detail) for p in arrived.parked] == [("GW-171", f"ydernummer {COPY}")]
    assert kinds(arrived) == ["XCTL03", "XDIS91", "Task"]
    assert kinds(tell(arrived.cases[0], "not_reached")) == ["XDIS15"]


@pytest.mark.parametrize(("version", "expected"), [("XH1530R", "XD1530L"), ("XH1531R", "XD1531L")])
def test_the_note_follows_the_referrals_version(version: str, expected: str, municipality: Municipality) -> None:
    assert only(tell(opened(version=version), "not_reached"), "XDIS15").version == expected
    versions = msgspec.structs.replace(municipality.versions, xdis15={SENDER_GLN: "XD1531L"})
    told = msgspec.structs.replace(municipality, versions=versions)
    assert only(tell(opened(version=version), "not_reached", municipality=told), "XDIS15").version == "XD1531L"


def test_a_status_letter_goes_in_the_version_the_receiver_is_registered_for(municipality: Municipality) -> None:
    newer = msgspec.structs.replace(municipality.versions, xdis91={SENDER_GLN: "XD9135L"})
    told = msgspec.structs.replace(municipality, versions=newer)
    for file, version in ((municipality, "XD9134L"), (told, "XD9135L")):
        letter = only(handle(emessage(), municipality=file), "XDIS91")
        assert letter.version == version
        (read_again,) = read(wrap(letter, "KUV00000000009", RECEIVED)).letters
        assert (read_again.fault, read_again.version) == (None, version)


def test_answers_use_the_wrapping_that_came_in() -> None:
    for data, carrier in ((emessage(), "bare"), (vans(), "vans")):
        arrived = handle(data)
        ended = tell(arrived.cases[0], "not_reached")
        assert {x.carrier.value for x in (*arrived.outgoing, *ended.outgoing) if x.kind != "Task"} == {carrier}


def test_ids_follow_from_the_event() -> None:
    case = opened(diagnoses=sks("DE109"))
    first, again = (tell(case, "accepted", event_id="E") for _ in range(2))
    assert first == again
    other = tell(case, "accepted", event_id="F")
    assert not {x.letter_id for x in first.outgoing} & {x.letter_id for x in other.outgoing}
    ids = [x.letter_id for x in first.outgoing if x.kind != "Task"]
    assert all(len(i) == 14 and i.isalnum() and i.isupper() for i in ids)


def test_nothing_is_ever_granted() -> None:
    letters = [*handle(emessage()).outgoing, *handle(emessage(xref15(diagnoses=icpc("T82")))).outgoing]
    assert all("bevilg" not in letter.content.decode().lower() for letter in letters)


def test_dates_as_danes_write_them() -> None:
    assert [danish_date(date(2026, month, 1)).split()[1] for month in (1, 5, 12)] == ["januar", "maj", "december"]
    assert parse_moment(None) is None
    midnight = parse_moment("2026-07-01")
    assert midnight is not None
    assert midnight.utcoffset() == timedelta(hours=2)
    assert parse_moment("2026-07-01T10:00:00Z") is not None
