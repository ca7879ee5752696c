"""The demo's bot: made at the first start, found again at every other."""

from typing import Final

from oxbot.adapters.venue_control import VenueControl
from oxbot.app.bots import Desk, create_bot
from oxbot.bootstrap import PROVIDERS
from oxbot.domain.bot import DEFAULT_SYMBOLS, Bot, BotSettings, BotStatus
from oxbot.domain.errors import Conflict, NotFound

BOT_ID: Final = "demo"


async def demo_bot(desk: Desk, venue: VenueControl, provider: str) -> Bot:
    """Find or make the bot, and see to it that it runs.

    Raises:
        Conflict: It was stopped for good, or another provider decides for it.
    """
    try:
        bot = await desk.store.bot(BOT_ID)
    except NotFound:
        settings = await _settings(venue, provider)
        return await create_bot(desk, settings, PROVIDERS | {provider}, BOT_ID)
    if bot.status is BotStatus.STOPPED:
        raise Conflict(
            "The demo's bot was stopped for good. Start over with `oxbot demo --fresh`, "
            "which empties the data directory."
        )
    if bot.settings.provider != provider:
        raise Conflict(
            f"The demo's bot is decided by {bot.settings.provider}, not by {provider}. Go on with "
            f"`oxbot demo --provider {bot.settings.provider}`, or start over with "
            "`oxbot demo --fresh`, which empties the data directory."
        )
    await desk.control.start(bot)
    return bot


async def _settings(venue: VenueControl, provider: str) -> BotSettings:
    """Trade the five usual coins, or what there is where the venue lists others."""
    listed = await venue.symbols()
    symbols = tuple(symbol for symbol in DEFAULT_SYMBOLS if symbol in listed) or listed
    return BotSettings(name="Demo", symbols=symbols, provider=provider)
