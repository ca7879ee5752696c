"""The longest hold: a durable timer of its own, whatever the cycles do."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Final

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from oxbot.domain.orders import Purpose
    from oxbot.messages import PositionBrief, Protect
    from workflows.details import when
    from workflows.protector import Protector
    from workflows.state import BotState

AFTER_THE_HOLD: Final = timedelta(milliseconds=50)
"""Wakes just after it is over, since two clocks are compared."""


class Holds:
    """Has positions closed that were held as long as allowed, by the venue's time.

    Where the venue is stepped its driver does that, for no timer knows when its time moves.
    """

    def __init__(self, state: BotState, protector: Protector, ended: Callable[[], bool]) -> None:
        self._state = state
        self._ended = ended
        self._protector = protector
        self._asked: set[tuple[str, int]] = set()

    async def keep(self) -> None:
        """Sleep towards the end of the earliest hold, again and again."""
        while not self._ended():
            plan = self._plan()
            if plan is None:
                await workflow.wait_condition(lambda: self._ended() or self._plan() is not None)
            elif not await self._slept(plan):
                self._close_overdue()

    async def _slept(self, plan: tuple[int, Decimal]) -> bool:
        """Sleep until the plan changes or its time has come; False when it has come already."""
        due_ms, rate = plan
        left_ms = due_ms - self._now_ms()
        if left_ms <= 0:
            return False
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self._ended() or self._plan() != plan,
                timeout=timedelta(milliseconds=int(left_ms / rate)) + AFTER_THE_HOLD,
                timeout_summary=f"longest hold ends {when(due_ms)}",
            )
        return True

    def _plan(self) -> tuple[int, Decimal] | None:
        """Give the earliest end of a hold (venue ms) and how fast the venue's clock runs."""
        clock, ends = self._state.clock, [self._end_of(p) for p in self._waiting()]
        if clock is None or clock.stepped or not clock.rate or not ends:
            return None
        return min(ends), clock.rate

    def _close_overdue(self) -> None:
        for position in self._waiting():
            if self._end_of(position) <= self._now_ms():
                self._asked.add((position.symbol, position.opened_ms))
                self._protector.ask(self._request(position))

    def _waiting(self) -> list[PositionBrief]:
        """Give the positions whose hold was not called over yet."""
        return [p for p in self._state.positions if (p.symbol, p.opened_ms) not in self._asked]

    def _end_of(self, position: PositionBrief) -> int:
        spec = self._state.spec
        return position.opened_ms + (spec.longest_hold_s * 1000 if spec else 0)

    def _request(self, position: PositionBrief) -> Protect:
        """Ask for the position in whatever state it is: time runs for each of them."""
        return Protect(
            symbol=position.symbol,
            opened_ms=position.opened_ms,
            version=0,
            purpose=Purpose.HOLD,
            crossed_ms=self._end_of(position),
            seen_wall_ms=0,
        )

    def _now_ms(self) -> int:
        return self._state.venue_now(_wall_ms())


def _wall_ms() -> int:
    return workflow.time_ns() // 1_000_000
