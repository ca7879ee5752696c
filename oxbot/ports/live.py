"""The part of the record that live bots need: stops at the exchange, and what an account owes."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Protocol

from oxbot.domain.market import Instrument
from oxbot.domain.orders import Fill, Order
from oxbot.domain.resting import RestingStop, StopState
from oxbot.records import Claims, SeenAccount, StopView, WriteOff


class LiveStore(Protocol):
    """Resting stops and claims. Each method is one transaction."""

    async def note_taken(self, order: Order) -> Order:
        """Move to open what the exchange has acknowledged to this claim; give it as stored.

        So is one that was released meanwhile. One that another attempt has ended or claimed anew
        is left as it is. An open order is never taken to be absent.
        """
        ...

    async def stop_view(self, bot_id: str, symbol: str) -> StopView:
        """Give what the resting stop of a bot's coin rests on; NotFound."""
        ...

    async def intend_stop(self, stop: RestingStop, version: int) -> bool:
        """Write a stop down while its position is at this version; False: nothing was written.

        Not while an exit of the coin is under way, nor while another stop of it may rest.
        """
        ...

    async def note_stop(self, stop_id: str, state: StopState, reason: str = "") -> None:
        """Keep what was seen of a stop; one that is over stays so."""
        ...

    async def resting_stops(self, bot_id: str) -> list[RestingStop]:
        """Give the stops of a bot that may rest at the exchange."""
        ...

    async def known_stops(self, stop_ids: Collection[str]) -> list[RestingStop]:
        """Give those of these stops that there are."""
        ...

    async def stops_of_coin(self, venue: str, symbol: str) -> list[RestingStop]:
        """Give the stops of a pair that may rest, of all live bots of a venue."""
        ...

    async def adopt(self, order: Order, fills: Sequence[Fill], instrument: Instrument) -> Order:
        """Write down, book and tell what a resting stop has become, and end the stop, at once."""
        ...

    async def claims(self, venue: str) -> Claims:
        """Give what all live bots of a venue that are not stopped have."""
        ...

    async def booked_trades(self, order_ids: Collection[str]) -> list[tuple[str, str]]:
        """Give what is booked of these orders: the order's id and the venue's trade id."""
        ...

    async def write_off(self, wish: WriteOff, seen: SeenAccount) -> None:
        """Take what is gone from the account off a bot's books, once; tell it.

        Conflict where it is not, or no longer, what is missing and the bot has, where anything of
        the account has changed since it was seen, or an order of the bot is under way.
        """
        ...

    async def written_off(self, bot_id: str, wish_id: str) -> dict[str, Decimal]:
        """Give what a wish has taken off, by currency; nothing where it has not."""
        ...

    async def tell_differences(
        self, bot_id: str, differs: Collection[str], *, is_all: bool
    ) -> None:
        """Tell what differs and did not the last time, and what differed then and does no more.

        `is_all`: nothing else differs; else nothing is told to be over.
        """
        ...

    async def untold_orders(self, bot_id: str, since_ms: int) -> list[Order]:
        """Give orders that were filled since a wall time and are in no event, oldest first."""
        ...

    async def sent_symbols(self, bot_id: str, since_ms: int) -> list[str]:
        """Give the pairs of which a bot has sent an order since a wall time."""
        ...
