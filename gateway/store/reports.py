"""KL's delivery reports as they were made: kept for good, because each new one tells what changed since the last.

Nothing is changed in a report; only its fate is written down. A refused one has told KL nothing.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Engine, select, update

from gateway.errors import ConflictError
from gateway.referral.case import Case
from gateway.store.codec import Codec
from gateway.store.engine import insert, reading, writing
from gateway.store.schema import cases, report_bodies, reports

BUILT, DELIVERED, REFUSED = "built", "delivered", "refused"
_CASE = msgspec.json.Decoder(Case)


class StoredReport(msgspec.Struct, frozen=True, kw_only=True):
    """A report and what became of it."""

    report_id: str
    #: the citizen's keyed hash
    citizen: str
    day: date
    ordinal: int
    case_ids: frozenset[str]
    status: str = BUILT
    #: HTTP status, issue codes and places of the answer
    answer: str | None = None
    #: the Bundle in JSON
    body: bytes


class Reports:
    """Reports by citizen, day and fate; and the cases that they are made of."""

    def __init__(self, engine: Engine, codec: Codec) -> None:
        self._engine = engine
        self._codec = codec

    # -------------------------------------------------------------- what they are made of
    def citizens(self) -> list[str]:
        """Everyone with a case, by keyed hash."""
        with reading(self._engine) as connection:
            return list(connection.scalars(select(cases.c.citizen_index).distinct().order_by(cases.c.citizen_index)))

    def citizen_of(self, case_id: str) -> str | None:
        """Whose case it is; None for an unknown one."""
        with reading(self._engine) as connection:
            return connection.scalar(select(cases.c.citizen_index).where(cases.c.case_id == case_id))

    def cases_of(self, citizen: str) -> tuple[Case, ...]:
        """The citizen's cases, oldest first."""
        query = (
            select(cases.c.body).where(cases.c.citizen_index == citizen).order_by(cases.c.received_at, cases.c.case_id)
        )
        with reading(self._engine) as connection:
            return tuple(_CASE.decode(self._codec.open(body)) for body in connection.scalars(query))

    # -------------------------------------------------------------- the reports
    def of(self, citizen: str) -> list[StoredReport]:
        """All of a citizen's reports, oldest day first."""
        return list(self._found(reports.c.citizen_index == citizen))

    def of_day(self, day: date) -> list[StoredReport]:
        """All reports of a day."""
        return list(self._found(reports.c.day == day.isoformat()))

    def waiting(self) -> list[str]:
        """Ids of the reports that nobody has answered, oldest day first."""
        query = select(reports.c.report_id).where(reports.c.status == BUILT).order_by(reports.c.day, reports.c.ordinal)
        with reading(self._engine) as connection:
            return list(connection.scalars(query))

    def get(self, report_id: str) -> StoredReport:
        """One report.

        Raises:
            KeyError: there is none with this id.
        """
        found = next(self._found(reports.c.report_id == report_id), None)
        if found is None:
            raise KeyError(report_id)
        return found

    def _found(self, wanted: ColumnElement[bool]) -> Iterator[StoredReport]:
        query = select(reports, report_bodies.c.body).join(report_bodies).where(wanted)
        query = query.order_by(reports.c.day, reports.c.ordinal, reports.c.report_id)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        for row in rows:
            yield StoredReport(
                report_id=row.report_id,
                citizen=row.citizen_index,
                day=date.fromisoformat(row.day),
                ordinal=row.ordinal,
                case_ids=frozenset(row.case_ids.split(",")),
                status=row.status,
                answer=row.answer,
                body=self._codec.open(row.body),
            )

    def add(self, report: StoredReport, now: datetime) -> None:
        """Keep a new report.

        Raises:
            ConflictError: someone else has made the citizen's report of that day.
        """
        row: dict[str, Any] = {
            "report_id": report.report_id,
            "citizen_index": report.citizen,
            "day": report.day.isoformat(),
            "ordinal": report.ordinal,
            "case_ids": ",".join(sorted(report.case_ids)),
            "status": report.status,
            "built_at": now,
        }
        with writing(self._engine) as connection:
            new = insert(connection, reports).values(row).on_conflict_do_nothing().returning(reports.c.report_id)
            if connection.scalar(new) is None:
                raise ConflictError("the report of this citizen and day was made in between")
            body = {"report_id": report.report_id, "body": self._codec.seal(report.body)}
            connection.execute(insert(connection, report_bodies).values(body))

    def settle(self, report_id: str, status: str, answer: str, now: datetime) -> None:
        """Write down what KL answered; the first answer stands."""
        mine = update(reports).where(reports.c.report_id == report_id, reports.c.status == BUILT)
        with writing(self._engine) as connection:
            connection.execute(mine.values(status=status, answer=answer, settled_at=now))
