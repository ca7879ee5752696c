"""What people change of a bot on record, which its workflow has no part in."""

from typing import Protocol

from oxbot.domain.allowance import Allowance
from oxbot.domain.bot import Bot
from oxbot.domain.bot_changes import ChangedSettings, ChangeSettings, Word


class Keeping(Protocol):
    """The record of bots, as people keep it in order. Each method is one transaction."""

    async def asked(self, bot_id: str) -> str | None:
        """Give the digest of what a bot was asked for with; None where nobody used a key."""
        ...

    async def change_settings(
        self, bot_id: str, change: ChangeSettings, allowance: Allowance | None = None
    ) -> ChangedSettings:
        """Change what may change of a bot's settings, and tell of it; repeatable.

        Raises:
            InputError: They cannot be; nothing is stored.
            Conflict: The bot is stopped; or the owner's bots could spend too much together.
            Forbidden: The bot could spend too much, or without end.
            NotFound: There is no such bot.
        """
        ...

    async def archive(self, bot_id: str, word: Word, now_ms: int) -> Bot:
        """Have lists leave a bot out, and tell of it; one that is archived stays as it is.

        Raises:
            Conflict: It is not stopped, holds something, or has an order that is not over.
            NotFound: There is no such bot.
        """
        ...

    async def unarchive(self, bot_id: str, word: Word, allowance: Allowance | None = None) -> Bot:
        """Have lists show it again, and tell of it; one that is not archived stays as it is.

        Raises:
            Conflict: The owner has as many bots as there may be.
            NotFound: There is no such bot.
        """
        ...
