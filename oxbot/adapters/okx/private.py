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

NOBODY: Final = "51603"
"""OKX's code for an order that does not exist."""

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

    async def private_get_trade_fills_history(self, params: dict[str, str]) -> object: ...

    async def close(self) -> None: ...


class OkxAccount:
    """One account at OKX, or at a server that answers as it does: `async with OkxAccount(...)`.

    Its methods give ccxt's raw answers, and raise what ccxt raises.

    Args:
        keys: The API key.
        place: Which OKX, and how.
        now_ms: The venue's time now, in ms: requests are signed with it.
    """

    def __init__(self, keys: Keys, place: Place, now_ms: Callable[[], int]) -> None:
        exchange = open_rest(place)
        exchange.apiKey = keys.key.get_secret_value()
        exchange.secret = keys.secret.get_secret_value()
        exchange.password = keys.passphrase.get_secret_value()
        exchange.nonce = now_ms
        _fence(exchange)
        self.rest_url = rest_url_of(exchange)
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
        return await self._ccxt.private_get_account_config()

    async def balance(self) -> object:
        """Ask for the balances of all currencies."""
        return await self._ccxt.private_get_account_balance()

    async def send(self, order: dict[str, object], expires_ms: int) -> object:
        """Send one order, which OKX drops if it arrives after `expires_ms` (venue time)."""
        return await _until(expires_ms, self._ccxt.private_post_trade_batch_orders([order]))

    async def order(self, inst_id: str, client_id: str) -> object:
        """Ask for an order by our id."""
        return await self._ccxt.private_get_trade_order({"instId": inst_id, "clOrdId": client_id})

    async def pending(self, inst_id: str) -> object:
        """Ask for the orders of a pair that are alive."""
        return await self._ccxt.private_get_trade_orders_pending(_spot(inst_id))

    async def history(self, inst_id: str) -> object:
        """Ask for the newest orders of a pair that are over."""
        return await self._ccxt.private_get_trade_orders_history(_spot(inst_id))

    async def fills(self, inst_id: str, order_id: str) -> object:
        """Ask for the fills of an order, by OKX's id."""
        params = {**_spot(inst_id), "ordId": order_id}
        return await self._ccxt.private_get_trade_fills_history(params)


def _spot(inst_id: str) -> dict[str, str]:
    return {"instType": "SPOT", "instId": inst_id}


async def _until(expires_ms: int, request: Awaitable[object]) -> object:
    token = _EXPIRES_MS.set(expires_ms)
    try:
        return await request
    finally:
        _EXPIRES_MS.reset(token)


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
