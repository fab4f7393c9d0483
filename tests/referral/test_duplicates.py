"""What was handled before is answered as before, and nothing else happens (design §2, MedCom §7)."""

from gateway.receive import read
from gateway.referral.answer import keys_of
from gateway.referral.inbox import Known, Outcome
from tests.builders import (
    OTHER_GLN,
    SENDER_GLN,
    VANS_ENVELOPE,
    VANS_MESSAGE,
    emessage,
    faults,
    handle,
    kinds,
    only,
    vans,
    xref15,
)

NEW_ENVELOPE, NEW_MESSAGE = "11111111-2222-4333-8444-555555555555", "66666666-7777-4888-9999-aaaaaaaaaaaa"
BAD = xref15(cpr="3102659901")


def after(*messages: bytes) -> Known:
    """What is known when these messages have been handled, one after the other."""
    known = Known()
    for message in messages:
        known = known.fold(handle(message, known))
    return known


def receipt_ids(outcome: Outcome) -> tuple[str, ...]:
    return tuple(x.letter_id for x in outcome.outgoing if x.kind in {"XCTL02", "XCTL03", "VANSReceipt"})


def assert_only_the_receipt_again(outcome: Outcome, first: Outcome) -> None:
    assert outcome.resend == receipt_ids(first)
    assert outcome.outgoing == ()
    assert outcome.cases == ()
    assert outcome.message.receipts == outcome.resend


def test_the_same_bytes() -> None:
    for message in (emessage(), emessage(BAD), vans(), vans(emessage(BAD)), emessage(xref15(), BAD)):
        first, again = handle(message), handle(message, after(message))
        assert again.duplicate
        assert again.parked == again.letters == ()
        assert_only_the_receipt_again(again, first)
        assert again.resend


def test_the_same_bytes_where_no_receipt_was_asked_for() -> None:
    message = emessage(positive=False)
    again = handle(message, after(message))
    assert again.duplicate
    assert again.resend == again.outgoing == ()


def test_a_known_letter_in_a_new_envelope() -> None:
    for letter, parked in ((xref15(), []), (BAD, [])):
        first = handle(emessage(letter))
        again = handle(emessage(letter, envelope_id="KUV00000000002"), after(emessage(letter)))
        assert_only_the_receipt_again(again, first)
        assert faults(again) == parked
        assert again.letters[0].known
        assert again.letters[0].fault == first.letters[0].fault


def test_other_content_under_a_known_letter_id_is_warned_of() -> None:
    first = handle(emessage())
    known = after(emessage())
    again = handle(emessage(xref15(cpr="0107719902"), envelope_id="KUV00000000002"), known)
    assert_only_the_receipt_again(again, first)
    assert faults(again) == ["GW-151"]
    assert again.parked[0].letter_id == "BRV00000000001"
    assert again.parked[0].case_id == first.cases[0].case_id
    assert known.fold(again).letters == {**known.letters, again.letters[0].key: again.letters[0].as_known()}
    assert again.letters[0].digest == first.letters[0].digest


def test_the_key_is_sender_and_letter_id() -> None:
    other = handle(emessage(xref15(sender=OTHER_GLN), envelope_id="KUV00000000002"), after(emessage()))
    assert kinds(other) == ["XCTL03", "XDIS91", "Task"]
    assert other.letters[0].key == (OTHER_GLN, "BRV00000000001")


def test_a_known_envelope_with_a_new_letter_is_an_error() -> None:
    reused = handle(emessage(xref15(letter_id="BRV00000000002")), after(emessage()))
    assert kinds(reused) == ["XCTL02"]
    assert faults(reused) == ["GW-150"]
    assert b"<RefuseCode>ikke_specificeret<" in reused.outgoing[0].content
    assert reused.cases == ()
    elsewhere = handle(emessage(xref15(letter_id="BRV00000000002", sender=OTHER_GLN)), after(emessage()))
    assert faults(elsewhere) == []


def test_a_known_vans_envelope_with_a_new_message_is_an_error() -> None:
    payload = emessage(xref15(letter_id="BRV00000000002"), envelope_id="KUV00000000002")
    reused = handle(vans(payload, message_id=NEW_MESSAGE), after(vans()))
    assert kinds(reused) == ["VANSReceipt"]
    assert faults(reused) == ["GW-150"]
    assert b"<Description>ikke_specificeret: " in reused.outgoing[0].content


