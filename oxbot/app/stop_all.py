"""All bots stopped at a person's word: each one's answer, or why there is none."""

from oxbot.app.bots import Desk
from oxbot.app.flatten import each_of, shown_bots
from oxbot.domain.bot import Bot, BotStatus
from oxbot.domain.errors import OxbotError
from oxbot.domain.values import Value
from oxbot.messages import ControlAnswer, ControlRequest


class Stopped(Value):
    """What one bot has answered to a stop; None where it did not, and `trouble` says why."""

    bot_id: str
    answer: ControlAnswer | None
    trouble: str = ""

    @property
    def is_done(self) -> bool:
        """Whether it has ended."""
        return self.answer is not None and self.answer.status == BotStatus.STOPPED


async def stop_all(desk: Desk, request: ControlRequest, owner: str | None = None) -> list[Stopped]:
    """Stop all bots, of one owner where that is said; those that are archived are left out."""

    async def stop(bot: Bot) -> Stopped:
        try:
            return Stopped(bot_id=bot.id, answer=await stop_told(desk, bot, request))
        except OxbotError as error:
            return Stopped(bot_id=bot.id, answer=None, trouble=str(error))

    return await each_of(await shown_bots(desk, owner), stop)


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
