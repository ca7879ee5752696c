"""A bot's record summed up: curves thinned out, and what statistics are computed from."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncEngine

from oxbot.adapters.postgres.reading import PostgresReading
from oxbot.adapters.postgres.schema import equity_points
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.errors import NotFound
from oxbot.domain.money import Notional
from oxbot.records.reading import Part, Stretch
from tests.activities.test_reading import one_with_everything, reading, recorded
from tests.support.asked import ask
from tests.support.trading import (
    NOW_MS,
    begin,
    bought,
    new_bot,
)

__all__ = ["reading"]


async def add_points(engine: AsyncEngine, times: list[int]) -> None:
    """Put points of equity at these venue times, the cycle's number as USDT."""
    rows = [
        {
            "bot_id": "b1",
            "cycle": n,
            "at": at,
            "equity": Notional(n),
            "cash": Notional(n),
            "fresh": True,
        }
        for n, at in enumerate(times, start=1)
    ]
    async with engine.begin() as connection:
        await connection.execute(text("DELETE FROM equity_points"))
        await connection.execute(insert(equity_points), rows)


@given(
    gaps=st.lists(st.integers(1, 10**9), min_size=1, max_size=60),
    points=st.integers(2, 30),
)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_a_thinned_curve_has_the_last_point_of_each_slice_and_the_newest(
    store: PostgresStore,
    reading: PostgresReading,
    engine: AsyncEngine,
    gaps: list[int],
    points: int,
) -> None:
    if not await store.bots():
        await new_bot(store)
    times = [NOW_MS + sum(gaps[: n + 1]) for n in range(len(gaps))]
    await add_points(engine, times)
    found = [point.at_ms for point in await reading.curve("b1", Stretch(), points)]
    if len(times) <= points:
        assert found == times
        return
    width = -(-(times[-1] - times[0] + 1) // points)
    slices = {(times[-1] - at) // width: at for at in times}
    assert found == sorted(slices.values())
    assert found[-1] == times[-1]
    assert len(found) <= points


async def test_a_curve_is_of_the_stretch_that_was_asked_for(
    store: PostgresStore, reading: PostgresReading, engine: AsyncEngine
) -> None:
    await new_bot(store)
    await add_points(engine, [NOW_MS + n * 1000 for n in range(100)])
    stretch = Stretch(since_ms=NOW_MS + 10_000, until_ms=NOW_MS + 89_000)
    for points in (500, 7):
        found = await reading.curve("b1", stretch, points)
        assert found[0].at_ms >= NOW_MS + 10_000
        assert found[-1].at_ms == NOW_MS + 89_000
    assert await reading.curve("b1", Stretch(since_ms=NOW_MS + 10**9), 7) == []
    whole = await reading.equity("b1", Part(limit=500), stretch)
    assert len(whole.items) == 80


async def test_figures_are_the_sums_of_the_record(
    store: PostgresStore, reading: PostgresReading, engine: AsyncEngine
) -> None:
    await one_with_everything(store)
    found = await reading.figures("b1")
    trades = await store.trades("b1", 100)
    fills = (await reading.fills("b1", Part())).items
    assert (found.capital, found.equity) == (Notional(20_000), Notional(20_010))
    assert found.model_cost_usd == Decimal("0.008")
    assert found.trades.trades == 3
    assert found.trades.wins == sum(trade.net_pnl > 0 for trade in trades)
    total = sum((trade.net_pnl for trade in trades), Notional(0))
    assert found.trades.gained - found.trades.lost == total
    assert found.trades.best == max(trade.net_pnl for trade in trades)
    assert found.trades.worst == min(trade.net_pnl for trade in trades)
    assert found.trades.exits["stop"].net_pnl == total
    paid = sum(
        (f.fee * (f.price.number if f.side == "buy" else Decimal(1)) for f in fills), Decimal(0)
    )
    assert found.fees == Notional(paid)
    assert found.held_ms == 3 * 300_000
    assert found.written_off == 0


async def test_worth_counts_what_models_cost_up_to_each_point(
    store: PostgresStore, reading: PostgresReading
) -> None:
    await new_bot(store, capital=Notional(100))
    for cycle, cost in ((1, "1"), (2, "2"), (3, "5")):
        await ask(store, cycle, {"cost_usd": Decimal(cost)})
    await recorded(store, 1, "110")
    await recorded(store, 3, "112")
    found = await reading.figures("b1")
    assert found.fall is not None
    assert (found.fall.peak, found.fall.trough) == (Notional(109), Notional(104))
    assert found.fall.at_ms == NOW_MS + 3 * 300_000
    assert [(worth.day, worth.worth) for worth in found.days] == [
        (NOW_MS // 86_400_000, Notional(104))
    ]


async def test_a_bot_before_its_first_cycle_has_figures_without_a_curve(
    store: PostgresStore, reading: PostgresReading
) -> None:
    await new_bot(store)
    found = await reading.figures("b1")
    assert (found.equity, found.fall, found.days, found.held_ms) == (Notional(10_000), None, (), 0)
    with pytest.raises(NotFound):
        await reading.figures("nobody")


async def test_what_is_held_counts_from_its_entry_to_the_newest_point(
    store: PostgresStore, reading: PostgresReading
) -> None:
    await new_bot(store, capital=Notional(20_000))
    await bought(store)
    await begin(store, cycle=2)
    await recorded(store, 1, "20000")
    await recorded(store, 4, "20000")
    found = await reading.figures("b1")
    assert (found.first_ms, found.newest_ms) == (NOW_MS + 300_000, NOW_MS + 1_200_000)
    assert found.held_ms == 900_000
