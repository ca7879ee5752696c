"""Bots made at a person's word, once: what is on record runs, now or as soon as it can."""

import hashlib
from dataclasses import dataclass

from oxbot.app.bots import Desk, record_bot
from oxbot.app.reconcile import start_again
from oxbot.domain.allowance import Allowance, Asked
from oxbot.domain.bot import Bot, BotSettings, BotStatus
from oxbot.domain.errors import Conflict, InputError, NotFound, Unavailable


@dataclass(frozen=True)
class Made:
    """A bot on record; whether this request has put it there, and whether its workflow is begun.

    One that is not begun is started by a worker as soon as Temporal answers.
    """

    bot: Bot
    is_new: bool
    begun: bool


async def make_bot(
    desk: Desk,
    settings: BotSettings,
    providers: frozenset[str],
    bot_id: str | None = None,
    allowance: Allowance | None = None,
) -> Made:
    """Put a bot on record and start it, where Temporal answers; `allowance` is its owner's.

    Raises:
        As `record_bot` does.
    """
    asked = Asked(allowance=allowance)
    return await _made(desk, await record_bot(desk, settings, providers, bot_id, asked))


async def make_or_find(
    desk: Desk,
    settings: BotSettings,
    providers: frozenset[str],
    bot_id: str,
    allowance: Allowance | None = None,
) -> Made:
    """Make a bot, or give the one that the same request has made under this id.

    Whatever has become of its settings since, it is known by what was asked for. `allowance` is
    its owner's.

    Raises:
        Conflict: Another request has made the bot of this id; or as `record_bot`.
        As `record_bot` does.
    """
    digest = digest_of(settings)
    if (known := await _known(desk, bot_id)) is not None:
        return await _found(desk, known, settings, digest)
    asked = Asked(digest=digest, allowance=allowance)
    try:
        bot = await record_bot(desk, settings, providers, bot_id, asked)
    except (Conflict, InputError):
        # The same request may have come twice at once, and the other one was first.
        if (known := await _known(desk, bot_id)) is None:
            raise
        return await _found(desk, known, settings, digest)
    return await _made(desk, bot)


def digest_of(settings: BotSettings) -> str:
    """Give what tells one request from another."""
    return hashlib.sha256(settings.model_dump_json().encode()).hexdigest()


async def _made(desk: Desk, bot: Bot) -> Made:
    try:
        await desk.control.start(bot)
    except (NotFound, Unavailable):  # it is on record: a worker starts it
        return Made(bot, is_new=True, begun=False)
    return Made(bot, is_new=True, begun=True)


async def _found(desk: Desk, known: Bot, settings: BotSettings, asked: str) -> Made:
    """Give a bot that is on record; one whose workflow is gone is started as a worker would."""
    before = await desk.keeper.asked(known.id)
    same = _are_same(known, settings) if before is None else before == asked
    if not same:
        raise Conflict(f"No bot was made: this key has made bot {known.id}, which is another one.")
    if known.status is BotStatus.STOPPED:
        return Made(known, is_new=False, begun=True)
    try:
        await start_again(desk, known.id)
    except Unavailable:
        return Made(known, is_new=False, begun=False)
    return Made(known, is_new=False, begun=True)


def _are_same(known: Bot, settings: BotSettings) -> bool:
    """Whether a bot is as it was asked for, where no digest of that was kept."""
    return known.settings == settings.model_copy(update={"venue": known.settings.venue})


async def _known(desk: Desk, bot_id: str) -> Bot | None:
    try:
        return await desk.store.bot(bot_id)
    except NotFound:
        return None
