"""The exits that rules demand, whatever a model thinks; and what the losses of a bot come to."""

from oxbot.domain.market import Quote
from oxbot.domain.orders import Purpose
from oxbot.domain.portfolio import Position
from oxbot.domain.risk import WHOLE_ACCOUNT, Context, Ruling, Verdict, closable
from oxbot.domain.rules import EXIT_RULES, LOSS_RULES
from oxbot.domain.rules.base import Demand
from oxbot.domain.rules.losses import Drawdown
from oxbot.domain.rules.prices import PriceAge


def demanded_exits(context: Context) -> list[Verdict]:
    """Judge every position by the rules of exit, in their order.

    A price too old to trust triggers no stop and no target, and that is noted.
    """
    judged = (
        _exit_verdict(context, position)
        for symbol, position in sorted(context.portfolio.positions.items())
        if symbol not in context.busy
    )
    return [verdict for verdict in judged if verdict]


def losses_at_their_limit(context: Context) -> list[Verdict]:
    """Say which losses have reached their limit; a drawdown halts a bot that is running."""
    return [
        Verdict(
            symbol=WHOLE_ACCOUNT,
            purpose=Purpose.FLATTEN if context.limits.flatten_at_limit else Purpose.ENTRY,
            ruling=Ruling.HALTED if halts else Ruling.NOTED,
            rule=rule.name,
            reason=rule.reason,
            figures=rule.figures_of(context),
        )
        for rule in LOSS_RULES
        if rule.is_reached(context)
        for halts in (context.running and isinstance(rule, Drawdown),)
    ]


def _exit_verdict(context: Context, position: Position) -> Verdict | None:
    for rule in EXIT_RULES:
        demand = rule.check(position, context)
        if demand:
            return _exit(context, position, rule.name, demand)
    quote = context.quotes.get(position.symbol)
    unwatched = quote is None or not context.is_fresh(quote)
    return _unwatched(context, position, quote) if unwatched else None


def _exit(context: Context, position: Position, rule: str, demand: Demand) -> Verdict:
    """Demand to sell what can be sold; what cannot be is noted."""
    quantity = closable(context, position)
    hindrance = _hindrance(context, position)
    return Verdict(
        symbol=position.symbol,
        purpose=demand.purpose,
        ruling=Ruling.NOTED if hindrance else Ruling.DEMANDED,
        rule=rule,
        reason=f"{demand.reason}, but {hindrance}" if hindrance else demand.reason,
        figures=demand.figures,
        quantity=None if hindrance else quantity,
    )


def _hindrance(context: Context, position: Position) -> str | None:
    """Say why a position cannot be sold now: too little, or its coin is halted or delisted."""
    instrument = context.instruments.get(position.symbol)
    if instrument is None:
        return "the exchange lists this coin no more"
    if not instrument.live:
        return "the exchange has halted this coin"
    if closable(context, position) < instrument.minimum:
        return "too little is held to be sold"
    return None


def _unwatched(context: Context, position: Position, quote: Quote | None) -> Verdict:
    age = "none" if quote is None else str(quote.age_ms(context.now_ms))
    return Verdict(
        symbol=position.symbol,
        purpose=Purpose.STOP,
        ruling=Ruling.NOTED,
        rule=PriceAge.name,
        reason="no price young enough to judge stop and target by",
        figures={"age_ms": age},
    )
