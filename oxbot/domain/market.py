"""What the market shows: instruments, quotes with an age, candles, and parts."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, NamedTuple

from pydantic import Field, StringConstraints

from oxbot.domain.money import ceil_to, floor_to, to_scale, whole_steps
from oxbot.domain.units import (
    NonNegativeQuantity,
    Notional,
    PositivePrice,
    PositiveQuantity,
    Price,
    Quantity,
)
from oxbot.domain.values import Value

Symbol = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,15}/[A-Z0-9]{1,15}$")]
"""An instrument in the unified form BASE/QUOTE, such as BTC/USDT."""

Positive = Annotated[Decimal, Field(gt=0)]
"""A bare number above 0: a fraction, a rate; amounts have units, see `oxbot.domain.units`."""

QUOTE_CURRENCY: Final = "USDT"
CANDLE_MS: Final = 300_000
"""Length of the base candle: five minutes."""


class Bar(StrEnum):
    """The candle lengths that bots look at."""

    M5 = "5m"
    H1 = "1h"
    H4 = "4h"

    @property
    def length_ms(self) -> int:
        """Length in ms."""
        return {Bar.M5: CANDLE_MS, Bar.H1: 12 * CANDLE_MS, Bar.H4: 48 * CANDLE_MS}[self]

    def closed_by(self, now_ms: int) -> int:
        """When the newest closed candle of this length ended, in venue ms."""
        return now_ms // self.length_ms * self.length_ms


def base_of(symbol: str) -> str:
    """Give the coin of a symbol: BTC of BTC/USDT."""
    return symbol.partition("/")[0]


class Instrument(Value):
    """What can be traded and in which steps; prices in USDT, quantities in coins.

    `live` is false while the exchange has halted it: no order for it can trade then.
    """

    symbol: Symbol
    tick: PositivePrice
    lot: PositiveQuantity
    minimum: PositiveQuantity
    live: bool = True

    def round_price_down(self, price: Price) -> Price:
        """Give the nearest price at or below this one that an order may name."""
        return floor_to(price, self.tick)

    def round_price_up(self, price: Price) -> Price:
        """Give the nearest price at or above this one that an order may name."""
        return ceil_to(price, self.tick)

    def whole_lots(self, quantity: Quantity) -> Quantity:
        """Give what of a quantity can be traded, of either sign; the rest would become dust."""
        return whole_steps(quantity, self.lot)

    def is_tradable(self, quantity: Quantity) -> bool:
        """Whether the whole lots of a quantity, of either sign, come up to the minimum."""
        return abs(self.whole_lots(quantity)) >= self.minimum


class Quote(Value):
    """Best prices of one symbol, with when they held and where they came from.

    Both times are venue time in ms: `exchange_ms` as stated by the exchange, `received_ms`
    when the answer arrived. `source` is "stream" or "rest". `volume_24h` in coins.
    """

    symbol: Symbol
    bid: PositivePrice
    ask: PositivePrice
    last: PositivePrice
    volume_24h: NonNegativeQuantity
    exchange_ms: int
    received_ms: int
    source: str

    def age_ms(self, now_ms: int) -> int:
        """Give the age in ms of venue time at `now_ms`; never negative."""
        return max(0, now_ms - self.exchange_ms)

    def closing_price(self, quantity: Quantity) -> Price:
        """Give the price at which a quantity could be closed: bid for held, ask for owed coins."""
        return self.ask if quantity < 0 else self.bid

    def worth(self, quantity: Quantity) -> Notional:
        """Give what closing a quantity would bring, or cost (negative), without fees."""
        return to_scale(quantity * self.closing_price(quantity))

    @property
    def spread(self) -> Price:
        """Ask less bid; negative where the book is crossed."""
        return self.ask - self.bid


class Candle(Value):
    """One candle; `open_ms` in venue time, prices in USDT, volume in coins."""

    open_ms: int
    open: PositivePrice
    high: PositivePrice
    low: PositivePrice
    close: PositivePrice
    volume: NonNegativeQuantity


class Perpetual(Value):
    """What the coin's perpetual swap tells of the mood; spot bots read it, nobody trades it.

    `funding_rate` is the fraction that longs pay shorts at `next_funding_ms` (venue time);
    `open_interest` is in coins.
    """

    funding_rate: Decimal
    next_funding_ms: int
    open_interest: NonNegativeQuantity


class Indicators(Value):
    """Indicators at the end of a closed candle; floats, since none but `close` is money.

    Averages, MACD, ATR and Bollinger bands are in USDT, RSI is 0 to 100. `volume_ratio` is the
    last candle's volume over the mean of the 20 before it. Returns are fractions over one and
    over twelve candles, `volatility` the standard deviation of the last 20 log returns.
    """

    close: PositivePrice
    ema20: float
    ema50: float
    macd: float
    macd_signal: float
    macd_histogram: float
    rsi7: float
    rsi14: float
    atr3: float
    atr14: float
    bollinger_upper: float
    bollinger_middle: float
    bollinger_lower: float
    volume_ratio: float
    return_1: float
    return_12: float
    volatility: float


class PartKey(NamedTuple):
    """What names a market part; `candle_ms` is when its candle ended, in venue time."""

    venue: str
    symbol: str
    bar: Bar
    candle_ms: int


class MarketPart(Value):
    """One symbol at the end of one closed candle: the unit that is made once for everybody.

    `candle_ms` is when that candle ended, in venue time; `candles` are the last 20 closed ones,
    oldest first. Five-minute parts also hold the coin's perpetual, where one is listed.
    """

    venue: str
    symbol: Symbol
    bar: Bar
    candle_ms: int
    indicators: Indicators
    candles: tuple[Candle, ...]
    perpetual: Perpetual | None = None

    @property
    def key(self) -> PartKey:
        """What names it."""
        return PartKey(self.venue, self.symbol, self.bar, self.candle_ms)


class ClockReading(Value):
    """The venue's time at a moment of ours, and how fast it runs.

    `rate` is venue seconds per wall second: 1 for a real exchange, 0 where time stands still.
    `stepped`: the venue advances only when its driver says so.
    """

    venue_ms: int
    wall_ms: int
    rate: Decimal = Field(ge=0)
    stepped: bool = False

    def venue_at(self, wall_ms: int) -> int:
        """Estimate venue time in ms at a wall time in ms."""
        return self.venue_ms + int((wall_ms - self.wall_ms) * self.rate)

    def scaled_ms(self, limit_ms: int) -> int:
        """Scale an age limit given in real ms to ms of this venue's time."""
        return int(limit_ms * max(self.rate, Decimal(1)))
