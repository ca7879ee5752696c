"""Bots on record: created once, controlled by epoch, numbered without gaps or repeats."""

import asyncio
from decimal import Decimal
from itertools import pairwise

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from oxbot.adapters.postgres.schema import bots
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.bot import BotSettings, BotStatus, RiskLimits
from oxbot.domain.errors import Conflict, NotFound
from oxbot.domain.money import Notional
from oxbot.messages import CycleOutcome, WriteControl
from tests.support.trading import NOW_MS, begin, bought, new_bot


def control(status: BotStatus, epoch: int) -> WriteControl:
    return WriteControl(
        bot_id="b1", status=status, epoch=epoch, flatten=False, by="ann", reason="lunch"
    )


async def test_a_bot_comes_back_as_it_was_made(store: PostgresStore) -> None:
    settings = BotSettings(
        name="Odd",
        owner="ann",
        symbols=("BTC/USDT", "XRP/USDT"),
        capital=Notional("1234.567890123456"),
        limits=RiskLimits(stop=Decimal("0.0123"), spread_bp=Decimal("7.5")),
    )
    made = await store.create_bot("odd", settings, NOW_MS)
    assert made == await store.bot("odd")
    assert (made.settings, made.status, made.created_ms) == (settings, BotStatus.RUNNING, NOW_MS)
    assert (await store.portfolio("odd")).cash == settings.capital
    assert [event.kind for event in await store.events("odd", 9)] == ["created"]
    audit = await store.audit("odd")
    assert (audit.fills, audit.drift, audit.unbalanced) == (0, Decimal(0), 0)


async def test_an_id_is_given_once(store: PostgresStore) -> None:
    await new_bot(store)
    with pytest.raises(Conflict, match="b1 already"):
        await new_bot(store, name="Second")
    assert (await store.bot("b1")).settings.name == "Test"


async def test_bots_are_listed_oldest_first_and_by_owner(store: PostgresStore) -> None:
    for number, owner in enumerate(("ann", "bob", "ann")):
        settings = BotSettings(name="Test", owner=owner)
        await store.create_bot(f"z{9 - number}", settings, NOW_MS + number)
    assert [bot.id for bot in await store.bots()] == ["z9", "z8", "z7"]
    assert [bot.id for bot in await store.bots("ann")] == ["z9", "z7"]
    with pytest.raises(NotFound, match="bot b1"):
        await store.bot("b1")


@pytest.mark.critical
async def test_an_older_epoch_never_changes_what_a_newer_one_wrote(store: PostgresStore) -> None:
    await new_bot(store)
    await store.write_control(control(BotStatus.PAUSED, 5))
    await store.write_control(control(BotStatus.RUNNING, 4))
    bot = await store.bot("b1")
    assert (bot.status, bot.epoch, bot.flatten) == (BotStatus.PAUSED, 5, False)


async def test_control_is_told_once_with_who_and_why(store: PostgresStore) -> None:
    await new_bot(store)
    for _ in range(2):
        await store.write_control(control(BotStatus.PAUSED, 2))
    event, _ = await store.events("b1", 9)
    assert (event.kind, event.text) == ("paused", "Paused by ann: lunch.")
    with pytest.raises(NotFound):
        await store.write_control(control(BotStatus.PAUSED, 2).model_copy(update={"bot_id": "b2"}))


@pytest.mark.critical
async def test_a_run_that_asks_again_gets_the_same_numbers(store: PostgresStore) -> None:
    await new_bot(store)
    first = await store.reserve_cycles("b1", "chain", "run-1", 60)
    assert (first.incarnation, first.first_cycle, first.cycles) == (1, 1, 60)
    assert await store.reserve_cycles("b1", "chain", "run-1", 60) == first


@pytest.mark.critical
async def test_runs_of_one_chain_follow_each_other_and_a_new_chain_is_a_new_incarnation(
    store: PostgresStore,
) -> None:
    await new_bot(store)
    await store.reserve_cycles("b1", "chain", "run-1", 60)
    second = await store.reserve_cycles("b1", "chain", "run-2", 50)
    third = await store.reserve_cycles("b1", "another chain", "run-3", 50)
    assert (second.incarnation, second.first_cycle) == (1, 61)
    assert (third.incarnation, third.first_cycle) == (2, 111)
    assert (await store.bot("b1")).incarnation == 2


@pytest.mark.critical
async def test_reservations_at_once_never_overlap(store: PostgresStore) -> None:
    await new_bot(store)
    blocks = await asyncio.gather(
        *(store.reserve_cycles("b1", f"c{n % 4}", f"r{n % 16}", 7) for n in range(48))
    )
    distinct = sorted({(block.first_cycle, block.incarnation) for block in blocks})
    assert [first for first, _ in distinct] == list(range(1, 16 * 7, 7))
    assert {incarnation for _, incarnation in distinct} == {1, 2, 3, 4}
    assert all(after[0] - before[0] == 7 for before, after in pairwise(distinct))


async def test_a_reservation_says_when_the_last_recorded_cycle_was_due(
    store: PostgresStore,
) -> None:
    await new_bot(store)
    assert (await store.reserve_cycles("b1", "c", "r1", 5)).last_due_ms is None
    outcome = CycleOutcome(cycle=1, incarnation=1, due_ms=NOW_MS, skipped="venue down")
    await store.record_cycles("b1", [outcome], [], {})
    await begin(store, "b1", 2)
    assert (await store.reserve_cycles("b1", "c", "r2", 5)).last_due_ms == NOW_MS


async def test_amounts_are_kept_to_the_last_digit_and_shown_plainly(
    store: PostgresStore, engine: AsyncEngine
) -> None:
    for number, amount in enumerate(("10000", "0.000000000001", "999999999999.999999999999")):
        settings = BotSettings(name="Test", capital=Notional(amount))
        await store.create_bot(f"b{number}", settings, NOW_MS)
        cash = (await store.portfolio(f"b{number}")).cash
        assert cash == Decimal(amount)
        assert f"{cash:f}" == amount
    async with engine.begin() as connection:
        assert (await connection.execute(bots.select())).mappings().first() is not None


async def test_watched_is_what_living_bots_of_the_venue_trade_or_hold(
    store: PostgresStore,
) -> None:
    for bot_id, venue, symbols in (
        ("w1", "okx", ("SOL/USDT", "BTC/USDT")),
        ("w2", "okx", ("BTC/USDT", "XRP/USDT")),
        ("w3", "okx-simulated", ("BNB/USDT",)),
    ):
        settings = BotSettings(name="Test", venue=venue, symbols=symbols)
        await store.create_bot(bot_id, settings, NOW_MS)
    assert await store.watched_symbols("okx") == ["BTC/USDT", "SOL/USDT", "XRP/USDT"]
    assert await store.watched_symbols("okx-simulated") == ["BNB/USDT"]
    assert await store.watched_symbols("nowhere") == []
    stopped = control(BotStatus.STOPPED, 2).model_copy(update={"bot_id": "w2"})
    await store.write_control(stopped)
    assert await store.watched_symbols("okx") == ["BTC/USDT", "SOL/USDT"]


async def test_a_coin_that_is_held_is_watched_though_it_is_traded_no_more(
    store: PostgresStore, engine: AsyncEngine
) -> None:
    bot = await new_bot(store)
    await bought(store)
    changed = bot.settings.model_copy(update={"symbols": ("ETH/USDT",)})
    row = update(bots).values(settings=changed.model_dump(mode="json"))
    async with engine.begin() as connection:
        await connection.execute(row)
    assert await store.watched_symbols("okx") == ["BTC/USDT", "ETH/USDT"]
