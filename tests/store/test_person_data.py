"""Who looks at the tables sees ids, codes and counts: everything about a person stands in sealed bodies."""

import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from lxml import etree
from sqlalchemy import LargeBinary, select

from gateway.clocks import system_now
from gateway.inbound.pipeline import Pipeline
from gateway.inbound.source import Delivery
from gateway.municipality.model import load
from gateway.receive import Entrance, read
from gateway.referral.model import Referral
from gateway.simulate.stories import recorded, stories
from gateway.store.engine import reading
from gateway.store.schema import metadata
from gateway.store.store import Store

_WORD = re.compile(r"\w{6,}")


def fill(store: Store) -> None:
    """The recorded messages and everything the teams tell about them."""
    pipeline = Pipeline(store, load(), system_now)
    episodes = {}
    for name, data in recorded().items():
        pipeline.handle_one(Delivery(data=data))
        content = read(data).letters[0].content if read(data).letters else None
        episodes[name] = content.episode_id if isinstance(content, Referral) else None
    for story in stories():
        for event in story.events(episodes[story.message] or "", datetime(2026, 11, 20, 8, tzinfo=UTC)):
            outcome = pipeline.handle_one(Delivery(data=msgspec.json.encode(event), entrance=Entrance.TEAM))
            assert not outcome.parked, outcome.parked


def private_words() -> set[str]:
    """CPRs, names, addresses and the clinical texts' words, as the recorded messages and events hold them."""
    found: set[str] = set()
    for data in recorded().values():
        for letter in read(data).letters:
            if isinstance(letter.content, Referral):
                found |= _private(letter.content)
        found |= set(_cprs(data))
    for story in stories():
        found |= {story.author["name"], *(step["note"] for step in story.steps if "note" in step)}
    return {word for word in found if len(word) > 3}


def _cprs(data: bytes) -> list[str]:
    return [number.decode() for number in re.findall(rb"<CivilRegistrationNumber>(\d{10})<", data)]


def _private(referral: Referral) -> set[str]:
    citizen = referral.citizen
    found = {citizen.identifier, citizen.surname, citizen.given_name or "", citizen.address.street or ""}
    found |= {phone.number for phone in citizen.phones}
    for text in referral.texts:
        found |= set(_WORD.findall(text.text))
    return found


def dump(store: Store, *, sealed: bool) -> str:
    """Every value of the columns that are (not) sealed."""
    told = []
    with reading(store.engine) as connection:
        for table in metadata.sorted_tables:
            columns = [c for c in table.columns if isinstance(c.type, LargeBinary) is sealed]
            if columns:
                told += [str(value) for row in connection.execute(select(*columns)) for value in row]
    return "\n".join(told)


def test_no_column_tells_who_it_is_about(store: Store) -> None:
    fill(store)
    told = dump(store, sealed=False)
    assert len(told) > 10_000
    words = private_words()
    assert len(words) > 60
    ours = {"findes"}  # stands in our own text of GW-140 too
    assert {word for word in words - ours if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", told)} == set()


def test_a_citizen_is_found_by_a_keyed_hash_only(store: Store) -> None:
    fill(store)
    told = dump(store, sealed=False)
    cpr = _cprs(recorded()["01-type-2-diabetes.xml"])[0]
    assert store.codec.index(cpr) in told
    assert cpr not in told


def test_bodies_hold_the_messages_to_the_byte(store: Store) -> None:
    fill(store)
    with reading(store.engine) as connection:
        kept = {store.codec.open(body) for body in connection.scalars(select(metadata.tables["messages"].c.body))}
    assert set(recorded().values()) <= kept


def test_the_recorded_persons_are_invented(tmp_path: Path) -> None:
    """A guard on the material itself: every surname of the recorded messages is among those we look for."""
    surnames = set()
    for data in recorded().values():
        try:
            root = etree.fromstring(data)
        except etree.XMLSyntaxError:
            continue
        surnames |= {e.text for e in root.iter("{*}PersonSurnameName")}
    assert surnames <= private_words()
