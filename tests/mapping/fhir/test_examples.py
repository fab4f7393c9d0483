"""The official examples (MedCom, dk-core) are read without loss; the labelled cases decide alike on every carrier."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.commands.explain import explain
from gateway.mapping.fhir.forms import from_json, from_xml
from gateway.mapping.fhir.opened import Opened, check_ids, check_message
from gateway.mapping.fhir.persons import citizen
from gateway.mapping.fhir.replies import correspondence
from gateway.mapping.fhir.resources import Patient, view
from gateway.mapping.fhir.structure import structure_fault
from gateway.mapping.medcom.parsing import parse
from gateway.municipality.model import Municipality
from gateway.receive import read
from gateway.referral.letters import ReceivedReceipt
from gateway.referral.model import Referral
from tests.fhir_messages import (
    PATIENT,
    SENDER,
    Json,
    as_json,
    header,
    organization,
    patient,
    provenance,
    receiver,
    request,
)
from tests.fhir_messages import bundle as message


def examples(shared: Path, folder: str) -> Iterator[tuple[str, Json]]:
    for path in sorted((shared / "data" / "fhir" / "examples" / folder).glob("*.*")):
        if path.suffix == ".json":
            value = from_json(path.read_bytes())
        else:
            root = parse(path.read_bytes())
            value = from_xml(root)  # type: ignore[arg-type]  # a root, not a fault
        assert isinstance(value, dict), path.name
        assert structure_fault(value) is None, path.name
        yield path.name, value


def test_every_acknowledgement_of_medcoms_is_a_receipt(shared: Path) -> None:
    found = [*examples(shared, "acknowledgement"), *((n, v) for n, v in examples(shared, "xml") if n.startswith("ack"))]
    assert len(found) == 4
    for name, value in found:
        (letter,) = read(as_json(value)).letters
        response = value["entry"][0]["resource"]["response"]
        assert isinstance(letter.content, ReceivedReceipt), name
        assert letter.content.message_id == response["identifier"]
        assert letter.content.positive == (response["code"] == "ok")
        assert bool(letter.content.text) != letter.content.positive


def test_every_care_communication_of_medcoms_is_correspondence(shared: Path) -> None:
    found = [
        *examples(shared, "carecommunication"),
        *((n, v) for n, v in examples(shared, "xml") if n.startswith("care")),
    ]
    assert len(found) == 5
    for _, value in found:
        opened = Opened(value)
        check_ids(opened)
        told = correspondence(opened, check_message(opened))
        body = opened.of("Communication")[0].body
        words = [p["contentString"] for p in body["payload"] if "contentString" in p]
        assert told.text == "\n\n".join(words)
        assert told.author
        assert len(told.attachments) == sum("contentAttachment" in p for p in body["payload"])
        assert told.sender.gln
        assert told.receiver.gln
        assert told.citizen.identifier
        assert told.version.startswith("5.")


def test_every_patient_of_dk_core_is_a_citizen(shared: Path) -> None:
    for name, value in examples(shared, "dk-core"):
        if value["resourceType"] != "Patient":
            continue
        found = citizen(view(value, Patient))
        assert found.identifier in {i["value"] for i in value["identifier"]}, name
        assert found.address_protected == ("security" in value.get("meta", {}))
        assert found.surname == value["name"][0]["family"]
        for home in value.get("address", [])[:1]:
            assert (found.address.district, found.address.postcode) == (home.get("city"), home.get("postalCode"))


def test_every_request_and_condition_of_dk_core_is_read(shared: Path) -> None:
    found = dict(examples(shared, "dk-core"))
    requests = [v for v in found.values() if v["resourceType"] == "ServiceRequest"]
    conditions = [v for v in found.values() if v["resourceType"] == "Condition"]
    assert (len(requests), len(conditions)) == (3, 6)
    me = {"reference": f"Patient/{PATIENT}"}
    for given in requests:
        asked = {**request(), **given, "id": request()["id"], "subject": me, "requester": request()["requester"]}
        asked["reasonReference"] = [{"reference": f"Condition/{c['id']}"} for c in conditions]
        theirs = [
            {**{n: i for n, i in c.items() if n not in {"recorder", "asserter", "encounter"}}, "subject": me}
            for c in conditions
        ]
        parts = (header(), provenance(), organization(SENDER), receiver(), patient(), asked, *theirs)
        (letter,) = read(as_json(message(*parts))).letters
        assert isinstance(letter.content, Referral), letter.fault
        assert letter.content.priority == given.get("priority")
        codes = {d.code for d in letter.content.diagnoses if d.code}
        for condition in conditions:
            coding = [c["code"] for c in condition.get("code", {}).get("coding", [])]
            assert not coding or codes & set(coding)
        words = {t.text for t in letter.content.texts} | {d.text for d in letter.content.diagnoses}
        assert {c["text"] for c in given.get("reasonCode", [])} <= words


# ------------------------------------------------------------------ one referral, five carriers
CARRIERS = ("XREF15-XH1530R", "XREF01-XH0131R", "FHIR-json", "FHIR-xml", "FHIR-bare-json")
#: decided the same whatever carried it, apart from what tells where the words stood
DECIDED = (
    "outcome",
    "programmes",
    "assignments",
    "review_team",
    "suggested",
    "conditions",
    "flags",
    "reasons",
    "respond_by",
)


def rendered(shared: Path, row: dict[str, Any], carrier: str) -> tuple[str, bytes]:
    script = (shared / "data" / "cases" / "render.py").read_text(encoding="utf-8")
    names: dict[str, Any] = {"__name__": "render", "__file__": str(shared / "data" / "cases" / "render.py")}
    exec(compile(script, "render.py", "exec", dont_inherit=True), names)  # noqa: S102  (our reference data)
    made: tuple[str, bytes] = names["render"]({**row, "carrier": carrier})
    return made


def expressible(row: dict[str, Any]) -> bool:
    """Every carrier can tell it: no observations, municipality code, priority or verification; no self-referral."""
    verified = any(d.get("verification") for d in row["diagnoses"])
    told = row["observations"] or row["patient"]["municipality_code"] or row["priority"] or verified
    return not told and row["referrer"] != "self"


def cases(shared: Path) -> list[dict[str, Any]]:
    text = (shared / "data" / "cases" / "referrals.jsonl").read_text(encoding="utf-8")
    return [row for row in map(json.loads, text.splitlines()) if expressible(row)]


@pytest.mark.parametrize("shard", range(4))
def test_the_same_decision_on_every_carrier(shared: Path, municipality: Municipality, shard: int) -> None:
    rows = cases(shared)
    assert len(rows) > 50
    for row in rows[shard::4]:
        found = {}
        for carrier in CARRIERS:
            name, data = rendered(shared, row, carrier)
            (line,) = explain(name, data, municipality).lines
            assert line["receipt"] == "positive", (row["id"], carrier, line["errors"])
            decision = json.loads(json.dumps(line["decision"]))
            found[carrier] = {part: decision[part] for part in DECIDED}
        assert all(decided == found["FHIR-json"] for decided in found.values()), row["id"]
