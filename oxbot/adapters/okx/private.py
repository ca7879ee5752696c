"""ccxt's OKX client for one account: signed by the venue's time, with expiries, and no retries.

As on the public side only ccxt's transport is used, with its raw requests: its unified ones make
up orders out of answers that name none, and floats out of amounts. It has connections and a
throttle of its own, so that an order never waits behind questions about the market.
"""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Protocol, Self, cast

from pydantic import SecretStr

from oxbot.adapters.okx.place import Exchange, Place, open_rest, rest_url_of
from oxbot.ports import Clock

NOBODY: Final = "51603"
"""OKX's code for an order that does not exist."""

_SIGNED_MS: ContextVar[int | None] = ContextVar("signed_ms", default=None)
"""The venue time (ms) that the request under way is signed with."""

_EXPIRES_MS: ContextVar[int | None] = ContextVar("expires_ms", default=None)
"""Until when (venue ms) OKX may take the request that is under way."""


@dataclass(frozen=True)
class Keys:
    """What OKX gives with an API key; never shown."""

    key: SecretStr
    secret: SecretStr
    passphrase: SecretStr


class _Transport(Protocol):
    """The part of ccxt that is used; ccxt itself comes without types."""

    async def private_get_account_config(self) -> object: ...

    async def private_get_account_balance(self) -> object: ...

    async def private_post_trade_batch_orders(self, params: list[dict[str, object]]) -> object: ...

    async def private_get_trade_order(self, params: dict[str, str]) -> object: ...

    async def private_get_trade_orders_pending(self, params: dict[str, str]) -> object: ...

    async def private_get_trade_orders_history(self, params: dict[str, str]) -> object: ...

    async def private_get_trade_orders_history_archive(self, params: dict[str, str]) -> object: ...

    async def private_get_trade_fills_history(self, params: dict[str, str]) -> object: ...

    async def private_post_trade_order_algo(self, params: dict[str, str]) -> object: ...

    async def private_post_trade_amend_algos(self, params: dict[str, str]) -> object: ...

    async def private_post_trade_cancel_algos(self, params: list[dict[str, str]]) -> object: ...

    async def private_get_trade_order_algo(self, params: dict[str, str]) -> object: ...

    async def private_get_trade_orders_algo_pending(self, params: dict[str, str]) -> object: ...

    async def private_get_trade_orders_algo_history(self, params: dict[str, str]) -> object: ...

    async def close(self) -> None: ...


