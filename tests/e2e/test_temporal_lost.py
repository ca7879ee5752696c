"""Temporal's data lost: PostgreSQL has what matters, and the bots start over from it."""

import shutil

import pytest

from tests.e2e.killed_system import at_desk, begin, must_go_on_from, step, until_started
from tests.e2e.system_process import Machine

pytestmark = pytest.mark.critical


async def test_without_temporals_data_a_bot_starts_over_and_protects_what_it_holds(
    machine: Machine,
) -> None:
    machine.start()
    async with at_desk(machine) as (desk, venue):
        await begin(desk, venue, "demo")
        before = await step(desk, venue, "demo", 3)
    assert len(before.portfolio.positions) == 5
    assert machine.stop() == 0
    shutil.rmtree(machine.home / "temporal")

    machine.start()
    async with at_desk(machine) as (desk, venue):
        at_once = await desk.store.portfolio("demo")
        await until_started(desk, "demo")
        after = await step(desk, venue, "demo", 9)
        view = await desk.control.view("demo")
    assert at_once == before.portfolio
    must_go_on_from(before, after)
    first, *others = after.numbers[3:]
    assert first > before.numbers[-1]
    assert others == list(range(first + 1, first + 9))
    assert {row.incarnation for row in after.cycles[:9]} == {2} == {view.incarnation}
    assert after.cycles[8].due_ms - before.cycles[0].due_ms == 300_000
    stops = [order for order in after.orders if order.purpose == "stop"]
    assert {order.symbol for order in stops} == {"XRP/USDT", "SOL/USDT"}
    assert {order.state for order in stops} == {"filled"}
