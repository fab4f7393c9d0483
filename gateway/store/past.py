"""All cases of the past, read in portions."""

from collections.abc import Iterator

import msgspec
from sqlalchemy import Engine, select

from gateway.referral.case import Case
from gateway.store.codec import Codec
from gateway.store.engine import reading
from gateway.store.schema import cases

_CASE = msgspec.json.Decoder(Case)
_PORTION = 500


class Past:
    """The stored cases, whatever their state."""

    def __init__(self, engine: Engine, codec: Codec) -> None:
        self._engine = engine
        self._codec = codec

    def cases(self, portion: int = _PORTION) -> Iterator[Case]:
        """Every case, by case id; one portion is in memory at a time."""
        last = ""
        while True:
            query = select(cases.c.case_id, cases.c.body).where(cases.c.case_id > last).order_by(cases.c.case_id)
            with reading(self._engine) as connection:
                rows = connection.execute(query.limit(portion)).all()
            yield from (_CASE.decode(self._codec.open(row.body)) for row in rows)
            if len(rows) < portion:
                return
            last = rows[-1].case_id
