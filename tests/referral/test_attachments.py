"""Attachments: joined to the letter that names them, whichever comes first, and handed to the team that has it."""

import base64
import hashlib
import json
from typing import Any

import msgspec
import pytest
from fhir.resources.R4B.bundle import Bundle

from gateway.municipality.model import Attachments, load
from gateway.receive import Entrance
from gateway.referral.inbox import Known, Outcome
from gateway.referral.letters import Outgoing
from tests.attachment_builders import NAMED, OBJECT_ID, OTHER_ID, PDF, binary, reference, xbin, xbin_message
from tests.builders import (
    BACK_TEAM,
    CONSULTANTS,
    CPR,
    NAME,
    OTHER_GLN,
    SENDER_GLN,
    emessage,
    event,
    faults,
    handle,
    kinds,
    only,
    sks,
    vans,
    xref15,
)
from tests.correspondence_builders import xdis91, xdis91_message

OTHER_NAMED = OTHER_ID.replace("-", "")


def referral(**changes: object) -> bytes:
    return emessage(xref15(**({"references": reference()} | changes)))


def reply() -> bytes:
    return xdis91_message(xdis91(references=reference()), envelope_id="KUVSVAR0000001")


def run(*messages: bytes) -> list[Outcome]:
    """The messages one after another, each with all that is known by then."""
    known, outcomes = Known(), []
    for message in messages:
        entrance = Entrance.TEAM if message.startswith(b"{") else Entrance.MEDCOM
        outcomes.append(handle(message, known, entrance=entrance))
        known = known.fold(outcomes[-1])
    return outcomes


def handed(outcome: Outcome) -> list[Outgoing]:
    return [letter for letter in outcome.outgoing if letter.kind == "DocumentReference"]


def resources(letter: Outgoing) -> dict[str, list[dict[str, Any]]]:
    assert Bundle.model_validate_json(letter.content).entry
    urls = [entry["fullUrl"] for entry in json.loads(letter.content)["entry"]]
    assert len(set(urls)) == len(urls)
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in json.loads(letter.content)["entry"]:
        found.setdefault(entry["resource"]["resourceType"], []).append(entry["resource"])
    return found


# ------------------------------------------------------------------ joined
@pytest.mark.parametrize("kind", ["XBIN01", "XBIN02"])
def test_after_its_referral(kind: str) -> None:
    opened, attached = run(referral(), xbin_message(xbin(kind=kind), kind=kind))
    assert handed(opened) == []
    assert (kinds(attached), faults(attached)) == (["XCTL03", "DocumentReference"], [])
    (letter,) = handed(attached)
    assert (letter.receiver, letter.case_id) == (CONSULTANTS, opened.cases[0].case_id)
    assert attached.letters[0].case_id == opened.cases[0].case_id
    assert [(case.case_id, case.number) for case in attached.cases] == [(opened.cases[0].case_id, 2)]
    found = resources(letter)
    (document,), (task,) = found["DocumentReference"], found["Task"]
    file = document["content"][0]["attachment"]
    assert base64.b64decode(file["data"]) == PDF
    assert (file["contentType"], file["size"], file["title"]) == (
        "application/pdf",
        len(PDF),
        f"{OBJECT_ID.lower()}.pdf",
    )
    assert base64.b64decode(file["hash"]) == hashlib.sha1(PDF, usedforsecurity=False).digest()
    assert document["description"] == "Spirometri"
    assert document["identifier"][0]["value"] == f"urn:uuid:{OBJECT_ID.lower()}"
    assert found["Patient"][0]["name"][0]["family"] == NAME
    assert task["groupIdentifier"]["value"] == opened.cases[0].case_id
    assert [i["value"] for i in task["identifier"]] == [a.id for a in opened.cases[0].assignments]
    assert task["businessStatus"]["text"] == "attachment"
    assert task["description"] == "Bilag til forløbet."
    assert task["input"][0]["valueIdentifier"]["value"] == "BIL00000000001"
    assert task["focus"]["reference"] == f"urn:uuid:{document['id']}"


