"""What a workflow run needs before its first cycle, and the record of its control state."""

from oxbot.app.briefs import position_briefs
from oxbot.app.ports import Ports
from oxbot.app.prices import last_quotes
from oxbot.domain.orders import Purpose
from oxbot.messages import OpenRun, RunGrant, RunSpec, WriteControl


async def open_run(ports: Ports, request: OpenRun) -> RunGrant:
    """Reserve a block of cycle numbers and hand out the bot's settings and control state.

    Numbers are reserved in PostgreSQL, so they never repeat, even if Temporal's data is lost.
    The same run is always granted the same block.
    """
    reserved = await ports.store.reserve_cycles(
        request.bot_id, request.chain_id, request.run_id, request.cycles
    )
    bot = await ports.store.bot(request.bot_id)
    portfolio = await ports.store.portfolio(request.bot_id)
    quotes = await last_quotes(ports, sorted(portfolio.positions))
    clock = await ports.clock.reading()
    return RunGrant(
        incarnation=reserved.incarnation,
        first_cycle=reserved.first_cycle,
        cycles=reserved.cycles,
        spec=RunSpec(
            name=bot.settings.name,
            owner=bot.settings.owner,
            mode=bot.settings.mode,
            symbols=bot.settings.symbols,
            interval_ms=bot.settings.interval_s * 1000,
            provider=bot.settings.provider,
            longest_hold_s=bot.settings.limits.longest_hold_s,
            limits=bot.settings.limits,
        ),
        clock=clock,
        status=bot.status,
        epoch=bot.epoch,
        flatten=bot.flatten,
        open_positions=len(portfolio.positions),
        last_due_ms=reserved.last_due_ms,
        session=ports.session,
        positions=position_briefs(portfolio, quotes, clock.venue_ms),
        unfinished=await _unfinished(ports, request.bot_id),
    )


async def _unfinished(ports: Ports, bot_id: str) -> dict[str, Purpose]:
    """Find the orders of which something can still come, whoever began them."""
    orders = await ports.store.unfinished_orders(bot_id)
    alive = (o for o in orders if o.purpose.is_exit or o.state.may_trade)
    return {order.id: order.purpose for order in alive}


async def write_control(ports: Ports, change: WriteControl) -> None:
    """Put status and epoch on record, so that orders of an older epoch can't be sent."""
    await ports.store.write_control(change)
