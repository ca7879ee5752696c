"""What protects an open position."""

from oxbot.domain.bot import Fraction
from oxbot.domain.market import Positive, Symbol
from oxbot.domain.values import Value


class Guard(Value):
    """What protects one open position; prices in USDT, times in venue ms.

    `version` is the position's, which grows with every fill. `trail` is how far, as a fraction,
    the price may fall below `best`, the best bid since the position was opened.
    """

    bot_id: str
    symbol: Symbol
    opened_ms: int
    version: int
    stop_price: Positive
    target_price: Positive
    trail: Fraction | None = None
    best: Positive | None = None
    hold_until_ms: int
