"""OKX's failures as the project's errors: the one place that knows both.

There are loud failures, which ccxt raises, and silent ones, where OKX or something in front
of it answers 200 with a page, with nothing, or with something else than was asked for. These
rules are for reading public data, which can always be repeated; what a failed order means is
another matter.
"""

import json
from typing import Final

import ccxt.async_support as ccxt

from oxbot.domain.errors import (
    InputError,
    OxbotError,
    RateLimited,
    VenueRefused,
    VenueUnavailable,
)

RATE_WINDOW_S: Final = 2
"""OKX counts public requests over two seconds (its API guide), so that is the wait."""

UNMAPPED_RATE_LIMIT: Final = "50061"
"""A rate limit that ccxt 4.5.90 has no class for."""

LONGEST_EXCERPT: Final = 120


def read_failure(error: Exception, asked: str, timeout_ms: int) -> OxbotError:
    """Turn what ccxt raised while reading into the project's error.

    Args:
        error: What ccxt raised.
        asked: What was asked for, to be read after "for": "the tickers".
        timeout_ms: The limit that a missing answer ran into, in ms.
    """
    said = _said(error)
    if isinstance(error, ccxt.RateLimitExceeded | ccxt.DDoSProtection) or (
        said.startswith(UNMAPPED_RATE_LIMIT)
    ):
        return RateLimited(
            f"OKX asks to wait before it is asked again for {asked} ({said}).", RATE_WINDOW_S
        )
    if isinstance(error, ccxt.BadSymbol):
        return InputError(f"OKX does not list what it was asked for: {asked} ({said}).")
    if _is_final(error):
        return VenueRefused(f"OKX refused the request for {asked} ({said}).")
    return VenueUnavailable(_outage(error, asked, said, timeout_ms))


def _outage(error: Exception, asked: str, said: str, timeout_ms: int) -> str:
    """Say which kind of outage it is, and what to do where anything can be done."""
    if isinstance(error, ccxt.OnMaintenance):
        return (
            f"OKX is under maintenance and did not answer for {asked} ({said}). "
            "It comes back by itself; see okx.com/status."
        )
    if isinstance(error.__cause__, TimeoutError):
        return f"OKX did not answer for {asked} within {timeout_ms} ms."
    if isinstance(error.__cause__, OSError):
        return (
            f"OKX cannot be reached for {asked} ({said}). Check the network and "
            "OXBOT_OKX_REST_URL; `oxbot simulator` works without either."
        )
    return f"OKX could not be read for {asked} ({said})."


def rows_of(answer: object, asked: str) -> list[object]:
    """Take the rows out of OKX's envelope `{"code": "0", "data": [...]}`.

    Raises:
        VenueUnavailable: A page instead of JSON, a truncated body, or no rows at all: the
            failures under which ccxt raises nothing.
    """
    if not isinstance(answer, dict):
        raise VenueUnavailable(
            f"OKX was asked for {asked} and something that is not its API answered: "
            f"{_excerpt(str(answer)) or 'an empty body'}. A maintenance page, a proxy or a "
            "firewall may be in between."
        )
    rows = answer.get("data")
    if not isinstance(rows, list) or not rows:
        raise VenueUnavailable(f"OKX answered without any data for {asked}.")
    return rows


def unusable(what: str, why: str) -> VenueUnavailable:
    """Give the error for data that came but cannot be what it should be; `what` names it."""
    return VenueUnavailable(
        f"OKX's answer for {what} cannot be used: {why}. Nothing was guessed in its place."
    )


def _is_final(error: Exception) -> bool:
    """Whether OKX understood and said no, which asking again will not change.

    A bare ExchangeError is not: it also stands for a body that broke off.
    """
    return isinstance(error, ccxt.ExchangeError) and type(error) is not ccxt.ExchangeError


def _said(error: Exception) -> str:
    """Give OKX's own code and message, or the network's error, or the start of ccxt's text."""
    text = str(error.__cause__ or error)
    start = text.find("{")
    try:
        body = json.loads(text[start:]) if start >= 0 else None
    except ValueError:
        body = None
    if isinstance(body, dict) and body.get("code"):
        return f"{body['code']}: {_excerpt(str(body.get('msg') or 'no message'))}"
    return _excerpt(text) or type(error).__name__


def _excerpt(text: str) -> str:
    """Give the start of a text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_EXCERPT else f"{line[:LONGEST_EXCERPT]}..."
