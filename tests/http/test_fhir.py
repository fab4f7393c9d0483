"""FHIR by HTTP: closed by default, answered after the commit by an Acknowledgement, errors by an OperationOutcome."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir.resources.R4B.operationoutcome import OperationOutcome
from httpx2 import Response
from sqlalchemy import select

from gateway.errors import ConflictError
from gateway.inbound.source import Delivery
from gateway.referral.letters import Outgoing
from gateway.store.engine import reading
from gateway.store.schema import messages, outbox, parked
from gateway.store.store import Store
from gateway.store.transmissions import transmissions
from tests.builders import CPR, NAME, WORDS, emessage, vans
from tests.fhir_messages import HEADER_ID, Json, as_json, as_xml, header, patient, receiver, referral
from tests.http.conftest import Site
from tests.mapping.fhir.reading import bare
from tests.mapping.fhir.test_refused import acknowledgement

TOKEN = "a practice's token"
JSON, XML = "application/fhir+json", "application/fhir+xml"
PROCESS, VALIDATE, METADATA = "/fhir/$process-message", "/fhir/ServiceRequest/$validate", "/fhir/metadata"
OTHER_BUNDLE, OTHER_HEADER = "5b1f6c1e-7a55-4d0e-9a4e-0000000000a1", "5b1f6c1e-7a55-4d0e-9a4e-0000000000a2"


@pytest.fixture
def site(store: Store) -> Site:
    site = Site(store, fhir_token=TOKEN)
    site.client.headers["authorization"] = f"Bearer {TOKEN}"
    return site


def post(site: Site, data: bytes, path: str = PROCESS, **headers: str) -> Response:
    given = {"content-type": JSON} | {name.replace("_", "-"): value for name, value in headers.items()}
    return site.client.post(path, content=data, headers=given)


def outcome(answer: Response, status: int) -> Json:
    """The one issue of an OperationOutcome; no word of a message stands in it."""
    assert answer.status_code == status, answer.text
    if answer.headers["content-type"].startswith(XML):
        told = OperationOutcome.model_validate_xml(answer.content)
    else:
        assert answer.headers["content-type"].startswith(JSON)
        told = OperationOutcome.model_validate_json(answer.content)
    for word in (NAME, WORDS, CPR):
        assert word not in answer.text
    issue: Json = json.loads(told.model_dump_json())["issue"][0]
    return issue


def acknowledged(answer: Response, status: int = 200) -> tuple[str, str]:
    """Which message was acknowledged, and how; both forms."""
    assert answer.status_code == status, answer.text
    is_xml = answer.headers["content-type"].startswith(XML)
    told = Bundle.model_validate_xml(answer.content) if is_xml else Bundle.model_validate_json(answer.content)
    response = told.entry[0].resource.response
    return response.identifier, response.code


def ids(answer: Response) -> tuple[str, str]:
    """Bundle.id and MessageHeader.id of an Acknowledgement in JSON."""
    told = answer.json()
    return told["id"], told["entry"][0]["resource"]["id"]


def to_be_sent(site: Site) -> list[Outgoing]:
    """What the relay would send now, oldest first."""
    now = site.clock() + timedelta(seconds=1)
    letters = site.store.outbox.claim(now, now, 100)
    site.store.outbox.release_all()
    return letters


def acknowledging(identifier: str) -> Json:
    """The practice's Acknowledgement of a letter of ours."""
    value = acknowledgement(id=OTHER_HEADER, response={"identifier": identifier, "code": "ok"})
    value["entry"][1]["resource"]["target"] = [{"reference": f"MessageHeader/{OTHER_HEADER}"}]
    return value


def rows(store: Store, *columns: Any) -> list[Any]:  # noqa: ANN401  (columns of any table)
    with reading(store.engine) as connection:
        return list(connection.execute(select(*columns)).all())


# ------------------------------------------------------------------ who may, what may be asked
@pytest.mark.parametrize("path", [METADATA, PROCESS, VALIDATE])
def test_without_a_configured_token_it_is_closed(store: Store, path: str) -> None:
    site = Site(store)
    answer = site.client.get(path) if path == METADATA else post(site, as_json(referral()), path)
    assert "GATEWAY_FHIR_TOKEN" in outcome(answer, 403)["diagnostics"]


