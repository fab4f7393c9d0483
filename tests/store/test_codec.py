"""The forms in which bodies and times are stored."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.codec import CompressingCodec
from gateway.store.schema import UtcDateTime

CODEC = CompressingCodec(b"key of this installation")


@given(st.binary(max_size=2000))
def test_what_is_sealed_is_opened(data: bytes) -> None:
    assert CODEC.open(CODEC.seal(data)) == data


@pytest.mark.parametrize(("size", "form"), [(0, 0), (255, 0), (256, 1), (100_000, 1)])
def test_only_what_gains_by_it_is_compressed(size: int, form: int) -> None:
    sealed = CODEC.seal(b"a" * size)
    assert sealed[0] == form
    assert len(sealed) <= size + 1


@pytest.mark.parametrize("stored", [b"", b"\x02later form", b"<xml/>"])
def test_an_unknown_form_is_refused(stored: bytes) -> None:
    with pytest.raises(ValueError, match="unknown form"):
        CODEC.open(stored)


def test_an_index_depends_on_key_and_value_and_tells_neither() -> None:
    index = CODEC.index("0101010001")
    assert len(index) == 32
    assert int(index, 16)
    assert index == CODEC.index("0101010001")
    assert index != CODEC.index("0101010002")
    assert index != CompressingCodec(b"another key").index("0101010001")


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()])
@given(
    moment=st.datetimes(
        min_value=datetime(1900, 1, 2),  # noqa: DTZ001  (hypothesis adds the zone)
        max_value=datetime(2100, 1, 1),  # noqa: DTZ001
        timezones=st.timezones(),
    )
)
def test_a_moment_comes_back_as_the_same_moment_in_utc(dialect: object, moment: datetime) -> None:
    column = UtcDateTime()
    stored = column.process_bind_param(moment, dialect)
    back = column.process_result_value(stored, dialect)
    assert back == moment.astimezone(UTC)
    assert back is not None
    assert back.tzinfo is UTC


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()])
def test_no_moment_stays_none_and_a_naive_one_is_refused(dialect: object) -> None:
    column = UtcDateTime()
    assert column.process_bind_param(None, dialect) is None
    assert column.process_result_value(None, dialect) is None
    with pytest.raises(ValueError, match="naive"):
        column.process_bind_param(datetime(2026, 1, 1), dialect)  # noqa: DTZ001


def test_postgresql_may_answer_in_any_zone() -> None:
    told = datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert UtcDateTime().process_result_value(told, postgresql.dialect()) == datetime(2026, 7, 1, 10, tzinfo=UTC)
