"""What every request passes before the application, and every answer after it.

A plain ASGI application around the whole: refusals of the outside and errors of the inside carry
the same headers, and a stream passes piece by piece.
"""

from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem_at

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # by no-referrer a browser would send our forms as of nobody
    "Cache-Control": "no-store",
}
"""No script at all, nothing from elsewhere, nothing kept."""

MOST: Final = 64 * 1024
"""Bytes that a request's body may have."""


@dataclass(frozen=True)
class Refusal:
    """Why a request gets no further."""

    status: HTTPStatus
    detail: str


def is_loopback(host: str) -> bool:
    """Tell whether an address is of this machine alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


@dataclass(frozen=True)
class Hosts:
    """By which names and addresses a request may call this API.

    A page of another site may have its name point here, but it cannot be called by an address:
    so addresses are trusted, and of names only those that are known.

    Args:
        bound: What the API listens on.
        named: Names that it has besides.
    """

    bound: str
    named: frozenset[str] = frozenset()

    def know(self, header: str) -> bool:
        """Tell whether a request's header `Host` means this API."""
        try:
            host = urlsplit(f"//{header}").hostname
        except ValueError:
            return False
        if not host:
            return False
        if is_loopback(host) or host in self.named | {self.bound.lower()}:
            return True
        return not is_loopback(self.bound) and _is_address(host)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


class Doors:
    """The application with its doors: hosts, other sites, bodies, headers.

    Args:
        application: What is inside.
        hosts: By which it may be called.
    """

    def __init__(self, application: ASGIApp, hosts: Hosts) -> None:
        self._application = application
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection as ASGI has it."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        headers = Headers(scope=scope)
        told = _Covered(send)
        refusal = self._refusal(headers)
        body = None if refusal else await _read(headers, receive)
        if body is None or refusal:
            answer = problem_at(scope, *_as_problem(refusal or TOO_LONG))
            await answer(scope, receive, told)
            return
        await self._application(scope, _again(body, receive), told)

    def _refusal(self, headers: Headers) -> Refusal | None:
        host = headers.get("host", "")
        if not self._hosts.know(host):
            return Refusal(
                HTTPStatus.BAD_REQUEST,
                "This API does not go by the host name of this request. Ask by its address, or "
                "name the host in OXBOT_API_HOSTS.",
            )
        origin = headers.get("origin")
        if origin is not None and not _is_own(origin, host):
            return Refusal(HTTPStatus.FORBIDDEN, "Pages of other sites get no answer here.")
        return None


TOO_LONG: Final = Refusal(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    f"The body is too long: a request has {MOST // 1024} KiB at most. Nothing was done.",
)


def _as_problem(refusal: Refusal) -> tuple[int, str, str]:
    return refusal.status, refusal.status.phrase, refusal.detail


def _is_own(origin: str, host: str) -> bool:
    """Tell whether a page is of this host: another's could register before the owner does."""
    try:
        return urlsplit(origin).netloc == host
    except ValueError:
        return False


class _Covered:
    """Sends, and puts the headers on."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
        await self._send(message)


async def _read(headers: Headers, receive: Receive) -> bytes | None:
    """Read a request's body; None: it is too long, whatever was said of it, or was given up."""
    said = headers.get("content-length", "")
    if said.isdecimal() and int(said[:20]) > MOST:
        return None
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if len(body) > MOST or message["type"] == "http.disconnect":
            return None
        if not message.get("more_body", False):
            return body


def _again(body: bytes, receive: Receive) -> Receive:
    """Give what was read once more, and then what comes after it."""
    read: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def received() -> Message:
        return read.pop() if read else await receive()

    return received
