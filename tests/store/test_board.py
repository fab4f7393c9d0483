"""The board's rows: a closing note is told from a status letter whatever kind its standard writes it as."""

import pytest

from gateway.store.board import Filter
from gateway.store.store import Store
from tests.store.material import NOW, case, change, entry, later, outgoing


@pytest.mark.parametrize("kind", ["XDIS15", "CareCommunication", "DIS91"])
def test_the_closing_note_is_no_status_letter(store: Store, kind: str) -> None:
    told = outgoing("S1", case_id="case-1", kind=kind if kind != "XDIS15" else "XDIS91", wants_receipt=True)
    store.inbox.save([entry("one", cases=(case("case-1"),), outgoing=(told,))], NOW)
    (row,) = store.board.rows(Filter(), 10)
    assert (row.status and row.status.kind, row.discharge) == (told.kind, None)
    note = change(told, letter_id="D1", kind=kind, closing=True)
    store.inbox.save([entry("two", outgoing=(note,))], later(minutes=5))
    (row,) = store.board.rows(Filter(), 10)
    assert row.status is not None
    assert row.discharge is not None
    assert (row.status.created_at, row.discharge.created_at) == (NOW, later(minutes=5))
