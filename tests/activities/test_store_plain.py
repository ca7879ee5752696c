"""The store speaks SQLAlchemy Core: nothing can load behind an await's back."""

import ast
import inspect
from collections.abc import Awaitable, Callable
from decimal import Decimal
from functools import partial
from pathlib import Path

from pydantic import BaseModel

import oxbot
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.bot import BotStatus
from oxbot.domain.guard_index import Best
from oxbot.domain.money import Notional, Price, Quantity
from oxbot.domain.orders import OrderState, Purpose
from oxbot.domain.portfolio import Direction
from oxbot.domain.resting import RestingStop, StopState
from oxbot.domain.snapshots import part_keys
from oxbot.messages import CycleOutcome, OrderOutcome, WriteControl, WriteLimits
from oxbot.records import DecisionRecord, Protection, SeenAccount, WriteOff
from tests.support.trading import (
    BTC,
    CANDLE_END_MS,
    ETH,
    INSTRUMENT,
    NOW_MS,
    begin,
    bought,
    entry,
    fill,
    intend,
    leave,
    new_bot,
    part,
    ruled,
    snapshot,
)

KEYS = part_keys("okx", CANDLE_END_MS, [BTC, ETH])
RECORD = DecisionRecord(
    id="d1",
    bot_id="b1",
    cycle=3,
    provider="p",
    model="m",
    label="l",
    prompt_hash="h",
    prompt="?",
    reply="!",
    decision=None,
)
OUTCOME = CycleOutcome(cycle=3, incarnation=1, due_ms=NOW_MS)
EXIT = OrderOutcome(
    order_id="o1", symbol=BTC, purpose=Purpose.STOP, state=OrderState.FILLED, filled=Quantity(1)
)
PROTECTION = Protection(
    bot_id="b1",
    symbol=BTC,
    opened_ms=NOW_MS,
    version=1,
    purpose=Purpose.STOP,
    crossed_ms=NOW_MS,
    seen_ms=NOW_MS,
    settled_ms=NOW_MS + 1,
    order_id="o1",
)
AMOUNTS = {"equity": Notional(1), "cash": Notional(1)}
CONTROL = WriteControl(
    bot_id="b1", status=BotStatus.PAUSED, epoch=2, flatten=True, by="t", reason=""
)
LIMITS = WriteLimits(bot_id="b1", epoch=3, by="t", reason="", limits={"stop": "2%"})
RESTING = RestingStop(
    id="g1",
    bot_id="b1",
    symbol=BTC,
    opened_ms=NOW_MS,
    number=1,
    quantity=Quantity("0.01"),
    stop_price=Price(1),
    target_price=Price(2),
    fence_ms=NOW_MS,
)
TRIGGERED = leave("b1", 3, "0.01", id="g1", state=OrderState.FILLED)