def test_before_its_referral() -> None:
    waiting, opened = run(xbin_message(), referral())
    assert (kinds(waiting), faults(waiting)) == (["XCTL03"], ["GW-168"])
    assert waiting.parked[0].fault.detail == NAMED
    assert kinds(opened) == ["XCTL03", "XDIS91", "Task", "DocumentReference"]
    assert opened.joined == (NAMED,)
    (letter,) = handed(opened)
    assert (letter.receiver, letter.case_id) == (CONSULTANTS, opened.cases[0].case_id)
    assert base64.b64decode(resources(letter)["DocumentReference"][0]["content"][0]["attachment"]["data"]) == PDF


def test_both_orders_are_the_same_to_the_team() -> None:
    first = resources(handed(run(referral(), xbin_message())[1])[0])
    second = resources(handed(run(xbin_message(), referral())[1])[0])
    told = [
        [{k: v for k, v in r["DocumentReference"][0].items() if k not in {"id", "subject", "author"}} for r in (x,)]
        for x in (first, second)
    ]
    assert told[0] == told[1]


def test_in_one_envelope_of_attachments_each_letter_counts_for_itself() -> None:
    two = xbin_message(xbin(), xbin(binary(OTHER_ID), letter_id="BIL00000000002"))
    _, attached = run(referral(), two)
    assert (len(handed(attached)), faults(attached)) == (1, ["GW-168"])


def test_the_team_is_told_of_the_attachment_with_the_referral() -> None:
    opened = run(referral())[0]
    entries = json.loads(only(opened, "Task").content)["entry"]
    (request,) = [e["resource"] for e in entries if e["resource"]["resourceType"] == "ServiceRequest"]
    assert {"text": "Bilag: Spirometri"} in request["note"]


def test_korrespondance_in_a_case() -> None:
    _, written, attached = run(emessage(), reply(), xbin_message())
    assert handed(written) == []
    assert [x.receiver for x in handed(attached)] == [CONSULTANTS]


def test_korrespondance_after_its_attachment() -> None:
    _, waiting, written = run(emessage(), xbin_message(), reply())
    assert faults(waiting) == ["GW-168"]
    assert kinds(written) == ["XCTL03", "Communication", "DocumentReference"]
    assert written.joined == (NAMED,)


@pytest.mark.parametrize("first", ["attachment", "letter"])
def test_korrespondance_without_a_case_is_for_review_with_its_attachment(first: str) -> None:
    messages = [reply(), xbin_message()]
    outcome = run(*(reversed(messages) if first == "attachment" else messages))[-1]
    (letter,) = handed(outcome)
    assert (letter.receiver, letter.case_id) == (load().review.team, None)
    (task,) = resources(letter)["Task"]
    assert task["businessStatus"]["text"] == "for-review"
    assert "groupIdentifier" not in task
    assert "ikke passer til et kendt forløb" in task["description"]


def test_the_team_that_has_the_case_now_gets_it() -> None:
    attached = run(referral(), event("reassigned"), xbin_message())[-1]
    assert [x.receiver for x in handed(attached)] == [BACK_TEAM]


def test_each_team_of_a_case_gets_it_once() -> None:
    attached = run(referral(diagnoses=sks("DE119", "DM545")), xbin_message())[-1]
    letters = handed(attached)
    assert sorted(x.receiver for x in letters) == sorted({x.receiver for x in letters})
    assert len({x.letter_id for x in letters}) == len(letters) >= 1


def test_a_correction_hands_it_over_anew() -> None:
    corrected = referral(letter_id="BRV00000000002", status="rettetbrev", diagnoses=sks("DM545")).replace(
        b"KUV00000000001", b"KUV00000000002"
    )
    outcome = run(referral(), xbin_message(), corrected)[-1]
    assert BACK_TEAM in {x.receiver for x in handed(outcome)}


