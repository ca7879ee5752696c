"""Going forward on a venue that stands still, and no further than somebody can protect.

On its way the venue halts where a price crosses a guard or a hold is over. It stays there until
the watch has had every exit done that this moment asks for. Nothing of this is remembered: where
the venue stands and what is on record say what comes next, so a driver that is killed goes on
as if it had not been.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final

from oxbot.app.bots import Desk
from oxbot.app.halts import BestBid, SteppedVenue, halts_of
from oxbot.domain.errors import Conflict, Unavailable
from oxbot.domain.guard_index import Best
from oxbot.domain.guards import Guard
from oxbot.domain.money import Price
from oxbot.domain.portfolio import Direction
from oxbot.domain.values import Value
from oxbot.messages import ExamineReport

AGAIN_MS: Final = 10_000
"""Where not all could be judged or closed, it is tried again at the next multiple of this.

The venue may give no prices for a while; if time stood still until it does, it never would.
"""


class Moved(Value):
    """One move: where the venue stands (venue ms), and what was examined there, if anything."""

    venue_ms: int
    examined: ExamineReport | None = None

    @property
    def again_ms(self) -> int | None:
        """When to examine again what is still open, in venue ms; None: nothing is."""
        report = self.examined
        if report is None or (not report.trouble and report.closed == report.crossings):
            return None
        return self.venue_ms // AGAIN_MS * AGAIN_MS + AGAIN_MS


Ask = Callable[[Callable[[], Awaitable[Moved]]], Awaitable[Moved]]
"""Asks for a move, as often as it takes."""

START: Final = Moved(venue_ms=0)


async def go_to(
    desk: Desk, venue: SteppedVenue, to_ms: int, ask: Ask | None = None
) -> AsyncIterator[Moved]:
    """Go forward to a venue time, and report each move.

    Args:
        desk: Where guards are on record and the watch is asked.
        venue: The hand on the venue's clock.
        to_ms: Where to, in venue ms; less than now is now.
        ask: Asks for each move, which can be repeated; once, unless said otherwise.

    Raises:
        Conflict: The market ends before.
        Unavailable: Somebody does not answer.
    """
    moved = START
    while moved.venue_ms < to_ms:

        async def step(last: Moved = moved) -> Moved:
            return await move(desk, venue, to_ms, last)

        moved = await (ask(step) if ask else step())
        yield moved


async def move(desk: Desk, venue: SteppedVenue, to_ms: int, last: Moved = START) -> Moved:
    """Go forward until something has to be examined, and have that done; or to the end.

    It can be repeated wherever it fell over: what holds where the venue stands is examined
    before it goes on, unless the last move did.

    Args:
        desk: Where guards are on record and the watch is asked.
        venue: The hand on the venue's clock.
        to_ms: Where to, in venue ms.
        last: The move before this one.
    """
    guards = await desk.store.guards(desk.venue)
    examined_ms = last.venue_ms if last.examined else 0
    ends = [guard.hold_until_ms for guard in guards if guard.hold_until_ms > examined_ms]
    if guards and last.again_ms:
        ends.append(last.again_ms)
    target_ms = min([to_ms, *ends])
    reached = await venue.advance_to(target_ms, halts_of(guards), examined_ms)
    await _raise_bests(desk, guards, reached.bests)
    if reached.halted or min(ends, default=to_ms + 1) <= reached.venue_ms:
        return Moved(venue_ms=reached.venue_ms, examined=await _examine(desk, reached.venue_ms))
    if reached.venue_ms < target_ms:
        raise Conflict("The market has ended: there is no candle left to go forward to.")
    return Moved(venue_ms=reached.venue_ms)


async def _examine(desk: Desk, at_ms: int) -> ExamineReport:
    try:
        report = await desk.control.examine(desk.venue, at_ms)
    except Conflict as refusal:
        raise Unavailable(f"The watch could not protect at {at_ms}: {refusal}") from refusal
    if report.unfinished:
        raise Unavailable(f"Not all is protected at {at_ms}: {report.trouble}")
    return report


async def _raise_bests(desk: Desk, guards: Sequence[Guard], bests: Sequence[BestBid]) -> None:
    """Put on record how high bids rose while trailing positions were open.

    Only long ones are known where a venue is stepped, as the simulator is a spot market.
    An older position has seen at least what a younger one has.
    """
    seen = {(best.symbol, best.since_ms): best.best for best in bests}
    newest_ms: dict[tuple[str, Price], int] = {}
    for guard in guards:
        highest = seen.get((guard.symbol, guard.opened_ms))
        if highest is not None and guard.best is not None and highest > guard.best:
            rise = guard.symbol, highest
            newest_ms[rise] = max(guard.opened_ms, newest_ms.get(rise, 0))
    for (symbol, best), opened_ms in sorted(newest_ms.items()):
        await desk.store.raise_best(desk.venue, Best(symbol, Direction.LONG, best, opened_ms))