@pytest.mark.parametrize("path", [PROCESS, VALIDATE])
@pytest.mark.parametrize("token", ["", "Bearer wrong", f"Basic {TOKEN}", TOKEN])
def test_a_wrong_token_is_refused(site: Site, token: str, path: str) -> None:
    answer = post(site, b"x" * 100, path, authorization=token)
    assert outcome(answer, 401)["code"] == "login"
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("form", [JSON, XML])
def test_anyone_may_ask_what_the_server_can_do(site: Site, form: str) -> None:
    answer = site.client.get(METADATA, headers={"accept": form, "authorization": ""})
    assert answer.status_code == 200
    read = CapabilityStatement.model_validate_json if form == JSON else CapabilityStatement.model_validate_xml
    told = read(answer.content)
    assert (told.fhirVersion, told.format) == ("4.0.1", [JSON, XML])
    assert [o.name for o in told.rest[0].operation] == ["process-message"]
    assert told.rest[0].resource[0].operation[0].name == "validate"


WRONG = {
    "no such place": ("GET", "/fhir/Patient/1", {}, b"", 404),
    "another method": ("GET", PROCESS, {}, b"", 405),
    "a form of answer that is not FHIR": ("POST", PROCESS, {"accept": "text/csv", "content-type": JSON}, b"{}", 406),
    "a form of message that is not FHIR": ("POST", PROCESS, {"content-type": "text/plain"}, b"{}", 415),
    "no form at all": ("POST", VALIDATE, {}, b"{}", 415),
    "another encoding": ("POST", VALIDATE, {"content-type": f"{JSON}; charset=latin-1"}, b"{}", 415),
    "compressed": ("POST", PROCESS, {"content-type": JSON, "content-encoding": "gzip"}, b"{}", 415),
    "nothing": ("POST", PROCESS, {"content-type": JSON}, b"", 400),
    "no JSON": ("POST", PROCESS, {"content-type": JSON}, b"{", 400),
    "no XML": ("POST", PROCESS, {"content-type": XML}, b"<a", 400),
    "an entity": ("POST", PROCESS, {"content-type": XML}, b"<!DOCTYPE a []><a/>", 400),
    "no JSON to validate": ("POST", VALIDATE, {"content-type": JSON}, b"{", 400),
    "no FHIR": ("POST", PROCESS, {"content-type": JSON}, b"[]", 422),
    "MedCom XML": ("POST", PROCESS, {"content-type": XML}, emessage(), 422),
    "MedCom XML that is wrong": ("POST", PROCESS, {"content-type": XML}, emessage("<Hest/>"), 422),
    "a VANSEnvelope": ("POST", PROCESS, {"content-type": XML}, vans(), 422),
}


@pytest.mark.parametrize("case", WRONG)
def test_every_error_is_an_operation_outcome(site: Site, case: str) -> None:
    method, path, headers, data, status = WRONG[case]
    outcome(site.client.request(method, path, content=data, headers=headers), status)
    assert rows(site.store, messages.c.digest) == rows(site.store, parked.c.id) == []


@pytest.mark.parametrize(("asked", "form"), [(XML, XML), (f"{XML};q=0.1, {JSON};q=0.9", JSON), ("*/*", XML), ("", XML)])
def test_an_error_comes_in_the_form_asked_for_else_sent(site: Site, asked: str, form: str) -> None:
    answer = post(site, b"<a", content_type=XML, accept=asked)
    outcome(answer, 400)
    assert answer.headers["content-type"].startswith(form)


def test_the_form_may_stand_in_the_address(site: Site) -> None:
    for told in ("xml", XML, "application/fhir%2Bxml"):
        answer = site.client.get(f"{METADATA}?_format={told}", headers={"accept": JSON})
        assert answer.headers["content-type"].startswith(XML)


@pytest.mark.parametrize("path", [PROCESS, VALIDATE])
def test_too_much_is_refused_before_all_of_it_is_read(store: Store, path: str) -> None:
    site = Site(store, fhir_token=TOKEN, message_limit=10_000)

    def endless() -> Iterator[bytes]:
        yield from (b" " * 1_000 for _ in range(1_000))

    headers = {"content-type": JSON, "authorization": f"Bearer {TOKEN}"}
    answer = site.client.post(path, content=endless(), headers=headers)
    assert outcome(answer, 413)["code"] == "too-long"
    assert rows(site.store, messages.c.digest) == []


