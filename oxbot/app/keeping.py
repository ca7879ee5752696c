"""Bots kept in order: settings changed while they run, and bots put out of sight."""

import time
from collections.abc import Mapping

from oxbot.app.bots import Desk, check_deciders
from oxbot.app.reconcile import start_again
from oxbot.domain.allowance import Allowance
from oxbot.domain.bot import Bot, BotSettings, BotStatus
from oxbot.domain.bot_changes import (
    DECIDERS,
    ChangedSettings,
    ChangeSettings,
    Word,
    settings_after,
)
from oxbot.domain.errors import Conflict
from oxbot.domain.money import Quantity, plain
from oxbot.domain.values import Value
from oxbot.messages import ClosePosition, CloseReport

CHECKED = frozenset({*DECIDERS, "prompt_version"})
"""Settings that have to fit what is set up on this machine."""


class Started(Value):
    """A bot that runs; `started`: it had no workflow, and this request has begun one."""

    bot: Bot
    started: bool


async def change_settings(
    desk: Desk,
    bot_id: str,
    change: ChangeSettings,
    providers: frozenset[str],
    allowance: Allowance | None = None,
) -> ChangedSettings:
    """Change settings of a bot, which goes by them from its next step on; repeatable.

    `allowance` is what whoever changes them is held to.

    Raises:
        InputError: They cannot be, cannot change, or are not set up; nothing was stored.
        Conflict: The bot is stopped; or the owner's bots could spend too much together.
        Forbidden: The bot asks a model that costs money, and its budget is none or too high.
        NotFound: There is no such bot.
    """
    before = (await desk.store.bot(bot_id)).settings
    _must_be_set_up(settings_after(before, change.settings), change.settings, providers)
    return await desk.keeper.change_settings(bot_id, change, allowance)


def _must_be_set_up(
    after: BotSettings, wished: Mapping[str, object], providers: frozenset[str]
) -> None:
    """Look only at what is to change: a bot can be renamed while its provider is not set up."""
    if CHECKED & wished.keys():
        check_deciders(after, providers)


async def archive_bot(desk: Desk, bot_id: str, word: Word) -> Bot:
    """Have lists leave a bot out; one that is archived stays as it is.

    Raises:
        Conflict: It is not stopped, or something of it is not over, or could still be sold.
        VenueUnavailable: Nobody can say whether its dust could be sold.
        NotFound: There is no such bot.
    """
    bot = await desk.store.bot(bot_id)
    if bot.archived_ms is not None:
        return bot
    if left := await _could_be_sold(desk, bot):
        held = ", ".join(f"{plain(amount)} {symbol}" for symbol, amount in left.items())
        raise Conflict(f"Bot {bot_id} was not archived: it has {held}, which is enough to be sold.")
    return await desk.keeper.archive(bot_id, word, time.time_ns() // 10**6)


async def unarchive_bot(
    desk: Desk, bot_id: str, word: Word, allowance: Allowance | None = None
) -> Bot:
    """Have lists show a bot again. NotFound; Conflict where there are as many as there may be."""
    return await desk.keeper.unarchive(bot_id, word, allowance)


async def _could_be_sold(desk: Desk, bot: Bot) -> dict[str, Quantity]:
    """Give the dust of a stopped bot that the venue would take; what it no longer lists it won't.

    Dust of a bot that is not stopped, or of another venue, is nobody's business here.
    """
    dust = {s: q for s, q in (await desk.store.portfolio(bot.id)).dust.items() if q}
    if bot.status is not BotStatus.STOPPED or bot.settings.venue != desk.venue or not dust:
        return {}
    listed = await desk.listing.listing()
    return {s: q for s, q in dust.items() if s in listed and listed[s].is_tradable(q)}


async def close_position(desk: Desk, bot_id: str, request: ClosePosition) -> CloseReport:
    """Have one position sold, and the bot go on.

    Raises:
        NotFound: There is no such bot, or it holds nothing of that coin.
        Conflict: It is stopped; or the position could not be sold, for the reason that is said.
        Unavailable: It does not answer.
    """
    bot = await desk.store.bot(bot_id)
    if bot.status is BotStatus.STOPPED:
        raise Conflict(f"Bot {bot_id} is stopped; it sells nothing any more.")
    report = await desk.control.close_position(bot_id, request)
    if not (report.done or report.under_way):
        raise Conflict(
            f"{request.symbol} was not sold: {report.reason or 'something of it is left'}."
        )
    return report


async def start_bot(desk: Desk, bot_id: str) -> Started:
    """Start a bot whose workflow is gone, as a worker does within seconds; else do nothing.

    Raises:
        Conflict: It is stopped.
        NotFound: There is no such bot.
        Unavailable: Temporal does not answer.
    """
    if (await desk.store.bot(bot_id)).status is BotStatus.STOPPED:
        raise Conflict(f"Bot {bot_id} is stopped for good. Make another one instead.")
    started = await start_again(desk, bot_id)
    return Started(bot=await desk.store.bot(bot_id), started=started)
