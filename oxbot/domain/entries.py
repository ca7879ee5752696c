"""What the rules make of a model's proposals: approved, reduced or refused, never clamped."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from oxbot.domain.decision import Action, Proposal
from oxbot.domain.money import BASIS_POINT, Notional, basis_points, to_scale
from oxbot.domain.orders import Purpose
from oxbot.domain.risk import SECOND_MS, Context, Ruling, Verdict, held_s, sellable


@dataclass(frozen=True)
class Refusal:
    """A rule's no: reason and figures."""

    rule: str
    reason: str
    figures: dict[str, str]


Rule = Callable[[Proposal, Context], Refusal | None]


def judge(proposal: Proposal, context: Context) -> Verdict | None:
    """Approve, reduce or refuse one proposal; None where there is nothing to do (hold)."""
    if proposal.action is Action.HOLD:
        return None
    if proposal.action is Action.CLOSE:
        return _judge_close(proposal, context)
    for rule in ENTRY_RULES:
        refusal = rule(proposal, context)
        if refusal:
            return _refused(proposal, Purpose.ENTRY, refusal)
    return _sized(proposal, context)


def _judge_close(proposal: Proposal, context: Context) -> Verdict:
    position = context.portfolio.positions.get(proposal.symbol)
    if position is None:
        none_held = Refusal("not held", "there is no position to close", {})
        return _refused(proposal, Purpose.DECISION, none_held)
    if proposal.symbol in context.busy:
        busy = Refusal("in flight", "an order for this coin is still under way", {})
        return _refused(proposal, Purpose.DECISION, busy)
    seconds, limit_s = held_s(context, position), context.limits.shortest_hold_s
    figures = {"held_s": str(seconds), "limit_s": str(limit_s)}
    if seconds < limit_s:
        early = Refusal("shortest hold", "held too briefly for a decision to close", figures)
        return _refused(proposal, Purpose.DECISION, early)
    quantity, minimum = sellable(context, position), context.instruments[proposal.symbol].minimum
    if quantity < minimum:
        figures = {"quantity": str(quantity), "minimum": str(minimum)}
        small = Refusal("size", "too little is held to be sold", figures)
        return _refused(proposal, Purpose.DECISION, small)
    return Verdict(
        symbol=proposal.symbol,
        purpose=Purpose.DECISION,
        ruling=Ruling.APPROVED,
        rule="decision",
        reason=proposal.reason,
        figures=figures,
        quantity=quantity,
    )


def _refused(proposal: Proposal, purpose: Purpose, refusal: Refusal) -> Verdict:
    return Verdict(
        symbol=proposal.symbol,
        purpose=purpose,
        ruling=Ruling.REFUSED,
        rule=refusal.rule,
        reason=refusal.reason,
        figures=refusal.figures,
    )


def _held_already(proposal: Proposal, context: Context) -> Refusal | None:
    if proposal.symbol in context.portfolio.positions:
        return Refusal("held already", "a position in this coin is open", {})
    if proposal.symbol in context.busy:
        return Refusal("in flight", "an order for this coin is still under way", {})
    return None


def _listed(proposal: Proposal, context: Context) -> Refusal | None:
    if proposal.symbol not in context.symbols or proposal.symbol not in context.instruments:
        return Refusal("symbol", "the bot does not trade this symbol", {})
    return None


def _sure_enough(proposal: Proposal, context: Context) -> Refusal | None:
    figures = {"confidence": str(proposal.confidence), "limit": str(context.limits.confidence)}
    if proposal.confidence < context.limits.confidence:
        return Refusal("confidence", "the model is not sure enough", figures)
    return None


def _worth_its_fees(proposal: Proposal, context: Context) -> Refusal | None:
    needed = context.limits.fee_round_trips * 2 * context.fee_rate
    figures = {"expected_move": str(proposal.expected_move), "needed": str(needed)}
    if proposal.expected_move < needed:
        return Refusal("fee gate", "the expected move does not pay the fees", figures)
    return None


