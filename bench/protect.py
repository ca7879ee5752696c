"""How soon a position is sold once a price has reached its stop, and what a price costs the watch.

A whole system runs in a scratch directory: Temporal, PostgreSQL, Redis, simulator, worker and
API, with a workflow for each bot. Its positions were bought at twice the market's price, with
stops far away; a stop that is moved to just below the entry lies above the market, so that the
watch finds it crossed by the price of now. Times are those on record for each protection, from
the price at the watch to the settled exit, in wall milliseconds of this machine.
"""

import argparse
import asyncio
import json
import os
import platform
import random
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncEngine

from oxbot.adapters.postgres.engine import open_engine
from oxbot.adapters.postgres.rows import order_row
from oxbot.adapters.postgres.schema import orders, positions, protections
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.app.bots import Desk, create_bot
from oxbot.bootstrap import PROVIDERS, open_desk
from oxbot.domain.bot import DEFAULT_SYMBOLS, BotSettings, RiskLimits
from oxbot.domain.guard_index import GuardIndex
from oxbot.domain.guards import Guard
from oxbot.domain.market import Instrument, Quote
from oxbot.domain.money import Notional, Price, Quantity, ceil_to
from oxbot.domain.orders import Fill, Order, OrderKey, OrderState, Purpose, Side
from oxbot.embedded.addresses import Addresses
from oxbot.embedded.apps import SimulatorOptions
from oxbot.embedded.system import run_system
from oxbot.logs import configure_logs
from oxbot.settings import Settings

LONG_AGO = 1_000_000
"""A cycle number that no bot comes to here: that of the entries."""

WORTH = 200
"""USDT of each position."""

FAR, NEAR = Decimal("0.9"), Decimal("0.000001")
"""Stops as fractions of an entry at twice the market's price: far below it, and above it."""

INDEX_SIZES = (10, 100, 1_000, 10_000)
LIMIT_S = 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bots", type=int, default=200)
    parser.add_argument("--singles", type=int, default=150, help="crossings one after the other")
    parser.add_argument("--at-once", type=int, default=100, help="crossings by one price")
    parser.add_argument("--json", action="store_true", help="only the JSON line")
    asked = parser.parse_args()
    configure_logs("json", "error")
    figures: dict[str, object] = {}

    def tell(line: str) -> None:
        if not asked.json:
            print(line, file=sys.stderr)

    async def measure(addresses: Addresses) -> None:
        figures.update(await _measured(settings, addresses, asked, tell))

    with tempfile.TemporaryDirectory(prefix="oxbot-bench-") as home:
        settings = _settings(Path(home))
        options = SimulatorOptions(speed="1", rate_limits=False)
        asyncio.run(run_system(settings, measure, announce=tell, simulator=options))
    print(
        json.dumps(
            {
                "benchmark": "protect",
                "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
                "versions": {name: version(name) for name in ("temporalio", "sqlalchemy")},
                "durability": "Temporal: SQLite, WAL, synchronous=full; PostgreSQL: fsync on",
                **figures,
                "index_us_per_price": {str(size): _index_us(size) for size in INDEX_SIZES},
            }
        )
    )


def _settings(home: Path) -> Settings:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
    temporal, web, api, simulator = (probe.getsockname()[1] for probe in probes)
    for probe in probes:
        probe.close()
    return Settings(
        home=home,
        database_url=None,
        redis_url=None,
        temporal_address=None,
        simulator_url=None,
        log_level="error",
        temporal_port=temporal,
        temporal_ui_port=web,
        api_port=api,
        simulator_port=simulator,
    )


