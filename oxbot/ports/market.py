"""What the market shows, and the way to it."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from oxbot.domain.book import Book
from oxbot.domain.circuit import Admission, Circuit
from oxbot.domain.feed import FeedStatus
from oxbot.domain.market import (
    Bar,
    Candle,
    ClockReading,
    Instrument,
    MarketPart,
    PartKey,
    Perpetual,
    Quote,
)


class Clock(Protocol):
    """The venue's time."""

    async def reading(self) -> ClockReading:
        """Read the venue's clock and its rate."""
        ...


class Listing(Protocol):
    """What is listed on one venue."""

    async def listing(self, *, fresh: bool = False) -> dict[str, Instrument]:
        """Give every pair in USDT, also halted ones, by symbol; `fresh` asks the venue itself."""
        ...


class MarketFeed(Listing, Protocol):
    """Public market data of one venue."""

    @property
    def venue(self) -> str:
        """Name of the venue, such as okx."""
        ...

    async def instruments(self, symbols: Sequence[str]) -> dict[str, Instrument]:
        """Give tick, lot and minimum; InputError names symbols that are not listed."""
        ...

    async def quotes(self, symbols: Sequence[str], now: ClockReading) -> list[Quote]:
        """Give current prices; `now` is what receipt times are measured by."""
        ...

    async def all_quotes(self, now: ClockReading) -> list[Quote]:
        """Give the current price of every USDT pair by one request; unusable ones are left out."""
        ...

    async def book(self, symbol: str, depth: int, now: ClockReading) -> Book:
        """Give the order book, at most so many levels on each side; never a crossed one."""
        ...

    async def candles(
        self, symbol: str, count: int, end_ms: int, bar: Bar = Bar.M5
    ) -> list[Candle]:
        """Give the last `count` closed candles that ended by `end_ms`, oldest first, no gap."""
        ...

    async def perpetual(self, symbol: str, now: ClockReading) -> Perpetual | None:
        """Tell of the coin's perpetual; None only where none is listed."""
        ...


class PriceBoard(Protocol):
    """The newest price of each symbol, shared by all processes."""

    async def put(self, venue: str, quotes: Sequence[Quote]) -> None:
        """Keep these prices; an older exchange time never replaces a newer one."""
        ...

    async def get(self, venue: str, symbols: Sequence[str]) -> dict[str, Quote]:
        """Give what is known, however old; symbols without a price are left out."""
        ...

    async def report(self, venue: str, status: FeedStatus) -> None:
        """Keep what the price watch of a venue says of itself."""
        ...

    async def feed_status(self, venue: str) -> FeedStatus | None:
        """Give the last report of a venue's price watch, however old; None if there is none."""
        ...


class PriceStream(Protocol):
    """Prices as the venue pushes them."""

    def quotes(
        self, symbols: Sequence[str], clock: Callable[[], Awaitable[ClockReading]]
    ) -> AsyncGenerator[list[Quote], None]:
        """Connect, and give prices as they come; closing the iterator ends the connection.

        `clock` is asked for the time of receipt.

        Raises:
            InputError: Symbols that the venue does not list.
            VenueUnavailable: The connection is lost, refused, or cannot be read.
        """
        ...


class Breaker(Protocol):
    """Stops the whole fleet from asking somebody who does not answer; see `guarded`."""

    async def admit(self, target: str, now: ClockReading) -> Admission:
        """Tell whether the target may be asked now; of all callers, one is the probe."""
        ...

    async def succeeded(self, target: str) -> None:
        """Report an answer, whatever it said: the target is there."""
        ...

    async def failed(self, target: str, now: ClockReading, reason: str, began_ms: int) -> None:
        """Report that the target did not answer a call that began at a wall time in ms.

        Calls that were under way together count as one failure.
        """
        ...

    async def states(self) -> list[Circuit]:
        """Give every target that ever failed since its last success; StoreUnavailable."""
        ...


class PartCache(Protocol):
    """Market parts that were made lately, shared by all processes."""

    async def get(self, keys: Collection[PartKey]) -> dict[PartKey, MarketPart]:
        """Give those that are there, by one request."""
        ...

    async def put(self, parts: Collection[MarketPart]) -> None:
        """Keep parts for as long as somebody may ask for them."""
        ...


class Flight(Protocol):
    """Keeps all processes but one from asking for the same at the same time."""

    def alone(self, name: str) -> AbstractAsyncContextManager[None]:
        """Hold a name while nobody else does.

        Where the holders cannot be told apart, because the lock's server is away, nobody is
        kept waiting.

        Raises:
            VenueUnavailable: Another holder took too long, or this one does.
        """
        ...

    def free(self, names: Collection[str]) -> AbstractAsyncContextManager[Collection[str]]:
        """Hold those of several names that nobody else holds now, and give them.

        Raises:
            VenueUnavailable: The holder takes too long.
        """
        ...
