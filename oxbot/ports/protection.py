"""The record of what is protected, by whom, and how quickly."""

from collections.abc import AsyncGenerator, Collection, Mapping
from typing import Protocol

from oxbot.domain.guard_index import Best
from oxbot.domain.guards import Guard
from oxbot.domain.orders import Order
from oxbot.records import Protection, ProtectionTimes, WatchBeat

PositionKey = tuple[str, str]
"""Bot and symbol."""


class ProtectionStore(Protocol):
    """The part of the record that the market watch lives by. Each method is one transaction."""

    async def guards(self, venue: str, only: Collection[PositionKey] | None = None) -> list[Guard]:
        """Give the guard of every open position of bots that are not stopped.

        Of these positions alone, where they are named.
        """
        ...

    async def guard_versions(self, venue: str) -> dict[PositionKey, str]:
        """Give for every position that `guards` has something that changes with its guard."""
        ...

    async def known_orders(self, order_ids: Collection[str]) -> list[Order]:
        """Give those of these orders that there are, oldest first."""
        ...

    async def raise_best(self, venue: str, best: Best) -> None:
        """Let all trailing stops of its symbol and direction know of a price.

        Positions opened after it, and those that know of a better one, stay as they are.
        """
        ...

    async def watch_marks(self, venue: str) -> dict[str, int]:
        """Give for each symbol up to which venue time a watch has examined its prices."""
        ...

    async def save_watch_marks(
        self, venue: str, marks: Mapping[str, int], wall_ms: int, *, stepped: bool
    ) -> None:
        """Keep how far the watch has come, and that it was at work at a wall time.

        A mark is never set back.
        """
        ...

    async def watch_beat(self, venue: str) -> WatchBeat | None:
        """Give when the venue's watch was last at work; None if it never was."""
        ...

    async def note_protection(self, protection: Protection) -> None:
        """Keep that a crossing led to a settled exit; one that is noted stays as it is."""
        ...

    async def protection_times(self, venue: str) -> ProtectionTimes:
        """Give how long protecting took, over all that a watch saw as it came."""
        ...

    async def held_symbols(self, venue: str) -> dict[str, tuple[str, ...]]:
        """Give what each bot of a venue that is not stopped holds."""
        ...

    async def tell(self, bot_id: str, key: str, kind: str, text: str) -> bool:
        """Add an event of a bot; False when one of this key was told before."""
        ...

    async def untold_ends(self, venue: str) -> list[tuple[str, str]]:
        """Give bot and key of every `unprotected` event whose end was not told yet."""
        ...


class PositionNews(Protocol):
    """Tells which positions change, as they do. What it loses, nobody must rely on."""

    def changes(self) -> AsyncGenerator[list[PositionKey], None]:
        """Listen, and give what has changed; closing the iterator ends the connection.

        The first batch is empty and says that from now on changes are heard.

        Raises:
            StoreUnavailable: The connection is lost or refused.
        """
        ...
