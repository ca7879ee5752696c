"""Judge positions and proposals, and write down the orders that follow."""

from collections.abc import Sequence
from dataclasses import replace

from oxbot.app.briefs import position_briefs
from oxbot.app.decide import decision_of
from oxbot.app.ports import Ports
from oxbot.app.prices import current_quotes, known_quotes
from oxbot.app.venue import must_be_here
from oxbot.domain.bot import Bot
from oxbot.domain.decision import Proposal
from oxbot.domain.entries import judge
from oxbot.domain.errors import Conflict, Unavailable, Unusable
from oxbot.domain.exits import demanded_exits
from oxbot.domain.market import ClockReading, Quote
from oxbot.domain.money import Price, to_scale
from oxbot.domain.orders import Order, OrderKey, OrderState, Side
from oxbot.domain.portfolio import Portfolio
from oxbot.domain.risk import Context, Ruling, Verdict, reserved_by
from oxbot.messages import OrderBrief, RiskReport, ValidateRisk

DAY_MS = 86_400_000


async def validate_risk(
    ports: Ports, request: ValidateRisk, *, patient: bool = False
) -> RiskReport:
    """Demand exits, judge proposals, store verdicts and intents; once per cycle.

    A cycle that saw nothing of the market judges exits all the same, by the prices known.
    Entries left over from earlier cycles are cancelled, exits left over are handed out again.
    A repeated call stores nothing new and reports the same orders.

    Args:
        ports: The record, the prices, the clock.
        request: Of which cycle.
        patient: Rather fail, and be tried again, than judge by prices that are not current.

    Raises:
        Conflict: The bot belongs to another venue.
        Unavailable: With `patient`, no prices of now were to be had; else the record is away.
    """
    bot = await ports.store.bot(request.bot_id)
    must_be_here(ports, bot)
    await _cancel_stale_entries(ports, request)
    if request.unseen_due_ms is not None:
        await ports.store.open_unseen_cycle(
            bot.id, request.incarnation, request.cycle, request.unseen_due_ms
        )
    quotes = await _quotes(ports, bot, await ports.clock.reading(), patient=patient)
    clock = await ports.clock.reading()
    if not await ports.store.judged(request.bot_id, request.cycle):
        await _judge_once(ports, request, await _context(ports, request, bot, clock, quotes))
    return await _report(ports, request, clock, quotes)


async def _cancel_stale_entries(ports: Ports, request: ValidateRisk) -> None:
    for order in await ports.store.unfinished_orders(request.bot_id):
        is_old = order.cycle != request.cycle or order.incarnation != request.incarnation
        if is_old and not order.purpose.is_exit and order.state is OrderState.INTENDED:
            reason = "an entry is only sent within its cycle"
            await ports.store.finish_order(order.id, OrderState.CANCELLED, reason)


async def _quotes(
    ports: Ports, bot: Bot, clock: ClockReading, *, patient: bool
) -> dict[str, Quote]:
    """Re-read the prices, also of held coins that the bot trades no more.

    With some not to be had, the others and the rules that need none still judge.
    """
    portfolio = await ports.store.portfolio(bot.id)
    symbols = list(dict.fromkeys((*_coins(bot, portfolio), *portfolio.dust)))
    try:
        return await current_quotes(ports, symbols, clock, bot.settings.limits.price_age_s)
    except Unavailable as error:
        if patient and error.retryable and not isinstance(error, Unusable):
            raise
        return await known_quotes(ports, symbols, clock)


def _coins(bot: Bot, portfolio: Portfolio) -> list[str]:
    """Give what the bot trades, then what else it holds."""
    return list(dict.fromkeys((*bot.settings.symbols, *portfolio.positions)))


async def _context(
    ports: Ports, request: ValidateRisk, bot: Bot, clock: ClockReading, quotes: dict[str, Quote]
) -> Context:
    portfolio = await ports.store.portfolio(bot.id)
    midnight_ms = clock.venue_ms // DAY_MS * DAY_MS
    return Context(
        limits=bot.settings.limits,
        clock=clock,
        portfolio=portfolio,
        quotes=quotes,
        seen=await _seen(ports, request),
        instruments=await ports.feed.instruments(_coins(bot, portfolio)),
        symbols=bot.settings.symbols,
        fee_rate=ports.fee_rate,
        entries_today=await ports.store.entries_since(bot.id, midnight_ms),
        last_exit_ms=await ports.store.last_exits(bot.id),
        busy=frozenset(o.symbol for o in await ports.store.unfinished_orders(bot.id)),
    )