class OkxAccount:
    """One account at OKX, or at a server that answers as it does: `async with OkxAccount(...)`.

    Its methods give ccxt's raw answers, and raise what ccxt raises; VenueUnavailable where nobody
    knows the venue's time, and nothing was sent.

    Args:
        keys: The API key.
        place: Which OKX, and how.
        clock: The venue's time, which requests are signed with.
    """

    def __init__(self, keys: Keys, place: Place, clock: Clock) -> None:
        exchange = open_rest(place)
        exchange.apiKey = keys.key.get_secret_value()
        exchange.secret = keys.secret.get_secret_value()
        exchange.password = keys.passphrase.get_secret_value()
        exchange.nonce = _SIGNED_MS.get
        _fence(exchange)
        self.rest_url = rest_url_of(exchange)
        self.timeout_ms = place.timeout_ms
        self._clock = clock
        self._ccxt = cast("_Transport", exchange)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._ccxt.close()

    async def config(self) -> object:
        """Ask for the account's mode and what its key may do."""
        return await self._signed(self._ccxt.private_get_account_config)

    async def balance(self) -> object:
        """Ask for the balances of all currencies."""
        return await self._signed(self._ccxt.private_get_account_balance)

    async def send(self, order: dict[str, object], expires_ms: int) -> object:
        """Send one order, which OKX drops if it arrives after `expires_ms` (venue time)."""
        token = _EXPIRES_MS.set(expires_ms)
        try:
            return await self._signed(self._ccxt.private_post_trade_batch_orders, [order])
        finally:
            _EXPIRES_MS.reset(token)

    async def order(self, inst_id: str, client_id: str) -> object:
        """Ask for an order by our id."""
        named = {"instId": inst_id, "clOrdId": client_id}
        return await self._signed(self._ccxt.private_get_trade_order, named)

    async def order_of(self, inst_id: str, order_id: str) -> object:
        """Ask for an order by OKX's id."""
        named = {"instId": inst_id, "ordId": order_id}
        return await self._signed(self._ccxt.private_get_trade_order, named)

    async def pending(self, inst_id: str, **which: str) -> object:
        """Ask for a page of the orders of a pair that are alive, newest first."""
        params = {**_spot(inst_id), **which}
        return await self._signed(self._ccxt.private_get_trade_orders_pending, params)

    async def history(self, inst_id: str, **which: str) -> object:
        """Ask for a page of the orders of a pair that are over, of seven days, newest first.

        Those that were cancelled and have traded nothing are in it for two hours.
        """
        params = {**_spot(inst_id), **which}
        return await self._signed(self._ccxt.private_get_trade_orders_history, params)

    async def archive(self, inst_id: str, **which: str) -> object:
        """Ask for a page of the orders of a pair that have traded, of three months."""
        params = {**_spot(inst_id), **which}
        return await self._signed(self._ccxt.private_get_trade_orders_history_archive, params)

    async def fills(self, inst_id: str, **which: str) -> object:
        """Ask for a page of fills of a pair: of an order (`ordId`), or since a time (`begin`)."""
        params = {**_spot(inst_id), **which}
        return await self._signed(self._ccxt.private_get_trade_fills_history, params)

    async def send_stop(self, stop: dict[str, str], signed_ms: int) -> object:
        """Have a stop and target rest; signed with a venue time (ms) that is not now."""
        return await self._as_of(signed_ms, self._ccxt.private_post_trade_order_algo, stop)

    async def amend_stop(self, change: dict[str, str]) -> object:
        """Change size and prices of a stop."""
        return await self._signed(self._ccxt.private_post_trade_amend_algos, change)

    async def cancel_stop(self, inst_id: str, algo_id: str) -> object:
        """Cancel a stop by OKX's id."""
        named = {"instId": inst_id, "algoId": algo_id}
        return await self._signed(self._ccxt.private_post_trade_cancel_algos, [named])

    async def stop(self, client_id: str) -> object:
        """Ask for a stop by our id."""
        named = {"algoClOrdId": client_id}
        return await self._signed(self._ccxt.private_get_trade_order_algo, named)

    async def stops_pending(self, kind: str, **which: str) -> object:
        """Ask for a page of the stops of a kind (oco, conditional) that are alive."""
        params = {"ordType": kind, "instType": "SPOT", **which}
        return await self._signed(self._ccxt.private_get_trade_orders_algo_pending, params)

    async def stops_ended(self, kind: str, state: str, **which: str) -> object:
        """Ask for a page of the stops of a kind that have ended in a state, newest first."""
        params = {"ordType": kind, "state": state, "instType": "SPOT", **which}
        return await self._signed(self._ccxt.private_get_trade_orders_algo_history, params)

    async def _signed(self, call: Callable[..., Awaitable[object]], *asked: object) -> object:
        """Make a request that is signed with the venue's time of now."""
        return await self._as_of((await self._clock.reading()).venue_ms, call, *asked)

    async def _as_of(
        self, signed_ms: int, call: Callable[..., Awaitable[object]], *asked: object
    ) -> object:
        token = _SIGNED_MS.set(signed_ms)
        try:
            return await call(*asked)
        finally:
            _SIGNED_MS.reset(token)


def _spot(inst_id: str) -> dict[str, str]:
    return {"instType": "SPOT", "instId": inst_id}


def _fence(exchange: Exchange) -> None:
    """Have requests carry their expiry; ccxt has no parameter for OKX's header."""
    sign = exchange.sign

    def signed(*asked: object, **named: object) -> dict[str, object]:
        request: dict[str, object] = sign(*asked, **named)
        expires_ms, headers = _EXPIRES_MS.get(), request.get("headers")
        if expires_ms is not None and isinstance(headers, dict):
            headers["expTime"] = str(expires_ms)
        return request

    exchange.sign = signed