# ------------------------------------------------------------------ messages
@pytest.mark.parametrize("written", [as_json, as_xml])
@pytest.mark.parametrize("asked", [None, JSON, XML])
def test_a_referral_is_acknowledged_in_the_form_asked_for(site: Site, written: Any, asked: str | None) -> None:  # noqa: ANN401
    sent = JSON if written is as_json else XML
    answer = post(site, written(referral()), content_type=sent, accept=asked or "*/*")
    assert acknowledged(answer) == (HEADER_ID, "ok")
    assert answer.headers["content-type"].startswith(asked or sent)


def test_the_acknowledgement_is_marked_as_sent_and_never_goes_through_the_relay(site: Site) -> None:
    answer = post(site, as_json(referral()))
    bundle_id, header_id = ids(answer)
    assert sorted(letter.kind for letter in to_be_sent(site)) == ["CareCommunication", "Task"]
    assert (header_id, "sent") in rows(site.store, outbox.c.letter_id, outbox.c.status)
    assert rows(site.store, transmissions.c.envelope_id, transmissions.c.letter_id) == [(bundle_id, header_id)]


ROWS = {
    "new Bundle.id, new MessageHeader.id: processed": (OTHER_BUNDLE, OTHER_HEADER, (OTHER_HEADER, "ok"), False),
    "both seen: the original Acknowledgement again": (None, None, (HEADER_ID, "ok"), True),
    "new Bundle.id, MessageHeader.id seen: likewise": (OTHER_BUNDLE, None, (HEADER_ID, "ok"), True),
    "Bundle.id seen, new MessageHeader.id: an error": (None, OTHER_HEADER, (OTHER_HEADER, "fatal-error"), False),
}


@pytest.mark.parametrize("row", ROWS)
def test_reliable_messaging(site: Site, row: str) -> None:
    bundle_id, header_id, expected, again = ROWS[row]
    first = post(site, as_json(referral()))
    assert acknowledged(first) == (HEADER_ID, "ok")
    before = len(to_be_sent(site))
    value = referral(head=header(id=header_id or HEADER_ID))
    value["entry"][1]["resource"]["target"] = [{"reference": f"MessageHeader/{header_id or HEADER_ID}"}]
    value |= {"id": bundle_id} if bundle_id else {}
    second = post(site, as_json(value))
    assert acknowledged(second) == expected
    assert ids(second)[0] != ids(first)[0]
    assert (ids(second)[1] == ids(first)[1]) is again
    if again:
        told = [json.loads(answer.content)["entry"][0] for answer in (first, second)]
        assert told[0] == told[1]
        assert len(to_be_sent(site)) == before
        sent = rows(site.store, transmissions.c.envelope_id, transmissions.c.letter_id)
        assert sorted(sent) == sorted((ids(answer)[0], ids(first)[1]) for answer in (first, second))


def test_what_came_through_the_broker_is_acknowledged_with_what_is_stored(site: Site) -> None:
    site.pipeline.handle_one(Delivery(data=as_json(referral())))
    (waiting,) = (letter for letter in to_be_sent(site) if letter.kind == "Acknowledgement")
    answer = post(site, as_json(referral()))
    assert acknowledged(answer) == (HEADER_ID, "ok")
    assert ids(answer)[1] == waiting.letter_id
    assert "Acknowledgement" not in [letter.kind for letter in to_be_sent(site)]


def test_a_message_in_a_vans_envelope_is_not_mixed_up_with_its_vans_receipt(site: Site) -> None:
    data = as_json(referral())
    site.pipeline.handle_one(Delivery(data=vans(data, payload_format="HL7")))
    kinds = [letter.kind for letter in to_be_sent(site)]
    assert {"VANSReceipt", "Acknowledgement"} <= set(kinds)
    assert acknowledged(post(site, data)) == (HEADER_ID, "ok")
    assert "VANSReceipt" in [letter.kind for letter in to_be_sent(site)]


