"""What the bot has, what it has cost so far, and its positions with why and until when."""

from oxbot.app.prompt.words import INVALIDATION, REASON, minutes, quoted, short
from oxbot.domain.bot import RiskLimits
from oxbot.domain.market import Quote
from oxbot.domain.memory import Costs, Thesis
from oxbot.domain.portfolio import Portfolio, Position
from oxbot.domain.risk import SECOND_MS


def account_told(portfolio: Portfolio, quotes: dict[str, Quote]) -> str:
    """Tell cash, equity and exposure by the prices that the model is shown."""
    return (
        f"Account: {portfolio.cash:.2f} USDT cash, {portfolio.equity(quotes):.2f} equity, "
        f"{portfolio.exposure(quotes):.2f} in {len(portfolio.positions)} positions."
    )


def costs_told(costs: Costs) -> str:
    """Tell what deciding and trading have cost so far."""
    return (
        f"Costs so far: {costs.fees_usdt:.2f} USDT of fees; {costs.model_usd:.3g} USD for "
        f"{costs.decisions} decisions."
    )


def position_told(
    position: Position, thesis: Thesis, quote: Quote | None, limits: RiskLimits, now_ms: int
) -> str:
    """Tell a position: what it stands at, how it ends by itself, and why it was entered."""
    held_ms = max(0, now_ms - position.opened_ms)
    left_ms = max(0, limits.longest_hold_s * SECOND_MS - held_ms)
    return (
        f"Position {position.symbol}: {position.cost:.0f} USDT at "
        f"{short(position.average_price)}{_pnl(position, quote)}; stop "
        f"{short(position.stop_price)}, target {short(position.target_price)}{_trail(position)}; "
        f"held {minutes(held_ms)}, {minutes(left_ms)} left{_why(thesis)}."
    )


def _pnl(position: Position, quote: Quote | None) -> str:
    if quote is None:
        return ", no price"
    return f", PnL {quote.worth(position.quantity) - position.cost:+.2f}"


def _trail(position: Position) -> str:
    trail = position.trail_price
    return "" if trail is None else f", trail {short(trail)}"


def _why(thesis: Thesis) -> str:
    reason, wrong = thesis.reason, thesis.invalidation
    told = f"; entered for {quoted(reason, REASON)}" if reason else ""
    return told + (f"; wrong if {quoted(wrong, INVALIDATION)}" if wrong else "")
