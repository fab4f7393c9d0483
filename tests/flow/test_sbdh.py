"""``GATEWAY_SBDH`` through the service and the commands: from the folder to the receipt in the same envelope."""

import json
from pathlib import Path

from lxml import etree

from gateway.bootstrap import service
from gateway.console.letters import words_in
from gateway.console.raw import unpacked
from gateway.inbound.source import Delivery
from gateway.settings import load_settings
from gateway.store.store import open_store
from tests.builders import SENDER_GLN
from tests.commands.conftest import Gateway, gateway
from tests.correspondence_builders import xdis91, xdis91_message
from tests.fhir_messages import HEADER_ID, as_json
from tests.neighbours import wait_for
from tests.reference import own_violations, payloads_in
from tests.sbdh_builders import JSON, PEPPOL, SBDH, content, fhir, sbdh

__all__ = ["gateway"]
MESSAGE = sbdh(as_json(fhir()), mime=JSON, message_id=HEADER_ID)


def test_off_unless_told() -> None:
    assert load_settings().sbdh is False
    assert load_settings(sbdh="true").sbdh is True


def test_from_the_folder_to_the_receipt(tmp_path: Path) -> None:
    settings = load_settings(spool=tmp_path, http="", sbdh=True)
    out = tmp_path / "out" / "medcom"
    with service(settings) as running:
        running.start()
        (tmp_path / "in" / "one.part").write_bytes(MESSAGE)
        (tmp_path / "in" / "one.part").rename(tmp_path / "in" / "one.xml")
        wait_for(lambda: len(list(out.glob("*.xml"))) == 2, "the receipt and the letter")
    sent = {path.name.partition("-")[0]: path.read_bytes() for path in out.iterdir()}
    assert sorted(sent) == ["Acknowledgement", "CareCommunication"]
    for data in sent.values():
        assert own_violations(data) == []
        root = etree.fromstring(data)
        assert root.findtext(".//{*}Receiver/{*}Identifier") == f"0088:{SENDER_GLN}"
    (receipt,) = payloads_in(etree.fromstring(sent["Acknowledgement"]))
    answered = json.loads(receipt)["entry"][0]["resource"]["response"]
    assert answered == {"identifier": HEADER_ID, "code": "ok"}


def test_what_was_parked_while_it_was_off_is_replayed_once_it_is_on(gateway: Gateway, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    settings = load_settings(spool=spool, http="")
    with service(settings) as running:
        outcome = running.pipeline.handle_one(Delivery(data=MESSAGE))
        again = running.pipeline.handle_one(Delivery(data=MESSAGE))
    assert [item.fault.id for item in outcome.parked] == ["GW-110"]
    assert (outcome.outgoing, again.duplicate) == ((), True)
    item = json.loads(gateway("parked", "--json").out)["id"]
    assert "fejlede igen: GW-110" in gateway("replay", item).err
    done = gateway("replay", item, GATEWAY_SBDH="1")
    assert (done.status, done.err) == (0, "")
    assert "Acknowledgement til" in done.out
    with open_store(settings.store_url) as store:
        assert len(list(store.past.cases())) == 1


def test_explain_opens_it_where_it_is_on(gateway: Gateway, tmp_path: Path) -> None:
    (tmp_path / "one.xml").write_bytes(MESSAGE)
    off = json.loads(gateway("explain", "--json", "one.xml").out)
    on = json.loads(gateway("explain", "--json", "--out", "out", "one.xml", GATEWAY_SBDH="1").out)
    assert (off["receipt"], [error["id"] for error in off["errors"]]) == ("none", ["GW-110"])
    assert (on["receipt"], on["decision"]["outcome"], on["errors"]) == ("positive", "accepted", [])
    written = tmp_path / "out" / "one.xml.01.Acknowledgement.xml"
    assert own_violations(written.read_bytes()) == []


def test_the_page_shows_what_is_inside() -> None:
    korrespondance = xdis91_message(xdis91())
    for namespace in (SBDH, PEPPOL):
        data = sbdh(contents=content(korrespondance, namespace=namespace))
        assert unpacked(data) == korrespondance
        assert words_in(data) == words_in(korrespondance) is not None
    prefixed = data.replace(b"<BinaryContent xmlns=", b"<bc:BinaryContent xmlns:bc=").replace(b"</Bin", b"</bc:Bin")
    assert unpacked(prefixed) == korrespondance
    assert unpacked(korrespondance) is None
