"""The whole system killed at once, supervisor and all: what was answered still holds."""

from decimal import Decimal
from itertools import pairwise

import pytest

from oxbot.app.bots import pause_bot, stop_bot
from oxbot.domain.bot import BotStatus
from oxbot.messages import ControlRequest
from oxbot.records import EventRow
from tests.e2e.killed_system import (
    BEGUN,
    at_desk,
    begin,
    hold_in_the_middle_of_a_cycle,
    kill_everything,
    must_go_on_from,
    step,
    until_answered,
    until_ended,
)
from tests.e2e.stepped_bots import ALL, twin
from tests.e2e.system_process import Machine

pytestmark = pytest.mark.critical

SPEED = Decimal(300)
"""A tick every second, so that the shortest restart costs some."""
TICK_MS = 300_000
RESTARTED = "the system was restarted"


async def test_killed_in_the_middle_of_a_cycle_a_bot_goes_on_without_a_gap(
    machine: Machine,
) -> None:
    machine.start()
    async with at_desk(machine) as (desk, venue):
        await begin(desk, venue, "demo")
        before = await step(desk, venue, "demo", 2)
        assert before.portfolio.positions
        await venue.flow(SPEED)
        await desk.control.wake("demo")
        interrupted = await hold_in_the_middle_of_a_cycle(machine, desk, "demo")
    kill_everything(machine)

    machine.start()
    async with at_desk(machine) as (desk, _):
        after = await until_ended(desk, "demo", interrupted + 2)
        events = await desk.store.events("demo", ALL)
        view = await until_answered(desk, "demo")
    must_go_on_from(before, after)
    assert after.numbers == list(range(1, after.numbers[-1] + 1))
    assert view.incarnation == 1
    ended = [row.due_ms for row in reversed(after.cycles) if row.state != BEGUN]
    told = [event for event in events if is_gap_before(ended[-1], event)]
    assert {int(gap.figures["from_ms"]): int(gap.figures["ticks"]) for gap in told} == gaps(ended)
    restarts = [int(gap.figures["ticks"]) > 0 for gap in told if RESTARTED in gap.text]
    assert restarts == [True], told


def gaps(due: list[int]) -> dict[int, int]:
    """Of the times of ticks: where ticks are missing, and how many."""
    missing = {a + TICK_MS: (b - a) // TICK_MS - 1 for a, b in pairwise(due)}
    assert all(ticks >= 0 for ticks in missing.values())
    return {from_ms: ticks for from_ms, ticks in missing.items() if ticks}


def is_gap_before(due_ms: int, event: EventRow) -> bool:
    return event.kind == "ticks_missed" and int(event.figures["from_ms"]) < due_ms


async def test_an_answered_pause_and_an_answered_stop_hold_after_everything_was_killed(
    machine: Machine,
) -> None:
    """Undisturbed, the bot of this market buys in its second and third cycle, too."""
    paused, closing = twin(0), twin(1)
    machine.start()
    async with at_desk(machine) as (desk, venue):
        await begin(desk, venue, paused, closing)
        before = [await step(desk, venue, bot_id, 1) for bot_id in (paused, closing)]
        assert all(books.portfolio.positions for books in before)
        pause = await pause_bot(desk, paused, ControlRequest(by="test"))
        stop = await stop_bot(desk, closing, ControlRequest(by="test", flatten=False))
    kill_everything(machine)
    assert (pause.status, stop.status) == ("paused", "closing")

    machine.start()
    async with at_desk(machine) as (desk, venue):
        for bot_id, status, then in zip(
            (paused, closing), (BotStatus.PAUSED, BotStatus.CLOSING), before, strict=True
        ):
            after = await step(desk, venue, bot_id, 3)
            must_go_on_from(then, after)
            assert after.orders == then.orders
            assert after.portfolio == then.portfolio
            assert (await desk.store.bot(bot_id)).status is status
            assert (await desk.control.view(bot_id)).status is status
