"""``column among (list of keys)``, and the value given for a key: SQL that is the same for any number of keys.

``IN (…)`` is another statement for every number of keys: SQLAlchemy writes it, driver and server parse it anew.
"""

import json
from typing import Any

from sqlalchemy import (
    BindParameter,
    Boolean,
    ColumnElement,
    Dialect,
    Text,
    TypeDecorator,
    bindparam,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine


class _Keys(TypeDecorator[Any]):
    """A list of texts: an array in PostgreSQL, JSON in SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(postgresql.ARRAY(Text()) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ANN401  (any iterable of texts)
        return list(value) if dialect.name == "postgresql" else json.dumps(list(value))


class _Among(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True


def among(column: ColumnElement[Any], name: str) -> FunctionElement[bool]:
    """Whether the column is one of the texts given as parameter ``name``; an empty list is allowed."""
    keys: BindParameter[Any] = bindparam(name, type_=_Keys())
    return _Among(column, keys)


@compiles(_Among, "postgresql")
def _in_array(element: _Among, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401  (SQLAlchemy's own signature)
    column, keys = (compiler.process(part, **options) for part in element.clauses)
    return f"{column} = ANY ({keys})"


@compiles(_Among, "sqlite")
def _in_json(element: _Among, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401  (SQLAlchemy's own signature)
    column, keys = (compiler.process(part, **options) for part in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({keys}))"  # noqa: S608  (keys is a parameter's placeholder)


class _ValueOf(FunctionElement[str]):
    type = Text()
    inherit_cache = True


def value_of(key: ColumnElement[Any], name: str) -> FunctionElement[str]:
    """What the JSON object of texts given as parameter ``name`` holds under this key; null where it has none."""
    given: BindParameter[Any] = bindparam(name, type_=Text)
    return _ValueOf(key, given)


@compiles(_ValueOf, "postgresql")
def _value_in_postgresql(element: _ValueOf, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401  (SQLAlchemy's own signature)
    key, given = (compiler.process(part, **options) for part in element.clauses)
    # a sub-select is read once for all rows
    return f"((SELECT CAST({given} AS JSONB)) ->> {key})"


@compiles(_ValueOf, "sqlite")
def _value_in_sqlite(element: _ValueOf, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401  (SQLAlchemy's own signature)
    key, given = (compiler.process(part, **options) for part in element.clauses)
    return f"json_extract({given}, '$.\"' || {key} || '\"')"
