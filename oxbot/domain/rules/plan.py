"""Rules on stop and target, measured from the live price at which an entry would be made."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Self

from oxbot.domain.decision import Proposal
from oxbot.domain.market import Quote
from oxbot.domain.money import EXACT, MONEY_SCALE, Price, to_scale
from oxbot.domain.risk import Context
from oxbot.domain.rules.base import ProposalRule, Refusal


@dataclass(frozen=True)
class Plan:
    """An entry at the ask with its stop and target, in USDT."""

    quote: Quote
    stop_price: Price
    target_price: Price
    widest_stop: Price
    widest_target: Price

    @classmethod
    def of(cls, proposal: Proposal, context: Context) -> Self:
        """Take the model's stop and target where it names them, else those of the limits."""
        quote, limits = context.quotes[proposal.symbol], context.limits
        stop = to_scale(quote.ask * (1 - limits.stop))
        target = to_scale(quote.ask * (1 + limits.target))
        return cls(
            quote=quote,
            stop_price=stop if proposal.stop_price is None else proposal.stop_price,
            target_price=target if proposal.target_price is None else proposal.target_price,
            widest_stop=stop,
            widest_target=target,
        )

    @property
    def stop(self) -> Decimal:
        """How far the stop lies below the ask, as a fraction of it; 0 where that rounds away."""
        return _to_scale((self.quote.ask - self.stop_price) / self.quote.ask)

    @property
    def target(self) -> Decimal:
        """How far the target lies above the ask, as a fraction of it; 0 as for the stop."""
        return _to_scale((self.target_price - self.quote.ask) / self.quote.ask)

    def reward_risk(self, fee_rate: Decimal) -> Decimal:
        """What is won at the target over what is lost at the stop, all fees paid."""
        paid = self.quote.ask * (1 + fee_rate)
        won = self.target_price * (1 - fee_rate) - paid
        lost = paid - self.stop_price * (1 - fee_rate)
        return won / lost


def _to_scale(fraction: Decimal) -> Decimal:
    return fraction.quantize(MONEY_SCALE, context=EXACT)


FAR: Final = 2
"""A price named for a stop or a target that is so many times the ask, or so small a part of it,
is of another coin or unit, unless the limits reach that far."""


class PriceBand(ProposalRule):
    """A stop and a target that can be prices of this coin at all."""

    name = "price band"
    limits = ("stop", "target")
    formula = (
        f"stop or target price < the lower of ask / {FAR} and ask x (1 - `stop`), or > the higher "
        f"of ask x {FAR} and ask x (1 + `target`)"
    )
    figures = ("stop", "target", "lowest", "highest")

    def check(self, proposal: Proposal, context: Context) -> Refusal | None:
        """Refuse prices far from the live one."""
        plan = Plan.of(proposal, context)
        ask = plan.quote.ask
        lowest = min(to_scale(ask / FAR), plan.widest_stop)
        highest = max(ask * FAR, plan.widest_target)
        named = (plan.stop_price, plan.target_price)
        if all(lowest <= price <= highest for price in named):
            return None
        figures = {
            "stop": str(plan.stop_price),
            "target": str(plan.target_price),
            "lowest": str(lowest),
            "highest": str(highest),
        }
        return Refusal("the stop or the target is far from this coin's price", figures)


class StopSide(ProposalRule):
    """A stop below the market and a target above it."""

    name = "stop side"
    limits = ("stop", "target")
    formula = (
        "stop price >= bid, or target price <= ask; where the model names none, they are "
        "ask x (1 - `stop`) and ask x (1 + `target`)"
    )
    figures = ("stop", "bid", "target", "ask")

    def check(self, proposal: Proposal, context: Context) -> Refusal | None:
        """Refuse a stop or a target on the wrong side of the live price."""
        plan = Plan.of(proposal, context)
        figures = {
            "stop": str(plan.stop_price),
            "bid": str(plan.quote.bid),
            "target": str(plan.target_price),
            "ask": str(plan.quote.ask),
        }
        if plan.stop_price >= plan.quote.bid or not plan.stop:
            return Refusal("the stop is not below the bid: it would sell at once", figures)
        if plan.target_price <= plan.quote.ask or not plan.target:
            return Refusal("the target is not above the ask", figures)
        return None


class StopWidth(ProposalRule):
    """A model may protect a position more tightly than the limits, never less."""

    name = "stop width"
    limits = ("stop", "target")
    formula = "stop price < ask x (1 - `stop`), or target price > ask x (1 + `target`)"
    figures = ("stop", "lowest_stop", "target", "highest_target")

    def check(self, proposal: Proposal, context: Context) -> Refusal | None:
        """Refuse a stop or a target beyond the limit."""
        plan = Plan.of(proposal, context)
        figures = {
            "stop": str(plan.stop_price),
            "lowest_stop": str(plan.widest_stop),
            "target": str(plan.target_price),
            "highest_target": str(plan.widest_target),
        }
        if plan.stop_price < plan.widest_stop:
            return Refusal("the stop is further away than allowed", figures)
        if plan.target_price > plan.widest_target:
            return Refusal("the target is further away than allowed", figures)
        return None


class RewardRisk(ProposalRule):
    """What can be won must be worth what can be lost."""

    name = "reward:risk"
    limits = ("reward_risk", "stop", "target")
    formula = (
        "(target x (1 - fee) - ask x (1 + fee)) / (ask x (1 + fee) - stop x (1 - fee)) "
        "< `reward_risk`, stop and target at the model's prices, else at `stop` and `target` "
        "from the ask"
    )
    figures = ("reward_risk", "limit", "ask", "stop", "target")

    def check(self, proposal: Proposal, context: Context) -> Refusal | None:
        """Refuse a trade that risks too much for what it can win."""
        plan, limit = Plan.of(proposal, context), context.limits.reward_risk
        ratio = plan.reward_risk(context.fee_rate)
        if ratio >= limit:
            return None
        figures = {
            "reward_risk": f"{ratio:.6f}",
            "limit": str(limit),
            "ask": str(plan.quote.ask),
            "stop": str(plan.stop_price),
            "target": str(plan.target_price),
        }
        return Refusal("it can win too little for what it risks", figures)
