"""Registering, signing in and out, and who is signed in."""

from typing import Annotated, Final

from fastapi import APIRouter, Response
from pydantic import Field

from api.attempts import REFRESHING, REGISTERING, SIGNING_IN
from api.problems import PROBLEM, Responses
from api.signed_in import ADMINS, TheAttempts, TheLogin, TheReception, TheUser
from oxbot.app import users
from oxbot.app.users import Tokens
from oxbot.domain.errors import Unauthorised
from oxbot.domain.users import Password, User, UserName
from oxbot.domain.values import Value

router = APIRouter(tags=["users"], responses={503: PROBLEM})

LIMITED: Final[Responses] = {401: PROBLEM, 429: PROBLEM}


class NewUser(Value):
    """Somebody who registers; `code` is asked of the first one, where he could be anybody."""

    name: UserName
    password: Password
    code: Annotated[str, Field(max_length=100)] = ""


class Credentials(Value):
    """Name and password, as they were registered."""

    name: UserName
    password: Annotated[str, Field(max_length=200)]


class Refresh(Value):
    """The refresh token of the last answer."""

    refresh_token: Annotated[str, Field(max_length=200)]


class Logout(Value):
    """What ends: this login, or all of the user's."""

    everywhere: bool = False


class NewPassword(Value):
    """A password in the place of the old one."""

    old: Annotated[str, Field(max_length=200)]
    new: Password


THIS_ONE: Final = Logout()


class Registration(Value):
    """Whether others may register."""

    open: bool


@router.post("/register", status_code=201, responses={403: PROBLEM, 409: PROBLEM, 429: PROBLEM})
async def register(reception: TheReception, attempts: TheAttempts, new: NewUser) -> User:
    """Register. The first user is the administrator; then registration is closed until he opens it.

    Where others than the owner of the system could be first, that user shows the code which the
    owner finds in `secrets.json` or in the API's log.
    """
    await attempts.count(REGISTERING)
    return await users.register(reception, new.name, new.password, new.code)


@router.post("/login", responses=LIMITED)
async def login(reception: TheReception, attempts: TheAttempts, asked: Credentials) -> Tokens:
    """Sign in: an access token for ten minutes, and a refresh token that is used once."""
    await attempts.count(SIGNING_IN, asked.name)
    tokens = await users.log_in(reception, asked.name, asked.password)
    await attempts.succeeded(asked.name)
    return tokens


@router.post("/refresh", responses=LIMITED)
async def refresh(reception: TheReception, attempts: TheAttempts, asked: Refresh) -> Tokens:
    """Get new tokens for a refresh token; one that is used a second time ends its login.

    But for ten seconds it may be sent again, if nothing came of its answer.
    """
    try:
        return await users.refresh(reception, asked.refresh_token)
    except Unauthorised:
        await attempts.count(REFRESHING)
        raise


@router.post("/logout", status_code=204, responses={401: PROBLEM})
async def logout(reception: TheReception, login: TheLogin, asked: Logout = THIS_ONE) -> Response:
    """Sign out, here or everywhere: no token of what ends is good from now on."""
    await users.log_out(reception, login, everywhere=asked.everywhere)
    return Response(status_code=204)


@router.get("/me", responses={401: PROBLEM})
async def me(user: TheUser) -> User:
    """Tell who is signed in."""
    return user


@router.put("/me/password", status_code=204, responses=LIMITED)
async def password(
    reception: TheReception, attempts: TheAttempts, login: TheLogin, asked: NewPassword
) -> Response:
    """Change your password; all your other logins end."""
    await attempts.count(SIGNING_IN, login.user.name)
    await users.change_password(reception, login, asked.old, asked.new)
    await attempts.succeeded(login.user.name)
    return Response(status_code=204)


@router.put("/registration", dependencies=[ADMINS], responses={401: PROBLEM, 403: PROBLEM})
async def registration(reception: TheReception, asked: Registration) -> Registration:
    """Open or close registration; for administrators."""
    await reception.users.open_registration(is_open=asked.open)
    return asked
