"""What the market shows: instruments, quotes with an age, candles, snapshots."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from oxbot.domain.values import Value

Symbol = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,15}/[A-Z0-9]{1,15}$")]
"""An instrument in the unified form BASE/QUOTE, such as BTC/USDT."""

Positive = Annotated[Decimal, Field(gt=0)]
NonNegative = Annotated[Decimal, Field(ge=0)]

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
    """What can be traded and in which steps; prices in USDT, quantities in coins."""

    symbol: Symbol
    tick: Positive
    lot: Positive
    minimum: Positive


class Quote(Value):
    """Best prices of one symbol, with when they held and where they came from.

    Both times are venue time in ms: `exchange_ms` as stated by the exchange, `received_ms`
    when the answer arrived. `source` is "stream" or "rest". `volume_24h` in coins.
    """

    symbol: Symbol
    bid: Positive
    ask: Positive
    last: Positive
    volume_24h: NonNegative
    exchange_ms: int
    received_ms: int
    source: str

    def age_ms(self, now_ms: int) -> int:
        """Give the age in ms of venue time at `now_ms`; never negative."""
        return max(0, now_ms - self.exchange_ms)

    @property
    def spread(self) -> Decimal:
        """Ask less bid, in USDT."""
        return self.ask - self.bid


class Candle(Value):
    """One candle; `open_ms` in venue time, prices in USDT, volume in coins."""

    open_ms: int
    open: Positive
    high: Positive
    low: Positive
    close: Positive
    volume: NonNegative


class Perpetual(Value):
    """What the coin's perpetual swap tells of the mood; spot bots read it, nobody trades it.

    `funding_rate` is the fraction that longs pay shorts at `next_funding_ms` (venue time);
    `open_interest` is in coins.
    """

    funding_rate: Decimal
    next_funding_ms: int
    open_interest: NonNegative


class Indicators(Value):
    """Indicators of one symbol over closed five-minute candles; floats, since none is money.

    `change_1h` is the relative change of the close over the last twelve candles.
    """

    candle_ms: int
    close: Positive
    ema20: float
    ema50: float
    rsi14: float
    atr14: float
    change_1h: float


class Snapshot(Value):
    """The candle part of what every bot sees, made once per closed candle.

    `candle_ms` is when the newest closed candle ended, in venue time.
    """

    id: str
    venue: str
    candle_ms: int
    indicators: dict[Symbol, Indicators]


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
