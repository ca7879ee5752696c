"""A venue and a model in memory, behind the ports: honest about ages, steps and absences."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal

from oxbot.domain.book import Book, Level
from oxbot.domain.decision import Action, Decision, Proposal
from oxbot.domain.errors import InputError, VenueUnavailable
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
from oxbot.domain.models import ModelChoice
from oxbot.domain.money import Price, Quantity, to_scale
from oxbot.records import ModelReply, ModelRequest

BTC = "BTC/USDT"
ETH = "ETH/USDT"
FEE_RATE = Decimal("0.001")
INSTRUMENT = Instrument(
    symbol=BTC, tick=Price("0.01"), lot=Quantity("0.0001"), minimum=Quantity("0.001")
)
SPREAD = Decimal("0.0001")
"""Ask over bid, as a fraction."""

WallClock = Callable[[], Awaitable[int]]
"""Gives wall time in ms: the machine's, or a test server's."""


class FakeClock:
    """The venue's clock: as wall time runs, or standing still where `stepped_ms` says."""

    def __init__(self, wall: WallClock) -> None:
        self._wall = wall
        self.stepped_ms: int | None = None
        self.rate = Decimal(1)

    async def reading(self) -> ClockReading:
        """Read it."""
        wall_ms = await self._wall()
        if self.stepped_ms is None:
            return ClockReading(venue_ms=wall_ms, wall_ms=wall_ms, rate=self.rate)
        return ClockReading(
            venue_ms=self.stepped_ms, wall_ms=wall_ms, rate=Decimal(0), stepped=True
        )


class FakeFeed:
    """A venue with the prices a test sets; `away` means that it does not answer.

    `asked` counts questions by kind, such as "all_quotes" or "candles BTC/USDT 1h". Symbols of
    `mute` are listed without a price. Candles rise by `trend`, a fraction of the price.
    """

    venue = "fake"

    def __init__(self, prices: dict[str, Price]) -> None:
        self.prices = prices
        self.mute: set[str] = set()
        self.trend = Decimal(0)
        self.halted: set[str] = set()
        self.minimums: dict[str, Quantity] = {}
        self.away = False
        self.asked: Counter[str] = Counter()

    def _ask(self, what: str) -> None:
        self.asked[what] += 1
        if self.away:
            raise VenueUnavailable("the venue was told not to answer")

    async def instruments(self, symbols: Sequence[str]) -> dict[str, Instrument]:
        """Give tick, lot and minimum of listed symbols; they are known without asking."""
        unlisted = sorted(set(symbols) - set(self.prices))
        if unlisted:
            raise InputError(f"not listed: {', '.join(unlisted)}")
        return {
            symbol: INSTRUMENT.model_copy(
                update={
                    "symbol": symbol,
                    "live": symbol not in self.halted,
                    "minimum": self.minimums.get(symbol, INSTRUMENT.minimum),
                }
            )
            for symbol in symbols
        }

    async def listing(self, *, fresh: bool = False) -> dict[str, Instrument]:  # noqa: ARG002 - a port
        """Give all instruments."""
        if self.away:
            raise VenueUnavailable("the venue was told not to answer")
        return await self.instruments(list(self.prices))

    async def quotes(self, symbols: Sequence[str], now: ClockReading) -> list[Quote]:
        """Give the prices, as old as the reading of the clock."""
        self._ask("quotes")
        return [self._quote(symbol, now.venue_ms) for symbol in symbols]

    async def all_quotes(self, now: ClockReading) -> list[Quote]:
        """Give every price there is, as old as the reading of the clock."""
        self._ask("all_quotes")
        await asyncio.sleep(0)
        return [self._quote(s, now.venue_ms) for s in self.prices if s not in self.mute]

    async def book(self, symbol: str, depth: int, now: ClockReading) -> Book:  # noqa: ARG002 - a port
        """Give a book with one deep level on each side, at bid and ask."""
        self._ask(f"book {symbol}")
        quote = self._quote(symbol, now.venue_ms)
        return Book(
            symbol=symbol,
            bids=(Level(quote.bid, Quantity(1_000_000)),),
            asks=(Level(quote.ask, Quantity(1_000_000)),),
            exchange_ms=quote.exchange_ms,
            received_ms=quote.received_ms,
        )

    def _quote(self, symbol: str, at_ms: int) -> Quote:
        bid = self.prices[symbol]
        return Quote(
            symbol=symbol,
            bid=bid,
            ask=bid * (1 + SPREAD),
            last=bid,
            volume_24h=Quantity(1_000),
            exchange_ms=at_ms,
            received_ms=at_ms,
            source="fake",
        )

    async def candles(
        self, symbol: str, count: int, end_ms: int, bar: Bar = Bar.M5
    ) -> list[Candle]:
        """Give candles that come to the present price by `trend` a candle."""
        self._ask(f"candles {symbol} {bar}")
        await asyncio.sleep(0)
        now = self.prices[symbol]
        prices = [to_scale(now * (1 - self.trend * (count - 1 - index))) for index in range(count)]
        return [
            Candle(
                open_ms=bar.closed_by(end_ms) - (count - index) * bar.length_ms,
                open=price,
                high=price * 2,
                low=price / 2,
                close=price,
                volume=Quantity(1),
            )
            for index, price in enumerate(prices)
        ]

    async def perpetual(self, symbol: str, now: ClockReading) -> Perpetual | None:
        """Tell of a perpetual; only BTC has one."""
        self._ask(f"perpetual {symbol}")
        if symbol != BTC:
            return None
        return Perpetual(
            funding_rate=Decimal("0.0001"),
            next_funding_ms=now.venue_ms,
            open_interest=Quantity(25_000),
        )


