"""Errors as `application/problem+json` (RFC 9457)."""

import re
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.types import Scope

from oxbot.domain.errors import OxbotError, Unauthorised
from oxbot.domain.values import storable

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """What went wrong: `title` names the kind, `detail` is the sentence for people."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str


Responses = dict[int | str, dict[str, Any]]  # Any: as the framework has it

PROBLEM: Final[dict[str, Any]] = {  # Any: as the framework has it
    "model": Problem,
    "content": {MEDIA_TYPE: {}},
}
"""How a problem is described among a route's answers."""


def problem(request: Request, status: int, title: str, detail: str) -> JSONResponse:
    """Answer with a problem."""
    return problem_at(request.scope, status, title, detail)


def problem_at(scope: Scope, status: int, title: str, detail: str) -> JSONResponse:
    """Answer with a problem what ASGI calls a scope; what no text can hold is replaced."""
    path = quote(scope["path"], safe="/:@!$&'()*+,;=~", errors="replace")
    content = Problem(title=title, status=status, detail=storable(detail), instance=path)
    return JSONResponse(content.model_dump(), status, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Have every error of the application answered as a problem."""
    app.exception_handler(OxbotError)(_of_the_tree)
    app.exception_handler(RequestValidationError)(_of_a_request)
    app.exception_handler(HTTPException)(_of_http)
    app.exception_handler(Exception)(_unforeseen)


async def _of_the_tree(request: Request, error: OxbotError) -> JSONResponse:
    title = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).capitalize()
    answer = problem(request, error.http_status, title, str(error))
    if isinstance(error, Unauthorised):
        answer.headers["WWW-Authenticate"] = "Bearer"
    if (wait_s := getattr(error, "retry_after_s", None)) is not None:
        answer.headers["Retry-After"] = str(wait_s)
    return answer


async def _of_a_request(request: Request, error: RequestValidationError) -> JSONResponse:
    told = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
    return problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, "Input error", told)


async def _of_http(request: Request, error: HTTPException) -> JSONResponse:
    title = HTTPStatus(error.status_code).phrase
    answer = problem(request, error.status_code, title, _told_of_http(request, error, title))
    answer.headers.update(error.headers or {})
    return answer


def _told_of_http(request: Request, error: HTTPException, title: str) -> str:
    if error.status_code == HTTPStatus.BAD_REQUEST:
        return "The body cannot be read: it is no JSON in UTF-8, or nested too deeply."
    return f"{title}: {request.method} {request.scope['path']}"


async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    """Say nothing of the inside; the log has it."""
    log.error("unforeseen error", path=request.scope["path"], exc_info=error)
    title = HTTPStatus.INTERNAL_SERVER_ERROR.phrase
    detail = "Something went wrong inside 0xBot; its log (api.log) says what."
    return problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, title, detail)
