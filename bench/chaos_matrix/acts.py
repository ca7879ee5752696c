"""What is done to a bot, or around it, while its worker holds at a point."""

import time
from dataclasses import dataclass, field
from typing import Final

from chaos_matrix.injection import Act, Injection
from chaos_matrix.points import Struck
from chaos_matrix.record import BotRecord, read_record
from chaos_matrix.system import System
from chaos_matrix.verdict import Asked
from oxbot.app.bots import Desk
from oxbot.app.replay import patiently
from oxbot.domain.errors import Conflict
from oxbot.domain.orders import Purpose
from oxbot.messages import ChangeLimits, ControlAnswer, ControlRequest, Protect

BY: Final = "chaos"
SIGNED: Final = ("trade", "account")
LONG_AGO_MS: Final = 600_000


@dataclass
class Hands:
    """Controls one bot as people and the watch do, and remembers what was asked.

    Args:
        system: Where it runs.
        desk: Where it is controlled.
        bot_id: Which bot.
        key: The API key that its workers trade with.
    """

    system: System
    desk: Desk
    bot_id: str
    key: str
    asked: list[Asked] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)

    async def record(self) -> BotRecord:
        """Read what is on record, again until PostgreSQL answers."""
        return await self.system.read(lambda engine: read_record(engine, self.bot_id))

    async def do(self, injection: Injection, struck: Struck) -> None:
        """Do what an injection does while the worker holds."""
        if injection.act is Act.PAUSE:
            await self.pause()
        elif injection.act is Act.STOP:
            await self.stop()
        elif injection.act is Act.FAULT:
            await self.fault(injection.fault)
        elif injection.act is Act.AGAIN and struck.protect is not None:
            for _ in range(2):
                await self.protect(struck.protect)
        elif injection.act is Act.STALE:
            await self.stale()
        elif injection.act is Act.LATE:
            await self.late()

    async def fault(self, rule: dict[str, object]) -> None:
        """Add a rule by which the exchange goes wrong: to this bot alone where it signs."""
        of = {"key": self.key} if str(rule["endpoint"]).startswith(SIGNED) else {}
        answer = await self.system.ask("POST", "faults", {**rule, **of})
        self.rules.append(answer["rules"][-1]["id"])

    async def pause(self) -> None:
        """Pause, and remember when that was answered."""
        await self._control("pause")

    async def stop(self) -> None:
        """Stop and sell everything, and remember when that was answered."""
        await self._control("stop")

    async def flatten(self) -> None:
        """Have everything sold."""
        request = ControlRequest(by=BY)
        self._note("flatten", await self.system.now_ms(), ())
        await patiently(lambda: self.desk.control.flatten(self.bot_id, request))

    async def change_limits(self) -> None:
        """Change a limit that does not matter."""
        change = ChangeLimits(by=BY, limits={"entries_a_day": 99_999})
        await patiently(lambda: self.desk.control.change_limits(self.bot_id, change))

    async def wake(self) -> None:
        """Have it look at the clock."""
        await patiently(lambda: self.desk.control.wake(self.bot_id))

    async def protect(self, request: Protect) -> None:
        """Signal a protection, as the watch does."""
        await patiently(lambda: self.desk.control.protect(self.bot_id, request))

    async def stale(self) -> None:
        """Signal protections of what is held, as it was before its last fill."""
        for position in (await self.record()).positions:
            opened_ms, version = position["opened_at"], position["version"] - 1
            if version:
                await self.protect(_protect(position["symbol"], opened_ms, version))
            await self.protect(_protect(position["symbol"], opened_ms - 1, version + 1))

    async def late(self) -> None:
        """Signal protections of positions that are gone for long."""
        opened_ms = await self.system.now_ms() - LONG_AGO_MS
        for symbol in (await self.record()).bot["settings"]["symbols"]:
            await self.protect(_protect(symbol, opened_ms, 1))

    async def used(self) -> bool:
        """Whether the faults that were added have struck; they are taken away."""
        rules = (await self.system.ask("GET", "faults"))["rules"]
        struck = any(rule["used"] for rule in rules if rule["id"] in self.rules)
        for rule in self.rules:
            await self.system.ask("DELETE", f"faults?id={rule}")
        return struck

    async def _control(self, verb: str) -> None:
        """Say it until it is answered, or the bot has stopped."""
        try:
            answer = await patiently(lambda: self._answer(verb))
        except Conflict:
            return
        self._note(verb, await self.system.now_ms(), answer.in_flight)

    async def _answer(self, verb: str) -> ControlAnswer:
        if (await self.record()).is_stopped:
            raise Conflict(f"{self.bot_id} has stopped")
        control, request = self.desk.control, ControlRequest(by=BY)
        method = control.pause if verb == "pause" else control.stop
        return await method(self.bot_id, request)

    def _note(self, verb: str, venue_ms: int, in_flight: tuple[str, ...]) -> None:
        asked = Asked(
            verb=verb,
            venue_ms=venue_ms,
            wall_ms=time.time_ns() // 10**6,
            in_flight=in_flight,
        )
        self.asked.append(asked)


def _protect(symbol: str, opened_ms: int, version: int) -> Protect:
    return Protect(
        symbol=symbol,
        opened_ms=opened_ms,
        version=version,
        purpose=Purpose.STOP,
        crossed_ms=opened_ms,
        seen_wall_ms=0,
    )
