"""Protections: positions closed as the bot's own step, beside its cycles."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from pydantic import ValidationError

    from oxbot.messages import Protect, ProtectReport
    from workflows.causes import cause_of
    from workflows.reconciling import Reconciling
    from workflows.state import BotState
    from workflows.steps import Steps

ANSWER_WITHIN: Final = timedelta(seconds=60)
"""An update that asks for a protection is answered by then; the exit goes on."""

Key = tuple[str, int, int]
Ended = Callable[[], bool]


def read_protect(given: object) -> Protect | None:
    """Read what came with a signal; None where it cannot be read."""
    try:
        return Protect.model_validate(given)
    except ValidationError:
        return None


class Coins:
    """One lock for each coin, held by whoever has an order of it under way."""

    def __init__(self) -> None:
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def lock(self, symbol: str) -> asyncio.Lock:
        """Give the lock of a coin; those who wait get it in turn."""
        return self._locks[symbol]


class Protector:
    """Closes positions beside the cycles, each coin for itself, until they are closed.

    What is not done yet is in the bot's state, and so in its next run. `reconciling` looks after
    what was left open. `ended` says whether the bot has; `show` is called whenever a protection has
    begun or is done.
    """

    def __init__(
        self,
        state: BotState,
        steps: Steps,
        coins: Coins,
        reconciling: Reconciling,
        ended: Ended,
        show: Callable[[], None],
    ) -> None:
        self._state = state
        self._steps = steps
        self._coins = coins
        self._reconciling = reconciling
        self._ended = ended
        self._show = show
        self._under_way: dict[Key, asyncio.Task[None]] = {}
        self._reports: dict[Key, ProtectReport] = {}

    @property
    def is_idle(self) -> bool:
        """Whether nothing is to be closed."""
        return not self._state.protections

    def ask(self, request: Protect) -> None:
        """Have a position closed; what is asked for already is not asked for twice."""
        if request.key not in {known.key for known in self._state.protections}:
            self._reports.pop(request.key, None)
            self._state.protections.append(request)

    async def answer(self, request: Protect, within: timedelta = ANSWER_WITHIN) -> ProtectReport:
        """Have a position closed, and say what came of it or that it is still under way."""
        if self._ended():
            return ProtectReport(symbol=request.symbol, state="stale", reason="the bot has ended")
        self.ask(request)
        try:
            await workflow.wait_condition(
                lambda: request.key in self._reports,
                timeout=within,
                timeout_summary=f"answer, {request.symbol} closed or not",
            )
        except TimeoutError:
            reason = "still under way; it goes on until it is done"
            return ProtectReport(symbol=request.symbol, state="open", reason=reason, under_way=True)
        return self._reports[request.key]

    async def until_done(self, requests: Sequence[Protect], within: timedelta) -> None:
        """Wait until these are done, but no longer than that."""
        keys = {request.key for request in requests}
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: keys.isdisjoint(known.key for known in self._state.protections),
                timeout=within,
                timeout_summary="answer, everything closed or not",
            )

    async def drain(self) -> None:
        """Begin what is asked for, as long as the bot lives."""
        while not self._ended():
            for request in self._not_begun():
                self._under_way[request.key] = asyncio.create_task(self._close(request))
                self._show()
            await workflow.wait_condition(lambda: self._ended() or bool(self._not_begun()))

    def _not_begun(self) -> list[Protect]:
        return [known for known in self._state.protections if known.key not in self._under_way]

    async def _close(self, request: Protect) -> None:
        async with self._coins.lock(request.symbol):
            report = await self._protect(request)
            self._state.note_protection(request, report)
        del self._under_way[request.key]
        self._reports[request.key] = report
        if report.state != "closed":
            self._reconciling.ask_after_protection()
        self._show()

    async def _protect(self, request: Protect) -> ProtectReport:
        """Close a position; what cannot be tried again leaves it open."""
        try:
            return await self._steps.protect(request)
        except ActivityError as error:
            return ProtectReport(symbol=request.symbol, state="open", reason=cause_of(error))
