"""The record in memory: guards, marks, and what protections led to."""

from collections.abc import Collection, Mapping

from oxbot.domain.alarm import PROTECTED_AGAIN, UNPROTECTED
from oxbot.domain.bot import BotStatus
from oxbot.domain.guard_index import Best
from oxbot.domain.guards import Guard
from oxbot.domain.portfolio import Position
from oxbot.records import Protection, ProtectionTimes, WatchBeat
from tests.support.fake_losses import FakeLosses


class FakeProtection(FakeLosses):
    """The part of the record that the market watch lives by.

    `examined` and `beats` are by venue, `told` the events of alarms and of bots out of reach.
    """

    def __init__(self) -> None:
        super().__init__()
        self.examined: dict[str, dict[str, int]] = {}
        self.beats: dict[str, WatchBeat] = {}
        self.protections: list[Protection] = []
        self.told: dict[tuple[str, str], tuple[str, str]] = {}

    async def guards(
        self, venue: str, only: Collection[tuple[str, str]] | None = None
    ) -> list[Guard]:
        """Give the guard of every open position, or of those named, of bots not stopped."""
        return [
            self._guard(bot_id, position)
            for (bot_id, symbol), position in sorted(self._positions.items())
            if self._is_alive(bot_id, venue) and (only is None or (bot_id, symbol) in only)
        ]

    async def guard_versions(self, venue: str) -> dict[tuple[str, str], str]:
        """Give each guard as text."""
        return {guard.key: guard.model_dump_json() for guard in await self.guards(venue)}

    def _is_alive(self, bot_id: str, venue: str) -> bool:
        bot = self.bots_by_id[bot_id]
        return bot.settings.venue == venue and bot.status is not BotStatus.STOPPED

    def _guard(self, bot_id: str, position: Position) -> Guard:
        hold_ms = self.bots_by_id[bot_id].settings.limits.longest_hold_s * 1000
        return Guard(
            bot_id=bot_id,
            symbol=position.symbol,
            direction=position.direction,
            opened_ms=position.opened_ms,
            version=position.version,
            stop_price=position.stop_price,
            target_price=position.target_price,
            trail=position.trail,
            best=position.best if position.trail is not None else None,
            hold_until_ms=position.opened_ms + hold_ms,
        )

    async def raise_best(self, venue: str, best: Best) -> None:
        """Let trailing stops know of a price."""
        for (bot_id, held), position in self._positions.items():
            follows = position.trail is not None and position.best is not None
            concerned = (held, position.direction) == (best.symbol, best.direction)
            if not concerned or not follows or not self._is_alive(bot_id, venue):
                continue
            gained = best.direction.gain(position.best or best.price, best.price)
            if position.opened_ms <= best.at_ms and gained > 0:
                raised = position.model_copy(update={"best": best.price})
                self._positions[bot_id, held] = raised

    async def watch_marks(self, venue: str) -> dict[str, int]:
        """Give up to when each symbol was examined."""
        return dict(self.examined.get(venue, {}))

    async def save_watch_marks(
        self, venue: str, marks: Mapping[str, int], wall_ms: int, *, stepped: bool
    ) -> None:
        """Keep marks, none of them set back, and the beat."""
        mine = self.examined.setdefault(venue, {})
        mine.update({symbol: max(at_ms, mine.get(symbol, 0)) for symbol, at_ms in marks.items()})
        self.beats[venue] = WatchBeat(beat_ms=wall_ms, stepped=stepped)

    async def watch_beat(self, venue: str) -> WatchBeat | None:
        """Give the last beat."""
        return self.beats.get(venue)

    async def note_protection(self, protection: Protection) -> None:
        """Keep a protection."""
        self.protections.append(protection)

    async def protection_times(self, venue: str) -> ProtectionTimes:  # noqa: ARG002 - the port's
        """Sum them up."""
        took = [p.settled_ms - p.seen_ms for p in self.protections if p.seen_ms is not None]
        return ProtectionTimes(count=len(took), total_ms=sum(took), within={})

    async def held_symbols(self, venue: str) -> dict[str, tuple[str, ...]]:
        """Give what each bot holds."""
        held: dict[str, tuple[str, ...]] = {}
        for bot_id, symbol in sorted(self._positions):
            if self._is_alive(bot_id, venue):
                held[bot_id] = (*held.get(bot_id, ()), symbol)
        return held

    async def tell(self, bot_id: str, key: str, kind: str, text: str) -> bool:
        """Tell something once."""
        if (bot_id, key) in self.told:
            return False
        self.told[bot_id, key] = kind, text
        return True

    async def untold_ends(self, venue: str) -> list[tuple[str, str]]:  # noqa: ARG002 - the port's
        """Give the outages whose end was not told; each is told of after its beginning."""
        ongoing: dict[str, str] = {}
        for (bot_id, key), (kind, _) in self.told.items():
            if kind == UNPROTECTED:
                ongoing[bot_id] = key
            elif kind == PROTECTED_AGAIN:
                ongoing.pop(bot_id, None)
        return list(ongoing.items())
