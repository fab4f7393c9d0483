"""``gateway explain``: the JSON form of decision.md §9, the files it writes, and what its exit status tells."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from gateway.simulate.stories import recorded
from tests.commands.conftest import Gateway

MESSAGES = recorded()
KEYS = [
    "file", "message_type", "version", "envelope_id", "letter_id", "episode_of_care_id",
    "receipt", "receipt_sent", "errors", "decision",
]  # fmt: skip
DECISION_KEYS = [
    "outcome", "programmes", "assignments", "review_team", "suggested", "conditions",
    "flags", "reasons", "respond_by", "why",
]  # fmt: skip


Put = Callable[..., list[str]]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    def write(*names: str) -> list[str]:
        for name in names:
            (tmp_path / name).write_bytes(MESSAGES[name])
        return list(names)

    return write


def lines(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_one_line_of_json_per_letter_with_these_keys_in_this_order(gateway: Gateway, put: Put) -> None:
    (name,) = put("01-type-2-diabetes.xml")
    ended = gateway("explain", "--json", name)
    assert (ended.status, ended.err) == (0, "")
    (line,) = lines(ended.out)
    assert list(line) == KEYS
    assert line | {"decision": None} == {
        "file": name,
        "message_type": "XREF15",
        "version": "XH1530R",
        "envelope_id": "PRKUV000000001",
        "letter_id": "PRBRV000000001",
        "episode_of_care_id": "24f19dc3b42b5f7b926bcbbedffabe9b",
        "receipt": "positive",
        "receipt_sent": True,
        "errors": [],
        "decision": None,
    }
    decision = line["decision"]
    assert list(decision) == DECISION_KEYS
    assert decision["outcome"] == "accepted"
    assert decision["programmes"] == ["diabetes_2"]
    intervention = {"code": "6eddbaf7-2a73-49d4-91e7-6138d419f58c", "display": "Afklarende samtale"}
    assert decision["assignments"] == [{"team": "sundhedskonsulenter", "intervention": intervention, "delivery": None}]
    assert decision["review_team"] is None
    assert decision["respond_by"] == "2026-11-30"
    assert all(list(why) == ["rule", "evidence", "source"] for why in decision["why"])


def test_lists_are_sorted_in_every_recorded_message(gateway: Gateway, put: Put) -> None:
    ended = gateway("explain", "--json", *put(*MESSAGES))
    assert ended.status == 1, "some are refused"
    for line in lines(ended.out):
        assert list(line) == KEYS
        decision = line["decision"]
        if decision is None:
            assert line["receipt"] != "positive"
            continue
        for name in ("suggested", "conditions"):
            codes = [coded["code"] for coded in decision[name]]
            assert codes == sorted(codes)
        for name in ("programmes", "flags", "reasons"):
            assert decision[name] == sorted(decision[name])
        order = [(a["team"], a["intervention"]["code"]) for a in decision["assignments"]]
        assert order == sorted(order)


@pytest.mark.parametrize(
    ("name", "receipt", "code"),
    [
        ("15-truncated.xml", "negative", "syntaksfejl"),
        ("17-wrong-receiver.xml", "negative", "ukendt_lokationsnummer"),
        ("18-impossible-cpr.xml", "negative", "ikke_specificeret"),
    ],
)
def test_a_refused_letter_tells_id_text_and_medcom_code_and_ends_with_1(
    gateway: Gateway,
    put: Put,
    name: str,
    receipt: str,
    code: str,
) -> None:
    ended = gateway("explain", "--json", *put(name))
    assert ended.status == 1
    (line,) = lines(ended.out)
    assert (line["receipt"], line["receipt_sent"], line["decision"]) == (receipt, True, None)
    (error,) = line["errors"]
    assert list(error) == ["id", "text", "medcom_code"]
    assert re.fullmatch(r"GW-1\d\d", error["id"])
    assert error["medcom_code"] == code


def test_what_no_sender_can_be_read_from_gets_no_receipt(gateway: Gateway, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_bytes(b"not a message")
    ended = gateway("explain", "--json", "a.xml")
    assert ended.status == 1
    (line,) = lines(ended.out)
    assert (line["receipt"], line["receipt_sent"], line["message_type"], line["letter_id"]) == (
        "none",
        False,
        None,
        None,
    )
    assert line["errors"]


def test_a_receipt_is_explained_as_such(gateway: Gateway, put: Put, tmp_path: Path) -> None:
    """Our own receipt, read back: receipts are never receipted."""
    gateway("explain", *put("01-type-2-diabetes.xml"), "--out", "out")
    ended = gateway("explain", "--json", "out/01-type-2-diabetes.xml.01.XCTL03.xml")
    (line,) = lines(ended.out)
    assert (line["message_type"], line["receipt"], line["receipt_sent"]) == ("XCTL03", "none", False)
    assert line["decision"] is None


def test_every_letter_that_would_go_out_is_written_in_order(gateway: Gateway, put: Put, tmp_path: Path) -> None:
    files = put(
        "01-type-2-diabetes.xml", "02-copd-in-vans-envelope.xml", "10-overweight-only.xml", "17-wrong-receiver.xml"
    )
    gateway("explain", *files, "--out", "deep/out")
    assert sorted(path.name for path in (tmp_path / "deep" / "out").iterdir()) == [
        "01-type-2-diabetes.xml.01.XCTL03.xml",
        "01-type-2-diabetes.xml.02.XDIS91.xml",
        "01-type-2-diabetes.xml.03.Task.json",
        "02-copd-in-vans-envelope.xml.01.VANSReceipt.xml",
        "02-copd-in-vans-envelope.xml.02.XDIS91.xml",
        "02-copd-in-vans-envelope.xml.03.Task.json",
        "10-overweight-only.xml.01.XCTL03.xml",
        "10-overweight-only.xml.02.XDIS91.xml.draft",
        "10-overweight-only.xml.03.Task.json",
        "17-wrong-receiver.xml.01.XCTL02.xml",
    ]
    for path in (tmp_path / "deep" / "out").iterdir():
        if path.suffix == ".json":
            assert json.loads(path.read_bytes())["resourceType"] == "Bundle"
        else:
            etree.fromstring(path.read_bytes())


def test_inputs_of_the_same_base_name_are_refused(gateway: Gateway, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.xml").write_bytes(MESSAGES["01-type-2-diabetes.xml"])
    ended = gateway("explain", "--json", "a/same.xml", "b/same.xml", "--out", "out")
    assert (ended.status, ended.out) == (2, "")
    assert "same.xml" in ended.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("received", "respond_by"),
    [
        ("2026-12-01", "2026-12-15"),
        ("2026-12-01T23:30:00", "2026-12-15"),
        ("2026-12-01T23:30:00+00:00", "2026-12-16"),
        ("2026-12-01T23:30:00Z", "2026-12-16"),
    ],
)
def test_the_time_of_arrival_can_be_chosen(
    gateway: Gateway,
    put: Put,
    received: str,
    respond_by: str,
) -> None:
    """Without a zone it is Danish time; 14 days, moved to a working day."""
    ended = gateway("explain", "--json", "--received", received, *put("01-type-2-diabetes.xml"))
    assert lines(ended.out)[0]["decision"]["respond_by"] == respond_by


def test_a_dry_run_stores_and_sends_nothing_and_yields_the_same_twice(
    gateway: Gateway, put: Put, tmp_path: Path
) -> None:
    (name,) = put("04-heart.xml")
    ended = [gateway("explain", name, "--out", folder) for folder in ("one", "two")]
    assert ended[0] == ended[1]
    one, two = ([(p.name, p.read_bytes()) for p in sorted((tmp_path / x).iterdir())] for x in ("one", "two"))
    assert one == two
    assert not (tmp_path / "spool").exists()


def test_in_words_it_tells_what_and_why_in_danish(gateway: Gateway, put: Put) -> None:
    told = gateway("explain", *put("01-type-2-diabetes.xml", "15-truncated.xml")).out
    first, refused = told.split("15-truncated.xml:")
    assert first.startswith("01-type-2-diabetes.xml: XREF15 XH1530R, brev PRBRV000000001, kvittering: positiv\n")
    assert all(part in first for part in ("sundhedskonsulenterne", "Afklarende samtale", "SKS DE119", "2026-11-30"))
    assert "kvittering: negativ\n  fejl GW-102" in refused


def test_a_folder_that_cannot_be_written_to_is_told_in_one_line(gateway: Gateway, put: Put, tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"")
    ended = gateway("explain", *put("01-type-2-diabetes.xml"), "--out", "out")
    assert ended.status == 1
    assert ended.err.count("\n") == 1
    assert "out" in ended.err
