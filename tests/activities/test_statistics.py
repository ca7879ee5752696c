"""Statistics of a record held against a calculation of its own, by fractions and by the hour."""

import math
import statistics as known
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from oxbot.adapters.postgres.reading import PostgresReading
from oxbot.adapters.postgres.schema import equity_points, llm_decisions, trades
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.app.statistics import Statistics, statistics
from oxbot.domain.money import Notional
from tests.activities.test_reading import reading
from tests.support.trading import BTC, NOW_MS, new_bot

__all__ = ["reading"]

HOUR_MS = 3_600_000
DAY_H = 24
BEGAN_MS = NOW_MS // (DAY_H * HOUR_MS) * (DAY_H * HOUR_MS)
CAPITAL = 1_000
CLOSE = 1e-7
"""Ratios are given to eight digits."""


class Point(NamedTuple):
    """One cycle: hours since the one before, equity and model cost in cents, prices' age."""

    gap_h: int
    equity: int
    cost: int
    fresh: bool


class Trip(NamedTuple):
    """A round trip: when it was begun, for how long, what it earned in cents, what ended it."""

    opened_h: int
    hours: int
    pnl: int
    exit: str


POINTS = st.lists(
    st.builds(
        Point,
        gap_h=st.integers(1, 40),
        equity=st.integers(50_000, 200_000),
        cost=st.integers(0, 500),
        fresh=st.booleans(),
    ),
    max_size=40,
)
TRIPS = st.lists(
    st.builds(
        Trip,
        opened_h=st.integers(0, 400),
        hours=st.integers(1, 60),
        pnl=st.integers(-500, 500),
        exit=st.sampled_from(["stop", "target", "hold"]),
    ),
    max_size=12,
)


def hours_of(points: Sequence[Point]) -> list[int]:
    """When each point is, in hours."""
    return [sum(point.gap_h for point in points[: n + 1]) for n in range(len(points))]


def cents(amount: int) -> Decimal:
    return Decimal(amount) / 100


async def put(engine: AsyncEngine, points: Sequence[Point], trips: Sequence[Trip]) -> None:
    """Have the record be of these points and round trips, and of nothing that they rest on."""
    async with engine.begin() as connection:
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        for table in ("equity_points", "llm_decisions", "trades"):
            await connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - of these three
        await _put_points(connection, points)
        for number, trip in enumerate(trips, start=1):
            await connection.execute(insert(trades).values(_trade(number, trip)))


async def _put_points(connection: AsyncConnection, points: Sequence[Point]) -> None:
    for cycle, (hour, point) in enumerate(zip(hours_of(points), points, strict=True), start=1):
        equity = Notional(cents(point.equity))
        row = {"bot_id": "b1", "cycle": cycle, "at": BEGAN_MS + hour * HOUR_MS}
        kept = {**row, "equity": equity, "cash": equity, "fresh": point.fresh}
        await connection.execute(insert(equity_points).values(kept))
        await connection.execute(insert(llm_decisions).values(_decision(cycle, point.cost)))


def _decision(cycle: int, cost: int) -> dict[str, object]:
    words = ("provider", "model", "label", "prompt_hash", "prompt", "reply", "request_id")
    numbers = ("tokens_in", "tokens_out", "tokens_cached", "duration_ms")
    own = {"id": f"d{cycle}", "bot_id": "b1", "cycle": cycle, "cost_usd": cents(cost)}
    rest = {"repaired": False, "priced": True, "gated": False, "prompt_version": "1"}
    return {**dict.fromkeys(words, ""), **dict.fromkeys(numbers, 0), **own, **rest}


def _trade(number: int, trip: Trip) -> dict[str, object]:
    opened_ms = BEGAN_MS + trip.opened_h * HOUR_MS
    return {
        "fill_id": number,
        "bot_id": "b1",
        "symbol": BTC,
        "direction": "long",
        **dict.fromkeys(("quantity", "entry_price", "exit_price", "fees"), Decimal(1)),
        "net_pnl": Notional(cents(trip.pnl)),
        "opened_at": opened_ms,
        "closed_at": opened_ms + trip.hours * HOUR_MS,
        "exit": trip.exit,
    }


def worths(points: Sequence[Point]) -> list[tuple[int, Fraction]]:
    """Hour and worth of each fresh point, in USDT."""
    paid, found = 0, []
    for hour, point in zip(hours_of(points), points, strict=True):
        paid += point.cost
        if point.fresh:
            found.append((hour, Fraction(point.equity - paid, 100)))
    return found


