"""What ends a stream, as the project's errors."""

from collections.abc import Mapping
from typing import Final

import aiohttp

from oxbot.adapters.okx.errors import RATE_WINDOW_S, excerpt
from oxbot.domain.errors import (
    InputError,
    OxbotError,
    RateLimited,
    VenueRefused,
    VenueUnavailable,
)

UNKNOWN_INSTRUMENT: Final = "60018"
TOO_OFTEN: Final = "60014"
BAD_REQUESTS: Final = frozenset({"60012", "60013"})
"""OKX's codes on the WebSocket: the channel or instrument does not exist; too many requests;
a request it cannot read. All others are taken for outages, which another connection may mend."""

TOO_MANY_REQUESTS: Final = 429


def lost(url: str, error: BaseException | None) -> OxbotError:
    """Give the error for a connection that was refused, broke, or fell silent.

    Args:
        url: Where it led.
        error: What ccxt gave it up with; None when it gave no reason.
    """
    cause = error.args[0] if error and error.args else None
    said = excerpt(str(error or "")) or type(error).__name__
    if isinstance(cause, aiohttp.WSServerHandshakeError) and cause.status == TOO_MANY_REQUESTS:
        return RateLimited(
            f"OKX asks to wait before its stream at {url} is opened again ({said}).",
            RATE_WINDOW_S,
        )
    what = "could not be opened" if isinstance(cause, Exception) else "was lost"
    return VenueUnavailable(f"OKX's stream of prices at {url} {what} ({said}).")


def unreadable(url: str, text: str) -> VenueUnavailable:
    """Give the error for a message that OKX would not send."""
    return VenueUnavailable(
        f"OKX's stream at {url} sent what is no price: {excerpt(text) or 'nothing'}. It was given "
        "up; nothing was guessed."
    )


def notice(message: Mapping[str, object]) -> VenueUnavailable:
    """Give the error for OKX's notice that it is about to close the connection."""
    return VenueUnavailable(f"OKX closes its stream of prices ({_said(message)}).")


def error_event(message: Mapping[str, object], symbols: Mapping[str, str]) -> OxbotError:
    """Turn OKX's error event into the project's error.

    Args:
        message: The event, with `code` and `msg`.
        symbols: What was subscribed to, by OKX's names.
    """
    code, said = str(message.get("code")), _said(message)
    if code == UNKNOWN_INSTRUMENT:
        named = _named_in(str(message.get("msg")), symbols)
        return InputError(f"OKX has no stream of prices for {', '.join(named)} ({said}).")
    if code == TOO_OFTEN:
        return RateLimited(
            f"OKX asks to wait before it is subscribed to again ({said}).", RATE_WINDOW_S
        )
    if code in BAD_REQUESTS:
        return VenueRefused(f"OKX refused to stream prices ({said}).")
    return VenueUnavailable(f"OKX's stream of prices failed ({said}).")


def _named_in(text: str, symbols: Mapping[str, str]) -> list[str]:
    """Give the symbols that OKX names; all of them where it names none."""
    words = set(text.replace(",", " ").replace(":", " ").replace('"', " ").split())
    return [symbol for inst_id, symbol in symbols.items() if inst_id in words] or [
        *symbols.values()
    ]


def _said(message: Mapping[str, object]) -> str:
    return f"{message.get('code')}: {excerpt(str(message.get('msg') or 'no message'))}"
