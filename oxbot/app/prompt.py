"""The prompt: what a model is told, from typed facts; the constant part comes first."""

from typing import Final

from oxbot.app.briefs import verdict_told
from oxbot.domain.bot import RiskLimits
from oxbot.domain.limits import spoken
from oxbot.domain.market import MarketPart, Perpetual, Quote
from oxbot.domain.money import basis_points, plain
from oxbot.domain.portfolio import Portfolio, Position
from oxbot.domain.snapshots import Features
from oxbot.records import Lately, MarketBrief, ModelRequest, TradeRow

INSTRUCTIONS: Final = (
    "You trade spot crypto against USDT, long only. Answer with one JSON object and nothing "
    'else: {"summary": text, "proposals": [{"symbol", "action": "buy" | "close" | "hold", '
    '"fraction": "0..1 of the allowed size", "confidence": "0..1", '
    '"expected_move": "relative move of the price you expect", '
    '"stop_price", "target_price": "USDT; only where you want them nearer than the limits", '
    '"invalidation": "what would prove you wrong", "reason": text}]}. Numbers are strings. '
    "At most one proposal a symbol. Rules outside your control size, refuse and close."
)


MOST_TRADES: Final = 20
"""Trades told of that were closed since the last decision: the newest."""


def build_request(brief: MarketBrief) -> ModelRequest:
    """Build the messages for a model from the facts, and carry the facts along."""
    facts = "\n".join(
        [
            _limits(brief.limits),
            _account(brief.portfolio),
            *_lately(brief.lately),
            *(_position(p) for _, p in sorted(brief.portfolio.positions.items())),
            *(_market(brief.features[s], brief.quotes[s], brief.now_ms) for s in brief.symbols),
        ]
    )
    return ModelRequest(messages=(("system", INSTRUCTIONS), ("user", facts)), brief=brief)


def _limits(limits: RiskLimits) -> str:
    """Tell every limit: a model that does not know one proposes in vain."""
    sold = "all is sold" if limits.flatten_at_limit else "nothing is sold"
    return (
        f"Limits: at most {limits.max_position} of equity a coin, {limits.max_exposure} in all, "
        f"{limits.max_account_exposure} of all bots of the account together; stop {limits.stop}, "
        f"target {limits.target} from the entry, trailing stop {spoken(limits.trailing)}; longest "
        f"hold {limits.longest_hold_s} s, shortest {limits.shortest_hold_s} s; cooldown after an "
        f"exit {limits.cooldown_s} s; confidence at least {limits.confidence}; expected move at "
        f"least {limits.fee_round_trips} round trips of fees; reward over risk at least "
        f"{limits.reward_risk}; an entry is worth {limits.minimum_notional} USDT or more, its "
        f"limit price is {limits.slippage_bp} bp above the ask, at a spread of {limits.spread_bp} "
        f"bp at most, a price {limits.price_age_s} s old at most and moved by {limits.move_bp} bp "
        f"at most since you saw it; {limits.entries_a_day} entries a day; no entries once the day "
        f"lost {limits.daily_loss} or equity fell {limits.drawdown} from its high, and then {sold}."
    )


def _account(portfolio: Portfolio) -> str:
    return f"Account: {portfolio.cash:.2f} USDT cash, {len(portfolio.positions)} positions."


def _lately(lately: Lately | None) -> list[str]:
    """Tell what became of the last decision: what the rules said, and what was closed and why.

    No word of a rule is left out; what it said again and again is told once, by its last figures.
    """
    if lately is None:
        return []
    said = {(v.symbol, v.purpose, v.ruling, v.rule): verdict_told(v) for v in lately.verdicts}
    closed = [_closed(trade) for trade in lately.trades[-MOST_TRADES:]]
    older = len(lately.trades) - len(closed)
    left_out = [f"{older} trades closed before these"] if older else []
    lines = [*said.values(), *left_out, *closed] or ["nothing was proposed and nothing closed"]
    return [f"Since the last decision (cycle {lately.cycle}):", *(f"  {line}." for line in lines)]


def _closed(trade: TradeRow) -> str:
    return (
        f"{trade.symbol} closed by {trade.exit}: {plain(trade.quantity)} from "
        f"{plain(trade.entry_price)} to {plain(trade.exit_price)}, net PnL {trade.net_pnl:.2f} USDT"
    )


def _position(position: Position) -> str:
    return (
        f"Position {position.symbol}: {position.quantity} at {position.average_price}, "
        f"stop {position.stop_price}, target {position.target_price}."
    )


def _market(features: Features, quote: Quote, now_ms: int) -> str:
    """Tell one coin: its price with its age, the closed candles of three lengths, the perpetual."""
    lines = [
        _price(quote, now_ms),
        *(_candles(part) for part in (features.m5, features.h1, features.h4)),
        _perpetual(features.perpetual),
    ]
    return "\n".join(lines)


def _price(quote: Quote, now_ms: int) -> str:
    spread_bp = basis_points(quote.spread, quote.bid)
    return (
        f"{quote.symbol}: bid {quote.bid}, ask {quote.ask}, last {quote.last}, spread {spread_bp} "
        f"bp, 24 h volume {quote.volume_24h} coins; price {quote.age_ms(now_ms) / 1000:.1f} s old."
    )


def _candles(part: MarketPart) -> str:
    seen = part.indicators
    return (
        f"  {part.bar} close {seen.close}, returns over 1 and 12 candles {seen.return_1:+.4f} "
        f"{seen.return_12:+.4f}, volatility {seen.volatility:.4f}; EMA20 {seen.ema20:.6g}, EMA50 "
        f"{seen.ema50:.6g}, MACD {seen.macd:.4g} signal {seen.macd_signal:.4g} histogram "
        f"{seen.macd_histogram:.4g}, RSI7 {seen.rsi7:.1f}, RSI14 {seen.rsi14:.1f}, ATR3 "
        f"{seen.atr3:.4g}, ATR14 {seen.atr14:.4g}, Bollinger {seen.bollinger_lower:.6g} "
        f"{seen.bollinger_middle:.6g} {seen.bollinger_upper:.6g}, volume ratio "
        f"{seen.volume_ratio:.2f}."
    )


def _perpetual(perpetual: Perpetual | None) -> str:
    if perpetual is None:
        return "  No perpetual is listed."
    return (
        f"  Perpetual: funding rate {perpetual.funding_rate}, open interest "
        f"{perpetual.open_interest} coins."
    )
