"""Bots, orders and fills as tests need them: sound unless a test says otherwise."""

from decimal import Decimal

from oxbot.adapters.postgres.store import PostgresStore
from oxbot.domain.bot import Bot, BotSettings
from oxbot.domain.market import (
    Bar,
    Candle,
    ClockReading,
    Indicators,
    Instrument,
    MarketPart,
    PartKey,
    Perpetual,
    Quote,
)
from oxbot.domain.money import Price, Quantity
from oxbot.domain.orders import Fill, Order, OrderKey, Purpose, Side
from oxbot.domain.risk import Ruling, Verdict
from oxbot.domain.snapshots import Features, Snapshot, part_keys
from oxbot.records import CycleStart, Judge, Judgement

NOW_MS = 1_760_000_000_123
CANDLE_END_MS = Bar.M5.closed_by(NOW_MS)
BTC = "BTC/USDT"
ETH = "ETH/USDT"
INSTRUMENT = Instrument(
    symbol=BTC, tick=Price("0.1"), lot=Quantity("0.00000001"), minimum=Quantity("0.00001")
)
CLOCK = ClockReading(venue_ms=NOW_MS, wall_ms=NOW_MS, rate=Decimal(1))


def quote(symbol: str = BTC, bid: str = "60000", *, at_ms: int = NOW_MS) -> Quote:
    """A quote with a spread of 0.1."""
    price = Price(bid)
    return Quote(
        symbol=symbol,
        bid=price,
        ask=price + Price("0.1"),
        last=price,
        volume_24h=Quantity(1_000),
        exchange_ms=at_ms,
        received_ms=at_ms + 40,
        source="test",
    )


def indicators(**changes: object) -> Indicators:
    """Plain indicators."""
    plain: dict[str, object] = {
        "close": Price("60000.1"),
        "ema20": 60000.25,
        "ema50": 59000.5,
        "macd": 12.5,
        "macd_signal": 11.25,
        "macd_histogram": 1.25,
        "rsi7": 61.1,
        "rsi14": 55.125,
        "atr3": 110.7,
        "atr14": 120.1,
        "bollinger_upper": 60400.2,
        "bollinger_middle": 60000.1,
        "bollinger_lower": 59600.0,
        "volume_ratio": 1.1,
        "return_1": 0.0001,
        "return_12": 0.001,
        "volatility": 0.0012,
    }
    return Indicators.model_validate(plain | changes)


def part(key: PartKey, **changes: object) -> MarketPart:
    """A part with one candle, and a perpetual where it is of five minutes."""
    price, at_ms = Price("60000.1"), key.candle_ms
    candle = Candle(
        open_ms=at_ms - key.bar.length_ms,
        open=price,
        high=price,
        low=price,
        close=price,
        volume=Quantity("1E-8"),
    )
    perpetual = Perpetual(
        funding_rate=Decimal("-0.00001"), next_funding_ms=at_ms, open_interest=Quantity("25000.1")
    )
    made = MarketPart(
        venue=key.venue,
        symbol=key.symbol,
        bar=key.bar,
        candle_ms=at_ms,
        indicators=indicators(),
        candles=(candle,),
        perpetual=perpetual if key.bar is Bar.M5 else None,
    )
    return made.model_copy(update=changes)


def features(**changes: object) -> Features:
    """Features of BTC whose five-minute indicators a test may change."""
    m5, h1, h4 = (part(key) for key in part_keys("okx", CANDLE_END_MS, [BTC]))
    return Features(m5=m5.model_copy(update={"indicators": indicators(**changes)}), h1=h1, h4=h4)


def snapshot(snapshot_id: str = "s1", *symbols: str) -> Snapshot:
    """A snapshot with plain parts."""
    keys = part_keys("okx", CANDLE_END_MS, symbols or (BTC, ETH))
    return Snapshot.of_parts(snapshot_id, keys, {key: part(key) for key in keys})


async def keep(store: PostgresStore, made: Snapshot) -> Snapshot:
    """Keep a snapshot with its parts."""
    for of_symbol in made.features.values():
        for each in (of_symbol.m5, of_symbol.h1, of_symbol.h4):
            await store.save_parts([each])
    await store.save_snapshot(made)
    return made


