"""The limits, read from the object that the rules enforce."""

from decimal import Decimal

from oxbot.domain.bot import RiskLimits
from oxbot.domain.limits import spoken
from oxbot.domain.money import plain


def limits_told(limits: RiskLimits, fee_rate: Decimal | None = None) -> str:
    """Tell every limit: a model that does not know one proposes in vain."""
    sold = "all is sold" if limits.flatten_at_limit else "nothing is sold"
    return (
        f"Limits: at most {limits.max_position} of equity a coin, {limits.max_exposure} in all, "
        f"{limits.max_account_exposure} of all bots of the account together; stop {limits.stop}, "
        f"target {limits.target} from the entry, trailing stop {spoken(limits.trailing)}; longest "
        f"hold {limits.longest_hold_s} s, shortest {limits.shortest_hold_s} s; cooldown after an "
        f"exit {limits.cooldown_s} s; confidence at least {limits.confidence}; expected move at "
        f"least {limits.fee_round_trips} round trips of fees{_fees(limits, fee_rate)}; reward over "
        f"risk at least {limits.reward_risk}; an entry is worth {limits.minimum_notional} USDT or "
        f"more, its limit price is {limits.slippage_bp} bp above the ask, at a spread of "
        f"{limits.spread_bp} bp at most, a price {limits.price_age_s} s old at most and moved by "
        f"{limits.move_bp} bp at most since you saw it; {limits.entries_a_day} entries a day; no "
        f"entries once the day lost {limits.daily_loss} or equity fell {limits.drawdown} from its "
        f"high, and then {sold}."
    )


def _fees(limits: RiskLimits, fee_rate: Decimal | None) -> str:
    if fee_rate is None:
        return ""
    return f", which is {plain(limits.fee_round_trips * 2 * fee_rate)} at a fee of {fee_rate}"
