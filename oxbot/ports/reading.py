"""The record as people look through it: whole lists part by part, curves, sums."""

from typing import Literal, Protocol

from oxbot.ports.held import HeldPositions
from oxbot.records import CycleRow, EventRow, TradeRow
from oxbot.records.reading import (
    ALWAYS,
    DecisionLine,
    EquityPoint,
    Figures,
    FillRow,
    LedgerRow,
    OrderLine,
    Page,
    Part,
    Stretch,
)

ListName = Literal["cycles", "orders", "trades", "fills", "ledger", "decisions", "events"]


class Reading(HeldPositions, Protocol):
    """The record, read only. Lists are newest first; what is added meanwhile moves no page.

    Each list of a bot that there is not is empty.
    """

    async def must_exist(self, bot_id: str, owner: str | None = None) -> None:
        """Make sure that there is a bot, and that it is this owner's; NotFound."""
        ...

    async def bots_written(self, owner: str | None, part: Part, *, archived: bool) -> Page[str]:
        """Give the bots of one owner or of all: those in sight, or those out of it (`archived`).

        Each is the JSON of a `BotState`.

        Raises:
            InputError: The cursor is none of this list.
        """
        ...

    async def live_bots(self, venue: str, owner: str | None = None) -> tuple[str, ...]:
        """Give the ids of the bots that trade live on a venue and are not stopped, oldest first."""
        ...

    async def owned(self, owner: str | None, ids: tuple[str, ...]) -> frozenset[str]:
        """Give which of these bots are one owner's; None: everybody's."""
        ...

    async def cycles(self, bot_id: str, part: Part) -> Page[CycleRow]:
        """Give cycles."""
        ...

    async def orders(self, bot_id: str, part: Part) -> Page[OrderLine]:
        """Give orders with what they filled."""
        ...

    async def trades(self, bot_id: str, part: Part) -> Page[TradeRow]:
        """Give round trips."""
        ...

    async def fills(self, bot_id: str, part: Part) -> Page[FillRow]:
        """Give fills."""
        ...

    async def ledger(self, bot_id: str, part: Part) -> Page[LedgerRow]:
        """Give lines of the ledger."""
        ...

    async def decisions(self, bot_id: str, part: Part) -> Page[DecisionLine]:
        """Give decisions."""
        ...

    async def events(self, bot_id: str, part: Part) -> Page[EventRow]:
        """Give events."""
        ...

    async def equity(self, bot_id: str, part: Part, stretch: Stretch = ALWAYS) -> Page[EquityPoint]:
        """Give all points of the equity curve in a stretch."""
        ...

    async def written(
        self, name: ListName, bot_id: str, part: Part, owner: str | None = None
    ) -> str:
        """Give the page that the list of this name gives, as JSON.

        Raises:
            NotFound: There is no such bot, or it is not this owner's.
            InputError: The cursor is none of this list.
        """
        ...

    async def curve_written(
        self, bot_id: str, stretch: Stretch, points: int, owner: str | None = None
    ) -> str:
        """Give the points that `curve` gives, as a JSON array.

        Raises:
            NotFound: There is no such bot, or it is not this owner's.
        """
        ...

    async def curve(self, bot_id: str, stretch: Stretch, points: int) -> list[EquityPoint]:
        """Give at most so many points of a stretch, oldest first.

        Where there are more, the stretch is cut into as many equal slices, of which each gives
        its last point: so the newest one is always there.
        """
        ...

    async def figures(self, bot_id: str, owner: str | None = None) -> Figures:
        """Sum a bot's record up; NotFound, also where it is not this owner's."""
        ...
