"""Control of one bot: pause, resume and stop, answered once they are on record."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from pydantic import ValidationError

    from oxbot.domain.bot import BotStatus
    from oxbot.messages import ControlAnswer, ControlRequest
    from workflows.cycle import Cycle
    from workflows.state import BotState

ANSWER_WITHIN: Final = timedelta(seconds=10)
ALIVE: Final = (BotStatus.RUNNING, BotStatus.PAUSED)


UNREADABLE: Final = ControlRequest(
    reason="a signal came whose input could not be read; paused to be safe"
)


def read_request(given: object) -> ControlRequest | None:
    """Read what came with a signal, which may be nothing; None where it cannot be read.

    Signals arrive untyped, since the SDK drops one that does not fit its type, and a person
    who mistyped a pause would find the bot trading on.
    """
    if given is None:
        return ControlRequest()
    try:
        return ControlRequest.model_validate(given)
    except ValidationError:
        return None


class Control:
    """Changes a bot's status under a new epoch, and answers once PostgreSQL has it."""

    def __init__(self, state: BotState, cycle: Cycle) -> None:
        self._state = state
        self._cycle = cycle

    def pause(self, request: ControlRequest) -> None:
        """Pause; a bot that is closing stays closing."""
        if self._state.status in ALIVE:
            self._state.change(BotStatus.PAUSED, request.by, request.reason)

    def resume(self, request: ControlRequest) -> None:
        """Resume; a bot that is closing stays closing."""
        if self._state.status in ALIVE:
            self._state.sell_on = False
            self._state.change(BotStatus.RUNNING, request.by, request.reason)

    def stop(self, request: ControlRequest) -> None:
        """Close: sell everything, or only protect it until it is gone."""
        if self._state.status is not BotStatus.STOPPED:
            self._state.flatten, self._state.sell_on = request.flatten, False
            self._state.change(BotStatus.CLOSING, request.by, request.reason)

    def sell_on(self) -> None:
        """Let the cycles sell what a flattening has left, unless it was called off meanwhile."""
        self._state.sell_on = self._state.status in (BotStatus.PAUSED, BotStatus.CLOSING)

    def must_be(self, wish: str, *statuses: BotStatus) -> None:
        """Refuse what does not fit the bot's status; a refused update writes no history."""
        if self._state.status not in statuses:
            raise ApplicationError(
                f"Bot {self._state.bot_id} is {self._state.status}; it cannot {wish}.",
                type="Conflict",
            )

    async def answer(self) -> ControlAnswer:
        """Answer once the change is on record, or say that it is not yet.

        Until the bot knows its numbers its epochs are not those on record, so this waits first.
        """
        try:
            await self._wait_to_answer(lambda: self._state.spec is not None)
            epoch = self._state.epoch
            await self._wait_to_answer(lambda: self._state.written_epoch >= epoch)
        except TimeoutError:
            return self._answer_now(recorded=False)
        return self._answer_now(recorded=True)

    @staticmethod
    async def _wait_to_answer(holds: Callable[[], bool]) -> None:
        if not holds():
            await workflow.wait_condition(
                holds, timeout=ANSWER_WITHIN, timeout_summary="answer, on record or not"
            )

    def _answer_now(self, *, recorded: bool) -> ControlAnswer:
        in_flight = self._cycle.entries_in_flight
        status = str(self._state.status)
        if self._state.status is BotStatus.PAUSED and (in_flight or not recorded):
            status = "pausing"
        return ControlAnswer(
            status=status, epoch=self._state.epoch, in_flight=in_flight, recorded=recorded
        )
