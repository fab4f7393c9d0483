"""KR1 to KR7 over HTTP: who is acknowledged and how, also while a neighbour is down; who may send again."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from gateway.errors import StoreError
from gateway.store.schema import outbox
from tests.builders import CPR, NAME, WORDS
from tests.fhir_messages import HEADER_ID, Json, as_json, as_xml, header, referral
from tests.http.conftest import Site
from tests.http.test_fhir import (
    JSON,
    OTHER_BUNDLE,
    OTHER_HEADER,
    XML,
    acknowledged,
    acknowledging,
    ids,
    outcome,
    post,
    rows,
    site,
)
from tests.mapping.fhir.reading import bare

__all__ = ["site"]


@pytest.fixture
def down(monkeypatch: pytest.MonkeyPatch) -> Callable[[Site, str], AbstractContextManager[None]]:
    """The store's inbox fails at this step for a while."""

    @contextmanager
    def failing(site: Site, step: str) -> Iterator[None]:
        def fail(*_: object) -> None:
            raise StoreError("down")

        with monkeypatch.context() as broken:
            broken.setattr(site.store.inbox, step, fail)
            yield

    return failing


Down = Callable[[Site, str], AbstractContextManager[None]]


@pytest.mark.parametrize("step", ["known", "save"])
@pytest.mark.parametrize(("mime", "write"), [(JSON, as_json), (XML, as_xml)])
def test_kr4_while_the_store_is_down_the_sender_is_told_to_send_again_and_kr5_then_it_is_taken(
    site: Site, down: Down, step: str, mime: str, write: Callable[[Json], bytes]
) -> None:
    with down(site, step):
        answer = post(site, write(referral()), content_type=mime)
    assert acknowledged(answer, 503) == (HEADER_ID, "transient-error")
    assert answer.headers["content-type"].startswith(mime)
    assert answer.headers["retry-after"] == "30"
    assert "GW-192" in answer.text
    for word in (NAME, WORDS, CPR):
        assert word not in answer.text
    assert rows(site.store, outbox.c.letter_id) == []
    again = post(site, write(referral()), content_type=mime)
    assert acknowledged(again) == (HEADER_ID, "ok")


def test_what_is_told_while_the_store_is_down_is_another_letter_than_the_answer(site: Site, down: Down) -> None:
    with down(site, "save"):
        answers = [post(site, as_json(referral())) for _ in range(2)]
    first, second = map(ids, answers)
    assert first[0] != second[0]
    assert first[1] == second[1]
    assert ids(post(site, as_json(referral())))[1] != first[1]


def test_kr2_an_acknowledgement_is_never_acknowledged_even_then(site: Site, down: Down) -> None:
    with down(site, "known"):
        answer = post(site, as_json(acknowledging(OTHER_HEADER)))
        assert outcome(answer, 503)["code"] == "transient"
        assert outcome(post(site, as_json(bare())), 503)["code"] == "transient"
    assert answer.headers["retry-after"] == "30"


@pytest.mark.parametrize(
    ("rule", "first", "again"),
    [
        ("KR1 KR3: every message that is right is answered ok", referral(), "ok"),
        (
            "KR6: what is against the profile is answered with a fatal error",
            referral(head=header(eventCoding={"system": "urn:x", "code": "hest"})),
            "fatal-error",
        ),
    ],
)
def test_kr7_who_had_no_answer_may_send_again_and_is_told_the_same(
    site: Site, rule: str, first: Json, again: str
) -> None:
    answer = post(site, as_json(first))
    resent = post(site, as_json(first | {"id": OTHER_BUNDLE}))
    assert acknowledged(answer) == acknowledged(resent) == (HEADER_ID, again), rule
    assert ids(answer)[0] != ids(resent)[0]
    assert ids(answer)[1] == ids(resent)[1]
