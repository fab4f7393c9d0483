"""Logging in and out, one's own password, and the choice of language."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from gateway.console.access import (
    Acting,
    Form,
    acting,
    allowed,
    cookie_name,
    form_of,
    is_secure,
)
from gateway.console.language import LANGUAGES
from gateway.console.page import LANGUAGE_COOKIE, render
from gateway.console.parts import Parts, PartsOf
from gateway.store.accounts import LONGEST_PASSWORD, SHORTEST_PASSWORD, Account, Refused
from gateway.store.audit import Act
from gateway.store.sessions import LONGEST, Session

router = APIRouter(include_in_schema=False)


@router.get("/login")
def login_page(request: Request, parts: PartsOf, next: str = "/") -> Response:  # noqa: A002  (the address's own name)
    """Name and password, please."""
    return _login_page(request, parts, next)


def _login_page(request: Request, parts: Parts, target: str, refused: Refused | None = None) -> Response:
    status = 401 if refused else 200
    return render(
        request,
        "login.html",
        status,
        target=own_address(target),
        refused=refused,
        nobody=not parts.store.accounts.any(),
    )


@router.post("/login")
def log_in(request: Request, parts: PartsOf, form: Annotated[Form, Depends(form_of)]) -> Response:
    """Open a session, or say that name and password do not fit."""
    name = form.one("name")
    now = parts.clock()
    found = parts.store.accounts.log_in(name, (form.fields.get("password") or [""])[0], now)
    if not isinstance(found, Account):
        if any(account.name == name for account in parts.store.accounts.all()):
            parts.store.audit.write(Act(who=name, what="login.failed"), now)
        return _login_page(request, parts, form.one("next"), found)
    parts.store.audit.write(Act(who=name, what="login"), now)
    token = parts.store.sessions.open(name, now)
    answer = RedirectResponse(own_address(form.one("next")), 303)
    answer.set_cookie(
        cookie_name(request, parts),
        token,
        max_age=int(LONGEST.total_seconds()),
        secure=is_secure(request, parts),
        httponly=True,
        samesite="strict",
    )
    return answer


def own_address(target: str) -> str:
    """The address to go on to, if it is one of ours.

    >>> own_address("/board?team=x"), own_address("//evil.example"), own_address("https://evil.example")
    ('/board?team=x', '/', '/')
    """
    is_ours = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if is_ours else "/"


@router.post("/logout")
def log_out(request: Request, parts: PartsOf, acting: Annotated[Acting, Depends(acting())]) -> Response:
    """End the session."""
    name = cookie_name(request, parts)
    parts.store.sessions.end(request.cookies.get(name, ""))
    parts.store.audit.write(acting.act("logout", ""), parts.clock())
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(name, secure=is_secure(request, parts), httponly=True, samesite="strict")
    return answer


@router.get("/account")
def account_page(request: Request, _session: Annotated[Session, Depends(allowed())]) -> Response:
    """One's own rights, and a new password."""
    return render(request, "account.html", problem="", shortest=SHORTEST_PASSWORD)


@router.post("/account")
def change_password(request: Request, parts: PartsOf, acting: Annotated[Acting, Depends(acting())]) -> Response:
    """Change one's own password; every session of the account ends."""
    name = acting.session.account.name
    old, new = (acting.form.fields.get(field, [""])[0] for field in ("old", "new"))
    if not SHORTEST_PASSWORD <= len(new) <= LONGEST_PASSWORD:
        problem = "Den nye adgangskode er for kort eller for lang."
        return render(request, "account.html", 422, problem=problem, shortest=SHORTEST_PASSWORD)
    if not isinstance(parts.store.accounts.log_in(name, old, parts.clock()), Account):
        problem = "Den nuværende adgangskode er forkert."
        return render(request, "account.html", 422, problem=problem, shortest=SHORTEST_PASSWORD)
    parts.store.accounts.new_password(name, new)
    parts.store.audit.write(acting.act("account.password", name), parts.clock())
    return RedirectResponse("/login", 303)


@router.get("/language/{language}")
def choose_language(
    language: str,
    request: Request,
    parts: PartsOf,
    next: str = "/",  # noqa: A002  (the address's own name)
) -> Response:
    """Danish or English from now on."""
    answer = RedirectResponse(own_address(next), 303)
    chosen = language if language in LANGUAGES else LANGUAGES[0]
    secure = is_secure(request, parts)
    answer.set_cookie(LANGUAGE_COOKIE, chosen, max_age=31_536_000, secure=secure, httponly=True, samesite="strict")
    return answer