def deepest(series: Sequence[tuple[int, Fraction]]) -> Fraction | None:
    """The deepest fall from any peak before, the capital being the first, over all pairs."""
    before = [Fraction(CAPITAL), *(worth for _, worth in series)]
    falls = [
        1 - worth / peak for n, (_, worth) in enumerate(series) for peak in before[: n + 2] if peak
    ]
    return max(falls, default=None)


def returns_of(series: Sequence[tuple[int, Fraction]]) -> list[Fraction]:
    """The return of each day from the first with a worth to the last, without gaps."""
    if not series:
        return []
    ends = {hour // DAY_H: worth for hour, worth in series}
    held, found = Fraction(CAPITAL), []
    for day in range(min(ends), max(ends) + 1):
        now = ends.get(day, held)
        found.append(now / held - 1)
        held = now
    return found


def sharpe_of(returns: Sequence[Fraction]) -> float | None:
    if len(returns) < 10 or len(set(returns)) == 1:
        return None
    mean, variance = known.mean(returns), known.variance(returns)
    return float(mean) / math.sqrt(variance) * math.sqrt(365)


def share_held(points: Sequence[Point], trips: Sequence[Trip]) -> float | None:
    """The part of the hours between first and newest point in which a trip was under way."""
    hours = hours_of(points)
    if len(hours) < 2:
        return None
    whole = range(hours[0], hours[-1])
    held = {h for trip in trips for h in range(trip.opened_h, trip.opened_h + trip.hours)}
    return len(held & set(whole)) / len(whole)


def same(found: Decimal | None, wanted: float | Fraction | Decimal | None) -> bool:
    """Whether both are nothing, or the same to eight digits."""
    if found is None or wanted is None:
        return found is None and wanted is None
    return math.isclose(found, wanted, rel_tol=CLOSE, abs_tol=CLOSE)


STALE_CRASH = [Point(24, 100_000 + n * 100, 0, fresh=True) for n in range(12)]
STALE_CRASH.insert(6, Point(1, 50_000, 100, fresh=False))


@given(points=POINTS, trips=TRIPS)
@example(points=STALE_CRASH, trips=[])
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_statistics_are_those_of_a_calculation_of_its_own(
    store: PostgresStore,
    reading: PostgresReading,
    engine: AsyncEngine,
    points: list[Point],
    trips: list[Trip],
) -> None:
    if not await store.bots():
        await new_bot(store, capital=Notional(CAPITAL))
    await put(engine, points, trips)
    found = await statistics(reading, "b1")
    held_against_points(found, points)
    held_against_trips(found, points, trips)


def held_against_points(found: Statistics, points: Sequence[Point]) -> None:
    series = worths(points)
    fall = found.max_drawdown
    assert same(None if fall is None else fall.fraction, _or_nothing(deepest(series)))
    assert same(found.sharpe, sharpe_of(returns_of(series)))
    assert found.days == len(returns_of(series))
    assert (found.points, found.stale_points) == (len(points), len(points) - len(series))
    paid = sum(point.cost for point in points)
    newest = points[-1].equity if points else CAPITAL * 100
    assert found.net_pnl == Notional(cents(newest - CAPITAL * 100 - paid))
    assert same(found.net_return, Fraction(newest - CAPITAL * 100 - paid, CAPITAL * 100))


def _or_nothing(fall: Fraction | None) -> Fraction | None:
    """A series that only rises has fallen by nothing."""
    return None if fall is None else max(fall, Fraction(0))


def held_against_trips(found: Statistics, points: Sequence[Point], trips: Sequence[Trip]) -> None:
    earned = [trip.pnl for trip in trips]
    gained, lost = sum(p for p in earned if p > 0), -sum(p for p in earned if p < 0)
    assert same(found.win_rate, sum(p > 0 for p in earned) / len(earned) if earned else None)
    assert same(found.profit_factor, gained / lost if lost else None)
    assert found.best_trade == (Notional(cents(max(earned))) if earned else None)
    assert found.worst_trade == (Notional(cents(min(earned))) if earned else None)
    assert same(
        found.average_trade.number if found.average_trade is not None else None,
        known.mean(map(cents, earned)) if earned else None,
    )
    for exit_, sums in found.exits.items():
        of_kind = [trip.pnl for trip in trips if trip.exit == exit_]
        assert (sums.trades, sums.net_pnl) == (len(of_kind), Notional(cents(sum(of_kind))))
    assert sum(sums.trades for sums in found.exits.values()) == len(trips)
    assert same(found.time_in_market, share_held(points, trips))
