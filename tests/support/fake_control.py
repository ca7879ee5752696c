"""The running bots in memory, as the market watch calls them."""

import asyncio
from collections.abc import Awaitable, Callable

from oxbot.domain.bot import Bot
from oxbot.domain.errors import NotFound, OxbotError
from oxbot.messages import (
    BotView,
    ChangeLimits,
    ControlAnswer,
    ControlRequest,
    ExamineReport,
    FlattenReport,
    LimitsAnswer,
    Protect,
    ProtectReport,
    TickReport,
)


class FakeControl:
    """Bots that learn of protections.

        `told` is what they were told, in order. `absent` bots have no workflow; `refusal` is what
    XX
    """

    def __init__(self) -> None:
        self.told: list[tuple[str, Protect]] = []
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

    async def start(self, bot: Bot, because: str = "") -> bool:
        """Not called by the watch."""
        raise NotImplementedError(bot, because)

    async def running(self) -> frozenset[str]:
        """Not called by the watch."""
        raise NotImplementedError

    async def last_end(self, bot_id: str) -> str | None:
        """Not called by the watch."""
        raise NotImplementedError(bot_id)

    async def flatten(self, bot_id: str, request: ControlRequest) -> FlattenReport:
        """Not called by the watch."""
        raise NotImplementedError(bot_id, request)

    async def is_running(self, bot_id: str) -> bool:
        """Tell whether it has a workflow."""
        return bot_id not in self.absent

    async def pause(self, bot_id: str, request: ControlRequest) -> ControlAnswer:
        """Not called by the watch."""
        raise NotImplementedError(bot_id, request)

    async def resume(self, bot_id: str, request: ControlRequest) -> ControlAnswer:
        """Not called by the watch."""
        raise NotImplementedError(bot_id, request)

    async def stop(self, bot_id: str, request: ControlRequest) -> ControlAnswer:
        """Not called by the watch."""
        raise NotImplementedError(bot_id, request)

    async def change_limits(self, bot_id: str, change: ChangeLimits) -> LimitsAnswer:
        """Not called by the watch."""
        raise NotImplementedError(bot_id, change)

    async def view(self, bot_id: str) -> BotView:
        """Not called by the watch."""
        raise NotImplementedError(bot_id)

    async def tick(self, bot_id: str, due_ms: int) -> TickReport:
        """Not called by the watch."""
        raise NotImplementedError(bot_id, due_ms)

    async def wake(self, bot_id: str) -> None:
        """Not called by the watch."""
        raise NotImplementedError(bot_id)

    async def examine(self, venue: str, at_ms: int) -> ExamineReport:
        """Not called by the watch."""
        raise NotImplementedError(venue, at_ms)

    async def watch(self, venue: str) -> bool:
        """Not called by the watch."""
        raise NotImplementedError(venue)
