"""Who is asking, and may they? Sessions by cookie, a right for every page, and for every change a right, CSRF and key.

Closed by default: a page names the right it needs. What is refused is told as a page, or as a redirect to the login.
"""

import hmac
import re
from collections.abc import Callable, Mapping
from typing import Annotated
from urllib.parse import parse_qs

import msgspec
from fastapi import Depends, Request
from starlette.exceptions import HTTPException

from gateway.console.parts import Parts, PartsOf
from gateway.store.accounts import Right
from gateway.store.audit import Act
from gateway.store.sessions import Session

_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
#: bytes of a form
FORM_LIMIT = 200_000
_MOST_FIELDS = 200
#: characters
_SHORTEST_REASON, _LONGEST_REASON = 3, 500
_OWN_SITE = frozenset({"same-origin", "none"})


class NotLoggedInError(Exception):
    """Nobody is logged in, or no longer."""


class MissingRightError(Exception):
    """The account lacks a right."""

    def __init__(self, right: Right) -> None:
        super().__init__(right.value)
        self.right = right


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """A posted form."""

    fields: Mapping[str, list[str]]

    def one(self, name: str) -> str:
        """A field's value without blanks around it; empty when it was not sent."""
        return (self.fields.get(name) or [""])[0].strip()

    def many(self, name: str) -> list[str]:
        """All values of a field."""
        return self.fields.get(name) or []


class Acting(msgspec.Struct, frozen=True, kw_only=True):
    """Someone with the right to it asks for a change, by a form of this very session."""

    session: Session
    form: Form
    #: the form's idempotency key
    key: str

    def reason(self) -> str:
        """Why, in the person's own words; empty when nothing that could be a reason was written."""
        why = self.form.one("why")[:_LONGEST_REASON]
        return why if len(why) >= _SHORTEST_REASON else ""

    def act(self, what: str, subject: str, why: str = "") -> Act:
        """The same for the audit log."""
        return Act(who=self.session.account.name, what=what, subject=subject, why=why, key=self.key)


def cookie_name(request: Request, parts: Parts) -> str:
    """The session cookie; bound to the host where it is only sent over TLS."""
    return "__Host-gateway" if is_secure(request, parts) else "gateway"


def is_secure(request: Request, parts: Parts) -> bool:
    """Whether browsers reach the page by TLS; beyond loopback always."""
    return request.url.scheme == "https" or parts.settings.beyond_loopback


def session_if_any(request: Request, parts: PartsOf) -> Session | None:
    """Who is logged in; None when nobody is."""
    token = request.cookies.get(cookie_name(request, parts))
    session = parts.store.sessions.find(token, parts.clock()) if token else None
    request.state.session = session
    return session


def allowed(*rights: Right) -> Callable[..., Session]:
    """A dependency: the session, if its account has the rights; without a right, any session."""

    def check(session: Annotated[Session | None, Depends(session_if_any)]) -> Session:
        if session is None:
            raise NotLoggedInError
        missing = [right for right in rights if right not in session.account.rights]
        if missing:
            raise MissingRightError(missing[0])
        return session

    return check


async def form_of(request: Request) -> Form:
    """A form of at most ``FORM_LIMIT`` bytes from our own pages."""
    if request.headers.get("sec-fetch-site", "none") not in _OWN_SITE:
        raise HTTPException(403, "The form came from another site")
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > FORM_LIMIT:
            raise HTTPException(413, "The form is too large")
    try:
        fields = parse_qs(data.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise HTTPException(400, "The form cannot be read") from error
    return Form(fields=fields)


def acting(*rights: Right) -> Callable[..., Acting]:
    """A dependency for every change: rights, CSRF token of this session, and an idempotency key."""

    def check(
        request: Request,
        session: Annotated[Session, Depends(allowed(*rights))],
        form: Annotated[Form, Depends(form_of)],
    ) -> Acting:
        if not hmac.compare_digest(form.one("csrf").encode(), session.csrf.encode()):
            raise HTTPException(403, "The form is not of this session; open the page again")
        key = form.one("key")
        if not _KEY.fullmatch(key):
            raise HTTPException(400, "The form has no key; open the page again")
        request.state.act_key = f"{session.account.name[:20]}:{key}"[:64]
        return Acting(session=session, form=form, key=request.state.act_key)

    return check


SeesMetadata = Annotated[Session, Depends(allowed(Right.METADATA))]
