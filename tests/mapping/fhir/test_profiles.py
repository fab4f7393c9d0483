"""Whatever we are told, our FHIR is valid by the published profiles and as R4, and says the same in JSON and XML."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from fhir.resources.R4B.bundle import Bundle
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mapping.encoding import encode, wrap
from gateway.municipality.model import load
from gateway.referral.ids import Cause
from gateway.referral.letters import Arrival, Carrier, DischargeNote, Outgoing, Payload, Receipt, StatusLetter
from gateway.referral.reply import Reply
from tests.builders import RECEIVED, SENDER_GLN
from tests.mapping.fhir.values import ARRIVALS, DISCHARGE_NOTES, FORMS, RECEIPTS, STATUS_LETTERS
from tests.mapping.values import BARE_ARRIVALS

MUNICIPALITY = msgspec.structs.replace(load(), formats={"5790009992028": "fhir-xml", SENDER_GLN: "fhir-json"})
ENVELOPE = "9c8b7a69-5847-4362-8514-03f2e1d0c9b8"


def letter_of(content: Receipt | StatusLetter | DischargeNote, arrival: Arrival) -> Outgoing:
    """The answer ready to send; its cause is the answered message."""
    cause = Cause(sender=SENDER_GLN, id=f"{arrival.envelope_id}")
    return encode(Reply(content=content, cause=cause, arrival=arrival), MUNICIPALITY)


def sent(letter: Outgoing, form: Payload) -> bytes:
    """The message as it goes out without a VANSEnvelope, in one of the two forms."""
    return wrap(msgspec.structs.replace(letter, carrier=Carrier.BARE, payload=form), ENVELOPE, RECEIVED)


def acknowledgement(data: st.DataObject) -> Outgoing:
    content = data.draw(RECEIPTS)
    return letter_of(content, content.arrival)


def care_communication(data: st.DataObject) -> Outgoing:
    """A status letter or closing note, to a FHIR referral or to a MedCom one whose sender has chosen FHIR."""
    return letter_of(data.draw(STATUS_LETTERS | DISCHARGE_NOTES), data.draw(ARRIVALS | BARE_ARRIVALS))


MAKERS = {"acknowledgement": acknowledgement, "carecommunication": care_communication}


def examples(name: str, count: int) -> list[Outgoing]:
    """That many letters, the same on every run."""
    collected: list[Outgoing] = []

    @settings(max_examples=count)
    @given(st.data())
    def run(data: st.DataObject) -> None:
        collected.append(MAKERS[name](data))

    run()
    assert len(collected) >= count // 2
    return collected


@pytest.mark.parametrize("name", MAKERS)
def test_valid_by_the_published_profiles(name: str, shared: Path, tmp_path: Path) -> None:
    letters = {letter.content: letter for letter in examples(name, 160)}.values()
    assert len(letters) >= 60
    assert not [letter.obstacle for letter in letters if letter.obstacle]
    file = tmp_path / "sent.jsonl"
    lines = (json.dumps(json.loads(sent(letter, Payload.FHIR_JSON))) for letter in letters)  # ASCII: one line each
    file.write_text("\n".join(lines), encoding="ascii")
    command = [sys.executable, str(shared / "tools" / "check-fhir"), "--set", name, str(file)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{len(letters)} resources, 0 issues" in result.stdout


@pytest.mark.parametrize("name", MAKERS)
def test_valid_r4_and_the_same_in_both_forms(name: str) -> None:
    for letter in examples(name, 60):
        in_json, in_xml = (Bundle.model_validate_json(sent(letter, FORMS[0])), _from_xml(sent(letter, FORMS[1])))
        assert _told(in_json) == _told(in_xml)


def _from_xml(data: bytes) -> Bundle:
    return Bundle.model_validate_xml(data)


def _told(bundle: Bundle) -> object:
    """Everything but the narratives, whose white space the XML reader keeps in its own way."""
    told = json.loads(bundle.model_dump_json())
    for entry in told["entry"]:
        assert entry["resource"].pop("text")["div"].startswith('<div xmlns="http://www.w3.org/1999/xhtml">')
    return told


@pytest.mark.parametrize("name", MAKERS)
def test_ids_are_derived_and_only_the_envelope_is_new(name: str) -> None:
    for letter in examples(name, 20):
        first = json.loads(sent(letter, FORMS[0]))
        ids = [entry["resource"]["id"] for entry in first["entry"]]
        assert len(set(ids)) == len(ids)
        assert (first["id"], ids[0]) == (ENVELOPE, letter.letter_id)
        again = json.loads(
            wrap(msgspec.structs.replace(letter, carrier=Carrier.BARE, payload=FORMS[0]), "other", RECEIVED)
        )
        assert again | {"id": ENVELOPE} == first
