"""Rules on size: what an entry may cost at most, and what is too little to be an entry."""

from oxbot.domain.decision import Proposal
from oxbot.domain.money import Notional, plain, to_scale
from oxbot.domain.risk import Context
from oxbot.domain.rules.base import Figures, LeastRule, Refusal, SizeRule, Sizing


class MaxPosition(SizeRule):
    """The whole that a proposal asks a fraction of."""

    name = "position"
    limits = ("max_position", "slippage_bp")
    formula = (
        "cost > equity x `max_position` x the proposal's fraction; the cost is quantity x limit "
        "price, and the limit price ask x (1 + `slippage_bp`), on the tick above"
    )
    figures = ("position_usdt",)

    def room(self, proposal: Proposal, context: Context) -> Notional:
        """Give the share of equity that is asked for."""
        whole = to_scale(context.equity * context.limits.max_position)
        return to_scale(whole * proposal.fraction)


class MaxExposure(SizeRule):
    """What the bot's positions may be worth together."""

    name = "exposure"
    limits = ("max_exposure",)
    formula = "positions at bid + reserved + cost > equity x `max_exposure`"
    figures = ("exposure_usdt",)

    def room(self, proposal: Proposal, context: Context) -> Notional:  # noqa: ARG002 - the rule's signature
        """Give what the exposure limit leaves."""
        exposed = context.portfolio.exposure(context.quotes)
        return to_scale(context.equity * context.limits.max_exposure) - exposed


class MaxAccountExposure(SizeRule):
    """What the positions of all bots of the account may be worth together."""

    name = "account exposure"
    limits = ("max_account_exposure",)
    formula = (
        "positions at bid + reserved, of all bots of the account, + cost > their equity x "
        "`max_account_exposure`"
    )
    figures = ("account_usdt",)

    def room(self, proposal: Proposal, context: Context) -> Notional:  # noqa: ARG002 - the rule's signature
        """Give what the account's limit leaves."""
        account, quotes = context.account, context.quotes
        equity = context.equity + account.equity(quotes)
        exposed = context.portfolio.exposure(quotes) + account.exposure(quotes)
        return to_scale(equity * context.limits.max_account_exposure) - exposed


class FreeCash(SizeRule):
    """Cash that no entry under way has reserved."""

    name = "free cash"
    limits = ()
    formula = "cost > cash - reserved"
    figures = ("free_usdt",)

    def room(self, proposal: Proposal, context: Context) -> Notional:  # noqa: ARG002 - the rule's signature
        """Give the cash that is free."""
        return context.portfolio.cash - context.portfolio.reserved


class Minimum(LeastRule):
    """What is bought can be sold again."""

    name = "size"
    limits = ()
    formula = "quantity less the fee, in whole lots, < the exchange's minimum"
    figures = ("quantity", "kept", "minimum")

    def check(self, sizing: Sizing, context: Context) -> Refusal | None:
        """Refuse what could not be sold again."""
        instrument = context.instruments[sizing.symbol]
        kept = instrument.whole_lots(to_scale(sizing.quantity * (1 - context.fee_rate)))
        if kept >= instrument.minimum:
            return None
        figures: Figures = {
            "quantity": plain(sizing.quantity),
            "kept": plain(kept),
            "minimum": plain(instrument.minimum),
        }
        reason = "what the limits leave is, after the fee, below the minimum that can be sold"
        return Refusal(reason, figures)


class MinimumNotional(LeastRule):
    """An entry worth its trouble, in USDT."""

    name = "minimum notional"
    limits = ("minimum_notional",)
    formula = "quantity x ask < `minimum_notional`"
    figures = ("notional_usdt", "limit_usdt")

    def check(self, sizing: Sizing, context: Context) -> Refusal | None:
        """Refuse an entry that is worth too little."""
        notional = to_scale(sizing.quantity * sizing.price)
        limit = context.limits.minimum_notional
        if notional >= limit:
            return None
        figures = {"notional_usdt": f"{notional:.6f}", "limit_usdt": str(limit)}
        return Refusal("what the limits leave is worth too little", figures)
