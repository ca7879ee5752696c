"""One bot's life: made, struck, brought to rest, judged, stopped, judged again."""

import asyncio
import itertools
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from chaos_matrix.acts import Hands
from chaos_matrix.awaits import executing
from chaos_matrix.injection import Injection
from chaos_matrix.points import Deed, Marks, Step, Struck
from chaos_matrix.record import BotRecord, has_traded
from chaos_matrix.suspended import LONG, LOOK_S, SOON, sleep_through
from chaos_matrix.system import KEYS, RATE, System
from chaos_matrix.trader import due_soon, settings_of
from chaos_matrix.waiting import until
from chaos_matrix.ways import Way
from chaos_matrix.zygote import Worker
from oxbot.app.bots import Desk
from oxbot.app.replay import patiently
from oxbot.domain.bot import BotSettings
from oxbot.domain.errors import Conflict, NotFound

HEAR_S: Final = 0.1
LIVED_WITHIN_S: Final = 60
STRUCK_WITHIN_S: Final = 30
"""How much longer a point is waited for where only a bot's life comes to it."""

BY_THE_WAY_S: Final = 2
"""The same where its end comes to it in any case."""

RESTS_WITHIN_S: Final = 60
QUIET_S: Final = 1.2
STOPPED_WITHIN_S: Final = 90

AWAKE_S: Final = 2.5
"""What a worker that was suspended is given to do harm."""

SOON_MS: Final = range(1500 * RATE, 3000 * RATE)
"""When the first tick of a bot comes, from now on in venue ms."""


