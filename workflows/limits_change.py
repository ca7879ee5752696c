"""Limits changed on a running bot: checked before anything is written, answered once it is."""

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from oxbot.domain.bot import Mode
    from oxbot.domain.errors import InputError, Unanswered
    from oxbot.domain.limits import changed_limits, limits_after
    from oxbot.messages import ChangeLimits, LimitsAnswer, WriteLimits
    from workflows.scribe import Scribe
    from workflows.state import BotState

ANSWER_WITHIN: Final = timedelta(seconds=10)


class LimitsChange:
    """Changes limits under a raised epoch, which no entry judged by the old ones survives."""

    def __init__(self, state: BotState, scribe: Scribe) -> None:
        self._state = state
        self._scribe = scribe

    def must_fit(self, change: ChangeLimits) -> None:
        """Refuse limits that cannot be, as far as the bot knows its own; writes no history."""
        try:
            spec, limits = self._state.spec, self._state.limits
            if spec is not None and limits is not None:
                limits_after(limits, change.limits, mode=Mode(spec.mode))
        except InputError as error:
            raise refused(str(error)) from error

    async def answer(self, change: ChangeLimits) -> LimitsAnswer:
        """Change them, and say what holds and whether PostgreSQL has it.

        Raises:
            ApplicationError: They were refused, or are not known yet.
        """
        await workflow.wait_condition(lambda: self._state.spec is not None)
        before, epoch = self._state.limits, self._note(change)
        recorded = await self._is_written(epoch)
        if epoch in self._scribe.refusals:
            raise refused(self._scribe.refusals.pop(epoch))
        known = self._state.limits if recorded else before
        if known is None:
            raise ApplicationError(
                "The change is not on record yet; the bot sees to it.",
                type=Unanswered.__name__,
                non_retryable=True,
            )
        after = known if recorded else limits_after(known, change.limits)
        changed = changed_limits(before, after) if before else change.limits
        return LimitsAnswer(epoch=epoch, limits=after, changed=tuple(changed), recorded=recorded)

    def _note(self, change: ChangeLimits) -> int:
        """Have the change written under a raised epoch; give that."""
        self._state.epoch += 1
        self._state.limit_changes.append(
            WriteLimits(
                bot_id=self._state.bot_id,
                epoch=self._state.epoch,
                by=change.by,
                reason=change.reason,
                limits=change.limits,
            )
        )
        return self._state.epoch

    async def _is_written(self, epoch: int) -> bool:
        """Wait until the scribe has written it; False when that takes too long."""
        try:
            await workflow.wait_condition(
                lambda: all(change.epoch != epoch for change in self._state.limit_changes),
                timeout=ANSWER_WITHIN,
                timeout_summary="answer, on record or not",
            )
        except TimeoutError:
            return False
        return True


def refused(why: str) -> ApplicationError:
    """Make the failure that a caller reads as an error of what was asked for."""
    return ApplicationError(why, type=InputError.__name__, non_retryable=True)
