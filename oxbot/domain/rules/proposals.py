"""Rules on the proposal itself: what coin, whether it is had already, how sure the model is."""

from oxbot.domain.decision import Proposal
from oxbot.domain.risk import Context
from oxbot.domain.rules.base import ProposalRule, Refusal


class Listed(ProposalRule):
    """Only coins that the bot trades."""

    name = "symbol"
    limits = ()
    formula = "the bot does not trade the coin, or the exchange does not list it"
    figures = ("traded",)

    def check(self, proposal: Proposal, context: Context) -> Refusal | None:
        """Refuse a coin that is not the bot's."""
        if proposal.symbol in context.symbols and proposal.symbol in context.instruments:
            return None
        return Refusal("the bot does not trade this symbol", {"traded": ", ".join(context.symbols)})


class Live(ProposalRule):
    """No order for a coin that the exchange has halted."""

    name = "halted coin"
    limits = ()
    formula = "the exchange's state of the coin is not live"
    figures = ("live",)

    def check(self, proposal: Proposal, context: Context) -> Refusal | None:
        """Refuse a halted coin."""
        if context.instruments[proposal.symbol].live:
            return None
        return Refusal("the exchange has halted this coin", {"live": "no"})


class Duplicate(ProposalRule):
    """One position, one order under way and one proposal for each coin."""

    name = "duplicate"
    limits = ()
    formula = (
        "a position in the coin is open, or an order for it is under way, or the same decision "
        "named it before"
    )
    figures = ("position", "order", "proposal")

    def check(self, proposal: Proposal, context: Context) -> Refusal | None:
        """Refuse what is had already."""
        symbol = proposal.symbol
        found = {
            "position": symbol in context.portfolio.positions,
            "order": symbol in context.busy,
            "proposal": symbol in context.decided,
        }
        named = [_HAD[what] for what, is_so in found.items() if is_so]
        figures = {what: "yes" if is_so else "no" for what, is_so in found.items()}
        return Refusal(named[0], figures) if named else None


_HAD = {
    "position": "a position in this coin is open",
    "order": "an order for this coin is still under way",
    "proposal": "the same decision named this coin before",
}


class Confidence(ProposalRule):
    """A model that doubts does not trade."""

    name = "confidence"
    limits = ("confidence",)
    formula = "confidence < `confidence`"
    figures = ("confidence", "limit")

    def check(self, proposal: Proposal, context: Context) -> Refusal | None:
        """Refuse what the model is not sure of."""
        limit = context.limits.confidence
        if proposal.confidence >= limit:
            return None
        figures = {"confidence": str(proposal.confidence), "limit": str(limit)}
        return Refusal("the model is not sure enough", figures)


class FeeGate(ProposalRule):
    """A trade must be able to pay its fees."""

    name = "fee gate"
    limits = ("fee_round_trips",)
    formula = "expected move < `fee_round_trips` x 2 x taker fee"
    figures = ("expected_move", "needed")

    def check(self, proposal: Proposal, context: Context) -> Refusal | None:
        """Refuse a move too small to pay."""
        needed = context.limits.fee_round_trips * 2 * context.fee_rate
        if proposal.expected_move >= needed:
            return None
        figures = {"expected_move": str(proposal.expected_move), "needed": str(needed)}
        return Refusal("the expected move does not pay the fees", figures)
