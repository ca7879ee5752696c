"""Live bots, and what keeps anybody from trading for them: for pages, logs and terminals."""

from collections.abc import Sequence

from oxbot.app.bots import Desk
from oxbot.domain.errors import SetupError, VenueRefused
from oxbot.domain.values import Value


class LiveStatus(Value):
    """The live bots of a venue that are not stopped; `trouble` says why they cannot trade."""

    bots: tuple[str, ...] = ()
    trouble: str | None = None


async def live_status(desk: Desk, problem: str | None) -> LiveStatus:
    """Name the live bots; where there are any, `problem` is what the settings lack for them."""
    bots = await _live_bots(desk)
    trouble = _told(bots, problem) if bots and problem else None
    return LiveStatus(bots=bots, trouble=trouble)


async def live_trouble(desk: Desk) -> str | None:
    """Say what is wrong with the account of the live bots there are, asking the exchange.

    None where nothing is, or there is no live bot.

    Raises:
        Unavailable: The exchange or the record does not answer.
    """
    bots = await _live_bots(desk)
    if not bots or desk.free_usdt is None:
        return None
    try:
        await desk.free_usdt()
    except (SetupError, VenueRefused) as error:
        return _told(bots, str(error))
    return None


async def _live_bots(desk: Desk) -> tuple[str, ...]:
    return tuple(bot.id for bot in await desk.store.bots() if bot.is_live_on(desk.venue))


def _told(bots: Sequence[str], problem: str) -> str:
    return (
        f"LIVE BOTS WITHOUT A FIT ACCOUNT: {', '.join(bots)}. {problem} Until it is mended and "
        "0xBot is started again, only the stops that rest at the exchange can be relied on for "
        "what they hold. Bots on paper go on."
    )