def test_a_known_vans_message_in_a_new_envelope() -> None:
    first, known = handle(vans()), after(vans())
    again = handle(vans(envelope_id=NEW_ENVELOPE), known)
    assert again.duplicate
    assert again.parked == ()
    assert_only_the_receipt_again(again, first)
    upper = handle(vans(envelope_id=NEW_ENVELOPE, message_id=VANS_MESSAGE.upper()), known)
    assert upper.duplicate


def test_other_content_under_a_known_vans_message_id_is_warned_of() -> None:
    first, known = handle(vans()), after(vans())
    changed = emessage(xref15(cpr="0107719902"))
    new = emessage(xref15(letter_id="BRV00000000002"), envelope_id="KUV00000000002")
    for payload in (changed, new):
        again = handle(vans(payload, envelope_id=NEW_ENVELOPE), known)
        assert_only_the_receipt_again(again, first)
        assert faults(again) == ["GW-151"]
        assert not again.duplicate


def test_a_message_seen_bare_is_known_in_its_vans_envelope_by_its_letter() -> None:
    first = handle(emessage())
    again = handle(vans(), after(emessage()))
    assert_only_the_receipt_again(again, first)


def test_a_duplicate_may_ask_for_the_receipt_that_was_not_asked_for_first() -> None:
    known = after(emessage(positive=False))
    asked = handle(emessage(envelope_id="KUV00000000002"), known)
    assert kinds(asked) == ["XCTL03"]
    assert asked.cases == asked.resend == ()
    assert asked.letters[0].receipt_id == asked.outgoing[0].letter_id
    reliable = handle(vans(emessage(positive=False)), known)
    assert kinds(reliable) == ["VANSReceipt"]
    silent = handle(emessage(positive=False, envelope_id="KUV00000000002"), known)
    assert silent.outgoing == silent.resend == ()


def test_a_known_letter_beside_a_new_one() -> None:
    first = handle(emessage())
    new = xref15(letter_id="BRV00000000002", cpr="0107719902")
    both = handle(emessage(xref15(), new, envelope_id="KUV00000000002"), after(emessage()))
    assert both.resend == receipt_ids(first)
    named = only(both, "XCTL03").content.decode()
    assert "BRV00000000002" in named
    assert "BRV00000000001" not in named
    assert both.message.receipts == (only(both, "XCTL03").letter_id, *receipt_ids(first))
    assert len(both.cases) == 1


def test_a_letter_twice_in_one_envelope() -> None:
    twice = handle(emessage(xref15(), xref15()))
    assert kinds(twice) == ["XCTL03", "XDIS91", "Task"]
    assert len(twice.cases) == 1
    assert twice.outgoing[0].content.count(b"<OriginalLetter>") == 1
    assert [letter.known for letter in twice.letters] == [False, True]
    changed = handle(emessage(xref15(), xref15(cpr="0107719902")))
    assert faults(changed) == ["GW-151"]
    assert changed.cases == twice.cases
    refused = handle(emessage(BAD, BAD))
    assert refused.outgoing[0].content.count(b"<OriginalLetter>") == 1
    assert faults(refused) == ["GW-140"]


def test_a_broken_resend_of_a_known_letter_changes_nothing() -> None:
    message = emessage(envelope_id="KUV00000000002")
    again = handle(message[:-20], after(emessage()))
    assert again.cases == ()
    assert again.resend == receipt_ids(handle(emessage()))
    assert faults(again) == ["GW-102"]


def test_a_letter_that_was_cut_off_is_known_when_it_comes_whole() -> None:
    first = handle(emessage()[:-20])
    again = handle(emessage(envelope_id="KUV00000000002"), Known().fold(first))
    assert_only_the_receipt_again(again, first)
    assert faults(again) == ["GW-151"]


def test_keys_name_everything_that_must_be_looked_up() -> None:
    keys = keys_of(read(vans(emessage(xref15(), BAD.replace("BRV00000000001", "B2")))))
    assert keys.letters == {(SENDER_GLN, "BRV00000000001"), (SENDER_GLN, "B2")}
    assert keys.envelopes == {(SENDER_GLN, "KUV00000000001")}
    assert keys.network == {VANS_ENVELOPE, VANS_MESSAGE}
    assert keys.episodes == {"4b7c1f0a9d2e4c6f8a1b3c5d7e9f0a1b"}
    assert keys.citizens == {"1203659901", "3102659901"}
    assert len(keys.digests) == 1
    assert keys | keys == keys
    assert keys_of(read(b"")).network == frozenset()
