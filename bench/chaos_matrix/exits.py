"""Whether an exit should have been, and whether one should have been that was not."""

from typing import Final

from chaos_matrix.case import Case, Held
from chaos_matrix.record import Row

SLACK_MS: Final = 8_000
"""Venue ms by which two clocks of a run may differ, one that is off included."""


def unfounded(case: Case, position: Held, order: Row, at_ms: int) -> str:
    """Say why an exit should not have been; nothing where it should."""
    purpose = order["purpose"]
    low, high = case.prices.extremes(order["symbol"], position.opened_ms, at_ms + SLACK_MS)
    stop = position.first_stop if case.record.is_live else position.stop
    if purpose == "stop" and low > stop:
        return f"the bid was never below {low}, the stop lies at {stop}"
    if purpose == "target" and high < position.target:
        return f"the bid was never above {high}, the target lies at {position.target}"
    if purpose == "hold" and at_ms + SLACK_MS < position.opened_ms + hold_ms(case):
        return "it was not held for as long as allowed"
    if purpose == "decision" and not case.decides:
        return "nobody decided it"
    wanted = any(asked.verb != "pause" for asked in case.asked)
    if purpose == "flatten" and not wanted:
        return "nobody asked for it"
    return "" if purpose != "trail" else "it has no trailing stop"


def overstayed(case: Case, position: Held, until_ms: int) -> str:
    """Say by how much a position was held for too long up to a moment; nothing where it was not.

    Pauses do not end a hold. What is too little to be sold cannot be.
    """
    if position.coins < case.prices.minimum(position.entry["symbol"]):
        return ""
    late_ms = until_ms - position.opened_ms - hold_ms(case)
    return f"held {late_ms} ms longer than allowed" if late_ms > case.hold_late_ms else ""


def hold_ms(case: Case) -> int:
    """Give for how long a bot may hold a position (venue ms)."""
    return 1000 * int(case.record.bot["settings"]["limits"]["longest_hold_s"])
