"""Limits of a bot, changed while it runs: on record once, under a raised epoch."""

from sqlalchemy import RowMapping, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres.bots import bot_from, cancel_outdated_entries
from oxbot.adapters.postgres.portfolios import read_portfolio
from oxbot.adapters.postgres.rows import Records, add_event, lock_bot
from oxbot.adapters.postgres.schema import bots, events
from oxbot.domain.bot import RiskLimits
from oxbot.domain.limits import changed_limits, limits_after
from oxbot.domain.money import Notional
from oxbot.messages import WriteLimits


class Limits(Records):
    """The part of the store that changes a bot's limits."""

    async def change_limits(self, change: WriteLimits) -> RiskLimits:
        """Store changed limits with the raised epoch and an event; give them as they are then.

        Entries intended under an older epoch were sized by the old limits, so they are
        cancelled. A change made before, by its epoch, changes nothing.

        Raises:
            InputError: The limits cannot be; nothing is stored.
            NotFound: There is no such bot.
        """
        async with self._transaction() as connection:
            row = await lock_bot(connection, change.bot_id)
            settings = bot_from(row).settings
            before = settings.limits
            if await _is_told(connection, change):
                return before
            worth = await _worth(connection, row)
            after = limits_after(before, change.limits, worth, settings.mode)
            await _store(connection, row, change, after)
            why = "not sent: the limits were changed"
            await cancel_outdated_entries(connection, (change.bot_id, change.epoch), why)
            await _tell(connection, change, changed_limits(before, after))
        return after


async def _worth(connection: AsyncConnection, row: RowMapping) -> Notional:
    """Give the most that the bot's equity is known to have been: begun with, reached, or is."""
    portfolio = await read_portfolio(connection, row["id"])
    known = (bot_from(row).settings.capital, row["high_water"], portfolio.equity({}))
    return max(worth for worth in known if worth is not None)


def _key(change: WriteLimits) -> str:
    return f"limits:{change.epoch}"


async def _is_told(connection: AsyncConnection, change: WriteLimits) -> bool:
    same = (events.c.bot_id == change.bot_id) & (events.c.key == _key(change))
    return bool(await connection.scalar(select(exists().where(same))))


async def _store(
    connection: AsyncConnection, row: RowMapping, change: WriteLimits, after: RiskLimits
) -> None:
    """Write the limits; an epoch raised further meanwhile stays."""
    settings = {**row["settings"], "limits": after.model_dump(mode="json")}
    values = {"settings": settings, "epoch": max(row["epoch"], change.epoch)}
    await connection.execute(update(bots).where(bots.c.id == change.bot_id).values(values))


async def _tell(
    connection: AsyncConnection, change: WriteLimits, changed: dict[str, tuple[str, str]]
) -> None:
    named = ", ".join(f"{name} from {old} to {new}" for name, (old, new) in changed.items())
    because = f": {change.reason}" if change.reason else ""
    told = f"Limits changed by {change.by}{because}. {named or 'All are as they were'}."
    figures = {name: f"{old} -> {new}" for name, (old, new) in changed.items()}
    await add_event(
        connection,
        change.bot_id,
        _key(change),
        ("limits", told),
        {"epoch": str(change.epoch)} | figures,
    )
