"""Write down how cycles ended, with the account's worth at that moment."""

import structlog

from oxbot.app.briefs import position_briefs
from oxbot.app.ports import Ports
from oxbot.app.prices import last_quotes
from oxbot.app.too_small import unsellable
from oxbot.domain.errors import Unavailable
from oxbot.domain.market import Quote
from oxbot.domain.money import to_scale
from oxbot.domain.portfolio import Portfolio
from oxbot.domain.risk import stale_marks
from oxbot.messages import RecordCycles, Recorded

log = structlog.get_logger(__name__)


async def record_cycles(ports: Ports, request: RecordCycles) -> Recorded:
    """Close the cycles on record; repeating it changes nothing.

    Raises:
        StoreUnavailable: PostgreSQL does not answer; the workflow keeps what was to be written.
    """
    portfolio = await ports.store.portfolio(request.bot_id)
    quotes = await last_quotes(ports, sorted(portfolio.positions.keys() | portfolio.dust.keys()))
    unpriced = portfolio.unpriced(quotes)
    if unpriced:
        log.warning("held without a price: positions at cost, dust at nothing", symbols=unpriced)
    equity = to_scale(portfolio.equity(quotes))
    await ports.store.record_cycles(
        request.bot_id,
        request.outcomes,
        request.missed,
        {"equity": equity, "cash": portfolio.cash},
        fresh=await _is_fresh(ports, request.bot_id, portfolio, quotes),
    )
    return Recorded(
        equity=equity,
        cash=portfolio.cash,
        positions=position_briefs(portfolio, quotes, request.now_ms),
        unpriced=unpriced,
        unsellable=await unsellable(ports, request.bot_id, portfolio),
    )


async def _is_fresh(
    ports: Ports, bot_id: str, portfolio: Portfolio, quotes: dict[str, Quote]
) -> bool:
    """Whether losses may be measured by these prices; not where nobody knows how old they are."""
    limits = (await ports.store.bot(bot_id)).settings.limits
    try:
        clock = await ports.clock.reading()
    except Unavailable:
        return not portfolio.positions
    return not stale_marks(portfolio, quotes, clock, limits)
