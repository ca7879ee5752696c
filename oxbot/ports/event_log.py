"""What following the events needs from the record."""

from typing import Protocol

from oxbot.records.told import EventCursor, Told, ToldEvent


class EventLog(Protocol):
    """The events of all bots, in one order in which none comes to light behind another."""

    async def opened(self) -> EventCursor:
        """Give the place up to which all has come to light; StoreUnavailable."""
        ...

    async def has_come_to(self, cursor: EventCursor) -> bool:
        """Tell whether there can be such a place in this record yet; StoreUnavailable."""
        ...

    async def after(self, cursor: EventCursor) -> Told:
        """Give what has come to light behind a place, as much as one page has; StoreUnavailable."""
        ...

    async def between(
        self, cursor: EventCursor, until: EventCursor, owner: str | None, bot_id: str | None
    ) -> list[ToldEvent]:
        """Give a page of one owner's or one bot's events (None: all) behind the first place.

        An empty page means that there is none any more up to the second one.

        Raises:
            StoreUnavailable: PostgreSQL does not answer.
        """
        ...