async def calls(store: PostgresStore) -> dict[str, Callable[[], Awaitable[object]]]:
    """One call of each public method, with everything there that it could read."""
    bot = await new_bot(store)
    await bought(store)
    start = await begin(store, "b1", 3)
    waiting, sent = entry("b1", 4, symbol=ETH), entry("b1", 5, symbol="SOL/USDT")
    for order in (waiting, sent):
        small = order.model_copy(update={"quantity": order.quantity * Decimal("0.01")})
        await intend(store, small)
    await store.claim(sent.id, NOW_MS)
    return {
        "create_bot": partial(store.create_bot, "b2", bot.settings, NOW_MS),
        "bot": partial(store.bot, "b1"),
        "bots": store.bots,
        "watched_symbols": partial(store.watched_symbols, "okx"),
        "reserve_cycles": partial(store.reserve_cycles, "b1", "chain", "run", 8),
        "save_parts": partial(store.save_parts, [part(KEYS[0])]),
        "parts": partial(store.parts, KEYS),
        "save_snapshot": partial(store.save_snapshot, snapshot("s2")),
        "snapshot": partial(store.snapshot, start.snapshot_id),
        "begin_cycle": partial(store.begin_cycle, start),
        "open_unseen_cycle": partial(store.open_unseen_cycle, "b1", 1, 6, NOW_MS),
        "cycle": partial(store.cycle, "b1", 3),
        "save_decision": partial(store.save_decision, RECORD),
        "decision": partial(store.decision, "b1", 3),
        "lately": partial(store.lately, "b1", 4),
        "memory": partial(store.memory, "b1", 4),
        "portfolio": partial(store.portfolio, "b1"),
        "account": partial(store.account, "b1"),
        "marks": partial(store.marks, "b1", NOW_MS),
        "judge_cycle": partial(store.judge_cycle, "b1", 3, ruled(), entering=True),
        "judged": partial(store.judged, "b1", 3),
        "verdicts": partial(store.verdicts, "b1", 1),
        "unfinished_orders": partial(store.unfinished_orders, "b1"),
        "order": partial(store.order, waiting.id),
        "claim": partial(store.claim, waiting.id, NOW_MS),
        "release": partial(store.release, waiting),
        "note_taken": partial(store.note_taken, waiting),
        "finish_order": partial(store.finish_order, waiting, OrderState.CANCELLED, "done"),
        "settle": partial(store.settle, sent.id, [], INSTRUMENT),
        "fills": partial(store.fills, sent.id),
        "entries_since": partial(store.entries_since, "b1", 0),
        "last_exits": partial(store.last_exits, "b1"),
        "record_cycles": partial(store.record_cycles, "b1", [OUTCOME], [], AMOUNTS, fresh=True),
        "equity": partial(store.equity, "b1"),
        "cycles": partial(store.cycles, "b1", 9),
        "orders": partial(store.orders, "b1", 9),
        "trades": partial(store.trades, "b1", 9),
        "events": partial(store.events, "b1", 9),
        "audit": partial(store.audit, "b1"),
        "write_control": partial(store.write_control, CONTROL),
        "change_limits": partial(store.change_limits, LIMITS),
        "raise_alarm": partial(store.raise_alarm, "b1", "gone", "It was ended by force."),
        "tell": partial(store.tell, "b1", "told", "alarm", "Once."),
        "untold_ends": partial(store.untold_ends, "okx"),
        "held_symbols": partial(store.held_symbols, "okx"),
        "guards": partial(store.guards, "okx"),
        "raise_best": partial(
            store.raise_best, "okx", Best(BTC, Direction.LONG, Price(60_001), NOW_MS)
        ),
        "save_watch_marks": partial(
            store.save_watch_marks, "okx", {BTC: NOW_MS}, NOW_MS, stepped=False
        ),
        "watch_marks": partial(store.watch_marks, "okx"),
        "watch_beat": partial(store.watch_beat, "okx"),
        "model_cost": partial(store.model_cost, "b1", 0),
        "last_question": partial(store.last_question, "b1", 4),
        "decision_counts": partial(store.decision_counts, 0, "b1"),
        "live_bots": store.live_bots,
        "guard_versions": partial(store.guard_versions, "okx"),
        "known_orders": partial(store.known_orders, [waiting.id, sent.id]),
        "exit_view": partial(store.exit_view, "b1", BTC, sent.id),
        "intend_exit": partial(store.intend_exit, leave("b1", 3, "0.09"), 1),
        "tell_order": partial(store.tell_order, "b1", 3, EXIT),
        "note_protection": partial(
            store.note_protection, PROTECTION.model_copy(update={"order_id": sent.id})
        ),
        "protection_times": partial(store.protection_times, "okx"),
        "stop_view": partial(store.stop_view, "b1", BTC),
        "intend_stop": partial(store.intend_stop, RESTING, 1),
        "note_stop": partial(store.note_stop, RESTING.id, StopState.RESTING),
        "resting_stops": partial(store.resting_stops, "b1"),
        "known_stops": partial(store.known_stops, [RESTING.id]),
        "stops_of_coin": partial(store.stops_of_coin, "okx", BTC),
        "adopt": partial(store.adopt, TRIGGERED, [fill(TRIGGERED)], INSTRUMENT),
        "booked_trades": partial(store.booked_trades, [sent.id]),
        "claims": partial(store.claims, "okx"),
        "sent_symbols": partial(store.sent_symbols, "b1", 0),
        "tell_differences": partial(
            store.tell_differences, "b1", ["USDT are missing"], is_all=True
        ),
        "flat_among": partial(store.flat_among, ["b1"]),
        "untold_orders": partial(store.untold_orders, "b1", 0),
        "write_off": partial(gone, store),
        "written_off": partial(store.written_off, "b1", "w1"),
        "close": store.close,
    }


async def gone(store: PostgresStore) -> None:
    """Write off what a live bot of another venue has, and its account has no more."""
    await new_bot(store, "b3", mode="live", venue="elsewhere")
    seen = SeenAccount(claims=await store.claims("elsewhere"), has={"USDT": Decimal(9_999)})
    wish = WriteOff(
        id="w1", bot_id="b3", by="t", reason="", losses={"USDT": Decimal(1)}, at_ms=NOW_MS
    )
    await store.write_off(wish, seen)


async def test_every_method_runs_and_what_it_gives_is_whole_when_the_store_is_closed(
    store: PostgresStore,
) -> None:
    """A method without a call fails here; one that would load later fails after the close."""
    planned = await calls(store)
    methods = {
        name
        for name, method in inspect.getmembers(PostgresStore, inspect.iscoroutinefunction)
        if not name.startswith("_")
    }
    assert planned.keys() == methods
    given = {name: await call() for name, call in planned.items()}
    for name, result in given.items():
        assert whole(result), name


def whole(result: object) -> bool:
    """Read everything in it; only plain values and the domain's own may be there."""
    if isinstance(result, dict):
        return all(whole(value) for value in result.values())
    if isinstance(result, list | tuple):
        return all(whole(value) for value in result)
    if isinstance(result, BaseModel):
        return type(result).__module__.startswith("oxbot.") and bool(result.model_dump_json())
    return result is None or isinstance(result, str | int | Decimal)


def test_no_orm_is_in_use() -> None:
    sources = Path(oxbot.__file__).parents[1]
    found = [
        str(path.relative_to(sources))
        for package in ("oxbot", "activities", "workflows", "worker", "api", "infra")
        for path in (sources / package).rglob("*.py")
        if any(
            "sqlalchemy.orm" in name or "sqlalchemy.ext.declarative" in name for name in names(path)
        )
    ]
    assert found == []


def names(path: Path) -> list[str]:
    """What a file imports, by full name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    plain = [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    parts = [
        f"{n.module}.{a.name}"
        for n in ast.walk(tree)
        if isinstance(n, ast.ImportFrom)
        for a in n.names
    ]
    return [*plain, *parts]
