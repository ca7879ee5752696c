"""Bots: made, read, controlled, and given their cycle numbers."""

from decimal import Decimal

from sqlalchemy import RowMapping, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres import allowances, locks
from oxbot.adapters.postgres.claims import live_cash
from oxbot.adapters.postgres.postings import post
from oxbot.adapters.postgres.rows import Records, add_event, lock_bot
from oxbot.adapters.postgres.schema import (
    CycleState,
    bot_runs,
    bots,
    cycles,
    orders,
    positions,
)
from oxbot.domain.allowance import NOT_MADE, PLAINLY, Asked
from oxbot.domain.balances import must_be_free
from oxbot.domain.bot import Bot, BotSettings, BotStatus, no_bot
from oxbot.domain.errors import Conflict
from oxbot.domain.ledger import deposit_entries
from oxbot.domain.orders import OrderState, Purpose
from oxbot.messages import WriteControl
from oxbot.records import RunReservation

_TOLD = {
    BotStatus.RUNNING: "resumed",
    BotStatus.PAUSED: "paused",
    BotStatus.CLOSING: "closing",
    BotStatus.STOPPED: "stopped",
}


class Bots(Records):
    """The part of the store that keeps bots."""

    async def create_bot(
        self,
        bot_id: str,
        settings: BotSettings,
        created_ms: int,
        free: Decimal | None = None,
        asked: Asked = PLAINLY,
    ) -> Bot:
        """Insert a running bot with its capital as first posting; Conflict if the id is taken.

        `free` is what a live bot's account has free, in USDT: InputError where the live bots of
        the venue have too much of it by now. Conflict or Forbidden where whoever `asked` for it
        may not have it.
        """
        bot = Bot(
            id=bot_id,
            settings=settings,
            status=BotStatus.RUNNING,
            epoch=1,
            incarnation=0,
            created_ms=created_ms,
        )
        async with self._transaction() as connection:
            await allowances.hold(connection, asked.allowance)
            await allowances.must_have_room(connection, asked.allowance, NOT_MADE)
            await allowances.must_be_budgeted(
                connection, asked.allowance, (bot_id, settings), NOT_MADE
            )
            if free is not None:
                await locks.hold(connection, locks.ADDING_A_LIVE_BOT)
                claimed = await live_cash(connection, settings.venue)
                must_be_free(free, claimed, settings.capital)
            new = (
                insert(bots).values(_row_of(bot) | {"asked": asked.digest}).on_conflict_do_nothing()
            )
            if not (await connection.execute(new.returning(bots.c.id))).one_or_none():
                raise Conflict(f"There is a bot {bot_id} already. Choose another id.")
            await post(connection, bot_id, "deposit:1", deposit_entries(settings.capital))
            told = f"{settings.name} begins with {settings.capital} USDT, mode {settings.mode}."
            await add_event(connection, bot_id, "created", ("created", told))
        return bot

    async def bot(self, bot_id: str) -> Bot:
        """Give a bot; NotFound."""
        async with self._statements() as connection:
            query = select(bots).where(bots.c.id == bot_id)
            row = (await connection.execute(query)).mappings().one_or_none()
        if row is None:
            raise no_bot(bot_id)
        return bot_from(row)

    async def bots(self, owner: str | None = None) -> list[Bot]:
        """Give all bots, oldest first."""
        query = select(bots).order_by(bots.c.created_at, bots.c.id)
        if owner is not None:
            query = query.where(bots.c.settings["owner"].astext == owner)
        async with self._statements() as connection:
            return [bot_from(row) for row in (await connection.execute(query)).mappings()]

    async def live_bots(self) -> list[str]:
        """Give the ids of the bots that are not stopped, oldest first."""
        alive = select(bots.c.id).where(bots.c.status != BotStatus.STOPPED)
        async with self._statements() as connection:
            return list(await connection.scalars(alive.order_by(bots.c.created_at, bots.c.id)))

    async def watched_symbols(self, venue: str) -> list[str]:
        """Give what bots of a venue that are not stopped trade or hold, sorted."""
        alive = (bots.c.settings["venue"].astext == venue) & (bots.c.status != BotStatus.STOPPED)
        traded = select(func.jsonb_array_elements_text(bots.c.settings["symbols"])).where(alive)
        held = select(positions.c.symbol).join(bots, bots.c.id == positions.c.bot_id).where(alive)
        async with self._statements() as connection:
            return sorted(await connection.scalars(traded.union(held)))

    async def write_control(self, change: WriteControl) -> None:
        """Store status and epoch unless a newer epoch is stored; adds an event when it changed.

        Entries intended under an older epoch can't be claimed any more, so they are cancelled.
        A bot that is resumed gets a new high-water mark: the next equity that is recorded.
        """
        async with self._transaction() as connection:
            row = await lock_bot(connection, change.bot_id)
            if row["epoch"] > change.epoch:
                return
            values = _controlled(row, change)
            await connection.execute(update(bots).where(bots.c.id == change.bot_id).values(values))
            why = f"not sent: the bot is {change.status}"
            await cancel_outdated_entries(connection, (change.bot_id, change.epoch), why)
            if row["status"] != change.status:
                key = f"control:{change.epoch}:{change.status}"
                await add_event(connection, change.bot_id, key, _told(change))

    async def reserve_cycles(
        self, bot_id: str, chain_id: str, run_id: str, cycles: int
    ) -> RunReservation:
        """Reserve a block of cycle numbers, once per run id; a new chain is a new incarnation."""
        async with self._transaction() as connection:
            bot = await lock_bot(connection, bot_id)
            block = await _reserved(connection, bot_id, run_id)
            if block is None:
                block = await _reserve(connection, bot, (chain_id, run_id), cycles)
            last_due_ms = await _last_due(connection, bot_id)
        return RunReservation(
            incarnation=block["incarnation"],
            first_cycle=block["first_cycle"],
            cycles=block["cycles"],
            last_due_ms=last_due_ms,
        )


