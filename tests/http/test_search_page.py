"""One box finds a case by whatever people have in hand; a CPR is never in an address and the search is written down."""

import pytest
from sqlalchemy import select

from gateway.inbound.source import Delivery
from gateway.referral.case import Case
from gateway.simulate.stories import recorded
from gateway.store.accounts import Right
from gateway.store.engine import reading
from gateway.store.outbox import Sent
from gateway.store.schema import messages, outbox
from tests.http.conftest import Site


@pytest.fixture
def busy(site: Site) -> Site:
    site.pipeline.handle([Delivery(data=data) for data in recorded().values()])
    return site.log_in()


def first(site: Site) -> Case:
    (found,) = (case for case in site.store.past.cases() if case.referral.letter_id == "PRBRV000000002")
    return found


def ids_of(site: Site) -> list[str]:
    """Everything that names the case."""
    case = first(site)
    with reading(site.store.engine) as connection:
        row = connection.execute(select(messages).where(messages.c.envelope_id == case.arrival.envelope_id)).one()
        sent = connection.execute(select(outbox).where(outbox.c.case_id == case.case_id)).all()
    site.store.outbox.mark_sent([Sent(letter_id=sent[0].letter_id, envelope_id="OURENVELOPE", at=site.clock())])
    own = [value for letter in sent for value in (letter.letter_id, letter.message_id)]
    theirs = [row.digest, row.envelope_id, row.network_message_id, row.network_envelope_id, case.referral.letter_id]
    return [*own, *theirs, case.referral.episode_id or "", case.case_id, case.case_id[:8], "OURENVELOPE"]


def test_every_id_leads_to_the_case(busy: Site) -> None:
    case = first(busy)
    for text in ids_of(busy):
        for spelling in (text, f" {text.upper()} "):
            found = busy.store.search.of_id(spelling)
            assert [hit.case_id for hit in found.cases] == [case.case_id], spelling
    hyphens = case.referral.episode_id or ""
    spelled = f"{hyphens[:8]}-{hyphens[8:12]}-{hyphens[12:16]}-{hyphens[16:20]}-{hyphens[20:]}"
    assert len(busy.store.search.of_id(spelled).cases) == 1


def test_a_sender_has_cases_and_parked_items(busy: Site) -> None:
    found = busy.store.search.of_id("5790009991014", limit=3)
    assert (len(found.cases), len(found.parked), found.cut) == (3, 3, True)
    (item,) = busy.store.search.of_id("PRBRV000000018").parked
    assert item.fault_id == "GW-140"
    assert [hit.id for hit in busy.store.search.of_id(item.id).parked] == [item.id]
    assert busy.store.search.of_id(" ") == busy.store.search.of_id("nothing at all")


def test_the_page_shows_what_was_found(busy: Site) -> None:
    case = first(busy)
    shown = busy.submit("/search", "/search", q=case.referral.letter_id).text
    assert f'href="/cases/{case.case_id}"' in shown
    assert "GW-140" in busy.submit("/search", "/search", q="PRBRV000000018").text
    assert "Intet fundet" in busy.submit("/search", "/search", q="x").text


def test_a_citizen_is_found_masked_and_it_is_written_down(busy: Site) -> None:
    case = first(busy)
    cpr = case.referral.citizen.identifier
    answer = busy.submit("/search", "/search", q=f"{cpr[:6]}-{cpr[6:]}")
    assert f'href="/cases/{case.case_id}"' in answer.text
    assert cpr[:6] in answer.text
    assert cpr not in answer.text.replace("-", "")
    assert cpr[6:] not in str(answer.url)
    (row,) = [r for r in busy.store.audit.latest() if r.what == "citizen.searched"]
    assert row.subject == busy.store.search.citizen_key(cpr)
    assert cpr not in row.subject


def test_searching_by_cpr_takes_the_right_to_content(busy: Site) -> None:
    cpr = first(busy).referral.citizen.identifier
    busy.log_in("bo", rights=frozenset({Right.METADATA}))
    answer = busy.submit("/search", "/search", q=cpr)
    assert (answer.status_code, "se indhold" in answer.text) == (403, True)
    assert busy.submit("/search", "/search", q="PRBRV000000002").status_code == 200
