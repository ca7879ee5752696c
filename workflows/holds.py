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

ASK_AGAIN_MS: Final = 60_000
"""Real ms after which a position that could not be closed is asked for again: its next cycle may
be a day away."""


class Holds:
    """Has positions closed that were held as long as allowed, by the venue's time.

    Where the venue is stepped its driver does that, for no timer knows when its time moves.
    """

    def __init__(self, state: BotState, protector: Protector, ended: Callable[[], bool]) -> None:
        self._state = state
        self._ended = ended
        self._protector = protector
        self._again_ms: dict[tuple[str, int], int] = {}
        """When those that were asked for are asked for again, if they are open yet (venue ms)."""

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
        clock, ends = self._state.clock, [self._due_ms(p) for p in self._waiting()]
        if clock is None or clock.stepped or not clock.rate or not ends:
            return None
        return min(ends), clock.rate

    def _close_overdue(self) -> None:
        for position in self._waiting():
            if self._due_ms(position) <= self._now_ms():
                later_ms = self._state.clock.scaled_ms(ASK_AGAIN_MS) if self._state.clock else 0
                self._again_ms[_name(position)] = self._now_ms() + later_ms
                self._protector.ask(self._request(position))

    def _waiting(self) -> list[PositionBrief]:
        """Give the positions that are not being closed because their hold is over."""
        closing = {known.key for known in self._state.protections}
        return [
            position
            for position in self._state.positions
            if _name(position) not in self._again_ms or self._request(position).key not in closing
        ]

    def _due_ms(self, position: PositionBrief) -> int:
        """Give when a position is to be asked for (venue ms): at its end, or again."""
        return max(self._end_of(position), self._again_ms.get(_name(position), 0))

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


def _name(position: PositionBrief) -> tuple[str, int]:
    return position.symbol, position.opened_ms


def _wall_ms() -> int:
    return workflow.time_ns() // 1_000_000