def test_kr6_a_wrong_message_is_acknowledged_as_wrong_and_kept(site: Site) -> None:
    answer = post(site, as_json(referral()).replace(b'"routine"', b'"hurtigt"'))
    assert acknowledged(answer) == (HEADER_ID, "fatal-error")
    issue = answer.json()["entry"][-1]["resource"]["issue"][0]
    assert issue["details"]["coding"][0]["code"] == "MSG_VALUESET_VALUE_UNKNOWN"
    assert rows(site.store, parked.c.entrance, parked.c.fault_id) == [("fhir", "GW-127")]


def test_not_for_us_is_told(site: Site) -> None:
    answer = post(site, as_json(referral(receiver=receiver("5790009992028"))))
    assert acknowledged(answer) == (HEADER_ID, "fatal-error")


def test_kr2_an_acknowledgement_is_never_acknowledged(site: Site) -> None:
    post(site, as_json(referral()))
    (status,) = (letter for letter in to_be_sent(site) if letter.kind == "CareCommunication")
    taken = post(site, as_json(acknowledging(status.letter_id)))
    assert outcome(taken, 200)["severity"] == "information"
    assert (status.letter_id, "delivered") in rows(site.store, outbox.c.letter_id, outbox.c.verdict)
    assert "Acknowledgement" not in [letter.kind for letter in to_be_sent(site)]


def test_a_bare_service_request_is_taken_but_cannot_be_acknowledged(site: Site) -> None:
    assert outcome(post(site, as_json(bare(status="hest"))), 422)["severity"] == "error"
    assert rows(site.store, parked.c.id) == []
    assert outcome(post(site, as_json(bare())), 200)["severity"] == "information"
    assert "Task" in [letter.kind for letter in to_be_sent(site)]


def test_an_acknowledgement_of_what_we_never_sent_is_refused(site: Site) -> None:
    assert outcome(post(site, as_json(acknowledging(OTHER_HEADER))), 422)["severity"] == "error"
    assert rows(site.store, outbox.c.letter_id) == []


# ------------------------------------------------------------------ when something is broken
def test_after_a_crash_behind_the_commit_the_stored_acknowledgement_is_given(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("gateway.mapping.encoding.wrap", lambda *_: 1 / 0)
        assert outcome(post(site, as_json(referral())), 500)["code"] == "exception"
    before = to_be_sent(site)
    answer = post(site, as_json(referral()))
    assert acknowledged(answer) == (HEADER_ID, "ok")
    assert len(rows(site.store, transmissions.c.envelope_id)) == 2
    assert to_be_sent(site) == before


@pytest.mark.parametrize("times", [1, 4])
def test_a_conflict_with_another_process_is_looked_at_anew(
    site: Site, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, left = site.store.inbox.save, [times]

    def taken(*given: Any) -> object:  # noqa: ANN401  (save's own arguments)
        if left[0]:
            left[0] -= 1
            raise ConflictError("someone was first")
        return save(*given)

    monkeypatch.setattr(site.store.inbox, "save", taken)
    assert acknowledged(post(site, as_json(referral()))) == (HEADER_ID, "ok")


# ------------------------------------------------------------------ validation
def wrapped(value: Json) -> Json:
    return {"resourceType": "Parameters", "parameter": [{"name": "mode"}, {"name": "resource", "resource": value}]}


CHECKED: dict[str, tuple[Json, str]] = {
    "a message": (referral(), "information"),
    "a ServiceRequest": (bare(), "information"),
    "in Parameters": (wrapped(bare()), "information"),
    "for another municipality": (referral(receiver=receiver("5790009992028")), "error"),
    "wrong structure": (bare(status="hest"), "error"),
    "wrong in Parameters": (wrapped(bare(status="hest")), "error"),
    "no referral": (acknowledging(OTHER_HEADER), "error"),
    "a Patient": (patient(), "error"),
    "empty Parameters": ({"resourceType": "Parameters"}, "error"),
}


@pytest.mark.parametrize("case", CHECKED)
def test_validation_stores_nothing(site: Site, case: str) -> None:
    value, severity = CHECKED[case]
    assert outcome(post(site, as_json(value), VALIDATE), 200)["severity"] == severity
    assert (
        rows(site.store, messages.c.digest)
        == rows(site.store, outbox.c.letter_id)
        == rows(site.store, parked.c.id)
        == []
    )
