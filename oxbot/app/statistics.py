"""A bot's statistics, computed from what its record sums up to."""

from decimal import Decimal

from oxbot.domain import statistics as of
from oxbot.domain.money import Notional
from oxbot.domain.statistics import share_of
from oxbot.domain.values import Value
from oxbot.ports.reading import Reading
from oxbot.records.reading import Exits, Figures


class Drawdown(Value):
    """The deepest fall of worth: a fraction of the peak before it; amounts in USDT, venue ms."""

    fraction: Decimal
    peak: Notional
    trough: Notional
    at_ms: int


class Statistics(Value):
    """How well a bot did, after fees and model cost; `docs/api.md` explains each figure.

    Amounts are in USDT, model cost in USD, times in venue ms, the rest are fractions. What
    cannot be said yet is null. `unpriced` counts the answers of models whose cost nobody knows,
    `stale_points` those `points` of equity that rest on prices too old to measure losses by.
    """

    bot_id: str
    since_ms: int | None
    until_ms: int | None
    points: int
    stale_points: int
    capital: Notional
    equity: Notional
    net_pnl: Notional
    net_return: Decimal
    fees: Notional
    model_cost_usd: Decimal
    unpriced: int
    written_off: Notional
    max_drawdown: Drawdown | None
    sharpe: Decimal | None
    days: int
    trades: int
    win_rate: Decimal | None
    profit_factor: Decimal | None
    average_trade: Notional | None
    best_trade: Notional | None
    worst_trade: Notional | None
    exits: dict[str, Exits]
    time_in_market: Decimal | None


async def statistics(reading: Reading, bot_id: str, owner: str | None = None) -> Statistics:
    """Give a bot's statistics as of its newest recorded cycle; NotFound."""
    return computed(bot_id, await reading.figures(bot_id, owner))


def computed(bot_id: str, figures: Figures) -> Statistics:
    """Compute statistics from sums."""
    net = of.net_pnl(figures.capital, figures.equity, figures.model_cost_usd)
    days = [(day.day, day.worth) for day in figures.days]
    returns = of.daily_returns(figures.capital, days)
    trades = figures.trades
    return Statistics(
        bot_id=bot_id,
        since_ms=figures.first_ms,
        until_ms=figures.newest_ms,
        points=figures.points,
        stale_points=figures.stale_points,
        capital=figures.capital,
        equity=figures.equity,
        net_pnl=net,
        net_return=of.ratio(net.number, figures.capital.number),
        fees=figures.fees,
        model_cost_usd=figures.model_cost_usd,
        unpriced=figures.unpriced,
        written_off=figures.written_off,
        max_drawdown=_drawdown(figures),
        sharpe=None if returns is None else of.sharpe(returns),
        days=0 if returns is None else len(returns),
        trades=trades.trades,
        win_rate=of.win_rate(trades.wins, trades.trades),
        profit_factor=of.profit_factor(trades.gained, trades.lost),
        average_trade=of.average(trades.gained - trades.lost, trades.trades),
        best_trade=trades.best,
        worst_trade=trades.worst,
        exits=trades.exits,
        time_in_market=_time_in_market(figures),
    )


def _drawdown(figures: Figures) -> Drawdown | None:
    if figures.fall is None:
        return None
    fall = figures.fall
    return Drawdown(**dict(fall), fraction=of.drawdown(fall.peak, fall.trough))


def _time_in_market(figures: Figures) -> Decimal | None:
    """Give the part of the recorded time in which anything was held."""
    if figures.first_ms is None or figures.newest_ms is None:
        return None
    return share_of(Decimal(figures.held_ms), Decimal(figures.newest_ms - figures.first_ms))
