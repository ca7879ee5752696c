"""What the bot has behind it: how its trades went, and why the last ones began and ended."""

from decimal import Decimal

from oxbot.app.prompt.words import REASON, minutes, quoted
from oxbot.domain.memory import Memory, PastTrade, Performance, performance
from oxbot.domain.money import basis_points


def memory_told(memory: Memory) -> list[str]:
    """Tell the figures of the trades and the last of them, oldest first; nothing before any."""
    figures = performance(memory.results)
    if figures is None:
        return []
    return [_figures(figures), *(_trade(past) for past in memory.last)]


def _figures(figures: Performance) -> str:
    return (
        f"Your last {figures.trades} trades: net PnL {figures.net_pnl:+.2f} USDT, win rate "
        f"{figures.win_rate:.2f}, profit factor {_told(figures.profit_factor)}, Sharpe "
        f"{_told(figures.sharpe)}, drawdown {figures.drawdown:.2f} USDT. The newest of them:"
    )


def _told(figure: Decimal | None) -> str:
    return "unknown" if figure is None else f"{figure:.2f}"


def _trade(past: PastTrade) -> str:
    trade, why, end = past.trade, past.thesis.reason, past.exit_reason
    move_bp = basis_points(trade.exit_price - trade.entry_price, trade.entry_price)
    return (
        f"  Trade {trade.symbol}: {move_bp:+.0f} bp, net PnL {trade.net_pnl:+.2f}, fees "
        f"{trade.fees:.2f}, {minutes(trade.closed_ms - trade.opened_ms)}, left by {trade.exit}"
        + (f" for {quoted(end, REASON)}" if end else "")
        + (f", entered for {quoted(why, REASON)}." if why else ".")
    )
