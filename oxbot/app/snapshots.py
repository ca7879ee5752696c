"""Snapshots: their parts are made once for everybody, and never twice at the same time."""

import asyncio
import hashlib
from collections.abc import Awaitable, Collection, Mapping, Sequence
from functools import partial

from oxbot.app.asking import answer_by, asking
from oxbot.app.ports import Ports
from oxbot.app.shared import MADE_AT_ONCE
from oxbot.domain.errors import OxbotError, StoreUnavailable
from oxbot.domain.indicators import CANDLES_NEEDED, part_of
from oxbot.domain.market import Bar, ClockReading, MarketPart, PartKey
from oxbot.domain.snapshots import Snapshot, part_keys

Parts = dict[PartKey, MarketPart]

Made = dict[PartKey, MarketPart | BaseException]
"""Parts, and why others could not be made."""


async def snapshot_of(ports: Ports, symbols: Sequence[str], clock: ClockReading) -> Snapshot:
    """Give the snapshot of these symbols at the newest closed candle; it is on record then.

    Raises:
        InputError: A symbol is not listed, or has too little history.
        VenueUnavailable: A part had to be made, and the exchange does not answer.
        CircuitOpen: The same, and the exchange is not asked just now.
        StoreUnavailable: PostgreSQL does not answer. Without Redis it takes longer.
    """
    venue, candle_ms = ports.feed.venue, Bar.M5.closed_by(clock.venue_ms)
    name = snapshot_id(venue, candle_ms, symbols)
    known = ports.shared.snapshots.get(name)
    if known is not None:
        return known
    keys = part_keys(venue, candle_ms, symbols)
    made = Snapshot.of_parts(name, keys, await _parts(ports, keys, clock))
    await ports.store.save_snapshot(made)
    ports.shared.snapshots.put(name, made)
    return made


async def snapshot_named(ports: Ports, name: str) -> Snapshot:
    """Give a snapshot that was made before: from the process, or from the record.

    Raises:
        NotFound: There is none, or an older version made it.
        StoreUnavailable: PostgreSQL does not answer.
    """
    known = ports.shared.snapshots.get(name)
    return known if known is not None else await ports.store.snapshot(name)


def snapshot_id(venue: str, candle_ms: int, symbols: Collection[str]) -> str:
    """Derive a snapshot's id from what it shows: venue, candle, and symbols in any order."""
    key = "\x1f".join((venue, str(candle_ms), *sorted(symbols)))
    return "s" + hashlib.sha256(key.encode()).hexdigest()[:23]


async def _parts(ports: Ports, keys: Sequence[PartKey], clock: ClockReading) -> Parts:
    """Look in the process, in Redis, in PostgreSQL, and make what is in none of them."""
    found = _in_process(ports, keys)
    found |= await _made_before(ports, [key for key in keys if key not in found])
    missing = [key for key in keys if key not in found]
    made = await asyncio.gather(*_begun(ports, missing, clock))
    return found | {part.key: part for part in made}


def _begun(
    ports: Ports, keys: Sequence[PartKey], clock: ClockReading
) -> list[Awaitable[MarketPart]]:
    """Begin to make the parts that nobody in this process makes already, some together."""
    works: dict[PartKey, asyncio.Future[Made]] = {}
    new = [key for key in keys if not ports.shared.is_under_way(key)]
    for start in range(0, len(new), MADE_AT_ONCE):
        some = new[start : start + MADE_AT_ONCE]
        works |= dict.fromkeys(some, asyncio.ensure_future(_make(ports, some, clock)))
    return [ports.shared.begin(key, partial(_one_of, works, key)) for key in keys]


async def _one_of(works: Mapping[PartKey, "asyncio.Future[Made]"], key: PartKey) -> MarketPart:
    """Give one of the parts that are made together, or raise why it could not be made."""
    made = (await asyncio.shield(works[key]))[key]
    if isinstance(made, BaseException):
        raise made
    return made


def _in_process(ports: Ports, keys: Sequence[PartKey]) -> Parts:
    kept = ((key, ports.shared.parts.get(key)) for key in keys)
    return {key: part for key, part in kept if part is not None}


async def _made_before(ports: Ports, keys: Sequence[PartKey]) -> Parts:
    """Find parts outside the process; those found in PostgreSQL only go to Redis again."""
    cached = await _from_cache(ports, keys)
    lacking = [key for key in keys if key not in cached]
    stored = await ports.store.parts(lacking) if lacking else {}
    await _to_cache(ports, stored.values())
    found = cached | stored
    for key, part in found.items():
        ports.shared.parts.put(key, part)
    return found


async def _make(ports: Ports, keys: Sequence[PartKey], clock: ClockReading) -> Made:
    """Make parts: together those that no other process makes, each of the rest when it may."""
    names = {_name(key): key for key in keys}
    async with ports.shared.making(len(keys)), ports.flight.free(names) as held:
        made = await _make_held(ports, [names[name] for name in held], clock)
    rest = [key for key in keys if key not in made]
    for each in await asyncio.gather(*(_make_after(ports, key, clock) for key in rest)):
        made |= each
    return made


async def _make_after(ports: Ports, key: PartKey, clock: ClockReading) -> Made:
    """Make a part that another process was making, unless it has."""
    try:
        async with ports.shared.making(1), ports.flight.alone(_name(key)):
            return await _make_held(ports, [key], clock)
    except OxbotError as error:
        return {key: error}


async def _make_held(ports: Ports, keys: Sequence[PartKey], clock: ClockReading) -> Made:
    """Make parts that nobody else makes now; those in PostgreSQL are the ones.

    Whoever held a lock before has put the part into Redis.
    """
    cached = await _from_cache(ports, keys)
    lacking = [key for key in keys if key not in cached]
    asked = await asyncio.gather(
        *(_ask(ports, key, clock) for key in lacking), return_exceptions=True
    )
    new = [part for part in asked if isinstance(part, MarketPart)]
    kept = await ports.store.save_parts(new) if new else []
    await _to_cache(ports, kept)
    made = cached | {part.key: part for part in kept}
    for key, part in made.items():
        ports.shared.parts.put(key, part)
    return {**dict(zip(lacking, asked, strict=True)), **made}


def _name(key: PartKey) -> str:
    return f"part:{key.venue}:{key.symbol}:{key.bar}:{key.candle_ms}"


async def _ask(ports: Ports, key: PartKey, clock: ClockReading) -> MarketPart:
    """Ask the exchange for what a part is made of; nothing else of a snapshot comes from it."""
    until_s = answer_by()
    async with asking(ports, clock, until_s):
        candles = await ports.feed.candles(key.symbol, CANDLES_NEEDED, key.candle_ms, key.bar)
    made = part_of(key, candles)
    if key.bar is not Bar.M5:
        return made
    async with asking(ports, clock, until_s):
        perpetual = await ports.feed.perpetual(key.symbol, clock)
    return made.model_copy(update={"perpetual": perpetual})


async def _from_cache(ports: Ports, keys: Collection[PartKey]) -> Parts:
    try:
        found = await ports.parts.get(keys) if keys else {}
    except StoreUnavailable as error:
        ports.shared.note_redis(error)
        return {}
    ports.shared.note_redis(None)
    return found


async def _to_cache(ports: Ports, parts: Collection[MarketPart]) -> None:
    try:
        if parts:
            await ports.parts.put(parts)
    except StoreUnavailable as error:
        ports.shared.note_redis(error)