class FakeBoard:
    """A price board in memory."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Quote] = {}
        self._reports: dict[str, FeedStatus] = {}

    async def put(self, venue: str, quotes: Sequence[Quote]) -> None:
        """Keep prices unless a newer one is known."""
        for quote in quotes:
            known = self._known.get((venue, quote.symbol))
            if known is None or _age_key(known) <= _age_key(quote):
                self._known[venue, quote.symbol] = quote

    async def get(self, venue: str, symbols: Sequence[str]) -> dict[str, Quote]:
        """Give what is known."""
        return {s: self._known[venue, s] for s in symbols if (venue, s) in self._known}

    async def report(self, venue: str, status: FeedStatus) -> None:
        """Keep a report."""
        self._reports[venue] = status

    async def feed_status(self, venue: str) -> FeedStatus | None:
        """Give the last report."""
        return self._reports.get(venue)


def _age_key(quote: Quote) -> tuple[int, int]:
    return quote.exchange_ms, quote.received_ms


class FakeParts:
    """A cache of market parts in memory."""

    def __init__(self) -> None:
        self.kept: dict[PartKey, MarketPart] = {}

    async def get(self, keys: Collection[PartKey]) -> dict[PartKey, MarketPart]:
        """Give those that are there."""
        return {key: self.kept[key] for key in keys if key in self.kept}

    async def put(self, parts: Collection[MarketPart]) -> None:
        """Keep parts."""
        self.kept.update({part.key: part for part in parts})


class FakeFlight:
    """A lock by name in memory."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}

    @asynccontextmanager
    async def alone(self, name: str) -> AsyncIterator[None]:
        """Hold a name while nobody else does."""
        async with self._locks.setdefault(name, asyncio.Lock()):
            yield

    @asynccontextmanager
    async def free(self, names: Collection[str]) -> AsyncIterator[list[str]]:
        """Hold those that nobody holds."""
        locks = {name: self._locks.setdefault(name, asyncio.Lock()) for name in names}
        held = {name: lock for name, lock in locks.items() if not lock.locked()}
        async with AsyncExitStack() as stack:
            for lock in held.values():
                await stack.enter_async_context(lock)
            yield list(held)


class FakeModel:
    """A model that answers what a test lined up in `replies`, and holds after that."""

    def __init__(self) -> None:
        self.replies: deque[str] = deque()
        self.asked = 0

    def label(self, choice: ModelChoice) -> str:
        """The choice's own name."""
        return choice.label

    def named(self, choice: ModelChoice) -> ModelChoice:
        """Give the choice as it is."""
        return choice

    def is_priced(self, choice: ModelChoice) -> bool:
        """Known, but for the model that is named otherwise."""
        return choice.model != "unpriced"

    def will_buy(self, *symbols: str) -> None:
        """Line up one decision that buys these coins."""
        self.replies.append(_decision([_wish(s, Action.BUY) for s in symbols]))

    def will_close(self, *symbols: str) -> None:
        """Line up one decision that closes these positions."""
        self.replies.append(_decision([_wish(s, Action.CLOSE) for s in symbols]))

    def will_reduce(self, symbol: str, fraction: str) -> None:
        """Line up one decision that sells a part of this position."""
        part = {"action": Action.REDUCE, "fraction": Decimal(fraction)}
        self.replies.append(_decision([_wish(symbol, Action.BUY).model_copy(update=part)]))

    async def complete(self, request: ModelRequest) -> ModelReply:  # noqa: ARG002 - the port's
        """Answer with the next reply."""
        self.asked += 1
        text = self.replies.popleft() if self.replies else _decision([])
        return ModelReply(
            text=text, provider="fake", model="fake-1", request_id=f"reply-{self.asked}"
        )


def _wish(symbol: str, action: Action) -> Proposal:
    return Proposal(
        symbol=symbol,
        action=action,
        confidence=Decimal("0.9"),
        expected_move=Decimal("0.05"),
        invalidation="it falls",
        reason="the test wants it",
    )


def _decision(wishes: Sequence[Proposal]) -> str:
    summary = ", ".join(f"{wish.action} {wish.symbol}" for wish in wishes) or "hold"
    return Decision(proposals=tuple(wishes), summary=summary).model_dump_json()
