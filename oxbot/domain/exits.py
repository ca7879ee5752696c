"""The exits that rules demand, whatever a model thinks: stop, target, longest hold."""

from collections.abc import Iterator

from oxbot.domain.market import Quote
from oxbot.domain.orders import Purpose
from oxbot.domain.portfolio import Direction, Position
from oxbot.domain.risk import Context, Ruling, Verdict, closable, held_s


def demanded_exits(context: Context, *, flatten: bool) -> list[Verdict]:
    """Judge every position: stop before target before longest hold, or all when flattening.

    A price too old to trust triggers no stop and no target, and that is noted.
    """
    return [
        verdict
        for symbol, position in sorted(context.portfolio.positions.items())
        if symbol not in context.busy
        for verdict in _exit_verdicts(context, position, flatten=flatten)
    ]


def _exit_verdicts(context: Context, position: Position, *, flatten: bool) -> Iterator[Verdict]:
    if flatten:
        yield _exit(context, position, Purpose.FLATTEN, "flatten", "the bot is closing", {})
        return
    quote = context.quotes.get(position.symbol)
    crossed = quote and context.is_fresh(quote) and _crossing(context, position, quote)
    if crossed:
        yield crossed
    elif held_s(context, position) >= context.limits.longest_hold_s:
        yield _held_out(context, position)
    elif quote is None or not context.is_fresh(quote):
        yield _unwatched(context, position, quote)


def _crossing(context: Context, position: Position, quote: Quote) -> Verdict | None:
    """Judge stop and target by the price at which the position could be closed."""
    long, price = position.direction is Direction.LONG, quote.closing_price(position.quantity)
    name = "bid" if long else "ask"
    figures = {
        name: str(price),
        "stop": str(position.stop_price),
        "target": str(position.target_price),
    }
    if position.is_stopped_at(price):
        reason = f"the {name} is at or {'below' if long else 'above'} the stop"
        return _exit(context, position, Purpose.STOP, "stop", reason, figures)
    if position.is_on_target_at(price):
        reason = f"the {name} reached the target"
        return _exit(context, position, Purpose.TARGET, "target", reason, figures)
    return None


def _held_out(context: Context, position: Position) -> Verdict:
    seconds, limit_s = held_s(context, position), context.limits.longest_hold_s
    figures = {"held_s": str(seconds), "limit_s": str(limit_s)}
    reason = "held as long as allowed"
    return _exit(context, position, Purpose.HOLD, "longest hold", reason, figures)


def _exit(
    context: Context,
    position: Position,
    purpose: Purpose,
    rule: str,
    reason: str,
    figures: dict[str, str],
) -> Verdict:
    """Demand to close what can be; a position below the minimum cannot be, and is noted."""
    quantity = closable(context, position)
    enough = context.instruments[position.symbol].is_tradable(quantity)
    return Verdict(
        symbol=position.symbol,
        purpose=purpose,
        ruling=Ruling.DEMANDED if enough else Ruling.NOTED,
        rule=rule,
        reason=reason if enough else f"{reason}, but it is too little to be traded",
        figures=figures,
        quantity=quantity if enough else None,
    )


def _unwatched(context: Context, position: Position, quote: Quote | None) -> Verdict:
    age = "none" if quote is None else str(quote.age_ms(context.now_ms))
    return Verdict(
        symbol=position.symbol,
        purpose=Purpose.STOP,
        ruling=Ruling.NOTED,
        rule="price age",
        reason="no price young enough to judge stop and target by",
        figures={"age_ms": age},
    )
