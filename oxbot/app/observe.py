"""Look at the market for one cycle: the shared snapshot, and the prices of now."""

from oxbot.app.ports import Ports
from oxbot.app.prices import current_quotes
from oxbot.app.snapshots import snapshot_of
from oxbot.app.venue import must_be_here
from oxbot.domain.market import ClockReading, Quote
from oxbot.domain.money import basis_points
from oxbot.messages import Observation, ObserveMarket, SeenPrice
from oxbot.records import CycleStart


async def observe_market(ports: Ports, request: ObserveMarket) -> Observation:
    """Make or find the candle's snapshot, read the prices, and open the cycle on record.

    A cycle observed before keeps what it saw then. When the venue's clock has not reached the
    tick, nothing is recorded and the observation says so.
    """
    clock = await ports.clock.reading()
    if clock.venue_ms < request.due_ms:
        return Observation(due=False, clock=clock, session=ports.session)
    bot = await ports.store.bot(request.bot_id)
    must_be_here(ports, bot.id, bot.settings.venue)
    snapshot = await snapshot_of(ports, bot.settings.symbols, clock)
    # Prices come last, with a clock that knows how long the snapshot took: they shall be young.
    clock = await ports.clock.reading()
    limit_s = bot.settings.limits.price_age_s
    quotes = await current_quotes(ports, bot.settings.symbols, clock, limit_s)
    # Their age is that at the end of the wait for them.
    clock = await ports.clock.reading()
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


def _seen(quote: Quote, clock: ClockReading) -> SeenPrice:
    return SeenPrice(
        bid=quote.bid,
        ask=quote.ask,
        last=quote.last,
        age_ms=quote.age_ms(clock.venue_ms),
        source=quote.source,
        spread_bp=basis_points(quote.spread, quote.bid),
    )
