"""`oxbot users list, add, password, open, close, logout, admin`."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import typer

from oxbot.app import telling, user_admin
from oxbot.app.user_admin import Register
from oxbot.bootstrap.people import open_register
from oxbot.cli import output
from oxbot.cli.config_sources import load_settings
from oxbot.domain.errors import InputError
from oxbot.domain.users import User
from oxbot.logs import configure_logs

Result = TypeVar("Result")

NOBODY_YET = (
    "Nobody has registered yet: whoever is first, there or by `oxbot users add`, is the "
    "administrator."
)


def show_list(*, as_json: bool) -> None:
    """Write all users."""
    found = _at_register(user_admin.everybody)
    if as_json:
        output.write_json(found)
        return
    zone = telling.zone(load_settings().timezone)
    columns = ("name", "id", "administrator", "logins>", "since")
    lines = (
        (u.name, u.id, "yes" if u.is_admin else "", str(u.logins), telling.when(u.created_ms, zone))
        for u in found.users
    )
    if found.users:
        output.console().print(output.table("", columns, lines))
    output.console().print(
        _registration_told(is_open=found.registration, anybody=bool(found.users))
    )


def _registration_told(*, is_open: bool, anybody: bool) -> str:
    if not anybody:
        return NOBODY_YET
    return "Registration is open to everybody." if is_open else "Registration is closed."


def add(name: str, *, admin: bool, from_stdin: bool, as_json: bool) -> None:
    """Add a user. InputError, Conflict."""
    user_admin.user_name(name)
    given = _password(from_stdin=from_stdin)
    user = _at_register(lambda r: user_admin.add_user(r, name, given, is_admin=admin))
    _write(user, f"User {user.name} is made{_as_admin(user)}.", as_json=as_json)


def _as_admin(user: User) -> str:
    return ", an administrator" if user.is_admin else ""


def password(name: str, *, from_stdin: bool, as_json: bool) -> None:
    """Change a password. InputError, NotFound."""
    user_admin.user_name(name)
    given = _password(from_stdin=from_stdin)
    user = _at_register(lambda r: user_admin.change_password(r, name, given))
    told = f"The password of {user.name} is changed, and all logins are over."
    _write(user, told, as_json=as_json)


def logout(name: str, *, as_json: bool) -> None:
    """End all logins. InputError, NotFound."""
    ended = _at_register(lambda r: user_admin.log_out_everywhere(r, name))
    _write({"name": name, "ended": ended}, f"Logins of {name} ended: {ended}.", as_json=as_json)


def admin(name: str, *, is_admin: bool, as_json: bool) -> None:
    """Make an administrator, or no longer one. InputError, NotFound, Conflict."""
    user = _at_register(lambda r: user_admin.make_admin(r, name, is_admin=is_admin))
    told = "an administrator" if is_admin else "no administrator any more"
    _write(user, f"{user.name} is {told}.", as_json=as_json)


def registration(*, is_open: bool, as_json: bool) -> None:
    """Open or close registration."""
    first_may = _at_register(lambda r: user_admin.open_registration(r, is_open=is_open))
    told = _registration_told(is_open=is_open, anybody=is_open or not first_may)
    _write({"registration": first_may}, told, as_json=as_json)


def _password(*, from_stdin: bool) -> str:
    """Ask for a password on the terminal, or take it from stdin; never from the command line.

    Raises:
        InputError: Nobody can be asked, or it is none.
    """
    if from_stdin:
        return user_admin.checked_password(sys.stdin.readline().rstrip("\r\n"))
    if not sys.stdin.isatty():
        raise InputError(
            "A password is asked for on a terminal only; give it on stdin with --password-stdin."
        )
    asked = typer.prompt(
        "Password", hide_input=True, confirmation_prompt="The same again", err=True
    )
    return user_admin.checked_password(str(asked))


def _write(document: object, told: str, *, as_json: bool) -> None:
    if as_json:
        output.write_json(document)
    else:
        output.console().print(told)


def _at_register(work: Callable[[Register], Awaitable[Result]]) -> Result:
    settings = load_settings()
    configure_logs(settings.log_format, "error")  # what is said here is the answer, or why not

    async def done() -> Result:
        async with open_register(settings) as register:
            return await work(register)

    return asyncio.run(done())
