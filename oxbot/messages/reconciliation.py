"""A live bot's record held against its account."""

from oxbot.messages.base import Message
from oxbot.messages.cycles import OrderOutcome


class Reconcile(Message):
    """Bring a live bot's record and the exchange together; the numbers are for the record.

    `leave` are coins that somebody else is at.
    """

    bot_id: str
    incarnation: int
    cycle: int
    epoch: int
    leave: tuple[str, ...] = ()


class Reconciliation(Message):
    """What a reconciliation has found.

    `booked` are orders that had traded more than was on record, `exits` what stops have become or
    had to be sold, `proven` the coins whose stop was seen at the exchange, `unknown` what nobody
    can say yet, `differs` where the account has less than the bots of it. Entries wait while
    there is anything in the last two.
    """

    booked: tuple[OrderOutcome, ...] = ()
    exits: tuple[OrderOutcome, ...] = ()
    proven: tuple[str, ...] = ()
    ghosts: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()

    @property
    def blocks(self) -> str:
        """Say why nothing may be entered; empty where everything agrees."""
        return "; ".join((*self.differs, *self.unknown))