def entry(bot_id: str, cycle: int = 1, **changes: object) -> Order:
    """An entry for 0.1 BTC at most 60,100 USDT."""
    symbol = str(changes.get("symbol", BTC))
    order = Order(
        id=_id(bot_id, cycle, symbol, Purpose.ENTRY),
        bot_id=bot_id,
        incarnation=1,
        cycle=cycle,
        symbol=symbol,
        side=Side.BUY,
        purpose=Purpose.ENTRY,
        quantity=Quantity("0.1"),
        limit_price=Price(60_100),
        expires_ms=NOW_MS + 60_000,
        stop=Decimal("0.035"),
        target=Decimal("0.07"),
        epoch=1,
    )
    return Order.model_validate(order.model_dump() | changes)


def leave(bot_id: str, cycle: int, quantity: str, **changes: object) -> Order:
    """An exit at market."""
    symbol = str(changes.get("symbol", BTC))
    order = Order(
        id=_id(bot_id, cycle, symbol, Purpose.STOP),
        bot_id=bot_id,
        incarnation=1,
        cycle=cycle,
        symbol=symbol,
        side=Side.SELL,
        purpose=Purpose.STOP,
        quantity=Quantity(quantity),
        epoch=1,
    )
    return Order.model_validate(order.model_dump() | changes)


def _id(bot_id: str, cycle: int, symbol: str, purpose: Purpose) -> str:
    return OrderKey(
        installation="test",
        bot_id=bot_id,
        incarnation=1,
        cause=f"c{cycle}",
        symbol=symbol,
        purpose=purpose,
    ).order_id


def fill(order: Order, price: str = "60000", **changes: object) -> Fill:
    """The whole order at a price, with a fee of 0.1 % as at OKX spot."""
    quantity = changes.get("quantity", order.quantity)
    assert isinstance(quantity, Quantity)
    traded = quantity if order.side is Side.BUY else quantity * Price(price)
    buys = order.side is Side.BUY
    made = Fill(
        trade_id=f"t-{order.id}",
        order_id=order.id,
        symbol=order.symbol,
        side=order.side,
        quantity=quantity,
        price=Price(price),
        fee=(traded * Decimal("0.001")).number,
        fee_currency=order.symbol.split("/")[0 if buys else 1],
        at_ms=NOW_MS,
    )
    return Fill.model_validate(made.model_dump() | changes)


def verdict(order: Order) -> Verdict:
    """What led to an order."""
    return Verdict(
        symbol=order.symbol,
        purpose=order.purpose,
        ruling=Ruling.APPROVED,
        rule="all rules",
        reason="because",
        figures={"room_usdt": "8500.00"},
        quantity=order.quantity,
        limit_price=order.limit_price,
    )


def ruled(*orders: Order) -> Judge:
    """Judge a cycle so that these orders follow, each from a verdict."""
    return lambda _: Judgement([verdict(order) for order in orders], orders)


async def new_bot(store: PostgresStore, bot_id: str = "b1", **settings: object) -> Bot:
    """A running bot with 10,000 USDT."""
    chosen = BotSettings.model_validate({"name": "Test", **settings})
    return await store.create_bot(bot_id, chosen, NOW_MS)


async def begin(store: PostgresStore, bot_id: str = "b1", cycle: int = 1) -> CycleStart:
    """Begin a cycle that saw a snapshot."""
    seen = await keep(store, snapshot())
    return await store.begin_cycle(
        CycleStart(
            bot_id=bot_id,
            incarnation=1,
            cycle=cycle,
            due_ms=NOW_MS + cycle * 300_000,
            clock=CLOCK,
            snapshot_id=seen.id,
            quotes={BTC: quote()},
        )
    )


async def intend(store: PostgresStore, *orders: Order) -> None:
    """Write orders of one cycle down, with their cycle."""
    bot_id, cycle = orders[0].bot_id, orders[0].cycle
    await begin(store, bot_id, cycle)
    await store.judge_cycle(bot_id, cycle, ruled(*orders), entering=False)


async def bought(
    store: PostgresStore, bot_id: str = "b1", cycle: int = 1, **changes: object
) -> Order:
    """Let a bot buy 0.1 BTC at 60,000 USDT."""
    order = entry(bot_id, cycle, **changes)
    await intend(store, order)
    assert await store.claim(order.id, NOW_MS)
    return await store.settle(order.id, [fill(order)], INSTRUMENT)
