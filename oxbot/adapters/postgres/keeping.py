"""Bots on record, kept in order by people: settings that change, and those out of sight."""

from collections.abc import Mapping

from sqlalchemy import RowMapping, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres import allowances
from oxbot.adapters.postgres.bots import bot_from
from oxbot.adapters.postgres.rows import Records, add_event, lock_bot
from oxbot.adapters.postgres.schema import (
    FINAL_STATES,
    bots,
    events,
    orders,
    positions,
    resting_stops,
)
from oxbot.adapters.postgres.stops import MAY_REST
from oxbot.domain.allowance import NOT_CHANGED, Allowance
from oxbot.domain.bot import Bot, BotStatus
from oxbot.domain.bot_changes import (
    SPENDING,
    ChangedSettings,
    ChangeSettings,
    Word,
    changed_settings,
    settings_after,
)
from oxbot.domain.errors import Conflict


class PostgresKeeping(Records):
    """`oxbot.ports.Keeping` in PostgreSQL: `PostgresKeeping(open_engine(database_url))`."""

    async def asked(self, bot_id: str) -> str | None:
        """Give the digest of what a bot was asked for with; None where nobody used a key."""
        async with self._statements() as connection:
            digest = await connection.scalar(select(bots.c.asked).where(bots.c.id == bot_id))
        return None if digest is None else str(digest)

    async def change_settings(
        self, bot_id: str, change: ChangeSettings, allowance: Allowance | None = None
    ) -> ChangedSettings:
        """Change what may change of a bot's settings, and tell of it; repeatable.

        Raises:
            InputError: They cannot be; nothing is stored.
            Conflict: The bot is stopped; or the owner's bots could spend too much together.
            Forbidden: The bot could spend too much, or without end.
            NotFound: There is no such bot.
        """
        async with self._transaction() as connection:
            await allowances.hold(connection, allowance)
            row = await lock_bot(connection, bot_id)
            bot = bot_from(row)
            if bot.status is BotStatus.STOPPED:
                raise Conflict(f"Bot {bot_id} is stopped; its settings do not matter any more.")
            after = settings_after(bot.settings, change.settings)
            changed = changed_settings(bot.settings, after)
            if SPENDING & changed.keys():
                await allowances.must_be_budgeted(
                    connection, allowance, (bot_id, after), NOT_CHANGED
                )
            if changed:
                await _put(connection, bot_id, {"settings": after.model_dump(mode="json")})
                figures = {name: f"{old} -> {new}" for name, (old, new) in changed.items()}
                await _tell(connection, bot_id, ("settings", _told(change, changed)), figures)
        return ChangedSettings(settings=after, changed=tuple(changed))

    async def archive(self, bot_id: str, word: Word, now_ms: int) -> Bot:
        """Have lists leave a bot out, and tell of it; one that is archived stays as it is.

        Raises:
            Conflict: It is not stopped, holds something, or has an order that is not over.
            NotFound: There is no such bot.
        """
        async with self._transaction() as connection:
            row = await lock_bot(connection, bot_id)
            if row["archived_at"] is not None:
                return bot_from(row)
            await _must_be_over(connection, row)
            await _put(connection, bot_id, {"archived_at": now_ms})
            await _tell(connection, bot_id, ("archived", f"Archived {word.because}."))
        return bot_from(row).model_copy(update={"archived_ms": now_ms})

    async def unarchive(self, bot_id: str, word: Word, allowance: Allowance | None = None) -> Bot:
        """Have lists show it again, and tell of it; one that is not archived stays as it is.

        Raises:
            Conflict: The owner has as many bots as there may be.
            NotFound: There is no such bot.
        """
        async with self._transaction() as connection:
            await allowances.hold(connection, allowance)
            row = await lock_bot(connection, bot_id)
            if row["archived_at"] is not None:
                refused = f"Bot {bot_id} stays archived"
                await allowances.must_have_room(connection, allowance, refused)
                await _put(connection, bot_id, {"archived_at": None})
                told = f"Taken out of the archive {word.because}."
                await _tell(connection, bot_id, ("unarchived", told))
        return bot_from(row).model_copy(update={"archived_ms": None})


async def _put(connection: AsyncConnection, bot_id: str, values: Mapping[str, object]) -> None:
    await connection.execute(update(bots).where(bots.c.id == bot_id).values(**values))


async def _tell(
    connection: AsyncConnection,
    bot_id: str,
    told: tuple[str, str],
    figures: Mapping[str, str] | None = None,
) -> None:
    """Tell of one more change of a kind; whoever changes anything holds the bot's row."""
    kind = told[0]
    same = (events.c.bot_id == bot_id) & (events.c.kind == kind)
    number = await connection.scalar(select(func.count()).where(same))
    await add_event(connection, bot_id, f"{kind}:{(number or 0) + 1}", told, figures)


def _told(change: ChangeSettings, changed: Mapping[str, tuple[str, str]]) -> str:
    named = ", ".join(f"{name} from {old} to {new}" for name, (old, new) in changed.items())
    return f"Settings changed {change.because}. {named}."


async def _must_be_over(connection: AsyncConnection, row: RowMapping) -> None:
    bot_id = row["id"]
    if row["status"] != BotStatus.STOPPED:
        raise Conflict(f"Bot {bot_id} is {row['status']}: only a stopped bot can be archived.")
    left = [
        f"{words} {', '.join(sorted(set(coins)))}"
        for words, coins in (await _left(connection, bot_id)).items()
        if coins
    ]
    if left:
        raise Conflict(f"Bot {bot_id} was not archived: it has {' and '.join(left)}.")


async def _left(connection: AsyncConnection, bot_id: str) -> dict[str, list[str]]:
    """Give the coins of what is not over."""
    held = select(positions.c.symbol).where(positions.c.bot_id == bot_id)
    mine = (orders.c.bot_id == bot_id) & orders.c.state.not_in(FINAL_STATES)
    stops = select(resting_stops.c.symbol).where(resting_stops.c.bot_id == bot_id, MAY_REST)
    return {
        "positions in": list(await connection.scalars(held)),
        "orders that are not over in": list(
            await connection.scalars(select(orders.c.symbol).where(mine))
        ),
        "stops that may rest at the exchange in": list(await connection.scalars(stops)),
    }
