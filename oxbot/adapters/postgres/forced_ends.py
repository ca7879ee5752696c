"""Bots whose workflow was ended by force: an alarm, and paused for a person."""

from sqlalchemy import exists, select, update

from oxbot.adapters.postgres.bots import bot_from, cancel_outdated_entries
from oxbot.adapters.postgres.rows import Records, add_event, lock_bot
from oxbot.adapters.postgres.schema import bots, events
from oxbot.domain.bot import Bot, BotStatus


class ForcedEnds(Records):
    """The part of the store that raises the alarm over a bot that was ended by force."""

    async def raise_alarm(self, bot_id: str, key: str, text: str) -> Bot:
        """Pause a bot under a raised epoch and tell why, once per key; give the bot as it is.

        One that is closing stays so.

        Raises:
            NotFound: There is no such bot.
        """
        async with self._transaction() as connection:
            bot = bot_from(await lock_bot(connection, bot_id))
            same = (events.c.bot_id == bot_id) & (events.c.key == key)
            if await connection.scalar(select(exists().where(same))):
                return bot
            raised = _alarmed(bot)
            values = {"status": raised.status, "epoch": raised.epoch}
            await connection.execute(update(bots).where(bots.c.id == bot_id).values(values))
            why = "not sent: the bot was ended by force"
            await cancel_outdated_entries(connection, (bot_id, raised.epoch), why)
            await add_event(connection, bot_id, key, ("alarm", f"Alarm: {text}."))
        return raised


def _alarmed(bot: Bot) -> Bot:
    status = BotStatus.CLOSING if bot.status is BotStatus.CLOSING else BotStatus.PAUSED
    return bot.model_copy(update={"status": status, "epoch": bot.epoch + 1})
