"""What goes over a WebSocket besides data: requests, acknowledgements, refusals, notices.

Pure text in and out; the codes and messages are OKX's.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from oxbot.domain.errors import InputError

Arg = Mapping[str, str]
"""What is subscribed to, as OKX writes it: {"channel": "tickers", "instId": "BTC-USDT"}."""

OPS = ("subscribe", "unsubscribe", "login")

LONGEST_REQUEST = 64 * 1024
"""Bytes of one request, at most; a longer one ends the connection with code 1009."""

LONGEST_QUOTE = 1000
"""Characters of a bad request that its refusal repeats."""

_ENCODER = json.JSONEncoder(separators=(",", ":"))
"""Made once: `json.dumps` makes one for each text that is not written in its usual way."""

REQUEST_ID = re.compile(r"[A-Za-z0-9]{1,32}")


class WsError(InputError):
    """A request that OKX refuses; the connection stays.

    Args:
        code: OKX's error code.
        message: OKX's message.
        request_id: The request's id, repeated in the answer.
    """

    def __init__(self, code: str, message: str, request_id: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.request_id = request_id


@dataclass(frozen=True, slots=True)
class Request:
    """What a client wants.

    Attributes:
        op: subscribe, unsubscribe or login.
        args: What it is about, at least one.
        request_id: The client's name for the request; None without one.
    """

    op: str
    args: list[Arg]
    request_id: str | None


def parse_request(text: str) -> Request:
    """The request in a message.

    Raises:
        WsError: 60012 for what is no request, 60019 for an unknown op, 60013 for bad args,
            60033 for a bad id.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        _illegal(text)
    if not isinstance(content, dict):
        _illegal(text)
    request_id = _request_id(content.get("id"))
    op, args = content.get("op"), content.get("args")
    if not isinstance(op, str) or args is None:
        _illegal(text, request_id)
    if op not in OPS:
        raise WsError("60019", f"Invalid op: {op[:LONGEST_QUOTE]}", request_id)
    if not (isinstance(args, list) and args and all(_is_arg(arg) for arg in args)):
        raise WsError("60013", "Invalid args", request_id)
    return Request(op, args, request_id)


def unknown_topic(arg: Arg) -> WsError:
    """The refusal of a channel, instrument or address that does not exist."""
    wanted = ",".join(f"{name}:{value}" for name, value in arg.items())[:LONGEST_QUOTE]
    return WsError(
        "60018",
        f"Wrong URL or {wanted} doesn't exist. Please use the correct URL, channel and "
        "parameters referring to API document.",
    )


def acknowledged(op: str, arg: Arg, conn_id: str, request_id: str | None) -> str:
    """The answer to one arg of a request that was done."""
    return _event(op, conn_id, request_id, arg=arg)


def logged_in(conn_id: str, request_id: str | None) -> str:
    """The answer to a login that was believed."""
    return _event("login", conn_id, request_id, code="0", msg="")


def refused(error: WsError, conn_id: str, request_id: str | None = None) -> str:
    """The answer to a request, or one arg of it, that was not done."""
    return _event("error", conn_id, error.request_id or request_id, code=error.code, msg=str(error))


def upgrade_notice(conn_id: str) -> str:
    """What OKX says before it closes connections for maintenance."""
    message = "The connection will soon be closed for a service upgrade. Please reconnect."
    return _event("notice", conn_id, None, code="64008", msg=message)


def pushed(arg: Arg, data: object, **more: str) -> str:
    """Data of a channel.

    Args:
        arg: The subscription it belongs to.
        data: OKX's rows.
        more: Further fields, as the action of a book.
    """
    return _text({"arg": arg, **more, "data": data})


def _illegal(text: str, request_id: str | None = None) -> NoReturn:
    raise WsError("60012", f"Illegal request: {text[:LONGEST_QUOTE]}", request_id)


def _request_id(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not REQUEST_ID.fullmatch(value):
        raise WsError("60033", "Parameter id error.")
    return value


def _is_arg(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(field, str) for field in value.values())


def _event(name: str, conn_id: str, request_id: str | None, **fields: object) -> str:
    named = {} if request_id is None else {"id": request_id}
    return _text({**named, "event": name, **fields, "connId": conn_id})


def _text(content: Mapping[str, object]) -> str:
    return _ENCODER.encode(content)
