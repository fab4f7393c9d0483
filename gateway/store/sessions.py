"""Who is logged in. The token is stored as a hash only; a session ends by disuse, by age, or by logging out."""

import hashlib
import secrets
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Engine, delete, select, update

from gateway.store.accounts import Account, account_of
from gateway.store.engine import reading, writing
from gateway.store.schema import accounts, sessions

#: an hour without a look; pages that refresh themselves count as looked at
IDLE = timedelta(minutes=60)
#: a working day
LONGEST = timedelta(hours=12)
#: how exactly the last look is written down
_STEP = timedelta(minutes=1)


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Someone who is logged in."""

    account: Account
    #: must come back with every form
    csrf: str


class Sessions:
    """Sessions of the page; shared by all processes on one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def open(self, name: str, now: datetime) -> str:
        """A new session; its token, for the cookie. Sessions that are over are cleared away."""
        token = secrets.token_urlsafe(32)
        row = {
            "token_hash": _hash(token),
            "account": name,
            "csrf": secrets.token_urlsafe(32),
            "opened_at": now,
            "seen_at": now,
        }
        with writing(self._engine) as connection:
            over = (sessions.c.opened_at < now - LONGEST) | (sessions.c.seen_at < now - IDLE)
            connection.execute(delete(sessions).where(over))
            connection.execute(sessions.insert(), [row])
        return token

    def find(self, token: str, now: datetime) -> Session | None:
        """The session of a cookie; None when it is over, unknown, or its account may no longer in."""
        mine = sessions.c.token_hash == _hash(token)
        query = select(sessions.c.csrf, sessions.c.opened_at, sessions.c.seen_at, accounts)
        query = query.join(accounts, accounts.c.name == sessions.c.account).where(mine, accounts.c.enabled)
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        if row is None or row.opened_at < now - LONGEST or row.seen_at < now - IDLE:
            return None
        if row.seen_at < now - _STEP:
            with writing(self._engine) as connection:
                connection.execute(update(sessions).where(mine).values(seen_at=now))
        return Session(account=account_of(row), csrf=row.csrf)

    def end(self, token: str) -> None:
        """Log out."""
        with writing(self._engine) as connection:
            connection.execute(delete(sessions).where(sessions.c.token_hash == _hash(token)))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
