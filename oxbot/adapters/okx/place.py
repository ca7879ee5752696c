"""Which OKX is asked, and ccxt's clients made for it: one place for addresses and options."""

import importlib
import urllib.request
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import urlsplit

import ccxt.async_support as ccxt

from oxbot.adapters.okx.errors import RATE_LIMITS, AskedToWait, code_in

Host: TypeAlias = Literal["okx", "myokx", "okxus"]
"""OKX worldwide, in Europe (eea.okx.com) and in the USA (us.okx.com), by ccxt's names."""

Exchange: TypeAlias = Any
"""ccxt's exchange, which comes without types; who uses it says which part by a Protocol."""

ORDERS, STOPS = "orders", "orders-algo"
"""Channels of an account."""

TOO_MANY_REQUESTS: Final = 429


@dataclass(frozen=True)
class Place:
    """Which OKX is asked, and how.

    Args:
        host: Which of OKX's three.
        demo: Whether it is that OKX's demo trading, which has prices and books of its own.
        rest_url: Instead of the host's own address: a simulator's, or a proxy's.
        ws_url: The same for the stream, such as ws://127.0.0.1:8021/ws/v5.
        timeout_ms: How long to wait for an answer, or for a connection.
        throttled: Keep to OKX's rate limits; only a local server can do without.
    """

    host: Host = "okx"
    demo: bool = False
    rest_url: str | None = None
    ws_url: str | None = None
    timeout_ms: int = 10_000
    throttled: bool = True


def open_rest(place: Place) -> Exchange:
    """Make ccxt's client for requests; it has a throttle and connections of its own."""
    exchange = _open(ccxt, place)
    _adjust_to(exchange, rest_url_of(exchange))
    exchange.on_rest_response = _refuse_too_many
    return exchange


def open_stream(place: Place, keep_alive_ms: int) -> Exchange:
    """Make ccxt.pro's client for streams; a pong missing twice in `keep_alive_ms` is a loss."""
    exchange = _open(importlib.import_module("ccxt.pro"), place)
    exchange.streaming |= {
        "keepAlive": keep_alive_ms,
        "connectionTimeout": max(place.timeout_ms, 1_000),  # ccxt counts it in whole seconds
    }
    url = ws_url_of(exchange)
    if _adjust_to(exchange, url):
        exchange.wssProxy = _proxy_of(url)
    return exchange


def rest_url_of(exchange: Exchange) -> str:
    """Give the address that a client asks."""
    url: str = exchange.implode_hostname(exchange.urls["api"]["rest"])
    return url.rstrip("/")


def ws_url_of(exchange: Exchange) -> str:
    """Give the address of the public channels."""
    url: str = exchange.get_url("tickers", "public")
    return url


def account_url_of(exchange: Exchange, channel: str) -> str:
    """Give the address of a channel of an account: OKX has that of stops elsewhere than others."""
    access = "business" if channel == STOPS else "private"
    url: str = exchange.get_url(channel, access)
    return url


def _open(module: ModuleType, place: Place) -> Exchange:
    exchange = getattr(module, place.host)(_config(place))
    exchange.set_sandbox_mode(place.demo)
    # Demo trading replaces all addresses, so those that were asked for are set after it.
    asked = {"rest": place.rest_url, "ws": place.ws_url}
    exchange.urls["api"] |= {name: url.rstrip("/") for name, url in asked.items() if url}
    return exchange


def _adjust_to(exchange: Exchange, url: str) -> bool:
    """Adjust what depends on whether the connection to an address is encrypted; whether it is."""
    encrypted = url.startswith(("https:", "wss:"))
    # A proxy of the environment is for the way out, never for a server on this machine.
    exchange.aiohttp_trust_env = encrypted
    # When closing, ccxt waits so many ms for TLS to say goodbye.
    exchange.timeout_on_exit = 250 if encrypted else 0
    return encrypted


def _config(place: Place) -> dict[str, object]:
    return {
        "timeout": place.timeout_ms,
        "enableRateLimit": place.throttled,
        "options": {"maxRetriesOnFailure": 0},
    }


def _refuse_too_many(
    status: int,
    _reason: str,
    _url: str,
    _method: str,
    headers: dict[str, str],
    body: str,
    *_request: object,
) -> str:
    """Keep what a 429 says of the wait: ccxt drops the headers, and calls it an outage.

    OKX also answers 429 with a code that says otherwise, such as 50013: it is busy.
    """
    if status == TOO_MANY_REQUESTS and code_in(body) in {None, *RATE_LIMITS}:
        raise AskedToWait(body, headers)
    return body.strip()


def _proxy_of(url: str) -> str | None:
    """Give the environment's proxy for an encrypted stream: that of https, if none is its own."""
    if urllib.request.proxy_bypass(urlsplit(url).hostname or ""):
        return None
    proxies = urllib.request.getproxies()
    return proxies.get("wss") or proxies.get("https")
