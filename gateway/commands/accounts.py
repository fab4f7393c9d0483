"""``gateway accounts``: who may use the web page, and for what."""

from typing import Annotated

import typer

from gateway.clocks import system_now
from gateway.commands.operator import operator
from gateway.store.accounts import Account, Right
from gateway.store.audit import Act
from gateway.store.store import Store, open_store

app = typer.Typer(help="Accounts of the web page.", invoke_without_command=True)
Name = Annotated[str, typer.Argument(metavar="NAME", help="what the person logs in with")]
Rights = Annotated[
    str,
    typer.Option(help=f"names between commas, or `all`: {', '.join(right.value for right in Right)}"),
]


@app.callback()
def listing(context: typer.Context) -> None:
    """List accounts with their rights."""
    if context.invoked_subcommand is not None:
        return
    with open_store(context.obj().store_url) as store:
        found = store.accounts.all()
    for account in found:
        print(_line(account))
    if not found:
        print("Der er ingen konti: ingen kan logge ind. `gateway accounts add NAVN --rights …` laver en.")


def _line(account: Account) -> str:
    rights = ",".join(right.value for right in Right if right in account.rights)
    return f"{account.name}  {account.display}  {rights or 'ingen rettigheder'}{'' if account.enabled else '  lukket'}"


@app.command()
def add(
    context: typer.Context,
    name: Name,
    rights: Rights,
    display: Annotated[str, typer.Option(help="name for letters and log; default the login name")] = "",
) -> None:
    """Add an account. Its password is random and printed once; it is stored nowhere."""
    given = rights_in(rights)
    if not name.strip() or len(name) > 100:  # noqa: PLR2004  (the column's width)
        raise typer.BadParameter("1 to 100 characters", param_hint="NAME")
    with open_store(context.obj().store_url) as store:
        password = store.accounts.add(name, display, given, system_now())
        if password is None:
            _refuse(f"the account {name} exists")
        _write_down(store, "account.added", name, rights)
    print(f"konto: {name}\nadgangskode (vises kun denne ene gang): {password}")


@app.command()
def password(context: typer.Context, name: Name) -> None:
    """Give an account a new random password, printed once; whoever is logged in with it is logged out."""
    with open_store(context.obj().store_url) as store:
        new = store.accounts.new_password(name)
        if new is None:
            _refuse(f"no account {name}")
        _write_down(store, "account.password", name)
    print(f"ny adgangskode (vises kun denne ene gang): {new}")


@app.command()
def rights(context: typer.Context, name: Name, rights: Rights) -> None:
    """Give an account other rights; whoever is logged in with it is logged out."""
    with open_store(context.obj().store_url) as store:
        if not store.accounts.set_rights(name, rights_in(rights)):
            _refuse(f"no account {name}")
        _write_down(store, "account.rights", name, rights)
    print(f"rettigheder ændret: {name}")


@app.command()
def disable(context: typer.Context, name: Name) -> None:
    """Let someone in no longer. The account stays, because the log names it."""
    _set_enabled(context, name, enabled=False)
    print(f"lukket: {name}")


@app.command()
def enable(context: typer.Context, name: Name) -> None:
    """Let someone in again."""
    _set_enabled(context, name, enabled=True)
    print(f"åbnet: {name}")


def _set_enabled(context: typer.Context, name: str, *, enabled: bool) -> None:
    with open_store(context.obj().store_url) as store:
        if not store.accounts.set_enabled(name, enabled=enabled):
            _refuse(f"no account {name}")
        _write_down(store, "account.enabled" if enabled else "account.disabled", name)


def rights_in(told: str) -> frozenset[Right]:
    """Rights by their names; unknown ones are refused."""
    if told == "all":
        return frozenset(Right)
    names = [name.strip() for name in told.split(",") if name.strip()]
    unknown = [name for name in names if name not in {right.value for right in Right}]
    if unknown or not names:
        raise typer.BadParameter(f"unknown right {unknown[0] if unknown else told!r}", param_hint="--rights")
    return frozenset(Right(name) for name in names)


def _write_down(store: Store, what: str, name: str, why: str = "") -> None:
    store.audit.write(Act(who=operator(), what=what, subject=name, why=why), system_now())


def _refuse(why: str) -> None:
    typer.echo(f"gateway: {why}", err=True)
    raise typer.Exit(1)
