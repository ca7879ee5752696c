"""Figures, times and ages as people read them, the same on every page and terminal."""

from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

from oxbot.domain.bot import BotSettings, Mode, has_real_money
from oxbot.domain.errors import InputError
from oxbot.domain.money import Notional, Price, Quantity

NOTHING = "-"
"""Stands where there is no figure."""


def zone(name: str) -> tzinfo:
    """Give the time zone of a setting.

    Raises:
        InputError: There is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise InputError(
            f"OXBOT_TIMEZONE is {name!r}, which is no time zone; use a name such as UTC or "
            f"Europe/Berlin."
        ) from error


def when(at_ms: int | None, shown_in: tzinfo = UTC) -> str:
    """Give a time in ms UTC to the second, in a zone."""
    if at_ms is None:
        return NOTHING
    return datetime.fromtimestamp(at_ms / 1000, shown_in).strftime("%Y-%m-%d %H:%M:%S")


def span(length_ms: int | None) -> str:
    """Give a length of time in its largest fitting unit: 0.4 s, 12 s, 5 min, 3 h, 2 d."""
    if length_ms is None:
        return NOTHING
    seconds = max(0, length_ms) / 1000
    if seconds < 1:
        return f"{seconds:.1f} s"
    for size, below, unit in ((1, 120, "s"), (60, 7200, "min"), (3600, 172_800, "h")):
        if seconds < below:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds // 86_400:.0f} d"


def money(amount: Notional | None) -> str:
    """Give an amount of USDT to the cent."""
    return NOTHING if amount is None else f"{amount:,.2f}"


def gain(amount: Notional | None) -> str:
    """Give a gain or loss of USDT to the cent, with its sign."""
    return NOTHING if amount is None else f"{amount:+,.2f}"


def price(amount: Price | None) -> str:
    """Give a price in USDT: more digits, the smaller it is."""
    if amount is None:
        return NOTHING
    digits = 2 if amount >= 1000 else 4 if amount >= 1 else 6  # noqa: PLR2004 - a scale, as said
    return f"{amount:,.{digits}f}"


def coins(quantity: Quantity) -> str:
    """Give a quantity of coins, without trailing zeros."""
    return f"{quantity.number.quantize(Decimal('1E-8')).normalize():,f}"


def where(settings: BotSettings) -> str:
    """Say where a bot's orders go, so that nobody takes real money for paper."""
    if settings.mode is Mode.PAPER:
        return f"paper on {settings.venue}"
    money_told = "REAL MONEY" if has_real_money(settings.venue) else "play money"
    return f"LIVE on {settings.venue}, {money_told}"


def percent(fraction: Decimal) -> str:
    """Give a fraction as a percentage, without trailing zeros."""
    return f"{(fraction * 100).normalize():f} %"
