"""Market parts, each made once, and the snapshots that they make up."""

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import RowMapping, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres.rows import Records
from oxbot.adapters.postgres.schema import market_parts, snapshots
from oxbot.domain.errors import NotFound
from oxbot.domain.market import MarketPart, PartKey
from oxbot.domain.snapshots import Snapshot, part_keys

NAMED_BY: Final = (
    market_parts.c.venue,
    market_parts.c.symbol,
    market_parts.c.bar,
    market_parts.c.candle_at,
)
"""The columns of a `PartKey`, in its order."""


class Snapshots(Records):
    """The part of the store that keeps market parts and snapshots."""

    async def snapshot(self, snapshot_id: str) -> Snapshot:
        """Give a snapshot with its parts; NotFound."""
        async with self._statements() as connection:
            query = select(snapshots).where(snapshots.c.id == snapshot_id)
            row = (await connection.execute(query)).mappings().one_or_none()
            if row is None:
                raise NotFound(f"There is no snapshot {snapshot_id}.")
            keys = part_keys(row["venue"], row["candle_at"], row["symbols"])
            parts = await _parts(connection, keys)
        if len(parts) < len(keys):
            raise NotFound(
                f"Snapshot {snapshot_id} has {len(parts)} of its {len(keys)} parts: it was made by "
                f"an older version. The next cycle makes a new one."
            )
        return Snapshot.of_parts(snapshot_id, keys, parts)

    async def save_snapshot(self, snapshot: Snapshot) -> None:
        """Keep which parts a snapshot consists of; its parts are kept before. Repeatable."""
        values = {
            "id": snapshot.id,
            "venue": snapshot.venue,
            "candle_at": snapshot.candle_ms,
            "symbols": sorted(snapshot.features),
        }
        async with self._statements() as connection:
            await connection.execute(insert(snapshots).values(values).on_conflict_do_nothing())

    async def parts(self, keys: Collection[PartKey]) -> dict[PartKey, MarketPart]:
        """Give the market parts that were made."""
        async with self._statements() as connection:
            return await _parts(connection, keys)

    async def save_parts(self, parts: Sequence[MarketPart]) -> list[MarketPart]:
        """Keep market parts; of those where another worker was first, its parts are returned."""
        new = insert(market_parts).values([_row_of(part) for part in parts])
        kept = new.on_conflict_do_nothing().returning(*NAMED_BY)
        async with self._statements() as connection:
            ours = {PartKey(*row) for row in await connection.execute(kept)}
            others = [part.key for part in parts if part.key not in ours]
            theirs = await _parts(connection, others) if others else {}
        return [theirs.get(part.key, part) for part in parts]


async def _parts(
    connection: AsyncConnection, keys: Collection[PartKey]
) -> dict[PartKey, MarketPart]:
    query = select(market_parts).where(tuple_(*NAMED_BY).in_([tuple(key) for key in keys]))
    rows = (await connection.execute(query)).mappings()
    return {part.key: part for part in map(_part_from, rows)}


def _row_of(part: MarketPart) -> dict[str, object]:
    stated = part.model_dump(mode="json")
    return {
        **dict(zip((column.name for column in NAMED_BY), part.key, strict=True)),
        **{name: stated[name] for name in ("indicators", "candles", "perpetual")},
    }


def _part_from(row: RowMapping) -> MarketPart:
    return MarketPart(
        venue=row["venue"],
        symbol=row["symbol"],
        bar=row["bar"],
        candle_ms=row["candle_at"],
        indicators=row["indicators"],
        candles=row["candles"],
        perpetual=row["perpetual"],
    )
