"""The books, made again."""

from typing import Protocol

from oxbot.records import AuditFigures


class Books(Protocol):
    """The record of what bots did, for proving what they have."""

    async def audit(self, bot_id: str) -> AuditFigures:
        """Recompute a bot's books from its fills, and compare them with what is stored.

        Raises:
            LedgerBroken: They cannot be made again.
            NotFound: There is no such bot.
        """
        ...
