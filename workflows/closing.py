"""One position closed at a person's word, while the bot goes on."""

from datetime import timedelta
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from oxbot.domain.errors import NotFound, Unavailable
    from oxbot.domain.orders import Purpose
    from oxbot.messages import ClosePosition, CloseReport, Holdings, Protect, ProtectReport
    from workflows.causes import cause_of
    from workflows.protector import Protector
    from workflows.state import BotState
    from workflows.steps import Steps

ANSWER_WITHIN: Final = timedelta(seconds=15)
"""The sale is waited for so long; it goes on after the answer."""


ENTERING: Final = (
    "its entry is still under way, and what that buys is kept; ask again when it is held"
)


class Closing:
    """Has the position that a bot holds in one coin closed, as a flattening has each of them.

    What is bought after that is another position, and is left alone.
    """

    def __init__(self, state: BotState, steps: Steps, protector: Protector) -> None:
        self._state = state
        self._steps = steps
        self._protector = protector

    async def answer(self, request: ClosePosition) -> CloseReport:
        """Sell, and say when nothing is left of the position, or how far it came.

        Raises:
            ApplicationError: Nothing is held in that coin, or nobody can say what is.
        """
        until = workflow.now() + ANSWER_WITHIN
        before = await self._look()
        if request.symbol not in before.coins:
            raise _nothing_held(self._state.bot_id, request.symbol)
        opened_ms = before.coins[request.symbol]
        report, left = await self._close(request, opened_ms, until - workflow.now())
        bought_ms = left.coins.get(request.symbol, 0)
        if not opened_ms and bought_ms:  # the entry that was under way has bought something
            report, left = await self._close(request, bought_ms, until - workflow.now())
            opened_ms = bought_ms
        return self._told(report, left, opened_ms)

    async def _close(
        self, request: ClosePosition, opened_ms: int, within: timedelta
    ) -> tuple[ProtectReport, Holdings]:
        report = await self._protector.answer(_protection(request, opened_ms), within)
        return report, await self._look()

    def _told(self, report: ProtectReport, left: Holdings, opened_ms: int) -> CloseReport:
        symbol = report.symbol
        is_left = symbol in left.coins and left.coins[symbol] in (0, opened_ms)
        reason = report.reason if is_left else ""
        if is_left and not opened_ms:
            reason = ENTERING
        return CloseReport(
            symbol=symbol,
            done=not is_left,
            under_way=is_left and bool(opened_ms) and report.under_way,
            status=self._state.status,
            reason=reason,
            price=report.price,
            order_ids=report.order_ids,
            dust=left.dust.get(symbol),
        )

    async def _look(self) -> Holdings:
        """Read what is held from the record.

        Raises:
            ApplicationError: It does not answer.
        """
        try:
            return await self._steps.holdings()
        except ActivityError as error:
            raise ApplicationError(
                f"What bot {self._state.bot_id} holds cannot be read: {cause_of(error)}. Look at "
                "it before asking again.",
                type=Unavailable.__name__,
                non_retryable=True,
            ) from error


def _nothing_held(bot_id: str, symbol: str) -> ApplicationError:
    return ApplicationError(
        f"Bot {bot_id} holds nothing in {symbol}; there is nothing to close.",
        type=NotFound.__name__,
        non_retryable=True,
    )


def _protection(request: ClosePosition, opened_ms: int) -> Protect:
    because = f": {request.reason}" if request.reason else ""
    return Protect(
        symbol=request.symbol,
        opened_ms=opened_ms,
        version=0,
        purpose=Purpose.FLATTEN,
        crossed_ms=0,
        seen_wall_ms=0,
        because=f"closed by {request.by}{because}",
    )
