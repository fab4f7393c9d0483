"""Files that came apart from their letter, and the letters that name them.

A row of ``objects`` per object id, changed on top of the number it was read with: of a letter and its attachment that
are saved at the same moment, the second one is redone and finds the first. The files stand in a table of their own.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, select, update

from gateway.errors import ConflictError
from gateway.referral.attachments import HeldFile, TrackedObject
from gateway.store.bulk import Clash, Put
from gateway.store.codec import Codec
from gateway.store.rows import Entry
from gateway.store.schema import files, objects, parked

_TRACKED = msgspec.json.Decoder(TrackedObject)
_WAITING = "GW-168"
_FOUND = "brevet, der nævner bilaget, er kommet"
_replace = msgspec.structs.replace


def tracked_objects(connection: Connection, codec: Codec, keys: Collection[str]) -> list[TrackedObject]:
    """What is known of these object ids, with the files."""
    if not keys:
        return []
    data = {
        (row.object_id, row.sender, row.letter_id): codec.open(row.body)
        for row in connection.execute(select(files).where(files.c.object_id.in_(keys)))
    }
    rows = connection.execute(select(objects.c.body).where(objects.c.object_id.in_(keys)))
    return [_with_files(_TRACKED.decode(codec.open(row.body)), data) for row in rows]


def _with_files(one: TrackedObject, data: dict[tuple[str, str, str], bytes]) -> TrackedObject:
    return _replace(one, files=tuple(_held(held, data[_key(held)]) for held in one.files))


def _held(held: HeldFile, data: bytes) -> HeldFile:
    return _replace(held, file=_replace(held.file, data=data))


def _key(held: HeldFile) -> tuple[str, str, str]:
    return held.file.object_id, held.sender.gln or "", held.letter_id


def object_rows(connection: Connection, codec: Codec, entries: Sequence[Entry], now: datetime) -> list[Put]:
    """New objects and new files; changed objects are updated on the way.

    Raises:
        ConflictError: someone saved the other half of a pair in between.
    """
    first: dict[str, int] = {}
    last: dict[str, TrackedObject] = {}
    for one in (one for entry in entries for one in entry.outcome.objects):
        first.setdefault(one.object_id, one.number)
        last[one.object_id] = one
    rows = {
        key: {
            "object_id": key,
            "number": last[key].number,
            "changed_at": now,
            "awaited_by": last[key].awaited_by,
            "body": codec.seal(msgspec.json.encode(_without_data(last[key]))),
        }
        for key in sorted(last)
    }
    for key in (key for key in rows if first[key] > 1):
        before = (objects.c.object_id == key) & (objects.c.number == first[key] - 1)
        if connection.execute(update(objects).where(before).values(rows[key])).rowcount != 1:
            raise ConflictError("a letter or its attachment was saved in between")
    created = [row for key, row in rows.items() if first[key] == 1]
    return [Put(objects, created, all_new=True), _kept(codec, entries, last.values(), now)]


def _without_data(one: TrackedObject) -> TrackedObject:
    return _replace(one, files=tuple(_held(held, b"") for held in one.files))


def _kept(codec: Codec, entries: Sequence[Entry], saved: Iterable[TrackedObject], now: datetime) -> Put:
    """The files of the letters that are saved now; of a letter handled anew as they are now."""
    new = {letter.key for entry in entries for letter in entry.outcome.letters}
    rows = [
        {
            "object_id": key[0],
            "sender": key[1],
            "letter_id": key[2],
            "extension": held.file.extension,
            "size": len(held.file.data),
            "received_at": now,
            "body": codec.seal(held.file.data),
        }
        for held in (held for one in saved for held in one.files)
        if (key := _key(held))[1:] in new
    ]
    rows.sort(key=lambda row: (row["object_id"], row["sender"], row["letter_id"]))
    return Put(files, rows, Clash.REPLACE_BODY)


def settle_waiting(connection: Connection, entries: Sequence[Entry], now: datetime) -> None:
    """Close the items of files that waited for these letters; after the entries' own items are in."""
    found = [key for entry in entries for key in entry.outcome.joined]
    if found:
        waiting = (parked.c.fault_id == _WAITING) & parked.c.detail.in_(found) & (parked.c.state == "open")
        change = {"state": "settled", "closed_at": now, "closed_why": _FOUND}
        connection.execute(update(parked).where(waiting).values(change))
