"""Local accounts of the page: rights apart, passwords hashed with argon2, a wait after wrong passwords.

``origin`` of an account is ``local``; a single sign-on will bring its own. Without an account nobody gets in.
"""

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Engine, Row, func, select, update

from gateway.store.engine import insert, reading, writing
from gateway.store.schema import accounts, sessions

LOCAL = "local"
#: wrong passwords in a row that cost no wait
_FREE_TRIES = 4
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=15)
#: a longer password is refused unseen: hashing it would only cost time
LONGEST_PASSWORD = 200
SHORTEST_PASSWORD = 12


class Right(StrEnum):
    """What an account may do; each is given by itself."""

    #: counts, states, ids, clocks; no citizen's name, number or text
    METADATA = "metadata"
    #: messages and letters as they read; the full CPR by a reasoned click
    CONTENT = "content"
    #: approve, word, decide, ask, reassign, note
    DECIDE = "decide"
    REPLAY = "replay"
    DISCARD = "discard"
    #: see the audit log
    ADMINISTER = "administer"


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Someone who may use the page."""

    name: str
    #: how letters and the log name the person
    display: str
    rights: frozenset[Right]
    enabled: bool = True


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """Why someone is not let in; ``until`` where waiting helps."""

    until: datetime | None = None


class Accounts:
    """The accounts of the page."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, name: str, display: str, rights: Collection[Right], now: datetime) -> str | None:
        """A new account; its first password, which is told once and stored nowhere. None when the name is taken."""
        password = _new_password()
        row = {
            "name": name,
            "display": display or name,
            "origin": LOCAL,
            "password_hash": _hasher().hash(password),
            "rights": _joined(rights),
            "enabled": True,
            "created_at": now,
            "failures": 0,
        }
        with writing(self._engine) as connection:
            added = insert(connection, accounts).values(row).on_conflict_do_nothing().returning(accounts.c.name)
            return password if connection.scalar(added) is not None else None

    def new_password(self, name: str, chosen: str | None = None) -> str | None:
        """A new password, random unless chosen; the account's sessions end. None when there is no such account."""
        password = chosen or _new_password()
        change = {"password_hash": _hasher().hash(password), "failures": 0, "locked_until": None}
        return password if self._change(name, change) else None

    def set_rights(self, name: str, rights: Collection[Right]) -> bool:
        """Other rights from now on; False when there is no such account."""
        return self._change(name, {"rights": _joined(rights)})

    def set_enabled(self, name: str, *, enabled: bool) -> bool:
        """Let someone in again, or no longer; False when there is no such account."""
        return self._change(name, {"enabled": enabled})

    def _change(self, name: str, change: dict[str, object]) -> bool:
        with writing(self._engine) as connection:
            changed = connection.execute(update(accounts).where(accounts.c.name == name).values(change)).rowcount == 1
            connection.execute(sessions.delete().where(sessions.c.account == name))
        return changed

    def all(self) -> list[Account]:
        """Every account, by name."""
        with reading(self._engine) as connection:
            return [account_of(row) for row in connection.execute(select(accounts).order_by(accounts.c.name))]

    def any(self) -> bool:
        """Whether anyone could log in."""
        with reading(self._engine) as connection:
            query = select(func.count()).select_from(accounts).where(accounts.c.enabled)
            return bool(connection.scalar(query))

    def log_in(self, name: str, password: str, now: datetime) -> Account | Refused:
        """The account, if name and password fit and no wait is on.

        An unknown name takes the same time and is told the same as a wrong password. A try is counted before the
        password is looked at, so that many at once gain nothing.
        """
        row = self._count_try(name, now)
        if isinstance(row, Refused):
            return row
        fits = _fits(row.password_hash if row is not None else _nobody(), password)
        if row is None or not fits or not row.enabled:
            return Refused()
        change = {"failures": 0, "locked_until": None}
        with writing(self._engine) as connection:
            connection.execute(update(accounts).where(accounts.c.name == name).values(change))
        return account_of(row)

    def _count_try(self, name: str, now: datetime) -> Row[tuple[object, ...]] | Refused | None:
        with writing(self._engine) as connection:
            row = connection.execute(select(accounts).where(accounts.c.name == name).with_for_update()).one_or_none()
            if row is None:
                return None
            if row.locked_until is not None and row.locked_until > now:
                return Refused(until=row.locked_until)
            failures = row.failures + 1
            change = {"failures": failures, "locked_until": _locked_until(failures, now)}
            connection.execute(update(accounts).where(accounts.c.name == name).values(change))
            return row


def account_of(row: Row[tuple[object, ...]]) -> Account:
    """The account in a row; a right that this version does not know is left out."""
    known = {right.value for right in Right}
    rights = frozenset(Right(name) for name in str(row.rights).split(",") if name in known)
    return Account(name=row.name, display=row.display, rights=rights, enabled=row.enabled)


def _locked_until(failures: int, now: datetime) -> datetime | None:
    """Half a minute after the fifth wrong password, twice as long after each further one, at most a quarter."""
    if failures <= _FREE_TRIES:
        return None
    doublings = min(failures - _FREE_TRIES - 1, 10)
    return now + min(_FIRST_WAIT * (1 << doublings), _LONGEST_WAIT)


def _joined(rights: Collection[Right]) -> str:
    return ",".join(right.value for right in Right if right in rights)


def _new_password() -> str:
    return secrets.token_urlsafe(15)


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobody() -> str:
    """The hash an unknown name is compared with."""
    return _hasher().hash(_new_password())


def _fits(stored: str, password: str) -> bool:
    if len(password) > LONGEST_PASSWORD:
        return False
    try:
        return _hasher().verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
