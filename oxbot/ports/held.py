"""What looking at positions needs from the record."""

from typing import Protocol

from oxbot.records.held import HeldPosition
from oxbot.records.reading import Page, Part


class HeldPositions(Protocol):
    """The positions of bots, whatever their workflows do."""

    async def positions(
        self, owner: str | None, part: Part, bot_id: str | None = None
    ) -> Page[HeldPosition]:
        """Give the positions of one owner or of all, or of one bot, the last opened first.

        Raises:
            InputError: The cursor is none of this list.
        """
        ...
