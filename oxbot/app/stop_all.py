"""All bots stopped at a person's word: how far each one is, or why nobody can say it."""

from collections.abc import Sequence
from functools import partial

from oxbot.app.at_once import UNHEARD, UNTALLIED, Tally, each_read, reached, tell_all, until_done
from oxbot.app.bots import Desk
from oxbot.app.flatten import shown_bots
from oxbot.domain.bot import Bot, BotStatus
from oxbot.domain.errors import OxbotError
from oxbot.domain.orders import Purpose
from oxbot.domain.values import Value
from oxbot.messages import ControlAnswer, ControlRequest


class Stopped(Value):
    """How far one bot is that was to stop, by the record; None without, and `trouble` says why."""

    bot_id: str
    answer: ControlAnswer | None
    trouble: str = ""

    @property
    def is_done(self) -> bool:
        """Whether it has ended."""
        return self.answer is not None and self.answer.status == BotStatus.STOPPED


async def stop_all(
    desk: Desk, request: ControlRequest, owner: str | None = None, tally: Tally = UNTALLIED
) -> list[Stopped]:
    """Stop all bots, of one owner where that is said; oldest first in the answer.

    All are told before any is waited for. Those that are archived are left out.
    """
    bots = await shown_bots(desk, owner)
    alive = [bot for bot in bots if bot.status is not BotStatus.STOPPED]
    troubles = await tell_all(alive, lambda id_: desk.control.stop_soon(id_, request), tally)
    ended = partial(_ended, desk, owner, flatten=request.flatten)
    await until_done(reached(alive, troubles), ended, tally)
    found = await each_read(bots, partial(_seen, desk))
    return [_line(*one, troubles.get(one[0].id)) for one in zip(bots, found, strict=True)]


async def _ended(
    desk: Desk, owner: str | None, bots: Sequence[Bot], *, flatten: bool
) -> frozenset[str]:
    """Give which of these bots have ended; one that keeps what it holds has only to close."""
    now = {bot.id: bot for bot in await desk.store.bots(owner)}
    return frozenset(
        bot.id
        for bot in bots
        if now[bot.id].status is BotStatus.STOPPED or (not flatten and _closes(bot, now[bot.id]))
    )


def _closes(before: Bot, now: Bot) -> bool:
    """Whether a bot has taken up since it was told that it is to end."""
    is_later = now.epoch > before.epoch and now.status is BotStatus.CLOSING
    return is_later or now.status is BotStatus.STOPPED


async def _seen(desk: Desk, before: Bot) -> ControlAnswer | None:
    """Read how far a bot is; None where it has not taken up what it was told."""
    now = await desk.store.bot(before.id)
    if not _closes(before, now):
        return None
    orders = await desk.store.unfinished_orders(before.id)
    buying = tuple(order.id for order in orders if order.purpose is Purpose.ENTRY)
    return ControlAnswer(status=now.status, epoch=now.epoch, in_flight=buying)


def _line(bot: Bot, found: ControlAnswer | OxbotError | None, untold: OxbotError | None) -> Stopped:
    """Say how far a bot is, or why nobody can say it."""
    if isinstance(found, ControlAnswer):
        return Stopped(bot_id=bot.id, answer=found)
    return Stopped(bot_id=bot.id, answer=None, trouble=str(untold or found or UNHEARD))


async def stop_told(desk: Desk, bot: Bot, request: ControlRequest) -> ControlAnswer:
    """Tell a bot to stop, and say how far it is by the record; one that has stays so.

    Raises:
        OxbotError: It was not told, or did not answer.
    """
    if bot.status is BotStatus.STOPPED:
        return ControlAnswer(status=bot.status, epoch=bot.epoch)
    answer = await desk.control.stop(bot.id, request)
    now = await desk.store.bot(bot.id)
    if now.status is not BotStatus.STOPPED:
        return answer
    return ControlAnswer(status=now.status, epoch=now.epoch)
