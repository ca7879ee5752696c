"""A bot belongs to the venue it was made on."""

from oxbot.app.ports import Ports
from oxbot.domain.errors import Conflict


def must_be_here(ports: Ports, bot_id: str, venue: str) -> None:
    """Refuse a bot of another venue than the one that this system looks at.

    Raises:
        Conflict: It belongs to another; final.
    """
    if venue != ports.feed.venue:
        raise Conflict(
            f"Bot {bot_id} trades on {venue}, but this system is connected to "
            f"{ports.feed.venue}; prices of two worlds do not mix in one ledger."
        )
