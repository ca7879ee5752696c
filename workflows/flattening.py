"""Flattening: everything sold at a person's word, and the bot left paused."""

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from oxbot.domain.orders import Purpose
    from oxbot.messages import FlattenReport, Holdings, Protect
    from workflows.causes import cause_of
    from workflows.control import Control
    from workflows.protector import Protector
    from workflows.steps import Steps

ANSWER_WITHIN: Final = timedelta(seconds=15)
"""Sales are waited for so long; they go on after the answer, by the bot's cycles where a
protection has given up."""

LOOK_AGAIN: Final = timedelta(seconds=1)


class Flattening:
    """Has every coin closed in which something is held or under way."""

    def __init__(self, steps: Steps, control: Control, protector: Protector) -> None:
        self._steps = steps
        self._control = control
        self._protector = protector

    async def answer(self) -> FlattenReport:
        """Sell, and say when nothing is left, or how far it came.

        The pause before it must be on record first: until then an entry could still be sent.
        """
        control = await self._control.answer()
        until = workflow.now() + ANSWER_WITHIN
        left = await self._look()
        while not left.is_flat and workflow.now() < until:
            await self._close(left, until - workflow.now())
            left = await self._look()
            if not left.is_flat:
                await workflow.sleep(LOOK_AGAIN, summary="flatten again")
        if not left.is_flat:
            self._control.sell_on()
        return FlattenReport(
            open_orders=left.open_orders,
            positions=left.positions,
            dust=left.dust,
            done=left.is_flat and control.recorded,
            status=control.status,
            epoch=control.epoch,
        )

    async def sell(self) -> None:
        """Sell as `answer`, for nobody; what the record does not tell of the cycles sell."""
        try:
            await self.answer()
        except ApplicationError:
            self._control.sell_on()

    async def _look(self) -> Holdings:
        """Read what is held from the record.

        Raises:
            ApplicationError: It does not answer; the bot is paused all the same.
        """
        try:
            return await self._steps.holdings()
        except ActivityError as error:
            raise ApplicationError(
                f"The bot is paused, but what it holds cannot be read: {cause_of(error)}. "
                "Flatten again.",
                type="Unavailable",
                non_retryable=True,
            ) from error

    async def _close(self, left: Holdings, within: timedelta) -> None:
        """Have each coin closed, and wait until all of it is done."""
        requests = [_request(symbol, opened_ms) for symbol, opened_ms in left.coins.items()]
        for request in requests:
            self._protector.ask(request)
        await self._protector.until_done(requests, within)


def _request(symbol: str, opened_ms: int) -> Protect:
    return Protect(
        symbol=symbol,
        opened_ms=opened_ms,
        version=0,
        purpose=Purpose.FLATTEN,
        crossed_ms=0,
        seen_wall_ms=0,
    )
