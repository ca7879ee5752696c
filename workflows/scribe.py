"""The scribe: puts what a bot was told on record, in its turn, however long that takes."""

from collections.abc import Callable

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from workflows.causes import cause_of
    from workflows.state import BotState
    from workflows.steps import Steps


class Scribe:
    """Writes changes of control and of limits to PostgreSQL; `ended` says whether the bot has."""

    def __init__(self, state: BotState, steps: Steps, ended: Callable[[], bool]) -> None:
        self._state = state
        self._steps = steps
        self._ended = ended
        self.refusals: dict[int, str] = {}

    async def write(self) -> None:
        """Write each change, as long as the bot lives, and the last one before it ends."""
        while not self._ended() or self._is_behind():
            await workflow.wait_condition(lambda: self._ended() or self._is_behind())
            await self._write_next()

    def _is_behind(self) -> bool:
        behind = self._state.written_epoch < self._state.epoch
        return behind or bool(self._state.limit_changes)

    async def _write_next(self) -> None:
        """Write limits before their epoch, so that no entry is judged by old ones under it."""
        if self._state.limit_changes:
            await self._write_limits()
        elif self._is_behind():
            self._state.written_epoch = await self._steps.write_control()

    async def _write_limits(self) -> None:
        change = self._state.limit_changes[0]
        try:
            limits = await self._steps.change_limits(change)
        except ActivityError as error:
            self.refusals[change.epoch] = cause_of(error)
        else:
            self._state.know_limits(limits)
        self._state.limit_changes.remove(change)
