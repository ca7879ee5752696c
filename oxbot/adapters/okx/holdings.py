"""What an account at OKX has, what of it is alive, and what it traded lately."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from oxbot.adapters.okx.account_rows import balances_of
from oxbot.adapters.okx.algo_rows import KINDS
from oxbot.adapters.okx.asked import Row, rows_asked
from oxbot.adapters.okx.client import UNREADABLE
from oxbot.adapters.okx.errors import read_failure
from oxbot.adapters.okx.order_rows import fill_of, text
from oxbot.adapters.okx.parse import inst_id_of
from oxbot.adapters.okx.private import OkxAccount
from oxbot.domain.balances import Balance
from oxbot.domain.errors import OutcomeUnknown, VenueUnavailable
from oxbot.domain.orders import Fill
from oxbot.ports import Clock, MarketFeed

PAGE: Final = 100
"""Rows of a page that is not the last."""

MOST_PAGES: Final = 20


class OkxHoldings:
    """The part of `LiveExchange` that only reads.

    Args:
        account: The account.
        feed: Where instruments come from.
        clock: The venue's time.
    """

    def __init__(self, account: OkxAccount, feed: MarketFeed, clock: Clock) -> None:
        self._account = account
        self._feed = feed
        self._clock = clock

    async def resting_stops(self) -> frozenset[str]:
        """Give the ids of all stops and targets of the account that are alive.

        Raises:
            VenueUnavailable: It does not say now.
        """
        found: set[str] = set()
        for kind in KINDS:
            rows = await self._pages(partial(self._account.stops_pending, kind), "algoId")
            found.update(str(row["algoClOrdId"]) for row in rows if row.get("algoClOrdId"))
        return frozenset(found)

    async def recent_fills(self, symbol: str, since_ms: int) -> list[Fill]:
        """Give what orders with an id of their sender have traded of a coin since a venue time.

        Raises:
            VenueUnavailable: It does not say now, or not all of it.
        """
        ask = partial(self._account.fills, inst_id_of(symbol), begin=str(since_ms))
        rows = await self._pages(ask, "billId")
        try:
            named = [fill_of(text(row, "clOrdId"), symbol, row) for row in rows if row["clOrdId"]]
        except OutcomeUnknown as error:
            raise VenueUnavailable(f"A fill in OKX's answer cannot be read: {error}") from error
        return sorted(named, key=lambda fill: (fill.at_ms, fill.trade_id))

    async def _pages(self, ask: Callable[..., Awaitable[object]], number: str) -> list[Row]:
        """Read all pages of a list, newest first; `number` is the field that pages turn by.

        Raises:
            VenueUnavailable: A page cannot be had, or there is no end of them.
        """
        rows: list[Row] = []
        after: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            try:
                page = [row for row in await rows_asked(ask(**after)) if isinstance(row, dict)]
                rows += page
                if len(page) < PAGE:
                    return rows
                after = {"after": text(page[-1], number)}
            except OutcomeUnknown as error:
                raise VenueUnavailable(f"OKX's list cannot be read: {error}") from error
        raise VenueUnavailable(f"OKX's list has more than {MOST_PAGES * PAGE} rows.")

    async def balances(self) -> dict[str, Balance]:
        """Give what the account has of each currency.

        Raises:
            VenueUnavailable: It does not say now.
        """
        try:
            return balances_of(await self._account.balance())
        except UNREADABLE as error:
            raise read_failure(error, "the account's balances", 10_000) from error
