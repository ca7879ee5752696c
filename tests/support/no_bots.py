"""Control of no bots: what a test does not stand in for must not be asked."""

from oxbot.domain.bot import Bot
from oxbot.messages import (
    BotView,
    ChangeLimits,
    ClosePosition,
    CloseReport,
    ControlAnswer,
    ControlRequest,
    ExamineReport,
    FlattenReport,
    LimitsAnswer,
    Protect,
    ProtectReport,
    Reconciliation,
    SayOverRequest,
    TickReport,
    WriteOffRequest,
)


class NoBots:
    """BotControl, each method of which a test may give a meaning."""

    async def start(self, bot: Bot, because: str = "") -> bool:
        raise NotImplementedError(bot, because)

    async def is_running(self, bot_id: str) -> bool:
        raise NotImplementedError(bot_id)

    async def running(self) -> frozenset[str]:
        raise NotImplementedError

    async def last_end(self, bot_id: str) -> str | None:
        raise NotImplementedError(bot_id)

    async def pause(self, bot_id: str, request: ControlRequest) -> ControlAnswer:
        raise NotImplementedError(bot_id, request)

    async def resume(self, bot_id: str, request: ControlRequest) -> ControlAnswer:
        raise NotImplementedError(bot_id, request)

    async def stop(self, bot_id: str, request: ControlRequest) -> ControlAnswer:
        raise NotImplementedError(bot_id, request)

    async def flatten(self, bot_id: str, request: ControlRequest) -> FlattenReport:
        raise NotImplementedError(bot_id, request)

    async def flatten_soon(self, bot_id: str, request: ControlRequest) -> None:
        raise NotImplementedError(bot_id, request)

    async def stop_soon(self, bot_id: str, request: ControlRequest) -> None:
        raise NotImplementedError(bot_id, request)

    async def close_position(self, bot_id: str, request: ClosePosition) -> CloseReport:
        raise NotImplementedError(bot_id, request)

    async def change_limits(self, bot_id: str, change: ChangeLimits) -> LimitsAnswer:
        raise NotImplementedError(bot_id, change)

    async def view(self, bot_id: str) -> BotView:
        raise NotImplementedError(bot_id)

    async def tick(self, bot_id: str, due_ms: int) -> TickReport:
        raise NotImplementedError(bot_id, due_ms)

    async def wake(self, bot_id: str) -> None:
        raise NotImplementedError(bot_id)

    async def watch(self, venue: str) -> bool:
        raise NotImplementedError(venue)

    async def watch_end(self, venue: str) -> str | None:
        raise NotImplementedError(venue)

    async def protect(self, bot_id: str, request: Protect) -> None:
        raise NotImplementedError(bot_id, request)

    async def protect_now(self, bot_id: str, request: Protect) -> ProtectReport:
        raise NotImplementedError(bot_id, request)

    async def reconcile_soon(self, bot_id: str) -> None:
        raise NotImplementedError(bot_id)

    async def reconcile(self, bot_id: str) -> Reconciliation:
        raise NotImplementedError(bot_id)

    async def write_off(self, bot_id: str, request: WriteOffRequest) -> Reconciliation:
        raise NotImplementedError(bot_id, request)

    async def say_over(self, bot_id: str, request: SayOverRequest) -> Reconciliation:
        raise NotImplementedError(bot_id, request)

    async def examine(self, venue: str, at_ms: int) -> ExamineReport:
        raise NotImplementedError(venue, at_ms)