def test_two_objects_of_which_one_is_named() -> None:
    attached = run(referral(), xbin_message(xbin(binary(), binary(OTHER_ID))))[-1]
    assert (len(handed(attached)), faults(attached)) == (1, ["GW-168"])
    assert len(resources(handed(attached)[0])["DocumentReference"]) == 1
    assert attached.parked[0].fault.detail == OTHER_NAMED


def test_two_that_wait_are_put_aside_each_for_itself() -> None:
    waiting = run(xbin_message(xbin(binary(), binary(OTHER_ID))))[0]
    assert faults(waiting) == ["GW-168", "GW-168"]
    assert len({item.id for item in waiting.parked}) == 2


def test_two_named_come_as_one_message() -> None:
    both = reference() + reference(OTHER_NAMED, "Røntgen")
    attached = run(referral(references=both), xbin_message(xbin(binary(), binary(OTHER_ID))))[-1]
    (letter,) = handed(attached)
    assert [d["description"] for d in resources(letter)["DocumentReference"]] == ["Spirometri", "Røntgen"]


def test_named_by_two_letters_of_a_case_it_comes_once() -> None:
    attached = run(referral(), reply(), xbin_message())[-1]
    (letter,) = handed(attached)
    assert len(resources(letter)["DocumentReference"]) == 1


def test_two_cases_that_name_the_same_file_both_get_it() -> None:
    again = emessage(
        xref15(letter_id="BRV00000000002", episode="0" * 31 + "1", references=reference()), envelope_id="KUV00000000002"
    )
    first, second, attached = run(referral(), again, xbin_message())
    cases = {first.cases[0].case_id, second.cases[0].case_id}
    assert len(cases) == 2
    assert {x.case_id for x in handed(attached)} == cases
    assert len({x.letter_id for x in handed(attached)}) == 2


# ------------------------------------------------------------------ not joined
@pytest.mark.parametrize("first", ["attachment", "letter"])
@pytest.mark.parametrize(
    "attachment",
    [xbin(cpr="0101659901"), xbin(cpr=None, sender=OTHER_GLN), xbin(binary(OTHER_ID))],
    ids=["another citizen", "no citizen and another sender", "another object"],
)
def test_what_does_not_belong_together_waits(attachment: str, first: str) -> None:
    messages = [referral(), xbin_message(attachment)]
    outcomes = run(*(reversed(messages) if first == "attachment" else messages))
    assert [handed(o) for o in outcomes] == [[], []]
    assert sorted(f for o in outcomes for f in faults(o)) == ["GW-168"]
    assert all(o.joined == () for o in outcomes)


def test_without_a_citizen_the_sender_tells() -> None:
    assert len(handed(run(referral(), xbin_message(xbin(cpr=None)))[-1])) == 1
    assert len(handed(run(xbin_message(xbin(cpr=None)), referral())[-1])) == 1


def test_a_reference_that_is_no_uuid_is_awaited_by_nobody() -> None:
    opened = run(referral(references=reference("spirometri-1")))[0]
    assert (opened.objects, faults(opened)) == ((), [])


def test_a_refused_letter_awaits_nothing() -> None:
    outcome = run(referral(receiver_id="461"))[0]
    assert (faults(outcome), outcome.objects) == (["GW-131"], ())


