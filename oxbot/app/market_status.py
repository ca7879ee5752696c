"""How the market reaches us: prices with age and source, the price watch, circuit breakers.

All of it is read from what the workers have put into Redis; the venue itself is not asked.
"""

import time

from oxbot.app.bots import Desk
from oxbot.app.breaker import retry
from oxbot.app.telling import span, when
from oxbot.domain.bot import SIMULATED_VENUE
from oxbot.domain.circuit import Circuit, Phase
from oxbot.domain.errors import StoreUnavailable
from oxbot.domain.feed import FeedSource, FeedStatus
from oxbot.domain.market import Quote
from oxbot.domain.values import Value


class AgedQuote(Quote):
    """A price of the board; `venue_age_ms` is None where the venue's time is not known."""

    venue_age_ms: int | None


class MarketStatus(Value):
    """The venue as it is known at `wall_ms`.

    `venue_ms` is its time by then, carried on from the watch's last reading; None where nobody
    has read it. `feed` is None where no price watch has ever reported. `prices` are of the
    symbols that bots trade or hold. `breakers` always has the venue's.
    """

    venue: str
    wall_ms: int
    venue_ms: int | None
    feed: FeedStatus | None
    prices: dict[str, AgedQuote]
    breakers: tuple[Circuit, ...]


async def market_status(desk: Desk, wall_ms: int | None = None) -> MarketStatus:
    """Look at the board and the breakers; at this moment unless a test names another.

    Raises:
        StoreUnavailable: Redis or PostgreSQL does not answer.
    """
    now_ms = time.time_ns() // 10**6 if wall_ms is None else wall_ms
    report = await desk.board.feed_status(desk.venue)
    venue_ms = _venue_ms(desk.venue, report, now_ms)
    watched = await desk.store.watched_symbols(desk.venue)
    symbols = sorted({*watched, *(report.symbols if report else ())})
    quotes = await desk.board.get(desk.venue, symbols)
    return MarketStatus(
        venue=desk.venue,
        wall_ms=now_ms,
        venue_ms=venue_ms,
        feed=report.as_of(now_ms) if report else None,
        prices={symbol: _aged(quote, venue_ms) for symbol, quote in quotes.items()},
        breakers=tuple(await _breakers(desk)),
    )


async def market_status_if_known(desk: Desk) -> MarketStatus | None:
    """Look as above; None where Redis does not answer, for pages that have more to show."""
    try:
        return await market_status(desk)
    except StoreUnavailable:
        return None


def _venue_ms(venue: str, report: FeedStatus | None, now_ms: int) -> int | None:
    """OKX's own clock is ours to within a second; a simulated one may be years away."""
    if report and report.clock:
        return report.clock.venue_at(now_ms)
    return None if venue == SIMULATED_VENUE else now_ms


def _aged(quote: Quote, venue_ms: int | None) -> AgedQuote:
    age_ms = None if venue_ms is None else quote.age_ms(venue_ms)
    return AgedQuote(**dict(quote), venue_age_ms=age_ms)


async def _breakers(desk: Desk) -> list[Circuit]:
    known = await desk.breaker.states()
    return (
        known
        if any(c.target == desk.venue for c in known)
        else [
            Circuit(target=desk.venue),
            *known,
        ]
    )


def feed_told(market: MarketStatus) -> str:
    """Say in one line where prices come from."""
    feed = market.feed
    if feed is None:
        return f"No price watch of {market.venue} has reported yet."
    lasted = span(market.wall_ms - feed.since_ms)
    counted = f"{_number(feed.gaps, 'gap')}, {_number(feed.reconnects, 'reconnect')}"
    if feed.source is FeedSource.NONE:
        idle = "no bot needs prices" if not feed.symbols else feed.trouble or "none came yet"
        return f"No prices of {market.venue} for {lasted}: {idle} ({counted})."
    because = f", since {feed.trouble}" if feed.trouble else ""
    return f"Prices of {market.venue} by {feed.source} for {lasted}{because} ({counted})."


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def circuits_told(market: MarketStatus) -> list[str]:
    """Say in a line each who is not asked just now."""
    return [
        f"{circuit.target} is not asked: circuit {circuit.phase} since {when(circuit.opened_ms)} "
        f"UTC after {circuit.failures} failures (last: {circuit.reason.rstrip('.')}); "
        f"tried again {retry(circuit)}."
        for circuit in market.breakers
        if circuit.phase is not Phase.CLOSED
    ]