async def _measured(
    settings: Settings, addresses: Addresses, asked: argparse.Namespace, tell: Callable[[str], None]
) -> dict[str, object]:
    engine = open_engine(addresses.database_url)
    async with open_desk(settings) as desk:
        tell(f"{asked.bots} bots")
        bot_ids = [f"b{number}" for number in range(asked.bots)]
        for bot_id in bot_ids:
            await create_bot(desk, _bot(bot_id), PROVIDERS, bot_id)
        tell("their positions")
        await _hold(desk, engine, bot_ids)
        await _until_guarded(desk, len(bot_ids) * len(DEFAULT_SYMBOLS))
        tell("one crossing after the other")
        singles = await _singles(engine, bot_ids, asked.singles)
        tell(f"{asked.at_once} crossings at once")
        last_ms, at_once = await _at_once(engine, bot_ids[: asked.at_once])
    await engine.dispose()
    return {
        "open_positions": len(bot_ids) * len(DEFAULT_SYMBOLS),
        "tick_to_exit_p50_ms": round(statistics.median(singles), 1),
        "tick_to_exit_p99_ms": round(statistics.quantiles(singles, n=100)[98], 1),
        "tick_to_exit_ms": _spread(singles),
        "hundred_at_once_last_ms": last_ms,
        "hundred_at_once_ms": _spread(at_once),
    }


def _bot(bot_id: str) -> BotSettings:
    """One cycle a day: what is measured is what happens between them."""
    return BotSettings(
        name=bot_id,
        interval_s=86_400,
        capital=Notional(1_000_000),
        limits=RiskLimits(stop=FAR, target=Decimal(9)),
    )


async def _hold(desk: Desk, engine: AsyncEngine, bot_ids: Sequence[str]) -> None:
    """Have each bot buy every coin at twice its price, by the store's own settlement."""
    listing = await desk.listing.listing()
    quotes = await _quotes(desk)
    store = PostgresStore(engine)
    for bot_id in bot_ids:
        due_ms = max(quote.exchange_ms for quote in quotes.values())
        await store.open_unseen_cycle(bot_id, 1, LONG_AGO, due_ms)
        for symbol in DEFAULT_SYMBOLS:
            order = _entry(bot_id, listing[symbol], quotes[symbol].bid * 2, due_ms)
            async with engine.begin() as connection:
                await connection.execute(insert(orders).values(order_row(order)))
            fill = _fill(order, quotes[symbol].exchange_ms)
            await store.settle(order.id, [fill], listing[symbol])


def _entry(bot_id: str, instrument: Instrument, price: Price, expires_ms: int) -> Order:
    key = OrderKey(
        installation="bench",
        bot_id=bot_id,
        incarnation=1,
        cause=f"c{LONG_AGO}",
        symbol=instrument.symbol,
        purpose=Purpose.ENTRY,
    )
    return Order(
        id=key.order_id,
        bot_id=bot_id,
        incarnation=1,
        cycle=LONG_AGO,
        symbol=instrument.symbol,
        side=Side.BUY,
        purpose=Purpose.ENTRY,
        quantity=ceil_to(Quantity(WORTH / price.number), instrument.lot) + instrument.minimum,
        limit_price=price,
        expires_ms=expires_ms,
        stop=FAR,
        target=Decimal(9),
        epoch=1,
        state=OrderState.SENT,
    )


def _fill(order: Order, at_ms: int) -> Fill:
    return Fill(
        trade_id=f"bench-{order.id}",
        order_id=order.id,
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        price=order.limit_price or Price(1),
        fee=Decimal(0),
        fee_currency="USDT",
        at_ms=at_ms,
    )


async def _until_guarded(desk: Desk, count: int) -> None:
    """Wait until the watch guards so many positions."""
    async with asyncio.timeout(LIMIT_S):
        while await _guarded(desk) != count:  # noqa: ASYNC110 - the board sets no event
            await asyncio.sleep(0.2)


async def _guarded(desk: Desk) -> int:
    report = await desk.board.feed_status(desk.venue)
    return report.guarded if report else 0


async def _quotes(desk: Desk) -> dict[str, Quote]:
    """Wait until every coin has a price."""
    quotes: dict[str, Quote] = {}
    async with asyncio.timeout(LIMIT_S):
        while quotes.keys() < set(DEFAULT_SYMBOLS):
            await asyncio.sleep(0.2)
            quotes = await desk.board.get(desk.venue, DEFAULT_SYMBOLS)
    return quotes


