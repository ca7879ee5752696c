"""Driving a venue that stands still: forward to each tick, as fast as the bot is done with it.

Where a guard is crossed on the way, the exit comes first; see `oxbot.app.forward`.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from oxbot.app.bots import Desk
from oxbot.app.forward import go_to
from oxbot.app.halts import SteppedVenue
from oxbot.domain.errors import Conflict, NotFound, SetupError, Unavailable
from oxbot.messages import BotView, TickReport

PATIENCE_S: Final = 60
"""Seconds that a bot has to be there and to have noticed that its venue stands still."""

LOOK_AGAIN_S: Final = 0.1
"""Between two looks at a bot that is about to be there, in seconds."""


async def drive(
    desk: Desk, venue: SteppedVenue, bot_id: str, cycles: int
) -> AsyncIterator[TickReport]:
    """Run so many cycles of one bot, and report each when it is done.

    Raises:
        Conflict: The bot does nothing (it is paused or stopped), or the market has ended.
        SetupError: The bot is not there in time.
        Unavailable: Nobody answers.
    """
    due_ms = (await until_stepped(desk, bot_id)).next_due_ms
    done = 0
    while done < cycles:
        if due_ms is None:
            raise Conflict(f"Bot {bot_id} has no next tick: it is paused or stopped.")
        async for _ in go_to(desk, venue, due_ms):
            pass
        report = await _tick(desk, bot_id, due_ms)
        if report is not None:
            done += 1
            yield report
        due_ms = report.next_due_ms if report else (await desk.control.view(bot_id)).next_due_ms


async def _tick(desk: Desk, bot_id: str, due_ms: int) -> TickReport | None:
    """Have one tick done; None where the bot has moved on to a later one.

    It does so when it learns that the venue's time went on while it was away.
    """
    try:
        report = await desk.control.tick(bot_id, due_ms)
    except Conflict:
        if (await desk.control.view(bot_id)).next_due_ms == due_ms:
            raise
        return None
    if report.cycle is None:
        raise Conflict(f"Bot {bot_id} had nothing to do at its tick: it is paused or stopped.")
    return report


async def until_stepped(desk: Desk, bot_id: str) -> BotView:
    """Wait until a bot answers, and waits for ticks of ours.

    Raises:
        SetupError: It does not in time; says what it said last.
    """
    last = "it did not answer"
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    view = await desk.control.view(bot_id)
                except (NotFound, Unavailable) as error:  # its worker is only starting
                    last = str(error)
                else:
                    if view.stepped and view.next_due_ms is not None:
                        return view
                    last = f"it is {view.status} and has not noticed that its venue stands still"
                await asyncio.sleep(LOOK_AGAIN_S)
    except TimeoutError:
        raise SetupError(
            f"Bot {bot_id} was not ready for its first tick within {PATIENCE_S} s: {last}"
        ) from None
