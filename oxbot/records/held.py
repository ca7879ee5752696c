"""Positions as people look through them: whose each is, and the stop that rests for it."""

from oxbot.domain.bot import Mode
from oxbot.domain.market import Quote
from oxbot.domain.portfolio import Position
from oxbot.domain.values import Value


class HeldPosition(Value):
    """A position on record; `seen` is the price that the bot's newest cycle saw, None without.

    `resting_stop` names the stop of a live position that may rest at the exchange.
    """

    bot_id: str
    mode: Mode
    venue: str
    position: Position
    seen: Quote | None
    resting_stop: str | None
