"""Who asks: OKX's signatures over HTTP and over WebSocket."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from oxbot.domain.errors import InputError
from oxbot.simulator.okx import OkxError
from oxbot.simulator.private.books import Books
from oxbot.simulator.private.spec import Permission
from oxbot.simulator.venue_time import parse_iso

PATIENCE_MS: Final = 30_000
"""A time stamp may be off by so much venue time."""

UNAUTHORIZED: Final = 401

ISO: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z")

NEEDED: Final = (
    ("OK-ACCESS-KEY", "50103"),
    ("OK-ACCESS-SIGN", "50106"),
    ("OK-ACCESS-TIMESTAMP", "50107"),
    ("OK-ACCESS-PASSPHRASE", "50104"),
)
"""Headers of a signed request, and OKX's code where one is missing."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A request as it was signed.

    Attributes:
        headers: Its headers, whatever their case.
        method: GET or POST.
        target: Path and query as they were sent.
        body: The body as it was sent.
    """

    headers: Mapping[str, str]
    method: str
    target: str
    body: bytes


def sign(secret: str, message: bytes) -> str:
    """OKX's signature of a message."""
    digest = hmac.new(secret.encode(), message, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def signer_of(signed: Signed, accounts: Mapping[str, Books], now_ms: int) -> Books:
    """The account that signed a request.

    Args:
        signed: The request.
        accounts: All accounts by each of their keys.
        now_ms: The venue's time, ms UTC.

    Raises:
        OkxError: What of it OKX does not believe.
    """
    key, signature, stamp, passphrase = (_header(signed, name, code) for name, code in NEEDED)
    if abs(_stamp_ms(stamp) - now_ms) > PATIENCE_MS:
        raise OkxError("50102", "Timestamp request expired.", UNAUTHORIZED)
    books = accounts.get(key)
    if books is None:
        raise OkxError("50111", "Invalid OK-ACCESS-KEY.", UNAUTHORIZED)
    if not _same(passphrase, books.spec.passphrase):
        raise OkxError("50105", 'Request header "OK-ACCESS-PASSPHRASE" incorrect.', UNAUTHORIZED)
    message = f"{stamp}{signed.method}{signed.target}".encode() + signed.body
    if not _same(signature, sign(books.spec.secret, message)):
        raise OkxError("50113", "Invalid signature.", UNAUTHORIZED)
    if (signed.headers.get("x-simulated-trading") == "1") != books.spec.demo:
        raise OkxError("50101", "APIKey does not match current environment.", UNAUTHORIZED)
    return books


def check_permission(books: Books, permission: Permission) -> None:
    """The key may do this.

    Raises:
        OkxError: 50120.
    """
    if permission not in books.spec.permissions:
        raise OkxError(
            "50120", "This API key doesn't have permission to use this function", UNAUTHORIZED
        )


class LoginError(InputError):
    """A login that OKX refuses.

    Args:
        code: OKX's error code.
        message: OKX's message.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def login_of(arg: Mapping[str, str], accounts: Mapping[str, Books], now_ms: int) -> Books:
    """The account that logs in over a WebSocket.

    Raises:
        LoginError: What of it OKX does not believe.
    """
    stamp = arg.get("timestamp", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= len(str(PATIENCE_MS)) * 3):
        raise LoginError("60004", "Invalid timestamp")
    if abs(int(stamp) * 1000 - now_ms) > PATIENCE_MS:
        raise LoginError("60006", "Timestamp request expired")
    books = accounts.get(arg.get("apiKey", ""))
    if books is None:
        raise LoginError("60005", "Invalid apiKey")
    if not _same(arg.get("passphrase", ""), books.spec.passphrase):
        raise LoginError("60024", "Wrong passphrase")
    if not _same(
        arg.get("sign", ""), sign(books.spec.secret, f"{stamp}GET/users/self/verify".encode())
    ):
        raise LoginError("60007", "Invalid sign")
    return books


def _header(signed: Signed, name: str, code: str) -> str:
    value = signed.headers.get(name, "")
    if not value:
        raise OkxError(code, f'Request header "{name}" cannot be empty.', UNAUTHORIZED)
    return value


def _stamp_ms(stamp: str) -> int:
    """A time stamp in ms UTC."""
    if not ISO.fullmatch(stamp):
        raise OkxError("50112", "Invalid OK-ACCESS-TIMESTAMP.", UNAUTHORIZED)
    try:
        return parse_iso(stamp)
    except InputError as error:
        raise OkxError("50112", "Invalid OK-ACCESS-TIMESTAMP.", UNAUTHORIZED) from error


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
