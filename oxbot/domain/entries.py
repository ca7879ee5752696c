"""What the rules make of a model's proposals: approved, reduced or refused, never clamped."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from oxbot.domain.decision import Action, Proposal
from oxbot.domain.money import BASIS_POINT, Notional, Price, Quantity, plain, to_scale
from oxbot.domain.orders import Purpose
from oxbot.domain.risk import Context, Ruling, Verdict, closable, held_s, reducible, reserved_by
from oxbot.domain.rules import CLOSE_RULES, ENTRY_RULES, LEAST_RULES, REDUCE_RULES, SIZE_RULES
from oxbot.domain.rules.base import Figures, ProposalRule, Refusal, Sizing
from oxbot.domain.rules.plan import Plan

REST_TOO_LITTLE: Final = "all is sold, since the rest would be too little to be sold"
"""What a reduce that became a close says of itself, before the model's own reason."""


def judge_all(proposals: Sequence[Proposal], context: Context) -> list[Verdict]:
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
    context = replace(context, decided=context.decided | {verdict.symbol})
    if not verdict.ruling.leads_to_an_order or verdict.purpose.is_exit:
        return context
    reserved = context.portfolio.reserved + reserved_by(verdict)
    return replace(
        context,
        portfolio=context.portfolio.model_copy(update={"reserved": reserved}),
        entries_today=context.entries_today + 1,
    )


def judge(proposal: Proposal, context: Context) -> Verdict | None:
    """Approve, reduce or refuse one proposal; None where there is nothing to do (hold)."""
    if proposal.action is Action.HOLD:
        return None
    if proposal.action.sells:
        rules = REDUCE_RULES if proposal.action is Action.REDUCE else CLOSE_RULES
        return _refusal(rules, proposal, context) or _sold(proposal, context)
    return _refusal(ENTRY_RULES, proposal, context) or _sized(proposal, context)


def _refusal(rules: Sequence[ProposalRule], proposal: Proposal, context: Context) -> Verdict | None:
    for rule in rules:
        refusal = rule.check(proposal, context)
        if refusal:
            return _refused(proposal, rule.name, refusal)
    return None


def _refused(proposal: Proposal, rule: str, refusal: Refusal) -> Verdict:
    return Verdict(
        symbol=proposal.symbol,
        purpose=Purpose.DECISION if proposal.action.sells else Purpose.ENTRY,
        ruling=Ruling.REFUSED,
        rule=rule,
        reason=refusal.reason,
        figures=refusal.figures,
    )


def _sold(proposal: Proposal, context: Context) -> Verdict:
    """Sell a position, or the part that is asked for; that all goes instead is said."""
    position = context.portfolio.positions[proposal.symbol]
    seconds, limit_s = held_s(context, position), context.limits.shortest_hold_s
    figures = {"held_s": str(seconds), "limit_s": str(limit_s)}
    quantity, reason = closable(context, position), proposal.reason
    if proposal.action is Action.REDUCE:
        part = reducible(context, position, proposal.fraction)
        whole = part == quantity and proposal.fraction < 1
        reason = f"{REST_TOO_LITTLE}; {reason}" if whole else reason
        rest = abs(position.quantity) - part
        figures |= {"fraction": str(proposal.fraction), "sold": plain(part), "rest": plain(rest)}
        quantity = part
    return Verdict(
        symbol=proposal.symbol,
        purpose=Purpose.DECISION,
        ruling=Ruling.APPROVED,
        rule="decision",
        reason=reason,
        figures=figures,
        quantity=quantity,
    )


class Rooms(NamedTuple):
    """What an entry may cost: the whole, what all rules leave, and the rule that leaves least."""

    whole: Notional
    least: Notional
    rule: str
    figures: Figures

    @classmethod
    def of(cls, proposal: Proposal, context: Context) -> "Rooms":
        """Ask all rules of size."""
        rooms = [(rule, rule.room(proposal, context)) for rule in SIZE_RULES]
        binding, least = min(rooms, key=lambda room: room[1])
        figures = {rule.figures[0]: f"{room:.2f}" for rule, room in rooms}
        return cls(rooms[0][1], least, binding.name, figures)


def _sized(proposal: Proposal, context: Context) -> Verdict:
    """Size an entry: the model gives a fraction, the limits give the whole."""
    quote, instrument = context.quotes[proposal.symbol], context.instruments[proposal.symbol]
    beyond = 1 + context.limits.slippage_bp * BASIS_POINT
    limit_price = instrument.round_price_up(to_scale(quote.ask * beyond))
    rooms = Rooms.of(proposal, context)
    quantity = instrument.whole_lots(max(Notional(0), rooms.least) / limit_price)
    sizing = Sizing(proposal.symbol, quantity, quote.ask)
    for rule in LEAST_RULES:
        refusal = rule.check(sizing, context)
        if refusal:
            told = Refusal(refusal.reason, {**refusal.figures, **rooms.figures})
            return _refused(proposal, rule.name, told)
    return _approved(proposal, context, rooms, (quantity, limit_price))


def _approved(
    proposal: Proposal, context: Context, rooms: Rooms, size: tuple[Quantity, Price]
) -> Verdict:
    quantity, limit_price = size
    plan, cut = Plan.of(proposal, context), rooms.least < rooms.whole
    return Verdict(
        symbol=proposal.symbol,
        purpose=Purpose.ENTRY,
        ruling=Ruling.REDUCED if cut else Ruling.APPROVED,
        rule=rooms.rule if cut else "all rules",
        reason="cut to what the limits leave" if cut else proposal.reason,
        figures=rooms.figures,
        quantity=quantity,
        limit_price=limit_price,
        stop=context.limits.stop if proposal.stop_price is None else plan.stop,
        target=context.limits.target if proposal.target_price is None else plan.target,
    )
