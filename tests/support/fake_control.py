"""The running bots in memory, as the market watch calls them."""

import asyncio
from collections.abc import Awaitable, Callable

from oxbot.domain.errors import NotFound, OxbotError
from oxbot.messages import (
    Protect,
    ProtectReport,
)
from tests.support.no_bots import NoBots


class FakeControl(NoBots):
    """Bots that learn of protections.

    `told` is what they were told, in order, `reconciled` who was told to look at its account.
    `absent` bots have no workflow; `refusal` is what all of them say.
    """

    def __init__(self) -> None:
        self.told: list[tuple[str, Protect]] = []
        self.reconciled: list[str] = []
        self.absent: set[str] = set()
        self.slow: set[str] = set()
        self.refusal: OxbotError | None = None
        self.closes: Callable[[str, Protect], Awaitable[ProtectReport]] | None = None

    async def protect(self, bot_id: str, request: Protect) -> None:
        """Take a signal."""
        self._answer(bot_id)
        if bot_id in self.slow:
            await asyncio.get_running_loop().create_future()
        self.told.append((bot_id, request))

    async def reconcile_soon(self, bot_id: str) -> None:
        """Take a signal."""
        self._answer(bot_id)
        self.reconciled.append(bot_id)

    async def protect_now(self, bot_id: str, request: Protect) -> ProtectReport:
        """Take an update, and do what it says."""
        self._answer(bot_id)
        self.told.append((bot_id, request))
        if self.closes is not None:
            return await self.closes(bot_id, request)
        return ProtectReport(symbol=request.symbol, state="closed")

    def _answer(self, bot_id: str) -> None:
        if self.refusal:
            raise self.refusal
        if bot_id in self.absent:
            raise NotFound(f"Bot {bot_id} has no running workflow.")

    async def is_running(self, bot_id: str) -> bool:
        """Tell whether it has a workflow."""
        return bot_id not in self.absent
