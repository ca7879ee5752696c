"""Live bots, and what keeps them from trading: for pages, logs and terminals."""

from collections.abc import Sequence

from oxbot.app.bots import Desk
from oxbot.domain.errors import SetupError, VenueRefused
from oxbot.domain.values import Value


class LiveStatus(Value):
    """The live bots of a venue that are not stopped; `trouble` says what the settings lack."""

    bots: tuple[str, ...] = ()
    trouble: str | None = None


async def live_status(desk: Desk, problem: str | None) -> LiveStatus:
    """Name the live bots; where there are any, `problem` is what the settings lack for them."""
    return status_of(await _live_bots(desk), problem)


def status_of(bots: tuple[str, ...], problem: str | None) -> LiveStatus:
    """Tell the same of these live bots, which may be one owner's alone."""
    trouble = _untraded(bots, problem) if bots and problem else None
    return LiveStatus(bots=bots, trouble=trouble)


async def live_trouble(desk: Desk, problem: str | None) -> str | None:
    """Say what the settings lack for the live bots there are, or what is wrong with the account.

    None where nothing is, or there is no live bot. The exchange is asked only where the settings
    lack nothing, which else `problem` says.

    Raises:
        Unavailable: The exchange or the record does not answer.
    """
    bots = await _live_bots(desk)
    if bots and problem:
        return _untraded(bots, problem)
    if not bots or desk.free_usdt is None:
        return None
    try:
        await desk.free_usdt()
    except (SetupError, VenueRefused) as error:
        return _unfit(bots, str(error))
    return None


async def _live_bots(desk: Desk) -> tuple[str, ...]:
    return tuple(bot.id for bot in await desk.store.bots() if bot.is_live_on(desk.venue))


def _untraded(bots: Sequence[str], problem: str) -> str:
    """Tell of settings without which nobody has an account to trade in."""
    return (
        f"{_headed(bots, problem)} Until it is set and 0xBot is started again, nothing is bought "
        "or sold for them: only the stops that rest at the exchange guard what they hold. Bots on "
        "paper go on."
    )


def _unfit(bots: Sequence[str], problem: str) -> str:
    """Tell of a key or an account that is there, and not as it should be."""
    return (
        f"{_headed(bots, problem)} Until it is mended they enter nothing. Exits and stops are "
        "still sent; the exchange refuses those of a key that it does not take, or that may not "
        "trade. Another key needs a new start of 0xBot. Bots on paper go on."
    )


def _headed(bots: Sequence[str], problem: str) -> str:
    return f"LIVE BOTS WITHOUT A FIT ACCOUNT: {', '.join(bots)}. {problem}"
