"""The prompt: what a model is told, from typed facts; the constant part comes first."""

from typing import Final

from oxbot.domain.bot import RiskLimits
from oxbot.domain.market import Indicators, Quote
from oxbot.domain.portfolio import Portfolio, Position
from oxbot.records import MarketBrief, ModelRequest

INSTRUCTIONS: Final = (
    "You trade spot crypto against USDT, long only. Answer with one JSON object and nothing "
    'else: {"summary": text, "proposals": [{"symbol", "action": "buy" | "close" | "hold", '
    '"fraction": "0..1 of the allowed size", "confidence": "0..1", '
    '"expected_move": "relative move of the price you expect", '
    '"invalidation": "what would prove you wrong", "reason": text}]}. Numbers are strings. '
    "At most one proposal a symbol. Rules outside your control size, refuse and close."
)


def build_request(brief: MarketBrief) -> ModelRequest:
    """Build the messages for a model from the facts, and carry the facts along."""
    facts = "\n".join(
        [
            _limits(brief.limits),
            _account(brief.portfolio),
            *(_position(p) for _, p in sorted(brief.portfolio.positions.items())),
            *(_market(brief.indicators[s], brief.quotes[s]) for s in brief.symbols),
        ]
    )
    return ModelRequest(messages=(("system", INSTRUCTIONS), ("user", facts)), brief=brief)


def _limits(limits: RiskLimits) -> str:
    return (
        f"Limits: at most {limits.max_position} of equity a coin, {limits.max_exposure} in all; "
        f"stop {limits.stop}, target {limits.target} from the entry; longest hold "
        f"{limits.longest_hold_s} s, shortest {limits.shortest_hold_s} s; cooldown after an exit "
        f"{limits.cooldown_s} s; confidence at least {limits.confidence}."
    )


def _account(portfolio: Portfolio) -> str:
    return f"Account: {portfolio.cash:.2f} USDT cash, {len(portfolio.positions)} positions."


def _position(position: Position) -> str:
    return (
        f"Position {position.symbol}: {position.quantity} at {position.average_price}, "
        f"stop {position.stop_price}, target {position.target_price}."
    )


def _market(indicators: Indicators, quote: Quote) -> str:
    return (
        f"{quote.symbol}: bid {quote.bid}, ask {quote.ask}, last {quote.last}; closed 5m candle "
        f"{indicators.close}, EMA20 {indicators.ema20:.6g}, EMA50 {indicators.ema50:.6g}, "
        f"RSI14 {indicators.rsi14:.1f}, ATR14 {indicators.atr14:.6g}, "
        f"change 1h {indicators.change_1h:+.4f}."
    )