# ------------------------------------------------------------------ refused
REFUSED = {
    "exe": (xbin(binary(extension="exe", code="proprietaert_indhold")), "GW-114"),
    "com": (xbin(binary(extension="com")), "GW-114"),
    "a program by its code": (xbin(binary(extension="bin", code="program")), "GW-114"),
    "a program by its first bytes": (xbin(binary(data=b"MZ\x90\x00" + bytes(60))), "GW-114"),
    "one program of two": (xbin(binary(), binary(OTHER_ID, extension="exe")), "GW-114"),
    "not base64": (xbin(binary(base64="TmFuY3kg*QW5u")), "GW-116"),
    "base64 without its end": (xbin(binary(base64="TmFuY")), "GW-116"),
    "nothing but blanks": (xbin(binary(base64=" \n ")), "GW-116"),
    "another municipality": (xbin(receiver_id="461"), "GW-131"),
    "another receiver": (xbin(receiver=OTHER_GLN), "GW-130"),
    "an impossible CPR": (xbin(cpr="3002659901"), "GW-140"),
    "an unknown version": (xbin(version="XB0200X"), "GW-111"),
    "a size beyond all measure": (xbin(binary(size="9" * 16)), "GW-141"),
    "two under one object id": (xbin(binary(), binary(data=b"andet")), "GW-116"),
    "an object id without hyphens": (xbin(binary(NAMED)), "GW-120"),
}


@pytest.mark.parametrize(("letter", "fault"), REFUSED.values(), ids=REFUSED)
def test_refused_whole(letter: str, fault: str) -> None:
    _, outcome = run(referral(), xbin_message(letter))
    assert (kinds(outcome), faults(outcome), outcome.objects) == (["XCTL02"], [fault], ())
    told = outcome.outgoing[0].content.decode()
    assert CPR not in told
    assert NAME not in told


def test_the_limit_is_the_municipality_files() -> None:
    small = msgspec.structs.replace(load(), attachments=Attachments(max_bytes=len(PDF)))
    assert faults(handle(xbin_message(), municipality=small)) == ["GW-168"]
    smaller = msgspec.structs.replace(load(), attachments=Attachments(max_bytes=len(PDF) - 1))
    outcome = handle(xbin_message(), municipality=smaller)
    assert (kinds(outcome), faults(outcome)) == (["XCTL02"], ["GW-115"])


# ------------------------------------------------------------------ as any letter
def test_another_size_than_told_is_told_to_the_team() -> None:
    attached = run(referral(), xbin_message(xbin(binary(size="12"))))[-1]
    assert "anden størrelse" in resources(handed(attached)[0])["Task"][0]["description"]


def test_a_known_attachment_gets_its_stored_receipt() -> None:
    first, again, new_envelope = run(
        xbin_message(), xbin_message(), xbin_message(envelope_id="KUVBILAG000002", sent="2026-11-16T10:15")
    )
    assert again.duplicate
    for outcome in (again, new_envelope):
        assert (outcome.resend, outcome.outgoing, outcome.objects) == ((first.outgoing[0].letter_id,), (), ())


def test_other_content_under_a_known_id_is_put_aside() -> None:
    outcome = run(xbin_message(), xbin_message(xbin(binary(data=b"andet")), envelope_id="KUVBILAG000002"))[-1]
    assert (faults(outcome), outcome.objects) == (["GW-151"], ())


def test_no_positive_receipt_that_nobody_asked_for() -> None:
    assert kinds(run(xbin_message(positive=False))[0]) == []


def test_in_a_vans_envelope() -> None:
    outcome = run(vans(xbin_message()))[0]
    assert (kinds(outcome), faults(outcome)) == (["VANSReceipt"], ["GW-168"])


def test_sent_anew_under_another_letter_it_stands_beside_the_first() -> None:
    again = xbin_message(xbin(binary(data=b"rettet"), letter_id="BIL00000000002"), envelope_id="KUVBILAG000002")
    outcomes = run(xbin_message(), again, referral())
    documents = resources(handed(outcomes[-1])[0])["DocumentReference"]
    assert [base64.b64decode(d["content"][0]["attachment"]["data"]) for d in documents] == [PDF, b"rettet"]
    assert outcomes[-1].joined == (NAMED,)
    assert [one.number for o in outcomes for one in o.objects] == [1, 2, 3]


def test_the_key_is_the_letters_sender() -> None:
    outcome = run(vans(xbin_message(), sender="5790000000005"))[0]
    assert outcome.letters[0].key == (SENDER_GLN, "BIL00000000001")
