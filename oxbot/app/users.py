"""Registering, signing in, staying signed in, and signing out."""

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from typing import Final

import structlog

from oxbot.domain.errors import Forbidden, Unauthorised
from oxbot.domain.users import LOGIN_S, Claim, Login, NewLogin, NewUser, User
from oxbot.domain.values import Value
from oxbot.ports.users import AccessTokens, Passwords, Users

WRONG: Final = "Name or password is wrong."
OVER: Final = "This login is over, or never was. Sign in again."

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Reception:
    """Where people sign in: `pages` are tokens for the pages, which read and control nothing.

    `first_code` makes the first user where he could be anybody; `is_local` says that only those
    on this machine can come.
    """

    users: Users
    passwords: Passwords
    tokens: AccessTokens
    pages: AccessTokens
    first_code: str
    is_local: bool


class Tokens(Value):
    """What a login is used with: the access token for so many seconds, the other once."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105 - OAuth's word for how it is shown
    expires_in: int
    refresh_token: str


async def register(reception: Reception, name: str, password: str, code: str = "") -> User:
    """Add a user; the first one is the administrator.

    Raises:
        Forbidden: Registration is closed, or the first user has to show the code.
        Conflict: The name is taken.
    """
    if not await reception.users.registration():
        raise closed()
    claim = _claim(reception, code)
    if claim is not Claim.CODE and not await reception.users.has_any():
        log.info("the first user may have to show this code", code=reception.first_code)
    kept = await reception.passwords.hashed(password)
    new = NewUser(id=secrets.token_hex(8), name=name, password_hash=kept)
    user = await reception.users.register(new, claim)
    log.info("registered", user=user.id, admin=user.is_admin)
    return user


def _claim(reception: Reception, code: str) -> Claim:
    if hmac.compare_digest(code.strip().encode(), reception.first_code.encode()):
        return Claim.CODE
    return Claim.LOCAL if reception.is_local else Claim.NONE


def closed() -> Forbidden:
    """Give the error for somebody who may not register."""
    return Forbidden("Registration is closed. An administrator can open it.")


def unproven() -> Forbidden:
    """Give the error for a first user who could be anybody."""
    return Forbidden(
        "Nobody was registered: the first user is the administrator, and here he has to show that "
        "this system is his. Send `code` too: `first_code` in secrets.json of the data directory, "
        "or the last line of the API's log that has it."
    )


async def change_password(reception: Reception, login: Login, old: str, new: str) -> None:
    """Change a password; all other logins of the user end.

    Raises:
        Unauthorised: The old one is wrong, or was changed meanwhile.
    """
    known = await reception.users.known(login.user.name)
    kept = known.password_hash if known else None
    if not await reception.passwords.is_right(old, kept) or kept is None:
        raise Unauthorised("The password was not changed: the old one is wrong.")
    hashed = await reception.passwords.hashed(new)
    if not await reception.users.change_password(login, kept, hashed):
        raise Unauthorised(
            "The password was not changed: another request has changed it meanwhile, so the old "
            "one is wrong by now."
        )
    log.info("password changed", user=login.user.id)


async def log_in(reception: Reception, name: str, password: str) -> Tokens:
    """Begin a login.

    Raises:
        Unauthorised: Name or password is wrong.
    """
    login, refresh = await _opened(reception, name, password)
    return _tokens(reception, login, refresh)


async def log_in_to_pages(reception: Reception, name: str, password: str) -> tuple[str, int]:
    """Begin a login for the pages; give its token and for how many seconds it is good.

    Raises:
        Unauthorised: Name or password is wrong.
    """
    login, _ = await _opened(reception, name, password)
    return reception.pages.made(login, _now_ms())


async def _opened(reception: Reception, name: str, password: str) -> tuple[Login, str]:
    known = await reception.users.known(name)
    kept = known.password_hash if known else None
    if not await reception.passwords.is_right(password, kept) or known is None:
        raise Unauthorised(WRONG)
    refresh, now_ms = secrets.token_urlsafe(32), _now_ms()
    new = NewLogin(
        id=secrets.token_hex(8),
        user_id=known.user.id,
        token_hash=_hash(refresh),
        opened_ms=now_ms,
        expires_ms=now_ms + LOGIN_S * 1000,
    )
    if not await reception.users.open_login(new, known.password_hash):
        raise Unauthorised(WRONG)
    log.info("signed in", user=known.user.id, login=new.id)
    return Login(id=new.id, user=known.user), refresh


async def refresh(reception: Reception, token: str) -> Tokens:
    """Use a refresh token, once: it gives new ones.

    Raises:
        Unauthorised: It is not good, or was used before, which ends its login.
    """
    following = secrets.token_urlsafe(32)
    login = await reception.users.use(_hash(token), _hash(following), _now_ms())
    if login is None:
        raise Unauthorised(OVER)
    return _tokens(reception, login, following)


async def log_out(reception: Reception, login: Login, *, everywhere: bool = False) -> None:
    """End a login, or all of its user's: their tokens are good for nothing from now on."""
    if everywhere:
        await reception.users.end_logins(login.user.id, "logout everywhere")
    else:
        await reception.users.end_login(login.id, "logout")


async def signed_in(reception: Reception, token: str) -> Login:
    """Give the login that an access token was made for.

    Raises:
        Unauthorised: The token is not good, or its login is over.
    """
    return await _standing(reception, reception.tokens.login_of(token))


async def signed_in_to_pages(reception: Reception, token: str) -> Login:
    """Give the login that a page's token was made for.

    Raises:
        Unauthorised: The token is not good, or its login is over.
    """
    return await _standing(reception, reception.pages.login_of(token))


async def _standing(reception: Reception, login_id: str) -> Login:
    login = await reception.users.login(login_id, _now_ms())
    if login is None:
        raise Unauthorised(OVER)
    return login


def _tokens(reception: Reception, login: Login, refresh: str) -> Tokens:
    access, seconds = reception.tokens.made(login, _now_ms())
    return Tokens(access_token=access, expires_in=seconds, refresh_token=refresh)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _now_ms() -> int:
    return time.time_ns() // 10**6
