"""The audit of the books: each bot's, made again from its fills."""

import asyncio
from typing import Final

from oxbot.domain.bot import Bot, BotStatus
from oxbot.domain.errors import LedgerBroken, Unavailable
from oxbot.domain.values import Value
from oxbot.ports import Store
from oxbot.ports.books import Books
from oxbot.records import AuditFigures

AT_ONCE: Final = 2
"""So many books are made again at a time, where many may ask for it."""

TURN_S: Final = 5.0
"""Seconds to wait until it is one's turn."""

WITHIN_S: Final = 60.0
"""Seconds that one audit may take, where many may ask for it."""


class BotAudit(Value):
    """One bot's books: `figures`, or why they cannot be made again at all (`broken`)."""

    bot_id: str
    name: str
    status: BotStatus
    figures: AuditFigures | None
    broken: str | None = None

    @property
    def is_sound(self) -> bool:
        """Whether what is stored is what the fills come to, to the last digit."""
        found = self.figures
        return found is not None and not found.drift and not found.unbalanced


async def audit_ledger(store: Store, bot_id: str | None = None) -> list[BotAudit]:
    """Audit one bot, or all of them, also those that have stopped, oldest first.

    Raises:
        NotFound: There is no such bot.
    """
    bots = [await store.bot(bot_id)] if bot_id else await store.bots()
    return [await _audited(store, bot) for bot in bots]


class Auditors:
    """Audits for whoever asks, some at a time, and none for ever.

    Args:
        books: What they read, by connections that nobody else needs.
    """

    def __init__(self, books: Books) -> None:
        self._books = books
        self._free = asyncio.Semaphore(AT_ONCE)

    async def audit(self, bot: Bot) -> BotAudit:
        """Audit one bot.

        Raises:
            Unavailable: Others are audited, or it takes too long.
            NotFound: There is no such bot.
        """
        await self._turn()
        try:
            async with asyncio.timeout(WITHIN_S):
                return await _audited(self._books, bot)
        except TimeoutError as error:
            raise Unavailable(
                f"Bot {bot.id} has done so much that its books are not made again within "
                f"{WITHIN_S:.0f} s. `oxbot audit ledger {bot.id}` takes its time."
            ) from error
        finally:
            self._free.release()

    async def _turn(self) -> None:
        try:
            async with asyncio.timeout(TURN_S):
                await self._free.acquire()
        except TimeoutError as error:
            raise Unavailable(
                "The books of other bots are made again just now. Try again in a minute."
            ) from error


async def _audited(books: Books, bot: Bot) -> BotAudit:
    figures, broken = None, None
    try:
        figures = await books.audit(bot.id)
    except LedgerBroken as error:
        broken = str(error)
    return BotAudit(
        bot_id=bot.id,
        name=bot.settings.name,
        status=bot.status,
        figures=figures,
        broken=broken,
    )
