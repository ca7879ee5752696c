"""Rules that demand an exit: closing, losses at their limit, stops, target, longest hold."""

from oxbot.domain.money import Price, plain
from oxbot.domain.orders import Purpose
from oxbot.domain.portfolio import Direction, Position
from oxbot.domain.risk import Context, held_s
from oxbot.domain.rules.base import Demand, ExitRule, Figures
from oxbot.domain.rules.losses import DailyLoss, Drawdown


class Flatten(ExitRule):
    """A bot that closes, or is told to flatten, sells everything at any price."""

    name = "flatten"
    limits = ()
    formula = "the bot was stopped, or told to flatten"
    figures = ("quantity",)

    def check(self, position: Position, context: Context) -> Demand | None:
        """Demand the exit while everything is to be sold."""
        if not context.flatten:
            return None
        figures = {"quantity": plain(position.quantity)}
        return Demand(Purpose.FLATTEN, "everything is to be sold", figures)


class LeaveByDrawdown(ExitRule):
    """The kill switch sells everything, where it is set to."""

    name = Drawdown.name
    limits = (*Drawdown.limits, "flatten_at_limit")
    formula = f"{Drawdown.formula}; only with `flatten_at_limit`"
    figures = Drawdown.figures

    def check(self, position: Position, context: Context) -> Demand | None:  # noqa: ARG002 - the rule's signature
        """Demand the exit once the kill switch has tripped."""
        return Drawdown().demand(context)


class LeaveByDailyLoss(ExitRule):
    """The day's loss sells everything, where it is set to."""

    name = DailyLoss.name
    limits = (*DailyLoss.limits, "flatten_at_limit")
    formula = f"{DailyLoss.formula}; only with `flatten_at_limit`"
    figures = DailyLoss.figures

    def check(self, position: Position, context: Context) -> Demand | None:  # noqa: ARG002 - the rule's signature
        """Demand the exit once the day's loss is at its limit."""
        return DailyLoss().demand(context)


class Stop(ExitRule):
    """The stop, by a price to trust."""

    name = "stop"
    limits = ("stop", "price_age_s")
    formula = "bid <= average fill of the entry x (1 - `stop`), by a price within `price_age_s`"
    figures = ("bid", "stop", "target")

    def check(self, position: Position, context: Context) -> Demand | None:
        """Demand the exit at or below the stop."""
        price = _trusted(position, context)
        if price is None or not position.is_stopped_at(price):
            return None
        reason = f"the {_named(position)} is at or {_beyond(position)} the stop"
        return Demand(Purpose.STOP, reason, _figures(position, price))


class TrailingStop(ExitRule):
    """The trailing stop, by a price to trust."""

    name = "trailing stop"
    limits = ("trailing", "price_age_s")
    formula = "bid <= best bid since the entry x (1 - `trailing`), by a price within `price_age_s`"
    figures = ("bid", "best", "trail")

    def check(self, position: Position, context: Context) -> Demand | None:
        """Demand the exit at or below the trailing stop."""
        price = _trusted(position, context)
        if price is None or not position.is_trailed_at(price):
            return None
        figures = {
            _named(position): str(price),
            "best": str(position.best),
            "trail": str(position.trail_price),
        }
        reason = f"the {_named(position)} is at or {_beyond(position)} the trailing stop"
        return Demand(Purpose.TRAIL, reason, figures)


class Target(ExitRule):
    """The target, by a price to trust."""

    name = "target"
    limits = ("target", "price_age_s")
    formula = "bid >= average fill of the entry x (1 + `target`), by a price within `price_age_s`"
    figures = ("bid", "stop", "target")

    def check(self, position: Position, context: Context) -> Demand | None:
        """Demand the exit at or above the target."""
        price = _trusted(position, context)
        if price is None or not position.is_on_target_at(price):
            return None
        reason = f"the {_named(position)} reached the target"
        return Demand(Purpose.TARGET, reason, _figures(position, price))


class LongestHold(ExitRule):
    """No position is held for long, whatever its price, known or not."""

    name = "longest hold"
    limits = ("longest_hold_s",)
    formula = "time held >= `longest_hold_s`"
    figures = ("held_s", "limit_s")

    def check(self, position: Position, context: Context) -> Demand | None:
        """Demand the exit when the time is up."""
        seconds, limit_s = held_s(context, position), context.limits.longest_hold_s
        if seconds < limit_s:
            return None
        figures = {"held_s": str(seconds), "limit_s": str(limit_s)}
        return Demand(Purpose.HOLD, "held as long as allowed", figures)


def _trusted(position: Position, context: Context) -> Price | None:
    """Give the price at which the position could be closed; None where none can be trusted."""
    quote = context.quotes.get(position.symbol)
    if quote is None or not context.is_fresh(quote):
        return None
    return quote.closing_price(position.quantity)


def _named(position: Position) -> str:
    """Name the price that closes the position: longs are sold at the bid."""
    return "bid" if position.direction is Direction.LONG else "ask"


def _beyond(position: Position) -> str:
    """Say on which side of a price its losses lie."""
    return "below" if position.direction is Direction.LONG else "above"


def _figures(position: Position, price: Price) -> Figures:
    return {
        _named(position): str(price),
        "stop": str(position.stop_price),
        "target": str(position.target_price),
    }