@dataclass
class Life:
    """One run of one bot.

    Args:
        system: Where it lives.
        number: Of the run.
        injection: What goes wrong.
        way_number: Which of its ways it takes to that.
    """

    system: System
    number: int
    injection: Injection
    way_number: int = 0
    hands: Hands = field(init=False)
    marks: Marks = field(init=False)
    lived: asyncio.Event = field(default_factory=asyncio.Event)
    _bot_id: str = ""
    _workers: list[Worker] = field(default_factory=list)
    _keepers: list[asyncio.Task[None]] = field(default_factory=list)
    _forks: "itertools.count[int]" = field(default_factory=itertools.count)
    _director: "asyncio.Task[None]" = field(init=False)
    _closing: bool = False
    _was_replaced: bool = True
    _traded: bool = False
    """Whether others have done the work of a worker that was suspended for long."""

    @property
    def bot_id(self) -> str:
        """The bot's id, and its workers' task queue."""
        return self._bot_id

    @property
    def way(self) -> Way:
        """How it comes to what goes wrong."""
        return self.injection.ways[self.way_number]

    @property
    def _key(self) -> str:
        return KEYS[self.number % len(KEYS)]

    async def begin(self) -> None:
        """Make the bot, with a worker of its own; two where one is suspended.

        Where one dies on the way and is away until its work is given up, the second comes when
        its successor is suspended: it would do that work, and what belongs to the point.
        """
        now_ms = await self.system.now_ms()
        settings = settings_of("x", self.injection.style, self.injection.mode)
        self._bot_id = due_soon(self.number, settings.interval_s * 1000, now_ms, SOON_MS)
        self.marks = Marks(self.system.data.root / "marks" / self._bot_id)
        self.marks.make()
        for _ in range(2 if self._suspends and not self.way.down_s else 1):
            self._keepers.append(asyncio.create_task(self._keep()))
        desk = self.system.desk_of(self._bot_id)
        self.hands = Hands(self.system, desk, self._bot_id, self._key)
        named = {"name": self._bot_id, "owner": self._bot_id, "venue": desk.venue}
        await patiently(lambda: self._make(desk, settings.model_copy(update=named)))

    async def _make(self, desk: Desk, settings: BotSettings) -> None:
        """Make it unless it is there, since an answer can be lost.

        The desk would wait until no live bot has an order at the exchange; here some always has.
        """
        with suppress(Conflict):
            await desk.store.create_bot(self._bot_id, settings, time.time_ns() // 10**6)
        await desk.control.start(await desk.store.bot(self._bot_id))

    async def live(self) -> None:
        """Live until there was an entry and an exit and all steps, or time is up for them."""
        self._director = director = asyncio.create_task(self._direct())
        self._traded = await until(self._has_lived, LIVED_WITHIN_S, LOOK_S)
        self.lived.set()
        patience_s = STRUCK_WITHIN_S if self._comes_by_living else BY_THE_WAY_S
        await asyncio.wait({director}, timeout=patience_s + self.way.down_s)

    async def rest(self) -> BotRecord:
        """Pause, and wait until nothing is under way."""
        await self.hands.pause()
        await self._finish_steps()
        return await self._quiet()

    async def end(self) -> BotRecord:
        """Do all that a person can, stop, and wait until it has stopped."""
        stops = any(asked.verb == "stop" for asked in self.hands.asked)
        if not stops and not (await self.hands.record()).is_stopped:
            with suppress(Conflict, NotFound):
                await self.hands.change_limits()
                await self.hands.wake()
                await self.hands.flatten()
        await self.hands.stop()
        await until(self._has_stopped, STOPPED_WITHIN_S, LOOK_S)
        await self._finish_steps()
        return await self._quiet()

    async def struck(self) -> bool:
        """Whether all that was to go wrong did: a clock that is off, where the bot has traded."""
        marked = all(self.marks.struck(number) for number in range(len(self.way.steps)))
        done = marked and self._was_replaced and (self._traded or bool(self.way.steps))
        return await self.hands.used() and done if self.hands.rules else done

    async def close(self) -> None:
        """End its workers."""
        self._closing = True
        await asyncio.gather(*(worker.kill() for worker in self._workers))
        for keeper in (*self._keepers, self._director):
            keeper.cancel()
        await asyncio.gather(*self._keepers, self._director, return_exceptions=True)

    @property
    def _suspends(self) -> bool:
        return any(step.deed is Deed.SUSPEND for step in self.way.steps)

    @property
    def _comes_by_living(self) -> bool:
        steps = self.way.steps
        return bool(steps) and steps[-1].point.activity in executing(self.injection.mode)

    async def _keep(self) -> None:
        """Keep a worker alive: one that was killed is started again."""
        while not self._closing:
            name = f"{self._bot_id}-{next(self._forks)}"
            spec = self.system.spec(
                name,
                self._bot_id,
                self._key,
                marks=str(self.system.data.root / "marks" / self._bot_id),
                steps=() if self.injection.shared else self.way.steps,
                skew_ms=self.injection.skew_ms,
                style=self.injection.style,
            )
            worker = await self.system.zygote.fork(spec)
            self._workers.append(worker)
            code = await worker.ended
            self._workers.remove(worker)
            if code != -signal.SIGKILL and not self._closing:
                raise RuntimeError(f"the worker of {self._bot_id} ended with {code}: {spec.log}")
            if not self._closing:
                await asyncio.sleep(self._down_s())

    def _down_s(self) -> float:
        """For how long a worker stays away that was just killed."""
        last = len(self.way.steps) - 1
        return self.way.down_s if last > 0 and self.marks.struck(last) is None else 0

    async def _direct(self) -> None:
        """Do what belongs to each step, as it happens."""
        if self.injection.shared:
            return
        for number, step in enumerate(self.way.steps):
            while (struck := self.marks.struck(number)) is None:  # noqa: ASYNC110 - it is in another process
                await asyncio.sleep(HEAR_S)
            if step.deed is Deed.HOLD:
                await self._hold(struck, is_last=step is self.way.steps[-1])
                self.marks.let_go(number)
            elif step.deed is Deed.SUSPEND:
                if len(self._keepers) == 1:
                    self._keepers.append(asyncio.create_task(self._keep()))
                await self._wake(step, struck.pid)
            elif self.way.late and not number:
                await self.hands.late()

    async def _hold(self, struck: Struck, *, is_last: bool) -> None:
        """Do what this is all about, or what leads there."""
        if is_last:
            await self.hands.do(self.injection, struck)
            return
        for rule in self.way.faults:
            await self.hands.fault(rule)
        await asyncio.sleep(self.way.wait_s)

    async def _wake(self, step: Step, pid: int) -> None:
        """Let a suspended worker go on: when others have done its work, or before."""

        async def unfinished() -> frozenset[str]:
            return frozenset(order["id"] for order in (await self.hands.record()).unfinished)

        self._was_replaced = await sleep_through(SOON if step.soon else LONG, unfinished)
        for worker in self._workers:
            if worker.pid == pid:
                worker.send(signal.SIGCONT)
        await asyncio.sleep(AWAKE_S)

    async def _finish_steps(self) -> None:
        """Wait for what has begun: a worker that is suspended, or holds."""
        begun = [n for n, _ in enumerate(self.way.steps) if self.marks.struck(n)]
        if begun and len(begun) == len(self.way.steps) and not self.injection.shared:
            await asyncio.wait({self._director}, timeout=RESTS_WITHIN_S)

    async def _has_lived(self) -> bool:
        return bool(self.hands.asked) or await self.system.read(
            lambda engine: has_traded(engine, self._bot_id)
        )

    async def _has_stopped(self) -> bool:
        return (await self.hands.record()).is_stopped

    async def _quiet(self) -> BotRecord:
        """Read the record when nothing is under way, and has not been for a moment."""
        found: list[BotRecord] = []

        async def quiet() -> bool:
            before = await self.hands.record()
            await asyncio.sleep(QUIET_S)
            found[:] = [await self.hands.record()]
            unfinished = before.unfinished or found[0].unfinished or found[0].is_unproven
            return not unfinished and len(before.fills) == len(found[0].fills)

        await until(quiet, RESTS_WITHIN_S, LOOK_S)
        return found[0]
