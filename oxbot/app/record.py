"""Write down how cycles ended, with the account's worth at that moment."""

import structlog

from oxbot.app.briefs import position_briefs
from oxbot.app.ports import Ports
from oxbot.app.prices import last_quotes
from oxbot.domain.money import to_scale
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
    )
    return Recorded(
        equity=equity,
        cash=portfolio.cash,
        positions=position_briefs(portfolio, quotes, request.now_ms),
        unpriced=unpriced,
    )
