"""Limits of a bot, as people write them: read, checked, and changed whole or not at all."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from pydantic import ValidationError

from oxbot.domain.bot import Mode, RiskLimits
from oxbot.domain.errors import InputError
from oxbot.domain.money import BASIS_POINT, EXACT, Amount, Notional, decimal_from, plain
from oxbot.domain.values import told

Given = str | int | None
"""A limit's value as it arrives: a number as text, a whole number, or None for off."""

FRACTIONS: Final = (
    "max_position",
    "max_exposure",
    "max_account_exposure",
    "stop",
    "target",
    "trailing",
    "confidence",
    "daily_loss",
    "drawdown",
)
"""Limits that may be written as a percentage."""

OPTIONAL: Final = ("trailing",)
"""Limits that can be off."""

FLAGS: Final = ("flatten_at_limit",)
"""Limits that are a yes or a no."""

Kept = Decimal | Amount | bool | int | None
"""A limit's value as `RiskLimits` has it."""

MEANINGS: Final = {
    "max_position": "most in one coin, of equity",
    "max_exposure": "most in all coins, of equity",
    "max_account_exposure": "the same for all bots of the account together: on paper the owner's "
    "on the venue, live all on the venue",
    "stop": "where the stop lies below the average fill of the entry",
    "target": "where the target lies above it",
    "trailing": "how far the trailing stop stays below the best bid since the entry",
    "reward_risk": "least of what can be won over what can be lost, fees paid",
    "longest_hold_s": "longest time a position is held, in seconds",
    "shortest_hold_s": "shortest time before a decision may close it, in seconds",
    "cooldown_s": "pause in a coin after it was left, in seconds",
    "price_age_s": "oldest price that is acted on, in seconds",
    "move_bp": "farthest that the price may have moved since the model saw it, in basis points",
    "spread_bp": "widest spread at which to enter, in basis points",
    "slippage_bp": "how far above the ask an entry's limit price lies, in basis points; a live "
    "bot's stop has to be wider",
    "confidence": "least confidence of the model",
    "fee_round_trips": "how many times its fees the expected move must pay",
    "entries_a_day": "most entries in a UTC day",
    "minimum_notional": "least that an entry is worth, in USDT",
    "daily_loss": "loss of a UTC day at which entries end, of the equity it began with",
    "drawdown": "fall from the high-water mark at which the bot pauses",
    "flatten_at_limit": "whether a loss at its limit sells everything as well",
}
"""What each limit is, in a few words."""

_SAID: Final = {"yes": True, "true": True, "on": True, "1": True} | {
    "no": False,
    "false": False,
    "off": False,
    "0": False,
}


def read_limit(name: str, given: Given) -> Decimal | bool | None:
    """Read one limit: 3.5% and 0.035 are the same; `off` where a limit can be off.

    Whether it can have the value, `RiskLimits` says.

    Raises:
        InputError: No such limit, or a value that it cannot have; the sentence names it.
    """
    if name not in RiskLimits.model_fields:
        known = ", ".join(RiskLimits.model_fields)
        raise InputError(f"There is no limit {name!r}; the limits are {known}.")
    if name in FLAGS:
        return _flag(name, given)
    if name in OPTIONAL and (given is None or str(given).strip().lower() == "off"):
        return None
    if given is None:
        raise InputError(f"{name} cannot be off; give it a number.")
    return _number(name, given)


def _flag(name: str, given: Given) -> bool:
    said = _SAID.get(str(given).strip().lower())
    if said is None:
        raise InputError(f"{name} is {given!r}; say yes or no.")
    return said


def _number(name: str, given: str | int) -> Decimal:
    if isinstance(given, str) and name in FRACTIONS and given.strip().endswith("%"):
        return EXACT.divide(decimal_from(given.strip()[:-1].strip(), name), Decimal(100))
    return decimal_from(given.strip() if isinstance(given, str) else given, name)


def limits_after(
    current: RiskLimits,
    wished: Mapping[str, Given],
    worth: Notional | None = None,
    mode: Mode = Mode.PAPER,
) -> RiskLimits:
    """Give the limits that hold when those named are changed; the others stay.

    Args:
        current: Those that hold now.
        wished: What changes, by name.
        worth: As `must_make_sense` has it.
        mode: As `must_make_sense` has it.

    Raises:
        InputError: Nothing is wished for, a name is unknown, a value cannot be, or the limits
            would contradict each other. The sentence names the limit.
    """
    if not wished:
        raise InputError("No limit is named; name at least one, as stop=2%.")
    read = {name: read_limit(name, given) for name, given in wished.items()}
    try:
        limits = RiskLimits.model_validate({**current.model_dump(), **read})
    except ValidationError as error:
        raise InputError(told(error)) from error
    must_make_sense(limits, worth, mode)
    return limits


def must_make_sense(
    limits: RiskLimits, worth: Notional | None = None, mode: Mode = Mode.PAPER
) -> None:
    """Refuse limits under which no entry could ever be made, or which protect nothing.

    Args:
        limits: Each of them possible by itself.
        worth: What the bot begins with or has, in USDT, where that is to be looked at too.
        mode: A live entry brings its stop along, which is measured from its limit price at first.

    Raises:
        InputError: They contradict each other, or a stop is so wide that no price reaches it.
    """
    _must_protect(limits)
    if mode is Mode.LIVE:
        _must_leave_room(limits)
    reached = EXACT.divide(limits.target, limits.stop)
    if reached < limits.reward_risk:
        raise InputError(
            f"The limits contradict each other: with target {plain(limits.target)} and stop "
            f"{plain(limits.stop)} the reward is {reached:.2f} times the risk, and reward_risk "
            f"asks for {plain(limits.reward_risk)}. No entry could be made."
        )
    largest = None if worth is None else worth * limits.max_position
    if largest is not None and largest < limits.minimum_notional:
        raise InputError(
            f"The limits contradict each other: max_position allows {largest:.2f} USDT of what the "
            f"bot has in one coin, and minimum_notional asks for {plain(limits.minimum_notional)}."
        )


def _must_protect(limits: RiskLimits) -> None:
    for name in ("stop", "trailing"):
        if getattr(limits, name) == 1:
            raise InputError(f"{name} is 100%: no price falls to 0, so it would protect nothing.")


def _must_leave_room(limits: RiskLimits) -> None:
    """Refuse a live stop that lies at the ask or above, so that what is bought is sold at once."""
    first = (1 + EXACT.multiply(limits.slippage_bp, BASIS_POINT)) * (1 - limits.stop)
    if first >= 1:
        raise InputError(
            f"The limits contradict each other: a live entry may pay {plain(limits.slippage_bp)} "
            f"bp more than the ask (slippage_bp), and its stop lies {shown('stop', limits.stop)} "
            "below that, so it would be sold at once. Make the stop wider, or slippage_bp smaller."
        )


def changed_limits(before: RiskLimits, after: RiskLimits) -> dict[str, tuple[str, str]]:
    """Give the limits that differ, with their old and new values as people write them."""
    return {
        name: (spoken(getattr(before, name)), spoken(getattr(after, name)))
        for name in RiskLimits.model_fields
        if getattr(before, name) != getattr(after, name)
    }


def shown(name: str, value: Kept) -> str:
    """Write a limit for people, fractions as percentages; it can be given again like this."""
    if name in FRACTIONS and isinstance(value, Decimal):
        return f"{plain(EXACT.multiply(value, Decimal(100)))}%"
    return spoken(value)


def spoken(value: Kept) -> str:
    """Write a limit's value as it can be given again."""
    if value is None:
        return "off"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return plain(Decimal(value) if isinstance(value, int) else value)
