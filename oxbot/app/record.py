"""Write down how cycles ended, with the account's worth at that moment."""

import structlog

from oxbot.app.briefs import position_briefs
from oxbot.app.ports import Ports
from oxbot.domain.errors import StoreUnavailable
from oxbot.domain.market import Quote
from oxbot.domain.money import to_scale
from oxbot.messages import RecordCycles, Recorded

log = structlog.get_logger(__name__)


async def record_cycles(ports: Ports, request: RecordCycles) -> Recorded:
    """Close the cycles on record; repeating it changes nothing.

    Raises:
        StoreUnavailable: PostgreSQL does not answer; the workflow keeps what was to be written.
    """
    bot = await ports.store.bot(request.bot_id)
    portfolio = await ports.store.portfolio(request.bot_id)
    quotes = await _known_quotes(ports, bot.settings.symbols)
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
    )


async def _known_quotes(ports: Ports, symbols: tuple[str, ...]) -> dict[str, Quote]:
    try:
        return await ports.board.get(ports.feed.venue, symbols)
    except StoreUnavailable as error:
        log.warning("price board not reached; positions valued at cost", error=str(error))
        return {}
