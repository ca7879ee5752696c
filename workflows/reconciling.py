"""A live bot's record is held against its account: before each cycle, and when it is asked for."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from oxbot.domain.bot import Mode
    from oxbot.domain.errors import Conflict, InputError, NotFound
    from oxbot.messages import Reconciliation, WriteOffRequest
    from workflows.causes import cause_of, failure_of
    from workflows.state import BotState
    from workflows.steps import Steps


REFUSALS: Final = frozenset({Conflict.__name__, InputError.__name__, NotFound.__name__})
"""What a write-off is refused with; of anything else nobody knows what it has done."""


class Reconciling:
    """Reconciles, one time after the other. A bot on paper never does.

    `ended` says whether the bot has; `show` is called whenever there is something new to say.
    """

    def __init__(
        self, state: BotState, steps: Steps, ended: Callable[[], bool], show: Callable[[], None]
    ) -> None:
        self._state = state
        self._steps = steps
        self._ended = ended
        self._show = show
        self._asked = False
        self._alone = asyncio.Lock()
        self._at_it = 0

    @property
    def is_idle(self) -> bool:
        """Whether nothing is to be reconciled."""
        return not (self._asked or self._at_it)

    def ask(self) -> None:
        """Have it done soon."""
        self._asked = self._is_live

    async def keep(self) -> None:
        """Do what is asked for, as long as the bot lives."""
        while not self._ended():
            await workflow.wait_condition(lambda: self._ended() or self._asked)
            if self._asked:
                self._asked = False
                await self.blocks()

    async def blocks(self) -> str:
        """Reconcile, and say why nothing may be entered; empty where all agrees, and on paper."""
        if not self._is_live:
            return ""
        try:
            await self.now()
        except ActivityError as error:
            self._note(f"not held against the account: {cause_of(error)}")
        return self._state.account_differs

    async def now(self) -> Reconciliation:
        """Reconcile, as soon as nobody else does; on paper there is nothing to find.

        Raises:
            ActivityError: Exchange or record did not answer in time.
        """
        await workflow.wait_condition(lambda: self._state.spec is not None)
        if not self._is_live:
            return Reconciliation()
        return await self._one_after_the_other(self._steps.reconcile)

    async def write_off(self, wish: WriteOffRequest) -> Reconciliation:
        """Take what is gone from the account off the books, as soon as nobody else looks at it.

        Raises:
            ApplicationError: It was refused, and nothing was written off; or nobody can say yet.
        """
        await workflow.wait_condition(lambda: self._state.spec is not None)
        try:
            return await self._one_after_the_other(lambda: self._steps.write_off(wish))
        except ActivityError as error:
            raise _told(error) from error

    async def _one_after_the_other(
        self, look: Callable[[], Awaitable[Reconciliation]]
    ) -> Reconciliation:
        self._at_it += 1
        try:
            # Conditions that come true together let all who wait go on; a lock lets one.
            async with self._alone:
                found = await look()
        finally:
            self._at_it -= 1
        self._note(found.blocks)
        return found

    def _note(self, differs: str) -> None:
        self._state.account_differs = differs
        self._show()

    @property
    def _is_live(self) -> bool:
        return self._state.spec is not None and self._state.spec.mode == Mode.LIVE


def _told(error: ActivityError) -> ApplicationError:
    """Make the failure of an update of why nothing was written off, or why nobody can say."""
    cause = failure_of(error)
    if isinstance(cause, ApplicationError) and cause.type in REFUSALS:
        return ApplicationError(cause.message, type=cause.type, non_retryable=True)
    return ApplicationError(
        f"Nobody can say yet whether anything was written off: {cause_of(error)}. "
        "`oxbot bots show` tells by its events."
    )
