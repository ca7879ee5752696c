"""Registering, signing in and out, and who is signed in."""

from typing import Annotated, Final

from fastapi import APIRouter, Response
from pydantic import Field

from api.problems import PROBLEM, Responses
from api.signed_in import ADMINS, TheAttempts, TheLogin, TheReception, TheUser
from oxbot.app import users
from oxbot.app.users import Tokens
from oxbot.domain.users import Password, User, UserName
from oxbot.domain.values import Value

router = APIRouter(tags=["users"], responses={503: PROBLEM})

LIMITED: Final[Responses] = {401: PROBLEM, 429: PROBLEM}


class NewUser(Value):
    """Somebody who registers."""

    name: UserName
    password: Password


class Credentials(Value):
    """Name and password, as they were registered."""

    name: UserName
    password: Annotated[str, Field(max_length=200)]


class Refresh(Value):
    """The refresh token of the last answer."""

    refresh_token: Annotated[str, Field(max_length=200)]


class Registration(Value):
    """Whether others may register."""

    open: bool


@router.post("/register", status_code=201, responses={403: PROBLEM, 409: PROBLEM, 429: PROBLEM})
async def register(reception: TheReception, attempts: TheAttempts, new: NewUser) -> User:
    """Register. The first user is the administrator; then registration is closed until he opens it.

    What has bots of its own is the user: they belong to whoever made them.
    """
    await attempts.count(name=new.name)
    return await users.register(reception, new.name, new.password)


@router.post("/login", responses=LIMITED)
async def login(reception: TheReception, attempts: TheAttempts, asked: Credentials) -> Tokens:
    """Sign in: an access token for ten minutes, and a refresh token that is used once."""
    await attempts.count(name=asked.name)
    tokens = await users.log_in(reception, asked.name, asked.password)
    await attempts.succeeded(asked.name)
    return tokens


@router.post("/refresh", responses=LIMITED)
async def refresh(reception: TheReception, attempts: TheAttempts, asked: Refresh) -> Tokens:
    """Get new tokens for a refresh token; one that is used a second time ends its login."""
    await attempts.count()
    return await users.refresh(reception, asked.refresh_token)


@router.post("/logout", status_code=204, responses={401: PROBLEM})
async def logout(reception: TheReception, login: TheLogin) -> Response:
    """Sign out: none of this login's tokens is good from now on."""
    await users.log_out(reception, login)
    return Response(status_code=204)


@router.get("/me", responses={401: PROBLEM})
async def me(user: TheUser) -> User:
    """Tell who is signed in."""
    return user


@router.put("/registration", dependencies=[ADMINS], responses={401: PROBLEM, 403: PROBLEM})
async def registration(reception: TheReception, asked: Registration) -> Registration:
    """Open or close registration; for administrators."""
    await reception.users.open_registration(is_open=asked.open)
    return asked
