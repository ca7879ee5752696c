"""Rules on the live price: whether there is one, how old, how wide, and how far it moved."""

from oxbot.domain.decision import Proposal
from oxbot.domain.money import basis_points
from oxbot.domain.risk import SECOND_MS, Context
from oxbot.domain.rules.base import ProposalRule, Refusal


class Book(ProposalRule):
    """Both sides of the book, in order."""

    name = "book"
    limits = ()
    formula = "no bid or ask is known, or bid > ask"
    figures = ("bid", "ask")

    def check(self, proposal: Proposal, context: Context) -> Refusal | None:
        """Refuse an empty or a crossed book."""
        quote = context.quotes.get(proposal.symbol)
        if quote is None:
            return Refusal("no bid and ask are known", {"bid": "none", "ask": "none"})
        if quote.spread >= 0:
            return None
        figures = {"bid": str(quote.bid), "ask": str(quote.ask)}
        return Refusal("the book is crossed: the bid is above the ask", figures)


class PriceAge(ProposalRule):
    """No entry on an old price, nor on one from the future."""

    name = "price age"
    limits = ("price_age_s",)
    formula = "|now - time of the price| > `price_age_s`, in venue time scaled by its rate"
    figures = ("age_ms", "limit_ms")

    def check(self, proposal: Proposal, context: Context) -> Refusal | None:
        """Refuse a price that is too old."""
        quote = context.quotes[proposal.symbol]
        if context.is_fresh(quote):
            return None
        limit_ms = context.clock.scaled_ms(context.limits.price_age_s * SECOND_MS)
        age_ms = context.now_ms - quote.exchange_ms
        figures = {"age_ms": str(age_ms), "limit_ms": str(limit_ms)}
        return Refusal("the price is too old to enter on", figures)


class Spread(ProposalRule):
    """Bid and ask close together."""

    name = "spread"
    limits = ("spread_bp",)
    formula = "(ask - bid) / bid > `spread_bp`"
    figures = ("spread_bp", "limit_bp")

    def check(self, proposal: Proposal, context: Context) -> Refusal | None:
        """Refuse a wide market."""
        quote = context.quotes[proposal.symbol]
        spread, limit = basis_points(quote.spread, quote.bid), context.limits.spread_bp
        if spread <= limit:
            return None
        figures = {"spread_bp": str(spread), "limit_bp": str(limit)}
        return Refusal("bid and ask are too far apart", figures)


class PriceMoved(ProposalRule):
    """The price that the model saw must still hold."""

    name = "price moved"
    limits = ("move_bp",)
    formula = "|last - last that the model saw| / the latter > `move_bp`, or it saw none"
    figures = ("moved_bp", "limit_bp")

    def check(self, proposal: Proposal, context: Context) -> Refusal | None:
        """Refuse a market that moved on since the model looked."""
        quote, seen = context.quotes[proposal.symbol], context.seen.get(proposal.symbol)
        limit = context.limits.move_bp
        if seen is None:
            figures = {"moved_bp": "unknown", "limit_bp": str(limit)}
            return Refusal("the model was shown no price for this coin", figures)
        moved = basis_points(abs(quote.last - seen), seen)
        if moved <= limit:
            return None
        figures = {"moved_bp": str(moved), "limit_bp": str(limit)}
        return Refusal("the price moved since the model saw it", figures)
