"""Rules on losses: the day's, and from the high-water mark; both need prices to trust."""

from abc import abstractmethod
from decimal import Decimal
from typing import ClassVar

from oxbot.domain.decision import Proposal
from oxbot.domain.money import Notional
from oxbot.domain.orders import Purpose
from oxbot.domain.risk import Context
from oxbot.domain.rules.base import Demand, Figures, ProposalRule, Refusal, percent


class KnownEquity(ProposalRule):
    """An entry is measured against equity, so that must be known."""

    name = "known equity"
    limits = ("price_age_s",)
    formula = "a held coin has no price younger than `price_age_s`"
    figures = ("stale",)

    def check(self, proposal: Proposal, context: Context) -> Refusal | None:  # noqa: ARG002 - the rule's signature
        """Refuse while equity rests on old prices."""
        if not context.stale:
            return None
        reason = "a coin that is held has no price young enough to know the equity by"
        return Refusal(reason, {"stale": ", ".join(context.stale)})


class LossRule(ProposalRule):
    """A loss at its limit: no entries; with `flatten_at_limit` positions are sold as well.

    Old prices trip nothing.
    """

    reason: ClassVar[str]

    @abstractmethod
    def figures_of(self, context: Context) -> Figures:
        """Give what the loss is measured by."""

    @abstractmethod
    def is_reached(self, context: Context) -> bool:
        """Whether the loss is at its limit or beyond."""

    def check(self, proposal: Proposal, context: Context) -> Refusal | None:  # noqa: ARG002 - the rule's signature
        """Refuse entries once the limit is reached."""
        return Refusal(self.reason, self.figures_of(context)) if self.is_reached(context) else None

    def demand(self, context: Context) -> Demand | None:
        """Demand that everything is sold, where the bot is set to."""
        if not context.limits.flatten_at_limit or not self.is_reached(context):
            return None
        return Demand(Purpose.FLATTEN, self.reason, self.figures_of(context))


class DailyLoss(LossRule):
    """What may be lost in one UTC day."""

    name = "daily loss"
    limits = ("daily_loss",)
    formula = (
        "1 - min(equity, lowest equity recorded since UTC midnight) / equity at UTC midnight "
        ">= `daily_loss`; that of midnight is the last recorded before, else the capital"
    )
    figures = ("loss", "limit", "lowest", "day_start")
    reason = "the day's loss has reached its limit"

    def is_reached(self, context: Context) -> bool:
        """Whether the day's loss is at its limit; by what is on record where prices are old."""
        lowest = _lowest(context)
        return lowest is not None and _has_fallen(
            lowest, context.marks.day_start, context.limits.daily_loss
        )

    def figures_of(self, context: Context) -> Figures:
        """Give the day's loss."""
        start, lowest = context.marks.day_start, _lowest(context)
        return {
            "loss": "unknown" if lowest is None else percent(_fall(lowest, start)),
            "limit": str(context.limits.daily_loss),
            "lowest": "unknown" if lowest is None else f"{lowest:.2f}",
            "day_start": f"{start:.2f}",
        }


class Drawdown(LossRule):
    """The kill switch: how far equity may fall from its high-water mark."""

    name = "drawdown"
    limits = ("drawdown", "price_age_s")
    formula = "1 - equity / high-water mark >= `drawdown`, by prices within `price_age_s`"
    figures = ("drawdown", "limit", "equity", "high_water")
    reason = "equity has fallen from its high-water mark by the limit"

    def is_reached(self, context: Context) -> bool:
        """Whether the kill switch trips; never by old prices."""
        high = context.marks.high_water
        if high is None or context.stale:
            return False
        return _has_fallen(context.equity, high, context.limits.drawdown)

    def figures_of(self, context: Context) -> Figures:
        """Give the fall from the mark."""
        high, equity = context.marks.high_water or context.equity, context.equity
        return {
            "drawdown": percent(_fall(equity, high)),
            "limit": str(context.limits.drawdown),
            "equity": f"{equity:.2f}",
            "high_water": f"{high:.2f}",
        }


def _lowest(context: Context) -> Notional | None:
    """Give the day's lowest equity, now included unless it rests on old prices."""
    known = [] if context.marks.day_lowest is None else [context.marks.day_lowest]
    return min(known if context.stale else [*known, context.equity], default=None)


def _has_fallen(equity: Notional, mark: Notional, limit: Decimal) -> bool:
    return equity <= mark * (1 - limit)


def _fall(equity: Notional, mark: Notional) -> Decimal:
    return 1 - equity / mark if mark > 0 else Decimal(1)
