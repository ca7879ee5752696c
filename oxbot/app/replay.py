"""Replaying a stretch of the market with any number of bots, as fast as they are done.

The venue stands still until each bot whose tick is due has acknowledged it, then goes forward
to the earliest tick that comes next. Where a price crosses a guard on the way, or a hold is over,
it stands still too, until the exit is done; exits come before the ticks of the same moment.
Processes may die on the way: whoever does not answer is asked again, and a tick that was done
before is not done twice.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from oxbot.app.bots import Desk
from oxbot.app.forward import go_to
from oxbot.app.halts import SteppedVenue
from oxbot.app.stepped import LOOK_AGAIN_S
from oxbot.domain.bot import BotStatus
from oxbot.domain.errors import Conflict, NotFound, Unavailable
from oxbot.domain.indicators import CANDLES_NEEDED
from oxbot.domain.market import Bar
from oxbot.messages import ExamineReport, TickReport

PATIENCE_S: Final = 180.0
"""Seconds without an answer after which a replay gives up; a restart takes a few of them, the
retry of a step whose worker was killed up to thirty."""

AT_ONCE: Final = 8
"""Bots that have their cycles at the same time: a worker has connections for some more."""

LOOK_BACK: Final = tuple(Bar)
"""The candle lengths that a snapshot is made of."""

T = TypeVar("T")


@dataclass(frozen=True)
class Stop:
    """One stop of the venue: its time in ms, and what happened there.

    That is what the ticks that were due led to, or the exits that a price or a hold asked for.
    """

    venue_ms: int
    reports: tuple[TickReport, ...] = ()
    examined: ExamineReport | None = None

    @property
    def cycles(self) -> int:
        """How many bots had a cycle; one that is paused and holds nothing has none."""
        return sum(report.cycle is not None for report in self.reports)


def history_begins(from_ms: int, bars: Sequence[Bar] = LOOK_BACK) -> int:
    """Give the venue time from which candles must be there, so that a bot can look back.

    Args:
        from_ms: Where the replay begins, in venue ms.
        bars: The candle lengths looked at; each needs the same number of closed candles.
    """
    return min(bar.closed_by(from_ms) - CANDLES_NEEDED * bar.length_ms for bar in bars)


@dataclass(frozen=True)
class Replay:
    """Drives bots through a market that stands still between their ticks.

    Args:
        desk: Where the bots are controlled.
        venue: The hand on the venue's clock.
        bot_ids: The bots; one that is stopped for good is left out.
        at_once: Bots whose cycles may run at the same time.
        patience_s: Seconds to wait for somebody who does not answer.
        look_again_s: Seconds between two questions to somebody who did not answer.
    """

    desk: Desk
    venue: SteppedVenue
    bot_ids: tuple[str, ...]
    at_once: int = AT_ONCE
    patience_s: float = PATIENCE_S
    look_again_s: float = LOOK_AGAIN_S

    async def run(self, until_ms: int) -> AsyncIterator[Stop]:
        """Go on from where the bots are, and report each stop when its ticks are done.

        Args:
            until_ms: Venue time of the last tick, and where the venue stands in the end.

        Raises:
            Conflict: The market ends before.
            NotFound: A bot that should run has no workflow, and none comes.
            Unavailable: Somebody did not answer for too long; running it again goes on.
        """
        due = dict(zip(self.bot_ids, await self._first_dues(), strict=True))
        while (moment := _earliest(due)) is not None and moment <= until_ms:
            async for halt in self._go_to(moment):
                yield halt
            ready = sorted(bot_id for bot_id, at in due.items() if at == moment)
            reports = await self._at_once(ready, partial(self._step, due_ms=moment))
            due.update((bot_id, r.next_due_ms) for bot_id, r in zip(ready, reports, strict=True))
            yield Stop(moment, tuple(reports))
        async for halt in self._go_to(until_ms):
            yield halt

    async def _first_dues(self) -> list[int | None]:
        return await self._at_once(
            self.bot_ids, lambda bot_id: self._ask(lambda: self._next_due(bot_id))
        )

    async def _go_to(self, to_ms: int) -> AsyncIterator[Stop]:
        """Go forward, and report each stop on the way."""
        async for moved in go_to(self.desk, self.venue, to_ms, self._ask):
            if moved.examined is not None:
                yield Stop(moved.venue_ms, examined=moved.examined)

    async def _step(self, bot_id: str, due_ms: int) -> TickReport:
        return await self._ask(lambda: self._tick(bot_id, due_ms))

    async def _tick(self, bot_id: str, due_ms: int) -> TickReport:
        """Have one tick done, or find out that it was done or is not wanted any more.

        The report of a tick is lost where the bot moved on while nobody could listen.
        """
        try:
            report = await self.desk.control.tick(bot_id, due_ms)
        except (Conflict, NotFound) as refusal:
            report = TickReport(cycle=None, next_due_ms=await self._next_due(bot_id))
            if report.next_due_ms == due_ms:
                raise Unavailable(f"Bot {bot_id} does not take its tick: {refusal}") from refusal
            return report
        if report.next_due_ms is None:
            return report.model_copy(update={"next_due_ms": await self._next_due(bot_id)})
        if report.next_due_ms <= due_ms:
            raise Unavailable(f"Bot {bot_id} says that its tick at {due_ms} is not due yet.")
        return report

    async def _next_due(self, bot_id: str) -> int | None:
        """Ask for a bot's next tick in venue ms; None where it has stopped for good.

        Raises:
            Unavailable: It does not wait for ticks of ours (yet).
            NotFound: It should run, and has no workflow (yet).
        """
        if (await self.desk.store.bot(bot_id)).status is BotStatus.STOPPED:
            return None
        view = await self.desk.control.view(bot_id)
        if not view.stepped or view.next_due_ms is None:
            raise Unavailable(
                f"Bot {bot_id} is {view.status} and has not noticed that its venue stands still."
            )
        return view.next_due_ms

    async def _ask(self, ask: Callable[[], Awaitable[T]]) -> T:
        return await patiently(ask, self.patience_s, self.look_again_s)

    async def _at_once(self, bot_ids: Sequence[str], ask: Callable[[str], Awaitable[T]]) -> list[T]:
        """Ask several bots, so many at a time; the answers come in their order."""
        places = asyncio.Semaphore(self.at_once)

        async def in_turn(bot_id: str) -> T:
            async with places:
                return await ask(bot_id)

        return await asyncio.gather(*(in_turn(bot_id) for bot_id in bot_ids))


async def patiently(
    ask: Callable[[], Awaitable[T]],
    patience_s: float = PATIENCE_S,
    look_again_s: float = LOOK_AGAIN_S,
) -> T:
    """Ask until there is an answer, or raise the last refusal when patience has run out.

    The servers themselves are waited for here, so nothing durable can do the waiting.

    Args:
        ask: Can be repeated.
        patience_s: For how long, in seconds.
        look_again_s: Between two questions, in seconds.
    """
    now = asyncio.get_running_loop().time
    begun = now()
    while True:
        try:
            return await ask()
        except (Unavailable, NotFound):
            if now() - begun >= patience_s:
                raise
        await asyncio.sleep(look_again_s)


def _earliest(due: dict[str, int | None]) -> int | None:
    return min((at for at in due.values() if at is not None), default=None)
