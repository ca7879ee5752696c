"""OKX's failures as the project's errors: the one place that knows both.

There are loud failures, which ccxt raises, and silent ones, where OKX or something in front
of it answers 200 with a page, with nothing, or with something else than was asked for. These
rules are for reading public data, which can always be repeated; `order_errors` has those for
orders, where a failure says much less. What comes of a failure::

    VenueUnavailable    retry later: an outage, or an answer that cannot be used
    RateLimited         retry after a delay: the answer's Retry-After, or OKX's window of 2 s
    InputError          final: OKX does not list what was asked for
    VenueRefused        final: OKX understood and said no
"""

import json
import re
import ssl
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp
import ccxt.async_support as ccxt

from oxbot.domain.errors import (
    InputError,
    OxbotError,
    RateLimited,
    Unusable,
    VenueRefused,
    VenueUnavailable,
)

RATE_WINDOW_S: Final = 2
"""OKX counts public requests over two seconds (its API guide), so that is the wait."""

LONGEST_WAIT_S: Final = 3600
"""A longer wait that is asked for is cut to this, so that a mistake does not end trading."""

RATE_LIMITS: Final = frozenset({"50011", "50061"})
"""OKX's codes for too many requests; ccxt 4.5.90 has no class for the second."""

CLOCK_OFF: Final = "50102"
"""A request whose time is too far from OKX's."""

_PAGE: Final = re.compile(r"<(!doctype|html)\b", re.IGNORECASE)
_STATUS: Final = re.compile(r" ([1-5][0-9]{2}) ")

LONGEST_EXCERPT: Final = 200


class AskedToWait(ccxt.RateLimitExceeded):  # type: ignore[misc] # ccxt comes without types
    """An answer with status 429, whatever its body, and the headers it came with."""

    def __init__(self, body: str, headers: Mapping[str, str]) -> None:
        super().__init__(f"429 {body}")
        named = {name.lower(): value for name, value in headers.items()}
        self.wait_s = _wait_s(named.get("retry-after", ""))


def read_failure(error: Exception, asked: str, timeout_ms: int) -> OxbotError:
    """Turn what was raised while reading into the project's error.

    Args:
        error: What ccxt raised, or what an odd answer made fail inside it.
        asked: What was asked for, to be read after "for": "the tickers".
        timeout_ms: The limit that a missing answer ran into, in ms.
    """
    said = said_by(error)
    if asks_to_wait(error):
        wait_s = error.wait_s if isinstance(error, AskedToWait) else RATE_WINDOW_S
        return RateLimited(
            f"OKX asks to wait {wait_s} s before it is asked again for {asked} ({said}).", wait_s
        )
    if isinstance(error, ccxt.BadSymbol):
        return InputError(f"OKX does not list what it was asked for: {asked} ({said}).")
    if _is_final(error):
        return VenueRefused(f"OKX refused the request for {asked} ({said}).")
    return VenueUnavailable(_outage(error, asked, said, timeout_ms))


def asks_to_wait(error: Exception) -> bool:
    """Whether OKX, or what stands before it, was asked too often."""
    limited = isinstance(error, ccxt.RateLimitExceeded | ccxt.DDoSProtection)
    return limited or code_of(error) in RATE_LIMITS


def rows_of(answer: object, asked: str) -> list[object]:
    """Take the rows out of OKX's envelope `{"code": "0", "data": [...]}`.

    Raises:
        VenueUnavailable: A page instead of JSON, a truncated body, or no rows at all: the
            failures under which ccxt raises nothing.
        VenueRefused: A row carries an error of its own (`sCode`) under an envelope that is well.
    """
    if not isinstance(answer, dict):
        raise VenueUnavailable(
            f"OKX was asked for {asked} and something that is not its API answered: "
            f"{excerpt(str(answer)) or 'an empty body'}. A maintenance page, a proxy or a "
            "firewall may be in between."
        )
    rows = answer.get("data")
    if not isinstance(rows, list) or not rows:
        raise VenueUnavailable(f"OKX answered without any data for {asked}.")
    refused = row_error(rows)
    if refused:
        raise VenueRefused(f"OKX refused the request for {asked} ({refused}).")
    return rows


def row_error(rows: object) -> str | None:
    """Give the first error that a row carries (`sCode`, `sMsg`), or None."""
    if not isinstance(rows, list):
        return None
    for row in rows:
        code = row.get("sCode") if isinstance(row, dict) else None
        if code and code != "0":
            return f"{code}: {excerpt(str(row.get('sMsg') or 'no message'))}"
    return None


