"""Whatever is posted to the FHIR side, it answers in FHIR and never with an error of its own."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import count, islice

import pytest
import schemathesis
from fhir.resources.R4B import get_fhir_model_class
from httpx2 import Response
from hypothesis import given, settings

from gateway.store.store import Store
from tests.fhir_messages import BUNDLE_ID, HEADER_ID, REQUEST, Json, as_json, referral
from tests.http.conftest import Site
from tests.mapping.fhir.mutation import mutant
from tests.mapping.fhir.reading import bare
from tests.reference import thorough

TOKEN = "a practice's token"
MUTANTS, CALLS = thorough(2_000, 300), 60


@pytest.fixture
def site(store: Store) -> Site:
    site = Site(store, fhir_token=TOKEN)
    site.client.headers["authorization"] = f"Bearer {TOKEN}"
    return site


def answered(answer: Response) -> str:
    """What the answer is: an Acknowledgement or an OperationOutcome, and no error of ours."""
    assert answer.status_code < 500, answer.text
    assert answer.headers["content-type"].startswith("application/fhir+json")
    told = json.loads(answer.content)
    if told["resourceType"] == "OperationOutcome":
        return "OperationOutcome"
    head = told["entry"][0]["resource"]
    assert head["eventCoding"]["code"] == "acknowledgement-message"
    code: str = head["response"]["code"]
    return code


def damaged(original: Json) -> Iterator[bytes]:
    """Damaged copies without end, each a message of its own."""
    for seed in count():
        with suppress(IndexError):  # the first damage left nothing for the second
            data = as_json(mutant(seed, original))
            for own in (BUNDLE_ID, HEADER_ID, REQUEST):
                data = data.replace(own.encode(), f"{own[:-12]}{seed:06}{own[-6:]}".encode())
            yield data


@pytest.mark.parametrize(
    ("original", "kinds"), [(referral(), {"ok", "fatal-error", "OperationOutcome"}), (bare(), None)]
)
def test_damaged_messages(site: Site, original: Json, kinds: set[str] | None) -> None:
    found: Counter[str] = Counter()
    for seed, data in enumerate(islice(damaged(original), MUTANTS // 2)):
        answer = site.client.post(
            "/fhir/$process-message", content=data, headers={"content-type": "application/fhir+json"}
        )
        found[answered(answer)] += 1
        if seed % 20 == 0:
            get_fhir_model_class(answer.json()["resourceType"]).model_validate_json(answer.content)
    assert found.total() == MUTANTS // 2
    assert set(found) == (kinds or {"OperationOutcome"})


def test_whatever_the_description_allows(site: Site) -> None:
    schema = schemathesis.openapi.from_asgi("/fhir/openapi.json", site.client.app)
    asked: Counter[str] = Counter()
    for operation in (found.ok() for found in schema.get_all_operations()):

        @settings(max_examples=CALLS)
        @given(operation.as_strategy())
        def call(case: schemathesis.Case) -> None:
            answer = case.call(headers={"authorization": f"Bearer {TOKEN}"})
            assert answer.status_code < 500
            assert b"OperationOutcome" in answer.content or b"CapabilityStatement" in answer.content
            asked[case.path] += 1

        call()
    assert set(asked) == {"/metadata", "/$process-message", "/ServiceRequest/$validate"}