async def _seen(ports: Ports, request: ValidateRisk) -> dict[str, Price]:
    """Give the last prices that the cycle saw; none where it saw nothing, and enters nothing."""
    if request.unseen_due_ms is not None:
        return {}
    start = await ports.store.cycle(request.bot_id, request.cycle)
    return {symbol: quote.last for symbol, quote in start.quotes.items()}


async def _judge_once(ports: Ports, request: ValidateRisk, context: Context) -> None:
    verdicts = demanded_exits(context, flatten=request.flatten)
    leaving = frozenset(v.symbol for v in verdicts if v.ruling is Ruling.DEMANDED)
    context = replace(context, busy=context.busy | leaving)
    if request.entries:
        verdicts += _judge_all(await _proposals(ports, request), context)
    orders = [_order(ports, request, context, v) for v in verdicts if v.ruling.leads_to_an_order]
    try:
        await ports.store.save_verdicts(request.bot_id, request.cycle, verdicts, orders)
    except Conflict:
        if not await ports.store.judged(request.bot_id, request.cycle):
            raise


async def _proposals(ports: Ports, request: ValidateRisk) -> Sequence[Proposal]:
    record = await ports.store.decision(request.bot_id, request.cycle)
    decision = decision_of(record) if record else None
    return decision.proposals if decision else ()


def _judge_all(proposals: Sequence[Proposal], context: Context) -> list[Verdict]:
    """Judge one after the other; each approved entry leaves less room for the next."""
    verdicts: list[Verdict] = []
    for proposal in proposals:
        verdict = judge(proposal, context)
        if verdict is None:
            continue
        verdicts.append(verdict)
        context = _after(context, verdict)
    return verdicts


def _after(context: Context, verdict: Verdict) -> Context:
    if not verdict.ruling.leads_to_an_order or verdict.purpose.is_exit:
        return context
    reserved = context.portfolio.reserved + reserved_by(verdict)
    return replace(
        context,
        portfolio=context.portfolio.model_copy(update={"reserved": reserved}),
        entries_today=context.entries_today + 1,
    )


def _order(ports: Ports, request: ValidateRisk, context: Context, verdict: Verdict) -> Order:
    if verdict.quantity is None:
        raise ValueError(f"a verdict that leads to an order has a quantity: {verdict}")
    leaves = verdict.purpose.is_exit
    key = OrderKey(
        installation=ports.installation,
        bot_id=request.bot_id,
        incarnation=request.incarnation,
        cause=f"c{request.cycle}",
        symbol=verdict.symbol,
        purpose=verdict.purpose,
    )
    return Order(
        id=key.order_id,
        bot_id=request.bot_id,
        incarnation=request.incarnation,
        cycle=request.cycle,
        symbol=verdict.symbol,
        side=Side.SELL if leaves else Side.BUY,
        purpose=verdict.purpose,
        quantity=verdict.quantity,
        limit_price=verdict.limit_price,
        expires_ms=None if leaves else request.expires_ms,
        stop=None if leaves else context.limits.stop,
        target=None if leaves else context.limits.target,
        epoch=request.epoch,
        reason=f"{verdict.rule}: {verdict.reason}",
    )


async def _report(
    ports: Ports, request: ValidateRisk, clock: ClockReading, quotes: dict[str, Quote]
) -> RiskReport:
    verdicts = await ports.store.verdicts(request.bot_id, request.cycle)
    orders = await ports.store.unfinished_orders(request.bot_id)
    portfolio = await ports.store.portfolio(request.bot_id)
    return RiskReport(
        verdicts=tuple(_told(verdict) for verdict in verdicts),
        refusals=sum(verdict.ruling is Ruling.REFUSED for verdict in verdicts),
        orders=tuple(_order_brief(o) for o in orders if request.entries or _must_end(o)),
        equity=to_scale(portfolio.equity(quotes)),
        cash=portfolio.cash,
        positions=position_briefs(portfolio, quotes, clock.venue_ms),
        unpriced=portfolio.unpriced(quotes),
    )


def _must_end(order: Order) -> bool:
    """Exits go on whatever happens; a sent entry is looked up, which sends nothing."""
    return order.purpose.is_exit or order.state is not OrderState.INTENDED


def _told(verdict: Verdict) -> str:
    figures = ", ".join(f"{name} {value}" for name, value in verdict.figures.items())
    told = f"{verdict.symbol} {verdict.purpose} {verdict.ruling} by {verdict.rule}"
    return f"{told}: {verdict.reason}" + (f" ({figures})" if figures else "")


def _order_brief(order: Order) -> OrderBrief:
    return OrderBrief(
        id=order.id,
        symbol=order.symbol,
        side=order.side,
        purpose=order.purpose,
        quantity=order.quantity,
    )
