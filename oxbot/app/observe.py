"""Look at the market for one cycle: the shared snapshot, and the prices of now."""

import asyncio
import hashlib
from collections.abc import Sequence

import structlog

from oxbot.app.ports import Ports
from oxbot.domain.bot import Bot
from oxbot.domain.errors import Conflict, StoreUnavailable, VenueUnavailable
from oxbot.domain.indicators import CANDLES_NEEDED, indicators_of
from oxbot.domain.market import CANDLE_MS, ClockReading, Quote, Snapshot
from oxbot.messages import Observation, ObserveMarket, SeenPrice
from oxbot.records import CycleStart

log = structlog.get_logger(__name__)


async def observe_market(ports: Ports, request: ObserveMarket) -> Observation:
    """Make or find the candle's snapshot, read the prices, and open the cycle on record.

    A cycle observed before keeps what it saw then. When the venue's clock has not reached the
    tick, nothing is recorded and the observation says so.
    """
    clock = await ports.clock.reading()
    if clock.venue_ms < request.due_ms:
        return Observation(due=False, clock=clock, session=ports.session)
    symbols = _symbols_here(ports, await ports.store.bot(request.bot_id))
    quotes = await current_quotes(ports, symbols, clock)
    snapshot = await _snapshot(ports, symbols, clock)
    seen = await ports.store.begin_cycle(
        CycleStart(
            bot_id=request.bot_id,
            incarnation=request.incarnation,
            cycle=request.cycle,
            due_ms=request.due_ms,
            clock=clock,
            snapshot_id=snapshot.id,
            quotes=quotes,
        )
    )
    return Observation(
        due=True,
        clock=clock,
        session=ports.session,
        snapshot_id=seen.snapshot_id,
        prices={symbol: _seen(quote, clock) for symbol, quote in seen.quotes.items()},
    )


def _symbols_here(ports: Ports, bot: Bot) -> tuple[str, ...]:
    """Give the bot's symbols, if it belongs to the venue that this system looks at."""
    if bot.settings.venue != ports.feed.venue:
        raise Conflict(
            f"Bot {bot.id} trades on {bot.settings.venue}, but this system is connected to "
            f"{ports.feed.venue}; prices of two worlds do not mix in one ledger."
        )
    return bot.settings.symbols


async def current_quotes(
    ports: Ports, symbols: Sequence[str], clock: ClockReading
) -> dict[str, Quote]:
    """Fetch prices and share them on the board; without the exchange, take the board's.

    The board's prices say how old they are; whoever uses them judges that. Without the board,
    the fetched prices serve.

    Raises:
        VenueUnavailable: Neither the exchange nor the board has every price.
    """
    try:
        fetched = await ports.feed.quotes(symbols, clock)
    except VenueUnavailable as error:
        return await _from_board(ports, symbols, error)
    try:
        await ports.board.put(ports.feed.venue, fetched)
    except StoreUnavailable as error:
        log.warning("price board not reached", error=str(error))
    return {quote.symbol: quote for quote in fetched}


async def _from_board(
    ports: Ports, symbols: Sequence[str], cause: VenueUnavailable
) -> dict[str, Quote]:
    known = await ports.board.get(ports.feed.venue, symbols)
    if set(known) != set(symbols):
        raise cause
    log.warning("prices taken from the board", cause=str(cause))
    return known


async def _snapshot(ports: Ports, symbols: Sequence[str], clock: ClockReading) -> Snapshot:
    candle_ms = clock.venue_ms // CANDLE_MS * CANDLE_MS
    known = await ports.store.find_snapshot(ports.feed.venue, candle_ms, symbols)
    if known:
        return known
    histories = await asyncio.gather(
        *(ports.feed.candles(symbol, CANDLES_NEEDED, candle_ms) for symbol in symbols)
    )
    made = Snapshot(
        id=snapshot_id(ports.feed.venue, candle_ms, symbols),
        venue=ports.feed.venue,
        candle_ms=candle_ms,
        indicators={
            symbol: indicators_of(candles, candle_ms)
            for symbol, candles in zip(symbols, histories, strict=True)
        },
    )
    return await ports.store.save_snapshot(made)


def snapshot_id(venue: str, candle_ms: int, symbols: Sequence[str]) -> str:
    """Derive a snapshot's id from what it shows: venue, candle, symbols in order."""
    key = "\x1f".join((venue, str(candle_ms), *symbols))
    return "s" + hashlib.sha256(key.encode()).hexdigest()[:23]


def _seen(quote: Quote, clock: ClockReading) -> SeenPrice:
    return SeenPrice(
        bid=quote.bid,
        ask=quote.ask,
        last=quote.last,
        age_ms=quote.age_ms(clock.venue_ms),
        source=quote.source,
    )