def unusable(what: str, why: str) -> Unusable:
    """Give the error for data that came but cannot be what it should be; `what` names it."""
    return Unusable(
        f"OKX's answer for {what} cannot be used: {why}. Nothing was guessed in its place."
    )


def said_by(error: Exception) -> str:
    """Give OKX's own code and message, or the network's error, or the start of ccxt's text."""
    text = str(error.__cause__ or error)
    return _said_in(text) or _page_in(text) or excerpt(text) or type(error).__name__


def _page_in(text: str) -> str | None:
    """Name a web page that ccxt quotes, by its HTTP status; nobody wants to read it."""
    found = _PAGE.search(text)
    if found is None:
        return None
    status = _STATUS.search(text[: found.start()])
    return f"HTTP status {status[1]} with a web page" if status else "a web page"


def code_of(error: Exception) -> str | None:
    """Give OKX's error code: a row's before the envelope's; None where OKX said none."""
    return code_in(str(error))


def code_in(text: str) -> str | None:
    """Find OKX's error code in an answer, or in a text that ends with one."""
    code = (_said_in(text) or "").partition(":")[0]
    return code if code.isdecimal() else None


def excerpt(text: str) -> str:
    """Give the start of a text on one line."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_EXCERPT else f"{line[:LONGEST_EXCERPT]}..."


def _outage(error: Exception, asked: str, said: str, timeout_ms: int) -> str:
    """Say which kind of outage it is, and what to do where anything can be done."""
    cause = error.__cause__
    if code_of(error) == CLOCK_OFF:
        return (
            f"OKX refused the time of the request for {asked} ({said}): this machine's clock is "
            "off. Set it by NTP (`timedatectl set-ntp true`)."
        )
    if isinstance(error, ccxt.OnMaintenance):
        return (
            f"OKX is under maintenance and did not answer for {asked} ({said}). "
            "It comes back by itself; see okx.com/status."
        )
    if isinstance(cause, TimeoutError):
        return f"OKX did not answer for {asked} within {timeout_ms} ms."
    hint = _hint(cause)
    if hint is not None:
        return f"OKX cannot be reached for {asked} ({said}). {hint}"
    return f"OKX could not be read for {asked} ({said})."


def _hint(cause: BaseException | None) -> str | None:
    """Say what to do where the connection failed; None where there was one."""
    if isinstance(cause, ssl.SSLError | ssl.CertificateError):
        return (
            "The encryption failed: a proxy or a firewall may be in between, or this machine's "
            "clock is off."
        )
    if isinstance(cause, aiohttp.ClientProxyConnectionError | aiohttp.ClientHttpProxyError):
        return "The proxy does not let it through; check HTTPS_PROXY."
    if isinstance(cause, OSError):
        return "Check the network and OXBOT_OKX_REST_URL; `oxbot simulator` works without either."
    return None


def _is_final(error: Exception) -> bool:
    """Whether OKX understood and said no, which asking again will not change.

    A bare ExchangeError is not: it also stands for a body that broke off. Nor is a refusal
    without a code of OKX's: a proxy that wants a password, a portal that wants a login.
    """
    refused = isinstance(error, ccxt.ExchangeError) and type(error) is not ccxt.ExchangeError
    return refused and code_of(error) is not None


def _said_in(text: str) -> str | None:
    """Find OKX's code and message in a text: ccxt writes the answer there as it came."""
    start = text.find("{")
    try:
        body = json.loads(text[start:]) if start >= 0 else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict) or not body.get("code"):
        return None
    of_row = row_error(body.get("data"))
    return of_row or f"{body['code']}: {excerpt(str(body.get('msg') or 'no message'))}"


def _wait_s(header: str) -> int:
    """Read Retry-After: seconds, or a date; OKX's window where there is neither."""
    try:
        wait_s = int(header) if header.isdecimal() else _until_s(header)
    except (TypeError, ValueError, OverflowError):
        return RATE_WINDOW_S
    return min(max(wait_s, 1), LONGEST_WAIT_S)


def _until_s(date: str) -> int:
    """Give the seconds from now to a date as HTTP writes it; ValueError where it is none."""
    return round(parsedate_to_datetime(date).timestamp() - time.time())
