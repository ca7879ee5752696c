"""Bots that answer as a test says, in the place of Temporal's, behind the API of a real record."""

from dataclasses import replace
from typing import cast

import httpx
from fastapi import FastAPI

from oxbot.adapters.postgres.store import PostgresStore
from oxbot.app.bots import Desk
from oxbot.domain.bot import Bot, BotStatus
from oxbot.domain.errors import OxbotError
from oxbot.messages import (
    ChangeLimits,
    ClosePosition,
    CloseReport,
    ControlAnswer,
    ControlRequest,
    FlattenReport,
    LimitsAnswer,
    Reconciliation,
    SayOverRequest,
    WriteControl,
    WriteOffRequest,
)
from oxbot.ports import BotControl
from tests.support.no_bots import NoBots

FLAT = FlattenReport(open_orders=0, positions=0, done=True, status="paused", epoch=2)


class Answering(NoBots):
    """Bots that say `answer` to whatever they are told, `of` what one of them says.

    An error is raised. `asked` is who was told what, in order; `running` who has a workflow. What
    all are told at once they put into the `store`, if there is one.
    """

    def __init__(self, answer: object = FLAT, **of: object) -> None:
        self.answer = answer
        self.of = of
        self.asked: list[tuple[str, str, object]] = []
        self.at_work: set[str] = set()
        self.store: PostgresStore | None = None

    async def pause(self, bot_id: str, request: ControlRequest) -> ControlAnswer:
        return cast("ControlAnswer", self._said("pause", bot_id, request))

    async def resume(self, bot_id: str, request: ControlRequest) -> ControlAnswer:
        return cast("ControlAnswer", self._said("resume", bot_id, request))

    async def stop(self, bot_id: str, request: ControlRequest) -> ControlAnswer:
        return cast("ControlAnswer", self._said("stop", bot_id, request))

    async def flatten(self, bot_id: str, request: ControlRequest) -> FlattenReport:
        return cast("FlattenReport", self._said("flatten", bot_id, request))

    async def flatten_soon(self, bot_id: str, request: ControlRequest) -> None:
        await self._obeyed("flatten", bot_id, request, BotStatus.PAUSED)

    async def stop_soon(self, bot_id: str, request: ControlRequest) -> None:
        await self._obeyed("stop", bot_id, request, BotStatus.CLOSING)

    async def change_limits(self, bot_id: str, change: ChangeLimits) -> LimitsAnswer:
        return cast("LimitsAnswer", self._said("limits", bot_id, change))

    async def close_position(self, bot_id: str, request: ClosePosition) -> CloseReport:
        return cast("CloseReport", self._said("close", bot_id, request))

    async def reconcile(self, bot_id: str) -> Reconciliation:
        return cast("Reconciliation", self._said("reconcile", bot_id, None))

    async def write_off(self, bot_id: str, request: WriteOffRequest) -> Reconciliation:
        return cast("Reconciliation", self._said("write-off", bot_id, request))

    async def say_over(self, bot_id: str, request: SayOverRequest) -> Reconciliation:
        return cast("Reconciliation", self._said("over", bot_id, request))

    async def start(self, bot: Bot, because: str = "") -> bool:
        self._said("start", bot.id, because)
        self.at_work.add(bot.id)
        return True

    async def is_running(self, bot_id: str) -> bool:
        return bot_id in self.at_work

    async def last_end(self, bot_id: str) -> str | None:  # noqa: ARG002 - of none of them
        return None

    async def _obeyed(
        self, verb: str, bot_id: str, request: ControlRequest, status: BotStatus
    ) -> None:
        """Put on record what a bot would, where a test lets these bots write."""
        self._said(verb, bot_id, request)
        if self.store is not None:
            epoch = (await self.store.bot(bot_id)).epoch + 1
            wish = request.model_dump()
            change = WriteControl(bot_id=bot_id, status=status, epoch=epoch, **wish)
            await self.store.write_control(change)

    def _said(self, verb: str, bot_id: str, request: object) -> object:
        self.asked.append((verb, bot_id, request))
        answer = self.of.get(bot_id, self.answer)
        if isinstance(answer, OxbotError):
            raise answer
        return answer


def put_behind(client: httpx.AsyncClient, control: NoBots) -> None:
    """Have the API of this client tell these bots."""
    transport = cast("httpx.ASGITransport", client._transport)
    app = cast("FastAPI", transport.app)
    desk: Desk = app.state.desk
    app.state.desk = replace(desk, control=cast("BotControl", control))
