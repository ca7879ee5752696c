"""Rules on a model's wish to sell: a position that is there, old enough and can be sold."""

from oxbot.domain.decision import Proposal
from oxbot.domain.money import plain
from oxbot.domain.risk import Context, closable, held_s, reducible
from oxbot.domain.rules.base import ProposalRule, Refusal


class Held(ProposalRule):
    """Only what is held can be closed."""

    name = "not held"
    limits = ()
    formula = "there is no position in the coin"
    figures = ("held",)

    def check(self, proposal: Proposal, context: Context) -> Refusal | None:
        """Refuse to close what is not held."""
        if proposal.symbol in context.portfolio.positions:
            return None
        held = ", ".join(sorted(context.portfolio.positions)) or "nothing"
        return Refusal("there is no position to close", {"held": held})


class NotInFlight(ProposalRule):
    """One order under way for each coin."""

    name = "in flight"
    limits = ()
    formula = "an order for the coin is under way"
    figures = ("order",)

    def check(self, proposal: Proposal, context: Context) -> Refusal | None:
        """Refuse while an order is under way."""
        if proposal.symbol not in context.busy:
            return None
        return Refusal("an order for this coin is still under way", {"order": "yes"})


class ShortestHold(ProposalRule):
    """A decision may not close what was only just opened; stop and target may."""

    name = "shortest hold"
    limits = ("shortest_hold_s",)
    formula = "time held < `shortest_hold_s`"
    figures = ("held_s", "limit_s")

    def check(self, proposal: Proposal, context: Context) -> Refusal | None:
        """Refuse to close a young position."""
        seconds = held_s(context, context.portfolio.positions[proposal.symbol])
        limit_s = context.limits.shortest_hold_s
        if seconds >= limit_s:
            return None
        figures = {"held_s": str(seconds), "limit_s": str(limit_s)}
        return Refusal("held too briefly for a decision to close", figures)


class Sellable(ProposalRule):
    """What is held must be enough to be sold, and its coin not halted."""

    name = "sellable"
    limits = ()
    formula = "whole lots held < the exchange's minimum, or the coin is halted or listed no more"
    figures = ("quantity", "minimum", "live")

    def check(self, proposal: Proposal, context: Context) -> Refusal | None:
        """Refuse to close what cannot be sold."""
        instrument = context.instruments.get(proposal.symbol)
        quantity = closable(context, context.portfolio.positions[proposal.symbol])
        if instrument is None:
            figures = {"quantity": str(quantity), "minimum": "none", "live": "no"}
            return Refusal("the exchange lists this coin no more", figures)
        figures = {
            "quantity": str(quantity),
            "minimum": str(instrument.minimum),
            "live": "yes" if instrument.live else "no",
        }
        if not instrument.live:
            return Refusal("the exchange has halted this coin", figures)
        if quantity < instrument.minimum:
            return Refusal("too little is held to be sold", figures)
        return None


class Part(ProposalRule):
    """A part of a position must be enough to be sold by itself."""

    name = "part"
    limits = ()
    formula = (
        "whole lots of held x the proposal's fraction < the exchange's minimum, and the rest could "
        "still be sold"
    )
    figures = ("held", "part", "minimum")

    def check(self, proposal: Proposal, context: Context) -> Refusal | None:
        """Refuse to sell too small a part."""
        position = context.portfolio.positions[proposal.symbol]
        minimum = context.instruments[proposal.symbol].minimum
        part = reducible(context, position, proposal.fraction)
        if part >= minimum:
            return None
        figures = {"held": plain(position.quantity), "part": plain(part), "minimum": plain(minimum)}
        return Refusal("the part is too little to be sold", figures)
