"""A record of many bots, made by PostgreSQL itself in the tables that the migrations made.

Rows of all bots are mixed with each other, as they would be after months.
"""

import json
from typing import Final

from sqlalchemy import text

from api_bench.plan import Size
from oxbot.adapters.postgres.engine import open_engine
from oxbot.domain.bot import DEFAULT_SYMBOLS, BotSettings
from oxbot.domain.market import Quote
from oxbot.domain.money import Price, Quantity

DECISION: Final = json.dumps({"proposals": [], "summary": "Nothing is worth its fees now."})
PROMPT: Final = "The market, in words and figures. " * 80

BOTS: Final = """
INSERT INTO bots (id, settings, status, epoch, flatten, incarnation, cash, high_water, created_at)
SELECT 'bench-' || n, CAST(:settings AS jsonb) || jsonb_build_object('name', 'Bot ' || n),
       'running', 1, true, 1, 5000, 10000, timestamptz '2026-01-01' + n * interval '1 s'
FROM generate_series(1, :bots) n
"""
CYCLES: Final = """
INSERT INTO cycles (bot_id, cycle, incarnation, due_at, state, quotes, outcome, recorded_at)
SELECT 'bench-' || n, c, 1, timestamptz '2026-01-01' + c * interval '5 min', 'completed',
       CAST(:quotes AS jsonb),
       jsonb_build_object('cycle', c, 'incarnation', 1, 'due_ms', 0, 'skipped', NULL,
                          'decision', 'Nothing is worth its fees now.', 'orders', '[]'::jsonb),
       now()
FROM generate_series(1, :cycles) c, generate_series(1, :bots) n
"""
DECISIONS: Final = """
INSERT INTO llm_decisions (id, bot_id, cycle, provider, model, label, prompt_hash, prompt, reply,
    decision, request_id, tokens_in, tokens_out, tokens_cached, cost_usd, duration_ms, repaired,
    priced, gated, prompt_version)
SELECT bot_id || '-' || cycle, bot_id, cycle, 'dashscope', 'qwen-plus', 'dashscope qwen-plus',
       'abc', :prompt, :decision, :decision, 'r', 1500, 200, 0, 0.0004, 900, false, true, false,
       '7'
FROM cycles
"""
POINTS: Final = """
INSERT INTO equity_points (bot_id, cycle, at, equity, cash, fresh)
SELECT bot_id, cycle, due_at, 10000 + 500 * sin(cycle / 20.0)::numeric(38, 12), 5000, true
FROM cycles
"""
LONG_POINTS: Final = """
INSERT INTO equity_points (bot_id, cycle, at, equity, cash, fresh)
SELECT 'bench-' || n, :cycles + c, timestamptz '2026-01-01' + (:cycles + c) * interval '5 min',
       10000 + 500 * sin(c / 500.0)::numeric(38, 12), 5000, true
FROM generate_series(1, :long_points) c, generate_series(1, :long_bots) n
"""
ORDERS: Final = """
INSERT INTO orders (id, bot_id, incarnation, cycle, symbol, side, purpose, quantity, limit_price,
    expires_at, stop, target, epoch, state, reason, sent_at, finished_at)
SELECT 'o' || n || 'x' || f, 'bench-' || n, 1, f, 'BTC/USDT',
       CASE f % 2 WHEN 1 THEN 'buy' ELSE 'sell' END, CASE f % 2 WHEN 1 THEN 'entry' ELSE 'stop' END,
       0.01, 60100, timestamptz '2026-01-01' + f * interval '5 min', 0.035, 0.07, 1, 'filled', '',
       now(), now()
FROM generate_series(1, :fills) f, generate_series(1, :bots) n
"""
FILLS: Final = """
INSERT INTO fills (bot_id, order_id, venue, trade_id, symbol, side, quantity, price, fee,
    fee_currency, at, last, tick, lot, minimum)
SELECT bot_id, id, 'paper:okx', id, symbol, side, quantity, 60000 + cycle, 0.6, 'USDT',
       timestamptz '2026-01-01' + cycle * interval '5 min', true, 0.1, 0.00000001, 0.00001
FROM orders ORDER BY number
"""
TRADES: Final = """
INSERT INTO trades (fill_id, bot_id, symbol, direction, quantity, entry_price, exit_price, fees,
    net_pnl, opened_at, closed_at, exit)
SELECT id, bot_id, symbol, 'long', quantity, 60000, price, 1.2,
       round((random() * 10 - 4.5)::numeric, 4), at - interval '5 min', at, 'stop'
FROM fills WHERE side = 'sell' ORDER BY id
"""
LEDGER: Final = """
INSERT INTO ledger_entries (bot_id, posting, line, account, currency, amount)
SELECT bot_id, 'fill:' || id, line, account, 'USDT', amount
FROM fills, (VALUES (1, 'cash', -600.6), (2, 'fees', 0.6), (3, 'position:BTC/USDT', 600.0))
    AS entries (line, account, amount)
ORDER BY id, line
"""
EVENTS: Final = """
INSERT INTO events (bot_id, key, kind, text, figures)
SELECT bot_id, 'order:' || id, 'opened', 'Opened BTC/USDT: 0.01 at 60000 USDT.',
       jsonb_build_object('cycle', cycle::text, 'order', id, 'symbol', symbol)
FROM orders ORDER BY number
"""
POSITIONS: Final = """
INSERT INTO positions (bot_id, symbol, quantity, cost, entry_quantity, entry_notional,
    exit_quantity, exit_notional, paid, received, fees, opened_at, stop, target, version)
SELECT id, 'ETH/USDT', 0.5, 1500, 0.5, 1500, 0, 0, 1501.5, 0, 1.5, timestamptz '2026-01-01', 0.035,
       0.07, 1
FROM bots
"""
BEAT: Final = "INSERT INTO watch_beats (venue, beat_at, stepped) VALUES ('okx', now(), true)"
"""A venue that stands still, where nobody is missed: else an alarm would ring for every bot."""

