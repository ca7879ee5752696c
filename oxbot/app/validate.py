"""Judge positions and proposals, and write down the orders that follow."""

from collections.abc import Sequence
from dataclasses import replace

from oxbot.app.briefs import position_briefs, verdict_told
from oxbot.app.decide import decision_of
from oxbot.app.ports import Ports
from oxbot.app.prices import current_quotes, known_quotes
from oxbot.app.venue import must_be_here
from oxbot.domain.account import Account
from oxbot.domain.bot import Bot, BotStatus
from oxbot.domain.decision import Action, Proposal
from oxbot.domain.errors import Conflict, InputError, Unavailable, Unusable
from oxbot.domain.judging import judge_cycle
from oxbot.domain.market import ClockReading, Instrument, Quote
from oxbot.domain.money import Price, to_scale
from oxbot.domain.orders import Order, OrderKey, OrderState, Side
from oxbot.domain.portfolio import Portfolio
from oxbot.domain.risk import Context, Ruling, Verdict
from oxbot.messages import OrderBrief, RiskReport, ValidateRisk
from oxbot.records import Judgement

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
    must_be_here(ports, bot.id, bot.settings.venue)
    await _cancel_stale_entries(ports, request)
    if request.unseen_due_ms is not None:
        await ports.store.open_unseen_cycle(
            bot.id, request.incarnation, request.cycle, request.unseen_due_ms
        )
    quotes = await _quotes(ports, bot, await ports.clock.reading(), patient=patient)
    clock = await ports.clock.reading()
    if not await ports.store.judged(request.bot_id, request.cycle):
        context = await _context(ports, request, bot, clock, quotes)
        await _judge_once(ports, request, context)
    return await _report(ports, request, clock, quotes)


def _is_running(bot: Bot, request: ValidateRisk) -> bool:
    """Whether a loss at its limit is news: a resume that is not on record yet rebases the mark."""
    return bot.status is BotStatus.RUNNING and bot.epoch >= request.epoch


async def _cancel_stale_entries(ports: Ports, request: ValidateRisk) -> None:
    for order in await ports.store.unfinished_orders(request.bot_id):
        is_old = order.cycle != request.cycle or order.incarnation != request.incarnation
        if is_old and not order.purpose.is_exit and order.state is OrderState.INTENDED:
            reason = "an entry is only sent within its cycle"
            await ports.store.finish_order(order, OrderState.CANCELLED, reason)


async def _quotes(
    ports: Ports, bot: Bot, clock: ClockReading, *, patient: bool
) -> dict[str, Quote]:
    """Re-read the prices, also of held coins that the bot trades no more.

    With some not to be had, the others and the rules that need none still judge. What other
    bots of the account hold is valued by the newest prices known: one question serves all.
    """
    portfolio = await ports.store.portfolio(bot.id)
    account = await ports.store.account(bot.id)
    symbols = list(dict.fromkeys((*_coins(bot, portfolio), *portfolio.dust)))
    others = sorted(account.symbols - set(symbols))
    try:
        own = await current_quotes(ports, symbols, clock, bot.settings.limits.price_age_s)
    except Unavailable as error:
        if patient and error.retryable and not isinstance(error, Unusable):
            raise
        own = await known_quotes(ports, symbols, clock)
    return {**await known_quotes(ports, others, clock), **own}


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
        instruments=await _instruments(ports, _coins(bot, portfolio)),
        symbols=bot.settings.symbols,
        fee_rate=ports.fee_rate,
        entries_today=await ports.store.entries_since(bot.id, midnight_ms),
        last_exit_ms=await ports.store.last_exits(bot.id),
        busy=frozenset(o.symbol for o in await ports.store.unfinished_orders(bot.id)),
        marks=await ports.store.marks(bot.id, midnight_ms),
        flatten=request.flatten,
        running=_is_running(bot, request),
    )


async def _instruments(ports: Ports, symbols: Sequence[str]) -> dict[str, Instrument]:
    """Give what is listed of these: a coin that was delisted keeps no other from being judged."""
    try:
        return await ports.feed.instruments(symbols)
    except InputError:
        listed = await ports.feed.listing()
        return {symbol: listed[symbol] for symbol in symbols if symbol in listed}


async def _seen(ports: Ports, request: ValidateRisk) -> dict[str, Price]:
    """Give the last prices that the cycle saw; none where it saw nothing, and enters nothing."""
    if request.unseen_due_ms is not None:
        return {}
    start = await ports.store.cycle(request.bot_id, request.cycle)
    return {symbol: quote.last for symbol, quote in start.quotes.items()}


async def _judge_once(ports: Ports, request: ValidateRisk, context: Context) -> None:
    proposals = await _proposals(ports, request) if request.entries else ()

    def judge(account: Account) -> Judgement:
        known = replace(context, account=account)
        return _judged(ports, request, known, proposals)

    entering = any(proposal.action is Action.BUY for proposal in proposals)
    try:
        await ports.store.judge_cycle(request.bot_id, request.cycle, judge, entering=entering)
    except Conflict as error:
        if not await ports.store.judged(request.bot_id, request.cycle):
            raise Unavailable(f"{error} The cycle is judged anew.") from error


def _judged(
    ports: Ports, request: ValidateRisk, context: Context, proposals: Sequence[Proposal]
) -> Judgement:
    """Judge everything; pure, as it runs while the account is locked."""
    verdicts = judge_cycle(context, proposals)
    leading = [verdict for verdict in verdicts if verdict.ruling.leads_to_an_order]
    orders = [_order(ports, request, context, verdict) for verdict in leading]
    return Judgement(verdicts, orders, context)


async def _proposals(ports: Ports, request: ValidateRisk) -> Sequence[Proposal]:
    record = await ports.store.decision(request.bot_id, request.cycle)
    decision = decision_of(record) if record else None
    return decision.proposals if decision else ()


def _order(ports: Ports, request: ValidateRisk, context: Context, verdict: Verdict) -> Order:
    """Make the order that a verdict leads to; bots on spot open no position but by buying."""
    if verdict.quantity is None:
        raise ValueError(f"a verdict that leads to an order has a quantity: {verdict}")
    leaves = verdict.purpose.is_exit
    side = context.portfolio.positions[verdict.symbol].exit_side if leaves else Side.BUY
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
        side=side,
        purpose=verdict.purpose,
        quantity=verdict.quantity,
        limit_price=verdict.limit_price,
        expires_ms=None if leaves else request.expires_ms,
        stop=verdict.stop,
        target=verdict.target,
        trail=None if leaves else context.limits.trailing,
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
        verdicts=tuple(verdict_told(verdict) for verdict in verdicts),
        refused=tuple(verdict_told(v) for v in verdicts if v.ruling is Ruling.REFUSED),
        refusals=sum(verdict.ruling is Ruling.REFUSED for verdict in verdicts),
        orders=tuple(_order_brief(o) for o in orders if request.entries or _must_end(o)),
        equity=to_scale(portfolio.equity(quotes)),
        cash=portfolio.cash,
        positions=position_briefs(portfolio, quotes, clock.venue_ms),
        unpriced=portfolio.unpriced(quotes),
        halt=next((verdict_told(v) for v in verdicts if v.ruling is Ruling.HALTED), None),
    )


def _must_end(order: Order) -> bool:
    """Exits go on whatever happens; a sent entry is looked up, which sends nothing."""
    return order.purpose.is_exit or order.state is not OrderState.INTENDED


def _order_brief(order: Order) -> OrderBrief:
    return OrderBrief(
        id=order.id,
        symbol=order.symbol,
        side=order.side,
        purpose=order.purpose,
        quantity=order.quantity,
    )