def _priced_now(proposal: Proposal, context: Context) -> Refusal | None:
    quote = context.quotes.get(proposal.symbol)
    limit_ms = context.clock.scaled_ms(context.limits.price_age_s * SECOND_MS)
    age = "none" if quote is None else str(quote.age_ms(context.now_ms))
    if quote is None or not context.is_fresh(quote):
        figures = {"age_ms": age, "limit_ms": str(limit_ms)}
        return Refusal("price age", "the price is too old to enter on", figures)
    return None


def _unmoved(proposal: Proposal, context: Context) -> Refusal | None:
    quote, seen = context.quotes[proposal.symbol], context.seen.get(proposal.symbol)
    if seen is None:
        return Refusal("price seen", "the model was shown no price for this coin", {})
    moved = basis_points(abs(quote.last - seen), seen)
    figures = {"moved_bp": str(moved), "limit_bp": str(context.limits.move_bp)}
    if moved > context.limits.move_bp:
        return Refusal("price moved", "the price moved since the model saw it", figures)
    return None


def _tight(proposal: Proposal, context: Context) -> Refusal | None:
    quote = context.quotes[proposal.symbol]
    spread = basis_points(quote.spread, quote.bid)
    figures = {"spread_bp": str(spread), "limit_bp": str(context.limits.spread_bp)}
    if quote.spread < 0:
        return Refusal("crossed book", "the bid is above the ask", figures)
    if spread > context.limits.spread_bp:
        return Refusal("spread", "bid and ask are too far apart", figures)
    return None


def _cooled_down(proposal: Proposal, context: Context) -> Refusal | None:
    left_ms = context.last_exit_ms.get(proposal.symbol)
    if left_ms is None:
        return None
    since_s = (context.now_ms - left_ms) // SECOND_MS
    figures = {"since_exit_s": str(since_s), "limit_s": str(context.limits.cooldown_s)}
    if since_s < context.limits.cooldown_s:
        return Refusal("cooldown", "the coin was exited too recently", figures)
    return None


def _not_too_often(_: Proposal, context: Context) -> Refusal | None:
    figures = {
        "entries_today": str(context.entries_today),
        "limit": str(context.limits.entries_a_day),
    }
    if context.entries_today >= context.limits.entries_a_day:
        return Refusal("entries a day", "the day's entries are used up", figures)
    return None


ENTRY_RULES: Final[tuple[Rule, ...]] = (
    _listed,
    _held_already,
    _sure_enough,
    _worth_its_fees,
    _priced_now,
    _tight,
    _unmoved,
    _cooled_down,
    _not_too_often,
)
"""In the order they are asked; the first refusal stands."""


def _sized(proposal: Proposal, context: Context) -> Verdict:
    """Size an entry: the model gives a fraction, the limits give the whole."""
    limits, portfolio = context.limits, context.portfolio
    quote, instrument = context.quotes[proposal.symbol], context.instruments[proposal.symbol]
    limit_price = instrument.round_price_up(
        to_scale(quote.ask * (1 + limits.slippage_bp * BASIS_POINT))
    )
    equity = portfolio.equity(context.quotes)
    wanted = to_scale(to_scale(equity * limits.max_position) * proposal.fraction)
    room = to_scale(equity * limits.max_exposure) - portfolio.exposure(context.quotes)
    free = portfolio.cash - portfolio.reserved
    allowed = min(wanted, room, free)
    quantity = instrument.whole_lots(max(Notional(0), allowed) / limit_price)
    figures = {
        "wanted_usdt": f"{wanted:.2f}",
        "room_usdt": f"{room:.2f}",
        "free_usdt": f"{free:.2f}",
        "minimum": str(instrument.minimum),
    }
    if not instrument.is_tradable(to_scale(quantity * (1 - context.fee_rate))):
        reason = "what the limits leave is, after the fee, below the minimum that can be sold"
        small = Refusal("size", reason, figures)
        return _refused(proposal, Purpose.ENTRY, small)
    cut = allowed < wanted
    return Verdict(
        symbol=proposal.symbol,
        purpose=Purpose.ENTRY,
        ruling=Ruling.REDUCED if cut else Ruling.APPROVED,
        rule="exposure" if cut else "all rules",
        reason="cut to what the limits leave" if cut else proposal.reason,
        figures=figures,
        quantity=quantity,
        limit_price=limit_price,
    )