STEPS: Final = (
    *(BOTS, CYCLES, DECISIONS, POINTS, LONG_POINTS, ORDERS, FILLS, TRADES, LEDGER, EVENTS),
    *(POSITIONS, BEAT),
)


async def fill(database_url: str, size: Size) -> dict[str, int]:
    """Fill an empty record; give how many rows there are in its tables."""
    given = {
        "settings": BotSettings(name="Bench").model_dump_json(),
        "quotes": _quotes(),
        "prompt": PROMPT,
        "decision": DECISION,
        "bots": size.bots,
        "cycles": size.cycles,
        "fills": size.fills_a_bot,
        "long_bots": min(size.long_bots, size.bots),
        "long_points": size.long_points,
    }
    engine = open_engine(database_url, pool_size=1, answer_s=None, idle_s=0)
    async with engine.begin() as connection:
        for step in STEPS:
            needed = {name: value for name, value in given.items() if f":{name}" in step}
            await connection.execute(text(step), needed)
    async with engine.connect() as connection:
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await alone.execute(text("VACUUM ANALYZE"))
        # What the filling left to be written would be written while the API is measured.
        await alone.execute(text("CHECKPOINT"))
        counts = {
            table: await alone.scalar(text(f"SELECT count(*) FROM {table}"))  # noqa: S608 - ours
            for table in ("bots", "fills", "orders", "ledger_entries", "equity_points")
        }
    await engine.dispose()
    return counts


async def transactions(database_url: str) -> int:
    """Give how many transactions the database has committed."""
    engine = open_engine(database_url, pool_size=1)
    query = text("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
    async with engine.connect() as connection:
        counted = int(await connection.scalar(query) or 0)
    await engine.dispose()
    return counted


def _quotes() -> str:
    quotes = {
        symbol: Quote(
            symbol=symbol,
            bid=Price("3000.1"),
            ask=Price("3000.2"),
            last=Price("3000.1"),
            volume_24h=Quantity("1000.5"),
            exchange_ms=1_767_225_600_000,
            received_ms=1_767_225_600_040,
            source="bench",
        ).model_dump(mode="json")
        for symbol in DEFAULT_SYMBOLS
    }
    return json.dumps(quotes)
