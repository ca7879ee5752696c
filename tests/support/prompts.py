"""What a prompt is made of when there is much to tell: five coins, all of them held."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from oxbot.domain.bot import DEFAULT_SYMBOLS, RiskLimits
from oxbot.domain.market import Bar, Candle, Indicators, MarketPart, Perpetual, Quote
from oxbot.domain.memory import LAST_TRADES, Costs, Memory, PastTrade, Result, Thesis
from oxbot.domain.money import Notional, Price, Quantity
from oxbot.domain.orders import Purpose
from oxbot.domain.portfolio import Direction, Portfolio, Position, Trade
from oxbot.domain.risk import Ruling, Verdict
from oxbot.domain.snapshots import Features
from oxbot.records import Lately, MarketBrief, TradeRow

ZEROS = str.maketrans("123456789", "000000000")
"""Makes the smallest step of a price from its text."""

NOW_MS = 1_760_000_100_000
LIMITS = RiskLimits(trailing=Decimal("0.025"))
PRICES = dict(
    zip(DEFAULT_SYMBOLS, ("112345.6", "4123.47", "214.83", "1187.4", "2.8764"), strict=True)
)
REASON = (
    "The trend of four hours and of one hour points up, momentum grows, and volume confirms it; "
    "a pullback to the average held twice, so that the risk to the stop is small."
)
INVALIDATION = (
    "A close of an hour below the 50-candle average, or the funding rate rising above 0.0005 "
    "while the price no longer makes new highs."
)


NOTHING: Mapping[str, str] = {}
STOP_WIDTH = {
    "stop": "108000.123456",
    "lowest_stop": "108414.384000000000",
    "target": "121000.123456",
    "highest_target": "118212.000000123456",
}
ROOMS = {
    "position_usdt": "14893.37",
    "exposure_usdt": "12514.34",
    "account_usdt": "13514.34",
    "free_usdt": "12514.34",
}


def told_brief(
    rule: str, reason: str, figures: Mapping[str, str], ruling: Ruling = Ruling.REFUSED
) -> MarketBrief:
    """As `busy_brief`, with five times another verdict on an entry."""
    word = {"rule": rule, "reason": reason, "figures": figures, "ruling": ruling}
    return _after([_refusal(symbol).model_copy(update=word) for symbol in DEFAULT_SYMBOLS])


def unfilled_brief(reason: str) -> MarketBrief:
    """As `busy_brief`, with five entries approved that came to nothing."""
    word = {"rule": "all rules", "ruling": Ruling.APPROVED, "figures": ROOMS}
    approved = [_refusal(symbol).model_copy(update=word) for symbol in DEFAULT_SYMBOLS]
    return _after(approved, dict.fromkeys(DEFAULT_SYMBOLS, reason))


def _after(verdicts: Sequence[Verdict], unfilled: Mapping[str, str] = NOTHING) -> MarketBrief:
    brief = busy_brief()
    assert brief.lately
    changed = {"verdicts": tuple(verdicts), "unfilled": dict(unfilled)}
    return brief.model_copy(update={"lately": brief.lately.model_copy(update=changed)})


def busy_brief() -> MarketBrief:
    """Five coins held, five wishes refused, five trades closed since, all texts long."""
    trades = [_trade(symbol, number) for number, symbol in enumerate(DEFAULT_SYMBOLS)]
    thesis = Thesis(reason=REASON, invalidation=INVALIDATION)
    return MarketBrief(
        now_ms=NOW_MS,
        symbols=DEFAULT_SYMBOLS,
        features={symbol: _features(symbol) for symbol in DEFAULT_SYMBOLS},
        quotes={symbol: _quote(symbol) for symbol in DEFAULT_SYMBOLS},
        portfolio=Portfolio(
            cash=Notional("2514.337719"),
            positions={symbol: _position(symbol) for symbol in DEFAULT_SYMBOLS},
        ),
        limits=LIMITS,
        lately=Lately(
            cycle=1234,
            verdicts=tuple(_refusal(symbol) for symbol in DEFAULT_SYMBOLS),
            trades=tuple(TradeRow.model_validate(trade.model_dump()) for trade in trades),
        ),
        memory=Memory(
            last=tuple(
                PastTrade(trade=t, thesis=thesis, exit_reason=REASON) for t in trades[-LAST_TRADES:]
            ),
            results=tuple(
                Result(invested=t.entry_price * t.quantity, net_pnl=t.net_pnl) for t in trades
            ),
            theses=dict.fromkeys(DEFAULT_SYMBOLS, thesis),
            costs=Costs(model_usd=Decimal("2.1184"), decisions=1233, fees_usdt=Notional("108.44")),
        ),
        fee_rate=Decimal("0.001"),
    )


def _quote(symbol: str) -> Quote:
    bid = Price(PRICES[symbol])
    return Quote(
        symbol=symbol,
        bid=bid,
        ask=bid + Price(str(bid)[:-1].translate(ZEROS) + "1"),
        last=bid,
        volume_24h=Quantity("48211.77"),
        exchange_ms=NOW_MS - 420,
        received_ms=NOW_MS - 400,
        source="stream",
    )


def _features(symbol: str) -> Features:
    m5, h1, h4 = (_part(symbol, bar) for bar in Bar)
    return Features(m5=m5, h1=h1, h4=h4)


def _part(symbol: str, bar: Bar) -> MarketPart:
    end_ms, close = bar.closed_by(NOW_MS), Price(PRICES[symbol])
    perpetual = Perpetual(
        funding_rate=Decimal("0.0000817"), next_funding_ms=NOW_MS, open_interest=Quantity("31234.9")
    )
    steps = [Decimal(20 - number) * ((-1) ** number) / 1000 for number in range(20)]
    return MarketPart(
        venue="okx",
        symbol=symbol,
        bar=bar,
        candle_ms=end_ms,
        indicators=_indicators(close),
        candles=tuple(
            _candle(end_ms - (20 - n) * bar.length_ms, close * (1 + step))
            for n, step in enumerate([*steps[:-1], Decimal(0)])
        ),
        perpetual=perpetual if bar is Bar.M5 else None,
    )


def _candle(open_ms: int, price: Price) -> Candle:
    return Candle(
        open_ms=open_ms, open=price, high=price, low=price, close=price, volume=Quantity(12)
    )


def _indicators(close: Price) -> Indicators:
    at = float(close.number)
    return Indicators(
        close=close,
        ema20=at * 0.99813,
        ema50=at * 0.99276,
        macd=at * 0.001237,
        macd_signal=at * 0.00111,
        macd_histogram=at * 0.000127,
        rsi7=68.31,
        rsi14=61.47,
        atr3=at * 0.0017,
        atr14=at * 0.00213,
        bollinger_upper=at * 1.0042,
        bollinger_middle=at * 0.9983,
        bollinger_lower=at * 0.9924,
        volume_ratio=1.374,
        return_1=0.0007,
        return_12=0.0043,
        volatility=0.0011,
    )


def _position(symbol: str) -> Position:
    price = Price(PRICES[symbol]) * Decimal("0.9937")
    paid = Notional("1489.37")
    quantity = paid / price
    return Position(
        symbol=symbol,
        quantity=quantity,
        cost=paid,
        entry_quantity=quantity,
        entry_notional=paid,
        paid=paid,
        received=Notional(0),
        fees=Notional("1.49"),
        opened_ms=NOW_MS - 5_400_000,
        stop=LIMITS.stop,
        target=LIMITS.target,
        trail=LIMITS.trailing,
        best=Price(PRICES[symbol]),
        version=1,
    )


def _refusal(symbol: str) -> Verdict:
    return Verdict(
        symbol=symbol,
        purpose=Purpose.ENTRY,
        ruling=Ruling.REFUSED,
        rule="stop width",
        reason="the stop is further away than allowed",
        figures=STOP_WIDTH,
    )


def _trade(symbol: str, number: int) -> Trade:
    price = Price(PRICES[symbol])
    return Trade(
        symbol=symbol,
        direction=Direction.LONG,
        quantity=Quantity("0.013347"),
        entry_price=price,
        exit_price=price * Decimal("1.0123"),
        fees=Notional("2.991234"),
        net_pnl=Notional(15) - Notional(10) * number,
        opened_ms=NOW_MS - 9_000_000,
        closed_ms=NOW_MS - 100_000,
        exit=Purpose.DECISION,
    )
