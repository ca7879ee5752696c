"""The lists of one bot, part by part, newest first: as rows, or as JSON."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

from oxbot.adapters.postgres.listings import (
    CYCLES,
    DECISIONS,
    EQUITY_POINTS,
    EVENTS,
    FILLS,
    KEY,
    LEDGER,
    LISTINGS,
    ORDERS,
    TRADES,
    Listing,
    given_for,
    given_of,
)
from oxbot.adapters.postgres.rows import Records
from oxbot.adapters.postgres.theirs import if_theirs
from oxbot.domain.values import Value
from oxbot.ports.reading import ListName
from oxbot.records import CycleRow, EventRow, TradeRow
from oxbot.records.reading import (
    ALWAYS,
    DecisionLine,
    EquityPoint,
    FillRow,
    LedgerRow,
    OrderLine,
    Page,
    Part,
    Stretch,
    page_text,
)

Row = TypeVar("Row", bound=Value)


class Lists(Records):
    """The part of the reading that gives lists of a bot, newest first."""

    async def cycles(self, bot_id: str, part: Part) -> Page[CycleRow]:
        """Give cycles."""
        return await self._page(CYCLES, bot_id, part)

    async def orders(self, bot_id: str, part: Part) -> Page[OrderLine]:
        """Give orders with what they filled."""
        return await self._page(ORDERS, bot_id, part)

    async def trades(self, bot_id: str, part: Part) -> Page[TradeRow]:
        """Give round trips."""
        return await self._page(TRADES, bot_id, part)

    async def fills(self, bot_id: str, part: Part) -> Page[FillRow]:
        """Give fills."""
        return await self._page(FILLS, bot_id, part)

    async def ledger(self, bot_id: str, part: Part) -> Page[LedgerRow]:
        """Give lines of the ledger."""
        return await self._page(LEDGER, bot_id, part)

    async def decisions(self, bot_id: str, part: Part) -> Page[DecisionLine]:
        """Give decisions."""
        return await self._page(DECISIONS, bot_id, part)

    async def events(self, bot_id: str, part: Part) -> Page[EventRow]:
        """Give events."""
        return await self._page(EVENTS, bot_id, part)

    async def equity(self, bot_id: str, part: Part, stretch: Stretch = ALWAYS) -> Page[EquityPoint]:
        """Give all points of the equity curve in a stretch."""
        return await self._page(EQUITY_POINTS, bot_id, part, given_of(stretch))

    async def written(
        self, name: ListName, bot_id: str, part: Part, owner: str | None = None
    ) -> str:
        """Give a page of a list as JSON, written by PostgreSQL; NotFound."""
        query = LISTINGS[name].written(older=part.cursor is not None)
        given = given_for(bot_id, part) | {"of_owner": owner}
        async with self._statements() as connection:
            rows = (await connection.execute(query, given)).mappings().all()
        found = if_theirs(rows, bot_id)
        last = str(found[part.limit - 1][KEY]) if len(found) > part.limit else None
        return page_text((row["json"] for row in found[: part.limit]), last)

    async def _page(
        self,
        listing: Listing[Row],
        bot_id: str,
        part: Part,
        others: Mapping[str, object] = MappingProxyType({}),
    ) -> Page[Row]:
        query, given = (
            listing.part(older=part.cursor is not None),
            given_for(bot_id, part) | dict(others),
        )
        async with self._statements() as connection:
            rows = (await connection.execute(query, given)).mappings().all()
        shown = rows[: part.limit]
        last = str(shown[-1][KEY]) if len(rows) > part.limit else None
        return Page(items=tuple(map(listing.read, shown)), next=last)
