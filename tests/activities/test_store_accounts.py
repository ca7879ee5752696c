"""What losses are measured from, and what bots of one owner have together."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from oxbot.adapters.postgres.engine import open_engine
from oxbot.adapters.postgres.store import PostgresStore
from oxbot.app.ports import Ports
from oxbot.app.validate import validate_risk
from oxbot.domain.account import Account, Holding
from oxbot.domain.bot import BotStatus, Mode
from oxbot.domain.decision import Action, Decision, Proposal
from oxbot.domain.money import Notional, Price, Quantity
from oxbot.domain.orders import Side
from oxbot.domain.risk import Marks, Ruling
from oxbot.messages import CycleOutcome, ValidateRisk, WriteControl
from oxbot.records import CycleStart, DecisionRecord
from tests.support.trading import (
    BTC,
    ETH,
    NOW_MS,
    bought,
    entry,
    intend,
    keep,
    new_bot,
    quote,
    snapshot,
)
from tests.unit.app.room import NOW_MS as ROOM_MS
from tests.unit.app.room import Room

pytestmark = pytest.mark.critical

MIDNIGHT_MS = NOW_MS // 86_400_000 * 86_400_000
HOUR_MS = 3_600_000


async def record(
    store: PostgresStore, cycle: int, equity: str, at_ms: int, *, fresh: bool = True
) -> None:
    outcome = CycleOutcome(cycle=cycle, incarnation=1, due_ms=at_ms)
    amounts = {"equity": Notional(equity), "cash": Notional(equity)}
    await store.record_cycles("b1", [outcome], [], amounts, fresh=fresh)


async def control(store: PostgresStore, status: BotStatus, epoch: int, bot_id: str = "b1") -> None:
    await store.write_control(
        WriteControl(bot_id=bot_id, status=status, epoch=epoch, flatten=True, by="Ann", reason="")
    )


async def test_a_new_bot_is_measured_by_its_capital(store: PostgresStore) -> None:
    await new_bot(store)
    marks = await store.marks("b1", MIDNIGHT_MS)
    assert marks == Marks(day_start=Notional(10_000), high_water=Notional(10_000))


async def test_the_day_begins_with_the_last_equity_recorded_before_it(
    store: PostgresStore,
) -> None:
    await new_bot(store)
    await record(store, 1, "10100", MIDNIGHT_MS - 2 * HOUR_MS)
    await record(store, 2, "10200.5", MIDNIGHT_MS - 1)
    await record(store, 3, "10150", MIDNIGHT_MS)
    await record(store, 4, "10180", MIDNIGHT_MS + HOUR_MS)
    marks = await store.marks("b1", MIDNIGHT_MS)
    highest = Notional("10200.5")
    assert marks == Marks(day_start=highest, day_lowest=Notional(10_150), high_water=highest)
    tomorrow = await store.marks("b1", MIDNIGHT_MS + 24 * HOUR_MS)
    assert tomorrow == Marks(day_start=Notional(10_180), high_water=highest)


async def test_equity_by_old_prices_is_no_mark_of_anything(store: PostgresStore) -> None:
    await new_bot(store)
    await record(store, 1, "99000", MIDNIGHT_MS - 1, fresh=False)
    await record(store, 2, "1", MIDNIGHT_MS + 1, fresh=False)
    marks = await store.marks("b1", MIDNIGHT_MS)
    assert marks == Marks(day_start=Notional(10_000), high_water=Notional(10_000))


async def test_a_cycle_recorded_again_leaves_its_first_mark(store: PostgresStore) -> None:
    await new_bot(store)
    await record(store, 1, "10100", MIDNIGHT_MS)
    await record(store, 1, "20000", MIDNIGHT_MS)
    assert (await store.marks("b1", MIDNIGHT_MS)).high_water == 10_100


async def test_a_resumed_bot_gets_a_new_mark_and_nothing_else_changes_it(
    store: PostgresStore,
) -> None:
    await new_bot(store)
    await record(store, 1, "12000", MIDNIGHT_MS)
    await control(store, BotStatus.RUNNING, 2)
    await control(store, BotStatus.PAUSED, 3)
    await record(store, 2, "9000", MIDNIGHT_MS + 1)
    assert (await store.marks("b1", MIDNIGHT_MS)).high_water == 12_000
    await control(store, BotStatus.RUNNING, 4)
    assert (await store.marks("b1", MIDNIGHT_MS)).high_water is None
    await record(store, 3, "9100", MIDNIGHT_MS + 2)
    assert (await store.marks("b1", MIDNIGHT_MS)).high_water == 9_100
    await control(store, BotStatus.RUNNING, 4)
    assert (await store.marks("b1", MIDNIGHT_MS)).high_water == 9_100


async def test_an_account_is_all_the_other_bots_of_the_owner_on_the_venue(
    store: PostgresStore,
) -> None:
    await new_bot(store)
    for bot_id in ("b2", "b3"):
        await new_bot(store, bot_id)
        await bought(store, bot_id)
    await intend(store, entry("b2", 2, symbol=ETH, limit_price=Price(30_000)))
    await new_bot(store, "gone")
    await control(store, BotStatus.STOPPED, 2, "gone")
    await new_bot(store, "hers", owner="Ann")
    await new_bot(store, "there", venue="elsewhere")
    account = await store.account("b1")
    assert account == Account(
        cash=Notional(8_000),
        reserved=Notional(3_000),
        holdings={BTC: Holding(quantity=Quantity("0.1998"), cost=Notional(11_988))},
    )
    assert (await store.account("hers")) == Account()
    own = await store.account("b2")
    assert (own.cash, own.reserved) == (Notional(14_000), Notional(0))


async def test_all_live_bots_of_a_venue_share_its_account_whoever_owns_them(
    store: PostgresStore,
) -> None:
    await new_bot(store, "anns", owner="Ann", mode=Mode.LIVE)
    await new_bot(store, "bobs", owner="Bob", mode=Mode.LIVE)
    await bought(store, "bobs")
    await new_bot(store, "paper", owner="Ann")
    await new_bot(store, "there", owner="Ann", mode=Mode.LIVE, venue="okx-demo")
    assert (await store.account("anns")) == Account(
        cash=Notional(4_000),
        holdings={BTC: Holding(quantity=Quantity("0.0999"), cost=Notional(5_994))},
    )
    assert (await store.account("bobs")).cash == 10_000
    assert (await store.account("paper")) == (await store.account("there")) == Account()


async def test_what_other_bots_owe_is_risked_beside_what_they_hold(store: PostgresStore) -> None:
    await new_bot(store)
    for bot_id, side in (("b2", Side.BUY), ("b3", Side.SELL)):
        await new_bot(store, bot_id)
        await bought(store, bot_id, side=side)
    account = await store.account("b1")
    assert account.holdings == {
        BTC: Holding(quantity=Quantity("0.0999"), cost=Notional(5_994)),
    }
    assert account.owed == {BTC: Holding(quantity=Quantity("-0.1"), cost=Notional(-6_000))}
    now = {BTC: quote()}
    assert account.exposure(now) == Notional("11994.01")
    assert account.equity(now) == account.cash + Notional("-6.01")
    assert account.exposure({}) == Notional(11_994)


BOTS = [f"b{number}" for number in range(24)]
SHARE = Decimal("0.28")


async def greedy(store: PostgresStore, mode: Mode, owners: Sequence[str]) -> None:
    """Bots that would all put 80 % of their money into BTC, of owners who allow 28 %."""
    seen = await keep(store, snapshot())
    limits = {"max_position": "0.8", "max_account_exposure": str(SHARE)}
    proposal = Proposal(
        symbol=BTC,
        action=Action.BUY,
        confidence=Decimal(1),
        expected_move=Decimal(1),
        reason="all in",
    )
    decision = Decision(proposals=(proposal,), summary="all in").model_dump_json()
    for number, bot_id in enumerate(BOTS):
        of = {"owner": owners[number % len(owners)], "mode": mode, "venue": "fake"}
        await new_bot(store, bot_id, limits=limits, symbols=(BTC,), **of)
        room = Room(now_ms=ROOM_MS)
        clock = await room.ports.clock.reading()
        quotes = {quote.symbol: quote for quote in await room.feed.quotes([BTC], clock)}
        await store.begin_cycle(
            CycleStart(
                bot_id=bot_id,
                incarnation=1,
                cycle=1,
                due_ms=ROOM_MS,
                clock=clock,
                snapshot_id=seen.id,
                quotes=quotes,
            )
        )
        await store.save_decision(
            DecisionRecord(
                id=f"{bot_id}-1",
                bot_id=bot_id,
                cycle=1,
                provider="fake",
                model="greedy",
                label="greedy",
                prompt_hash="",
                prompt="",
                reply=decision,
                decision=decision,
            )
        )


async def judged(ports: Ports, bot_id: str) -> None:
    await validate_risk(
        ports,
        ValidateRisk(
            bot_id=bot_id,
            incarnation=1,
            cycle=1,
            epoch=1,
            entries=True,
            flatten=False,
            expires_ms=ROOM_MS + 60_000,
        ),
    )


@pytest.mark.parametrize(
    ("mode", "owners"), [(Mode.PAPER, ("local",)), (Mode.LIVE, ("local", "5f0c", "a1b2"))]
)
async def test_bots_of_one_account_that_judge_at_once_never_exceed_their_limit_together(
    store: PostgresStore, database_url: str, mode: Mode, owners: Sequence[str]
) -> None:
    """Three processes; each bot by itself would stay within the limit, and so would each owner."""
    await greedy(store, mode, owners)
    others = [PostgresStore(open_engine(database_url)) for _ in range(2)]
    ports = [replace(Room().ports, store=each) for each in (store, *others)]
    try:
        await asyncio.gather(
            *(judged(ports[number % 3], bot_id) for number, bot_id in enumerate(BOTS))
        )
    finally:
        for other in others:
            await other.close()
    reserved = [(await store.portfolio(bot_id)).reserved for bot_id in BOTS]
    allowed = Notional(10_000) * len(BOTS) * SHARE
    spent = sum(reserved, Notional(0))
    assert allowed * Decimal("0.99") < spent <= allowed
    rulings = [(await store.verdicts(bot_id, 1))[0] for bot_id in BOTS]
    assert {verdict.ruling for verdict in rulings} == {
        Ruling.APPROVED,
        Ruling.REDUCED,
        Ruling.REFUSED,
    }
    assert all("account_usdt" in verdict.figures for verdict in rulings)