async def _singles(engine: AsyncEngine, bot_ids: Sequence[str], count: int) -> list[int]:
    """Cross one stop after the other, each when the one before is sold."""
    draw = random.Random(7)  # noqa: S311 - which positions, not a secret
    others = [symbol for symbol in DEFAULT_SYMBOLS if symbol != DEFAULT_SYMBOLS[0]]
    keys = [(bot_id, symbol) for bot_id in bot_ids for symbol in others]
    for number, key in enumerate(draw.sample(keys, count), start=1):
        await _cross(engine, [key])
        await _until_protected(engine, number)
        await asyncio.sleep(draw.uniform(0.02, 0.1))
    return [settled - seen for seen, settled in await _times(engine)]


async def _at_once(engine: AsyncEngine, bot_ids: Sequence[str]) -> tuple[int, list[int]]:
    """Cross the stops of one coin of many bots; give when the last was sold, and each one's."""
    before = len(await _times(engine))
    await _cross(engine, [(bot_id, DEFAULT_SYMBOLS[0]) for bot_id in bot_ids])
    await _until_protected(engine, before + len(bot_ids))
    times = (await _times(engine))[before:]
    first = min(seen for seen, _ in times)
    return max(settled for _, settled in times) - first, [done - seen for seen, done in times]


async def _cross(engine: AsyncEngine, keys: Sequence[tuple[str, str]]) -> None:
    async with engine.begin() as connection:
        moved = update(positions).values(stop=NEAR)
        named = tuple_(positions.c.bot_id, positions.c.symbol).in_(keys)
        await connection.execute(moved.where(named))


async def _until_protected(engine: AsyncEngine, count: int) -> None:
    async with asyncio.timeout(LIMIT_S):
        while True:
            async with engine.connect() as connection:
                done = await connection.scalar(select(func.count()).select_from(protections))
            if (done or 0) >= count:
                return
            await asyncio.sleep(0.02)


async def _times(engine: AsyncEngine) -> list[tuple[int, int]]:
    """Give when each price was seen and its exit settled, in the order of the prices."""
    query = select(protections.c.seen_at, protections.c.settled_at)
    async with engine.connect() as connection:
        rows = await connection.execute(query.order_by(protections.c.seen_at))
        return [(row.seen_at, row.settled_at) for row in rows]


def _index_us(size: int) -> float:
    """Time a price that sets nothing off, with so many positions of which a quarter trails."""
    draw = random.Random(7)  # noqa: S311 - as above
    index = GuardIndex()
    for number in range(size):
        entry = Price(round(Decimal(draw.uniform(59_000, 61_000)), 1))
        index.put(
            Guard(
                bot_id=f"b{number}",
                symbol=DEFAULT_SYMBOLS[0],
                opened_ms=1,
                version=1,
                stop_price=entry * Decimal("0.9"),
                target_price=entry * Decimal("1.1"),
                trail=Decimal("0.05") if number % 4 == 0 else None,
                best=entry if number % 4 == 0 else None,
                hold_until_ms=10**15,
            )
        )
    prices = [Price(round(Decimal(draw.uniform(59_800, 60_200)), 1)) for _ in range(20_000)]
    index.crossed(DEFAULT_SYMBOLS[0], prices[0], prices[0], 2)
    begun = time.perf_counter()
    for at_ms, price in enumerate(prices, start=3):
        index.crossed(DEFAULT_SYMBOLS[0], price, price, at_ms)
    return round((time.perf_counter() - begun) / len(prices) * 1_000_000, 2)


def _spread(figures: Sequence[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(figures), 1),
        "min": round(min(figures), 1),
        "max": round(max(figures), 1),
        "samples": len(figures),
    }


if __name__ == "__main__":
    main()
