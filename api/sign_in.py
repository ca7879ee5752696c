"""Signing in to the pages, with forms that need no script."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Cookie, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError

from api import markup
from api.attempts import REGISTERING, SIGNING_IN
from api.signed_in import TheAttempts, TheReception
from api.users import Credentials, NewUser
from oxbot.app import users
from oxbot.app.users import Reception
from oxbot.domain.errors import InputError, OxbotError, TooManyAttempts, Unauthorised
from oxbot.domain.users import Login, User

router = APIRouter(include_in_schema=False)

COOKIE: Final = "oxbot-pages"
MOST: Final = 2_000
"""Bytes that a form may have."""

WHERE: Final = "/sign-in"

Shown = Annotated[str | None, Cookie(alias=COOKIE)]


class PageTrouble(Exception):  # noqa: N818 - as NotFound
    """A page cannot be shown, as an error says."""


class NotSignedIn(Exception):  # noqa: N818 - as NotFound
    """Somebody wants a page who has to sign in first."""


async def _login(reception: TheReception, cookie: Shown = None) -> Login:
    if cookie is None:
        raise NotSignedIn
    try:
        return await users.signed_in_to_pages(reception, cookie)
    except Unauthorised as error:
        raise NotSignedIn from error
    except OxbotError as error:
        raise PageTrouble from error


TheReaderLogin = Annotated[Login, Depends(_login)]


async def _reader(login: TheReaderLogin) -> User:
    return login.user


TheReader = Annotated[User, Depends(_reader)]


async def to_sign_in(request: Request, error: NotSignedIn) -> Response:  # noqa: ARG001 - a handler
    """Lead whoever is not signed in to where that is done."""
    return RedirectResponse(WHERE, HTTPStatus.SEE_OTHER)


async def to_trouble(request: Request, error: PageTrouble) -> Response:  # noqa: ARG001 - a handler
    """Show why a page cannot be shown."""
    cause = error.__cause__
    status = cause.http_status if isinstance(cause, OxbotError) else 500
    return HTMLResponse(markup.page("0xBot", [markup.element("p", str(cause), "bad")]), status)


@router.get(WHERE)
async def form(reception: TheReception) -> HTMLResponse:
    """Show the form: to sign in, or to make the first user, who is the administrator."""
    return await _form(reception)


@router.post(WHERE)
async def sign_in(reception: TheReception, attempts: TheAttempts, request: Request) -> Response:
    """Sign in, and register first where nobody has yet."""
    try:
        filled = await _filled(request)
        given = {"name": filled.get("name", ""), "password": filled.get("password", "")}
        if "first" in filled:
            await attempts.count(REGISTERING)
            new = NewUser.model_validate({**given, "code": filled.get("code", "")})
            await users.register(reception, new.name, new.password, new.code)
        asked = Credentials.model_validate(given)
        await attempts.count(SIGNING_IN, asked.name)
        token, seconds = await users.log_in_to_pages(reception, asked.name, asked.password)
        await attempts.succeeded(asked.name)
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        return await _form(reception, told, HTTPStatus.UNPROCESSABLE_ENTITY)
    except OxbotError as error:
        answer = await _form(reception, str(error), error.http_status)
        if isinstance(error, TooManyAttempts):
            answer.headers["Retry-After"] = str(error.retry_after_s)
        return answer
    response = RedirectResponse("/", HTTPStatus.SEE_OTHER)
    secure = request.url.scheme == "https"
    response.set_cookie(
        COOKIE, token, max_age=seconds, httponly=True, samesite="strict", secure=secure
    )
    return response


@router.post("/sign-out")
async def sign_out(reception: TheReception, login: TheReaderLogin) -> Response:
    """End the login, and forget its cookie."""
    await users.log_out(reception, login)
    response = RedirectResponse(WHERE, HTTPStatus.SEE_OTHER)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return response


async def _filled(request: Request) -> Mapping[str, str]:
    """Read a form.

    Raises:
        InputError: It is too long, or none.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST:
            raise InputError("That is too long for a name and a password.")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=10))
    except ValueError as error:
        raise InputError("That is no form.") from error


async def _form(
    reception: Reception, trouble: str = "", status: int = HTTPStatus.OK
) -> HTMLResponse:
    try:
        is_first = not await reception.users.has_any()
    except OxbotError as error:
        raise PageTrouble from error
    told = (
        "Nobody has registered yet. The first user is the administrator."
        if is_first
        else "Sign in to see the bots."
    )
    button = "register" if is_first else "sign in"
    first = FIRST if is_first else ""
    body = [
        markup.element("p", told),
        markup.element("p", trouble, "bad") if trouble else "",
        _fields(first, button),
    ]
    return HTMLResponse(markup.page("0xBot", body), status)


FIRST: Final = (
    '<input type="hidden" name="first" value="1"><p><label>code, if one is asked for '
    '<input name="code" autocomplete="off"></label></p>'
)


def _fields(first: str, button: str) -> str:
    return (
        f'<form method="post" action="{WHERE}">{first}'
        '<p><label>name <input name="name" autocomplete="username" required></label></p>'
        '<p><label>password <input name="password" type="password" required '
        'autocomplete="current-password"></label></p>'
        f"<p><button>{button}</button></p></form>"
    )
