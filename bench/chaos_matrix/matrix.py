"""All runs: which comes next, many at the same time, and what they came to."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from chaos_matrix.account_oracle import judge_account
from chaos_matrix.case import Case
from chaos_matrix.happened import Happened
from chaos_matrix.injection import Injection
from chaos_matrix.life import Life
from chaos_matrix.live_oracle import LiveCase, judge_live
from chaos_matrix.paper_oracle import judge
from chaos_matrix.plan import Plan
from chaos_matrix.prices import Prices
from chaos_matrix.record import BotRecord, read_claims, read_names
from chaos_matrix.shared import strike
from chaos_matrix.system import KEY, System, scaled
from chaos_matrix.trader import DECIDED, NARROW
from chaos_matrix.verdict import WHOLE, Outcome, Verdict, outcome_of
from chaos_matrix.ways import NEVER_A_STOP
from oxbot.domain.bot import Mode

LATE_S = 15
"""Seconds that a guard may be crossed with nobody selling, where nothing is under way."""

SETTLES_WITHIN_S = 30
"""Seconds that a live bot at rest has for what its exchange does to it in between."""

BARE_S = 60
"""Seconds that a coin may have no stop, and as long as a killed worker is away."""

HOLD_LATE_S = 75
"""Seconds that a position may be there after its longest hold: who could not sell it is asked for
it again after a minute."""

LOOK_AGAIN_S = 1.5


@dataclass
class Matrix:
    """Runs a plan on a system.

    Args:
        system: Where.
        prices: Of its market.
        keep: Is given each outcome.
    """

    system: System
    prices: Prices
    keep: Callable[[Outcome], None]
    happened: Happened = field(default_factory=Happened)

    async def run(self, plan: Plan) -> None:
        """Run all of it; what was missed comes again where that is what counts."""
        before = -1
        while plan.left not in (0, before):
            before = plan.left
            await self._run(plan)
        if any(each.mode is Mode.LIVE for each in plan.injections):
            self.keep(await self._judged_account())

    async def _judged_account(self) -> Outcome:
        """Judge the account of all live bots, when they have stopped."""
        state = await self.system.ask("GET", f"accounts/{KEY}")
        claimed = await self.system.read(read_claims)
        await self._hear()
        verdict = judge_account(self.happened, state["balances"], claimed)
        return outcome_of((0, "", WHOLE), 0, verdict, hit=True)

    async def _run(self, plan: Plan) -> None:
        """Run what is next, so many at a time; a shared injection waits until it is alone."""
        room = asyncio.Semaphore(plan.width)
        async with asyncio.TaskGroup() as group:
            tasks: set[asyncio.Task[None]] = set()
            for batch in plan.batches():
                if batch[0][1].shared:
                    await _all(tasks)
                    await self._together(batch)
                    continue
                await room.acquire()
                task = group.create_task(self._alone(*batch[0], plan.way_of(batch[0][1])))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                task.add_done_callback(lambda _: room.release())

    async def _alone(self, number: int, injection: Injection, way: int) -> None:
        await self._one(Life(self.system, number, injection, way), None)

    async def _together(self, batch: Sequence[tuple[int, Injection]]) -> None:
        """Strike all bots that run at once."""
        injection = batch[0][1]
        lives = [Life(self.system, n, injection) for n, _ in batch]
        striking = asyncio.create_task(strike(self.system, injection, lives))
        await asyncio.gather(*(self._one(life, striking) for life in lives))

    async def _one(self, life: Life, striking: "asyncio.Task[bool] | None") -> None:
        begun = time.monotonic()
        await life.begin()
        try:
            await life.live()
            if striking:
                await striking
            verdict = await self._judged(life, await life.rest(), is_over=False)
            final = await self._judged(life, await life.end(), is_over=True)
            hit = await striking if striking else await life.struck()
        finally:
            await life.close()
        verdict.merge(final)
        named = (life.number, life.bot_id, life.injection.name)
        took_s = time.monotonic() - begun
        self.keep(outcome_of(named, took_s, verdict, hit=hit, way=life.way_number))

    async def _judged(self, life: Life, record: BotRecord, *, is_over: bool) -> Verdict:
        """Judge a bot; a stop that is triggered just now is waited for, until the bot knows."""
        verdict = await self._found(life, record, is_over=is_over)
        waited_s = 0.0
        while (
            life.injection.mode is Mode.LIVE and verdict.sentences and waited_s < SETTLES_WITHIN_S
        ):
            await asyncio.sleep(LOOK_AGAIN_S)
            waited_s += LOOK_AGAIN_S
            verdict = await self._found(life, await life.hands.record(), is_over=is_over)
        return verdict

    async def _found(self, life: Life, record: BotRecord, *, is_over: bool) -> Verdict:
        case = Case(
            record=record,
            asked=life.hands.asked,
            prices=self.prices,
            now_ms=await self.system.now_ms(),
            late_ms=scaled(LATE_S),
            decides=life.injection.style in (DECIDED, NARROW),
            has_no_stop=life.way.faults == NEVER_A_STOP,
            bare_ms=scaled(BARE_S + life.way.down_s),
            hold_late_ms=scaled(HOLD_LATE_S + life.way.down_s),
            is_over=is_over,
        )
        verdict = judge(case)
        if life.injection.mode is Mode.LIVE:
            await self._hear()
            live = LiveCase(
                case=replace(case, record=await life.hands.record()),
                happened=self.happened,
                names=await self.system.read(lambda engine: read_names(engine, life.bot_id)),
            )
            verdict.merge(judge_live(live))
        return verdict

    async def _hear(self) -> None:
        """Learn what has happened to the account since the last time."""
        log = await self.system.ask("GET", f"log?account={KEY}&since={self.happened.latest}")
        self.happened.hear(log["events"])


async def _all(tasks: set[asyncio.Task[None]]) -> None:
    if tasks:
        await asyncio.wait(tasks)
