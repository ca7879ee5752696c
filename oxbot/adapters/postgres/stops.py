"""Stops that rest at the exchange: written down, noted as they are seen, booked as exits."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import RowMapping, Select, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres.rows import ORDER, POSITION, Records, lock_bot
from oxbot.adapters.postgres.schema import (
    FINAL_STATES,
    bots,
    orders,
    positions,
    resting_stops,
)
from oxbot.domain.bot import no_bot
from oxbot.domain.orders import Order, OrderState, Purpose
from oxbot.domain.portfolio import Position
from oxbot.domain.resting import RestingStop, StopState
from oxbot.records import StopView

STOP: Final = (
    *(c for c in resting_stops.c if c.name in RestingStop.model_fields),
    resting_stops.c.opened_at.label("opened_ms"),
    resting_stops.c.fence_at.label("fence_ms"),
)
"""The columns of a RestingStop."""

OPENED: Final = resting_stops.c.opened_at
MAY_REST: Final = resting_stops.c.state != StopState.ENDED


class Stops(Records):
    """The part of the store that keeps resting stops."""

    async def stop_view(self, bot_id: str, symbol: str) -> StopView:
        """Give what the resting stop of a bot's coin rests on, as of one moment.

        Raises:
            NotFound: There is no such bot.
        """
        async with self._still_picture() as connection:
            return await _view(connection, bot_id, symbol)

    async def intend_stop(self, stop: RestingStop, version: int) -> bool:
        """Write a stop down while its position is at this version; False: nothing was written.

        Under the bot's row lock; not while an exit of the coin is under way, nor while another
        stop of it may rest.

        Raises:
            NotFound: There is no such bot.
        """
        async with self._transaction() as connection:
            await lock_bot(connection, stop.bot_id)
            seen = await _view(connection, stop.bot_id, stop.symbol)
            held = seen.position
            same = held and (held.opened_ms, held.version) == (stop.opened_ms, version)
            if not same or seen.leaving or seen.alive:
                return False
            await _write(connection, stop)
            return True

    async def note_stop(self, stop_id: str, state: StopState, reason: str = "") -> None:
        """Keep what was seen of a stop; one that is over stays so."""
        noted = (
            update(resting_stops)
            .where(resting_stops.c.id == stop_id, MAY_REST)
            .values(state=state, reason=reason)
        )
        async with self._statements() as connection:
            await connection.execute(noted)

    async def resting_stops(self, bot_id: str) -> list[RestingStop]:
        """Give the stops of a bot that may rest at the exchange."""
        return await self._stops(_stops().where(resting_stops.c.bot_id == bot_id, MAY_REST))

    async def known_stops(self, stop_ids: Collection[str]) -> list[RestingStop]:
        """Give those of these stops that there are."""
        return await self._stops(_stops().where(resting_stops.c.id.in_(stop_ids)))

    async def stops_of_coin(self, venue: str, symbol: str) -> list[RestingStop]:
        """Give the stops of a pair that may rest, of all live bots of a venue."""
        of_venue = bots.c.settings["venue"].astext == venue
        query = _stops().join(bots, bots.c.id == resting_stops.c.bot_id)
        return await self._stops(query.where(of_venue, resting_stops.c.symbol == symbol, MAY_REST))

    async def _stops(self, query: Select[*tuple[object, ...]]) -> list[RestingStop]:
        async with self._statements() as connection:
            rows = (await connection.execute(query)).mappings()
            return [_stop(row) for row in rows]


async def write_brought(connection: AsyncConnection, stop: RestingStop) -> None:
    """Write down the stop that an entry has brought, once.

    Beside another that may rest it is written down as over: one that is alive all the same is
    found by that, and cancelled.
    """
    known = await _view(connection, stop.bot_id, stop.symbol)
    numbers = [one.number for one in known.stops if one.opened_ms == stop.opened_ms]
    changes: dict[str, object] = {"number": max(numbers, default=0) + 1}
    if known.alive:
        changes |= {"state": StopState.ENDED, "reason": f"{known.alive.id} may rest"}
    await _write(connection, stop.model_copy(update=changes))


async def _write(connection: AsyncConnection, stop: RestingStop) -> None:
    row = {
        **stop.model_dump(exclude={"opened_ms", "fence_ms"}),
        "opened_at": stop.opened_ms,
        "fence_at": stop.fence_ms,
    }
    await connection.execute(insert(resting_stops).values(row).on_conflict_do_nothing())


async def _view(connection: AsyncConnection, bot_id: str, symbol: str) -> StopView:
    mode = await connection.scalar(
        select(bots.c.settings["mode"].astext).where(bots.c.id == bot_id)
    )
    if mode is None:
        raise no_bot(bot_id)
    held = await _position(connection, bot_id, symbol)
    of_coin = (resting_stops.c.bot_id == bot_id) & (resting_stops.c.symbol == symbol)
    concerned = MAY_REST if held is None else MAY_REST | (held.opened_ms == OPENED)
    stops = (await connection.execute(_stops().where(of_coin, concerned))).mappings()
    return StopView(
        mode=mode,
        position=held,
        stops=tuple(_stop(row) for row in stops),
        entry=await _entry(connection, bot_id, symbol),
        leaving=await _is_leaving(connection, bot_id, symbol),
    )


def _stops() -> Select[*tuple[object, ...]]:
    return select(*STOP).order_by(resting_stops.c.opened_at, resting_stops.c.number)


def _stop(row: RowMapping) -> RestingStop:
    return RestingStop.model_validate(dict(row))


async def _position(connection: AsyncConnection, bot_id: str, symbol: str) -> Position | None:
    query = select(*POSITION).where(positions.c.bot_id == bot_id, positions.c.symbol == symbol)
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else Position.model_validate(dict(row))


async def _entry(connection: AsyncConnection, bot_id: str, symbol: str) -> Order | None:
    """Read the coin's last entry that was filled."""
    query = (
        select(*ORDER)
        .where(orders.c.bot_id == bot_id, orders.c.symbol == symbol)
        .where(orders.c.purpose == Purpose.ENTRY, orders.c.state == OrderState.FILLED)
        .order_by(orders.c.number.desc())
        .limit(1)
    )
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else Order.model_validate(dict(row))


async def _is_leaving(connection: AsyncConnection, bot_id: str, symbol: str) -> bool:
    under_way = select(func.count()).where(
        orders.c.bot_id == bot_id,
        orders.c.symbol == symbol,
        orders.c.purpose != Purpose.ENTRY,
        orders.c.state.not_in(FINAL_STATES),
    )
    return bool(await connection.scalar(under_way))
