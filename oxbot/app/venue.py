"""A bot belongs to the venue it was made on."""

from oxbot.app.ports import Ports
from oxbot.domain.bot import Bot
from oxbot.domain.errors import Conflict


def must_be_here(ports: Ports, bot: Bot) -> None:
    """Refuse a bot of another venue than the one that this system looks at.

    Raises:
        Conflict: It belongs to another; final.
    """
    if bot.settings.venue != ports.feed.venue:
        raise Conflict(
            f"Bot {bot.id} trades on {bot.settings.venue}, but this system is connected to "
            f"{ports.feed.venue}; prices of two worlds do not mix in one ledger."
        )
