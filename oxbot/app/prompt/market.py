"""The market, coin by coin: price with its age, perpetual, closed candles of three lengths.

Digits are what a prompt is made of: each is a token. So all but the five-minute averages are
distances from one price, in basis points.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from oxbot.app.prompt.words import short
from oxbot.domain.market import Bar, Candle, Indicators, MarketPart, Perpetual, Quote
from oxbot.domain.money import EXACT, Price, basis_points
from oxbot.domain.snapshots import Features

HEAD: Final = "Market; each row of closes runs OLDEST → NEWEST:"

CLOSES: Final = {Bar.M5: 8, Bar.H1: 5, Bar.H4: 5}
"""Closes of each length that are told of."""

MIDDLE: Final = Decimal("0.5")
"""Place in bands that have no width."""

BP_OF_ONE: Final = 10_000


def market_told(features: Features, quote: Quote, now_ms: int) -> str:
    """Tell one coin."""
    close = features.m5.indicators.close
    lines = [
        f"{_price(quote, now_ms)}; {_perpetual(features.perpetual)}.",
        _shortest(features.m5),
        *(_longer(part, close) for part in (features.h1, features.h4)),
    ]
    return "\n".join(lines)


def _price(quote: Quote, now_ms: int) -> str:
    age_s = quote.age_ms(now_ms) / 1000
    return f"{quote.symbol}: bid {quote.bid}, ask {quote.ask}, {age_s:.1f} s old"


def _perpetual(perpetual: Perpetual | None) -> str:
    if perpetual is None:
        return "no perpetual"
    funding_bp = perpetual.funding_rate * BP_OF_ONE
    return f"funding {funding_bp:.2f} bp, interest {short(perpetual.open_interest, 3)}"


def _shortest(part: MarketPart) -> str:
    """Tell the five-minute candles, averages and ranges in USDT."""
    seen = part.indicators
    before = _closes(part.candles[-1 - CLOSES[part.bar] : -1], seen.close)
    return (
        f"  {part.bar} close {seen.close}; closes {before}; EMA20 {seen.ema20:.6g} EMA50 "
        f"{seen.ema50:.6g} MACD {seen.macd_histogram:.3g} RSI7 {seen.rsi7:.0f} RSI14 "
        f"{seen.rsi14:.0f} ATR14 {seen.atr14:.3g} band {_band(seen):.2f} volume "
        f"{seen.volume_ratio:.2g}"
    )


def _longer(part: MarketPart, close: Price) -> str:
    """Tell longer candles by the newest five-minute close."""
    seen = part.indicators
    closes = _closes(part.candles[-CLOSES[part.bar] :], close)
    ema20, ema50 = (_in_bp(ema, close) - BP_OF_ONE for ema in (seen.ema20, seen.ema50))
    macd, atr14 = (_in_bp(figure, close) for figure in (seen.macd_histogram, seen.atr14))
    return (
        f"  {part.bar} closes {closes}; EMA20 {ema20:+.0f} EMA50 "
        f"{ema50:+.0f} MACD {macd:.2g} RSI14 {seen.rsi14:.0f} ATR14 {atr14:.0f} band "
        f"{_band(seen):.2f}"
    )


def _closes(candles: Sequence[Candle], close: Price) -> str:
    """Give closes as distances from one price in bp, oldest first."""
    distances = (basis_points(candle.close - close, close) for candle in candles)
    whole = (distance.to_integral_value() + Decimal(0) for distance in distances)
    return " ".join(f"{distance:+f}" for distance in whole) or "none"


def _in_bp(figure: float, close: Price) -> Decimal:
    """Give an indicator in basis points of a price."""
    return EXACT.divide(_decimal(figure) * BP_OF_ONE, close.number)


def _band(seen: Indicators) -> Decimal:
    """Give where the close lies in the Bollinger bands: 0 at the lower, 1 at the upper."""
    lower, upper = _decimal(seen.bollinger_lower), _decimal(seen.bollinger_upper)
    return EXACT.divide(seen.close.number - lower, upper - lower) if upper > lower else MIDDLE


def _decimal(figure: float) -> Decimal:
    """Take an indicator through its text; none of them is money."""
    return Decimal(repr(figure))
