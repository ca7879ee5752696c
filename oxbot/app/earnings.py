"""What a bot earned in a stretch of the market, beside what others would have."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Self

from oxbot.app.crossings import PastCandles
from oxbot.app.replay_report import total
from oxbot.app.statement import Statement
from oxbot.domain.money import Notional, Price, to_scale
from oxbot.domain.portfolio import Position
from oxbot.domain.values import Value
from oxbot.domain.yardsticks import Chance, Stake, traded_at_random, worth_held


class Earnings(Value):
    """What somebody earned, in USDT; a USD of model cost counts as one.

    `pnl` is after fees, by equity, so that what is still held counts at its price; `net` is less
    the model's cost, None where nobody knows that. `turnover` is bought and sold.
    """

    name: str
    trades: int = 0
    turnover: Notional = Notional(0)
    fees: Notional = Notional(0)
    pnl: Notional
    model_usd: Decimal | None = Decimal(0)

    @property
    def net(self) -> Notional | None:
        """PnL after fees and the model's cost."""
        return None if self.model_usd is None else self.pnl - Notional(self.model_usd)

    @classmethod
    def of(
        cls,
        name: str,
        books: Statement,
        stretch: range,
        equity: tuple[Notional, Notional],
        model_usd: Decimal | None,
    ) -> Self:
        """Sum up a bot's books within a stretch of venue ms, between two equities."""
        before, after = equity
        fills = [fill for fill in books.fills if fill.at_ms in stretch]
        return cls(
            name=name,
            trades=sum(trade.closed_ms in stretch for trade in books.trades),
            turnover=total(fill.price * fill.quantity for fill in fills),
            fees=total(fill.fee_usdt for fill in fills),
            pnl=total([after, Notional(0) - before]),
            model_usd=model_usd,
        )


class Compared(Value):
    """A stretch of the market, in venue ms, and what was earned in it."""

    from_ms: int
    to_ms: int
    earnings: tuple[Earnings, ...]
    chance: Chance | None = None
    warnings: tuple[str, ...] = ()


def held_instead(
    past: PastCandles, symbols: Iterable[str], stretch: range, terms: tuple[Notional, Decimal]
) -> Earnings:
    """Give what buying equal parts of all coins and holding them would have earned.

    Args:
        past: The candles.
        symbols: The coins.
        stretch: Venue ms.
        terms: The capital, and the fee of each fill as a fraction.
    """
    capital, fee_rate = terms
    closes = closes_of(past, symbols, stretch)
    end = worth_held(capital, closes)
    fees = to_scale(capital * fee_rate)
    return Earnings(name="buy and hold", turnover=capital, fees=fees, pnl=end - capital - fees)


def random_instead(
    past: PastCandles,
    symbols: Iterable[str],
    stretch: range,
    bot: tuple[Statement, Mapping[str, Position], Earnings],
    fee_rate: Decimal,
) -> Chance | None:
    """Give what random trades of the bot's own turnover would have earned; None without trades."""
    books, held, earned = bot
    stakes = stakes_of(books, held, stretch.stop, past.length_ms)
    mine = earned.pnl if earned.net is None else earned.net
    return traded_at_random(stakes, mine, closes_of(past, symbols, stretch), fee_rate)


def stakes_of(
    books: Statement, held: Mapping[str, Position], end_ms: int, candle_ms: int
) -> list[Stake]:
    """Give all round trips, and what is still held at the end."""
    closed = [
        (trade.entry_price * trade.quantity, trade.closed_ms - trade.opened_ms, True)
        for trade in books.trades
    ]
    open_ = [(position.cost, end_ms - position.opened_ms, False) for position in held.values()]
    return [
        Stake(invested=invested, candles=max(1, length_ms // candle_ms), closed=closed)
        for invested, length_ms, closed in (*closed, *open_)
    ]


def closes_of(past: PastCandles, symbols: Iterable[str], stretch: range) -> dict[str, list[Price]]:
    """Give the closing prices of a stretch by coin, of candles that lie in it whole."""
    begin = stretch.start // past.length_ms * past.length_ms
    end = stretch.stop // past.length_ms * past.length_ms
    return {s: [candle.close for candle in past.candles(s, begin, end)] for s in symbols}
