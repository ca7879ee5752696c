"""A live bot's record is held against its account: before each cycle, and when it is asked for."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from oxbot.domain.bot import Mode
    from oxbot.domain.errors import Conflict, InputError, NotFound, Unanswered, Unavailable
    from oxbot.messages import Reconciliation, SayOverRequest, WriteOffRequest
    from workflows.causes import cause_of, failure_of
    from workflows.state import BotState
    from workflows.steps import Steps


REFUSALS: Final = frozenset({Conflict.__name__, InputError.__name__, NotFound.__name__})
"""What a person's word is refused with; of anything else nobody knows what it has done."""


AGAIN: Final = timedelta(seconds=15)
"""After so long it is done again while something is not known: a fence, and some time to see."""

AT_THIS_PACE: Final = 4
"""So often: a look can be lost with a worker that is frozen, and a position may have no stop."""

LATEST_AGAIN: Final = timedelta(minutes=5)
"""Then it waits twice as long each time, but no longer than this."""


LOOKS_AFTER_PROTECTION: Final = "looks-after-protection"
"""The patch since which what a protection has left open is looked at before the next cycle."""

LOOKS_AFTER_FAILURE: Final = "looks-after-failure"
"""The patch since which a person's word that failed is followed by a look."""


class Reconciling:
    """Reconciles, one time after the other, and again while anything is left unknown or unsold.

    A bot on paper never does. Where time stands still, what is not known then will not be known
    before the next cycle.

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
        self._left = False
        self._looks = 0
        self._alone = asyncio.Lock()
        self._at_it = 0

    @property
    def is_idle(self) -> bool:
        """Whether nothing is to be reconciled."""
        return not (self._asked or self._at_it)

    def ask(self) -> None:
        """Have it done soon."""
        self._asked = self._is_live

    def ask_after_protection(self) -> None:
        """Have a coin looked at that was not closed: it may have neither stop nor sale."""
        if self._looks_by_itself and workflow.patched(LOOKS_AFTER_PROTECTION):
            self.ask()

    async def keep(self) -> None:
        """Do what is asked for, as long as the bot lives."""
        while not self._ended():
            await workflow.wait_condition(lambda: self._ended() or self._asked or self._left)
            if not self._asked:
                await self._wait_a_while()
            if not self._ended():
                self._asked = False
                await self.blocks()

    async def _wait_a_while(self) -> None:
        wait = pause_after(self._looks)
        self._looks += 1
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._ended() or self._asked,
                timeout=wait,
                timeout_summary="look again what is left unknown or unsold",
            )

    async def is_done(self) -> bool:
        """Tell whether nothing is left of which nobody knows; a live bot looks once more."""
        if self._is_live:
            await self.blocks()
        return not self._left

    async def blocks(self) -> str:
        """Reconcile, and say why nothing may be entered; empty where all agrees, and on paper."""
        if not self._is_live:
            return ""
        try:
            await self.now()
        except ActivityError as error:
            self._leave(left=True)
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

    async def answer(self) -> Reconciliation:
        """Reconcile at a person's word.

        Raises:
            ApplicationError: Exchange or record did not answer in time.
        """
        try:
            return await self.now()
        except ActivityError as error:
            raise ApplicationError(
                f"Record and account could not be held against each other: {cause_of(error)}. Ask "
                "again; the bot looks by itself, too.",
                type=Unavailable.__name__,
                non_retryable=True,
            ) from error

    async def write_off(self, wish: WriteOffRequest) -> Reconciliation:
        """Take what is gone from the account off the books, as soon as nobody else looks at it.

        Raises:
            ApplicationError: It was refused, and nothing was written off; or nobody can say yet.
        """
        return await self._at_a_persons_word(
            lambda: self._steps.write_off(wish), "anything was written off"
        )

    async def say_over(self, wish: SayOverRequest) -> Reconciliation:
        """End what a person says to be over, as soon as nobody else looks at the account.

        Raises:
            ApplicationError: It was refused, and nothing was ended; or nobody can say yet.
        """
        return await self._at_a_persons_word(
            lambda: self._steps.say_over(wish), f"{wish.order_id} was ended"
        )

    async def _at_a_persons_word(
        self, work: Callable[[], Awaitable[Reconciliation]], what: str
    ) -> Reconciliation:
        await workflow.wait_condition(lambda: self._state.spec is not None)
        try:
            return await self._one_after_the_other(work)
        except ActivityError as error:
            raise _told(error, what) from error

    async def _one_after_the_other(
        self, look: Callable[[], Awaitable[Reconciliation]]
    ) -> Reconciliation:
        self._at_it += 1
        try:
            # Conditions that come true together let all who wait go on; a lock lets one.
            async with self._alone:
                found = await look()
        except ActivityError:
            # What it has done is not known, and nobody else has to look before the next cycle.
            if self._looks_by_itself and workflow.patched(LOOKS_AFTER_FAILURE):
                self._leave(left=True)
            raise
        finally:
            self._at_it -= 1
        if found.booked or found.exits:
            self._state.note_booked()
        self._leave(left=found.is_to_be_looked_at_again)
        self._note(found.blocks)
        return found

    def _leave(self, *, left: bool) -> None:
        self._left = left and self._looks_by_itself
        self._looks = self._looks if self._left else 0

    def _note(self, differs: str) -> None:
        self._state.account_differs = differs
        self._show()

    @property
    def _looks_by_itself(self) -> bool:
        return self._is_live and not self._state.stepped

    @property
    def _is_live(self) -> bool:
        return self._state.spec is not None and self._state.spec.mode == Mode.LIVE


def pause_after(looks: int) -> timedelta:
    """Give how long to wait when it was looked again so many times, and something is unknown."""
    wait = AGAIN
    for _ in range(AT_THIS_PACE - 1, looks):
        wait = min(2 * wait, LATEST_AGAIN)
    return wait


def _told(error: ActivityError, what: str) -> ApplicationError:
    """Make the failure of an update of why nothing was done, or why nobody can say whether."""
    cause = failure_of(error)
    if isinstance(cause, ApplicationError) and cause.type in REFUSALS:
        return ApplicationError(cause.message, type=cause.type, non_retryable=True)
    return ApplicationError(
        f"Nobody can say yet whether {what}: {cause_of(error)}. "
        "`oxbot bots show` tells by its events.",
        type=Unanswered.__name__,
        non_retryable=True,
    )