def bot_from(row: RowMapping, settings: BotSettings | None = None) -> Bot:
    """Read a bot from its row; from its settings if they were read before."""
    return Bot(
        id=row["id"],
        settings=settings or row["settings"],
        status=row["status"],
        epoch=row["epoch"],
        flatten=row["flatten"],
        incarnation=row["incarnation"],
        created_ms=row["created_at"],
        archived_ms=row["archived_at"],
    )


def _row_of(bot: Bot) -> dict[str, object]:
    return {
        **bot.model_dump(exclude={"settings", "created_ms", "archived_ms"}),
        "settings": bot.settings.model_dump(mode="json"),
        "cash": bot.settings.capital,
        "high_water": bot.settings.capital,
        "created_at": bot.created_ms,
    }


def _controlled(row: RowMapping, change: WriteControl) -> dict[str, object]:
    """Give the columns that a change of control sets."""
    resumed = (row["status"], change.status) == (BotStatus.PAUSED, BotStatus.RUNNING)
    return {
        "status": change.status,
        "epoch": change.epoch,
        "flatten": change.flatten,
        **({"high_water": None} if resumed else {}),
    }


def _told(change: WriteControl) -> tuple[str, str]:
    kind = _TOLD[change.status]
    because = f": {change.reason}" if change.reason else ""
    return kind, f"{kind.capitalize()} by {change.by}{because}."


async def _reserved(connection: AsyncConnection, bot_id: str, run_id: str) -> RowMapping | None:
    """Give the block that a run has already."""
    mine = (bot_runs.c.bot_id == bot_id) & (bot_runs.c.run_id == run_id)
    result = await connection.execute(select(bot_runs).where(mine))
    return result.mappings().one_or_none()


async def _reserve(
    connection: AsyncConnection, bot: RowMapping, run: tuple[str, str], cycles: int
) -> RowMapping:
    """Give a run (chain and run id) the numbers after the highest that was ever reserved."""
    chain_id, run_id = run
    highest = func.max(bot_runs.c.first_cycle + bot_runs.c.cycles)
    first = select(func.coalesce(highest, 1)).where(bot_runs.c.bot_id == bot["id"])
    values = {
        "run_id": run_id,
        "bot_id": bot["id"],
        "chain_id": chain_id,
        "incarnation": await _incarnation(connection, bot, chain_id),
        "first_cycle": first.scalar_subquery(),
        "cycles": cycles,
    }
    new = insert(bot_runs).values(values).returning(bot_runs)
    block: RowMapping = (await connection.execute(new)).mappings().one()
    return block


async def _incarnation(connection: AsyncConnection, bot: RowMapping, chain_id: str) -> int:
    """Give the incarnation of a chain; one never seen is the bot's next."""
    mine = (bot_runs.c.bot_id == bot["id"]) & (bot_runs.c.chain_id == chain_id)
    known = await connection.scalar(select(func.max(bot_runs.c.incarnation)).where(mine))
    if known is not None:
        return int(known)
    raised = update(bots).where(bots.c.id == bot["id"]).values(incarnation=bots.c.incarnation + 1)
    return int((await connection.execute(raised.returning(bots.c.incarnation))).scalar_one())


async def _last_due(connection: AsyncConnection, bot_id: str) -> int | None:
    """Give when the last recorded cycle was due, in venue ms."""
    recorded = (cycles.c.bot_id == bot_id) & (cycles.c.state != CycleState.BEGUN)
    newest = select(cycles.c.due_at).where(recorded).order_by(cycles.c.cycle.desc()).limit(1)
    return await connection.scalar(newest)


async def cancel_outdated_entries(
    connection: AsyncConnection, control: tuple[str, int], why: str
) -> None:
    """Cancel the entries that a bot intended under an epoch older than this (bot, epoch)."""
    bot_id, epoch = control
    outdated = (
        update(orders)
        .where(orders.c.bot_id == bot_id, orders.c.epoch < epoch)
        .where(orders.c.purpose == Purpose.ENTRY, orders.c.state == OrderState.INTENDED)
        .values(state=OrderState.CANCELLED, reason=why)
    )
    await connection.execute(outdated.values(finished_at=func.now()))
