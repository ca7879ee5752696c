"""Administering users, by whoever has the machine: the network is not asked."""

import secrets
from dataclasses import dataclass
from typing import Final

import structlog
from pydantic import TypeAdapter, ValidationError

from oxbot.domain.errors import InputError
from oxbot.domain.users import Password, User, UserLine, UserName
from oxbot.domain.values import Value
from oxbot.ports.user_admin import UserAdmin
from oxbot.ports.users import Passwords

LOGGED_OUT: Final = "an administrator ended all logins"

NAMES: Final = TypeAdapter[str](UserName)
PASSWORDS: Final = TypeAdapter[str](Password)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Register:
    """Where users are administered."""

    users: UserAdmin
    passwords: Passwords


class Everybody(Value):
    """All users, and whether others may register; the first may always."""

    registration: bool
    users: tuple[UserLine, ...]


async def everybody(register: Register) -> Everybody:
    """Give all users, oldest first."""
    lines = await register.users.lines()
    return Everybody(registration=await register.users.registration(), users=tuple(lines))


async def add_user(register: Register, name: str, password: str, *, is_admin: bool) -> User:
    """Add a user, also while registration is closed; the first one is an administrator.

    Raises:
        InputError: A name or a password that cannot be.
        Conflict: The name is taken.
    """
    known = user_name(name)
    kept = await register.passwords.hashed(checked_password(password))
    user = await register.users.add(secrets.token_hex(8), known, kept, is_admin=is_admin)
    log.info("added", user=user.id, admin=user.is_admin)
    return user


async def change_password(register: Register, name: str, password: str) -> User:
    """Change a user's password, and end all logins.

    Raises:
        InputError: A name or a password that cannot be.
        NotFound: There is no such user.
    """
    known = user_name(name)
    kept = await register.passwords.hashed(checked_password(password))
    user = await register.users.set_password(known, kept)
    log.info("password changed", user=user.id)
    return user


async def log_out_everywhere(register: Register, name: str) -> int:
    """End all logins of a user; give how many.

    Raises:
        InputError: A name that cannot be.
        NotFound: There is no such user.
    """
    return await register.users.end_logins_of(user_name(name), LOGGED_OUT)


async def make_admin(register: Register, name: str, *, is_admin: bool) -> User:
    """Make a user an administrator, or no longer one; it holds from the next request on.

    Raises:
        InputError: A name that cannot be.
        NotFound: There is no such user.
        Conflict: It is the only administrator.
    """
    user = await register.users.set_admin(user_name(name), is_admin=is_admin)
    log.info("administrator", user=user.id, admin=user.is_admin)
    return user


async def open_registration(register: Register, *, is_open: bool) -> bool:
    """Let everybody register, or nobody; give whether somebody may, as the first one always may."""
    await register.users.open_registration(is_open=is_open)
    return await register.users.registration()


def user_name(name: str) -> str:
    """Read a user's name.

    Raises:
        InputError: It cannot be one.
    """
    return _read(
        NAMES,
        name,
        "A user's name has 2 to 60 letters, digits and ._@+-, and begins with a letter or a digit.",
    )


def checked_password(password: str) -> str:
    """Refuse a password that is too short or too long.

    Raises:
        InputError: It is; what was given is not repeated.
    """
    return _read(PASSWORDS, password, "A password has 12 to 200 characters.")


def _read(kind: TypeAdapter[str], text: str, rule: str) -> str:
    try:
        return kind.validate_python(text)
    except ValidationError as error:
        raise InputError(rule) from error
