"""What the modules of the store share: the engine, the bot's row lock, rows as values."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final

from sqlalchemy import BindParameter, ColumnElement, RowMapping, and_, bindparam, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from oxbot.adapters.postgres.engine import begin, connect
from oxbot.adapters.postgres.schema import (
    FINAL_STATES,
    bots,
    cycles,
    events,
    fills,
    llm_decisions,
    orders,
    positions,
    risk_verdicts,
)
from oxbot.domain.bot import no_bot
from oxbot.domain.errors import NotFound
from oxbot.domain.money import Notional, Price, Quantity, to_scale
from oxbot.domain.orders import Fill, Order, Purpose
from oxbot.domain.portfolio import Position
from oxbot.domain.risk import Verdict
from oxbot.records import DecisionRecord


class Records:
    """A part of the store: the engine, and the three kinds of transactions."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._single = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._still = engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    def _transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Hold a transaction; each statement sees what was committed before it."""
        return begin(self._engine)

    def _statements(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Hold a connection on which each statement is a transaction of its own.

        For statements that need no other to be right: begin and commit cost a round trip each.
        """
        return connect(self._single)

    def _still_picture(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Hold a transaction that only reads, all of it as of one moment."""
        return begin(self._still)


ORDER: Final = (
    *(c for c in orders.c if c.name in Order.model_fields),
    orders.c.expires_at.label("expires_ms"),
    orders.c.fence_at.label("fence_ms"),
    orders.c.resting_price.label("resting"),
    orders.c.crossed_at.label("crossed_ms"),
)
"""The columns of an Order."""

FILL: Final = (
    *(c for c in fills.c if c.name in Fill.model_fields),
    fills.c.at.label("at_ms"),
)
"""The columns of a Fill."""

POSITION: Final = (
    *(c for c in positions.c if c.name in Position.model_fields),
    positions.c.opened_at.label("opened_ms"),
)
"""The columns of a Position."""

DECISION: Final = tuple(c for c in llm_decisions.c if c.name in DecisionRecord.model_fields)
"""The columns of a DecisionRecord."""

VERDICT: Final = tuple(c for c in risk_verdicts.c if c.name in Verdict.model_fields)
"""The columns of a Verdict."""

OF_CYCLE: Final = and_(
    llm_decisions.c.bot_id == cycles.c.bot_id, llm_decisions.c.cycle == cycles.c.cycle
)
"""Joins decisions with their cycles."""

_TELL: Final = insert(events).on_conflict_do_nothing()
_OWNER: Final = (
    select(orders.c.bot_id)
    .where(orders.c.id == bindparam("order_id", type_=orders.c.id.type))
    .scalar_subquery()
)
_LOCK_OWNER: Final = select(bots).where(bots.c.id == _OWNER).with_for_update(key_share=True)


def taken(row: RowMapping, prefix: str, names: Iterable[str]) -> dict[str, object]:
    """Take one of the things that a row has side by side, by the prefix of its columns."""
    return {name: row[prefix + name] for name in names}


async def lock_bot(connection: AsyncConnection, bot_id: str) -> RowMapping:
    """Lock a bot's row until the transaction ends, and give it.

    Always the first lock that a transaction takes, so that no two wait for each other. It
    shuts out other writers, not inserts that merely refer to the bot.

    Raises:
        NotFound: There is no such bot.
    """
    query = select(bots).where(bots.c.id == bot_id).with_for_update(key_share=True)
    row = (await connection.execute(query)).mappings().one_or_none()
    if row is None:
        raise no_bot(bot_id)
    return row


async def lock_bot_of_order(connection: AsyncConnection, order_id: str) -> RowMapping:
    """Lock the row of the bot that an order belongs to.

    Raises:
        NotFound: There is no such order.
    """
    row = (await connection.execute(_LOCK_OWNER, {"order_id": order_id})).mappings().one_or_none()
    if row is None:
        raise NotFound(f"There is no order {order_id}.")
    return row


async def read_order(connection: AsyncConnection, order_id: str) -> Order:
    """Give an order.

    Raises:
        NotFound: There is none of this id.
    """
    query = select(*ORDER).where(orders.c.id == order_id)
    row = (await connection.execute(query)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"There is no order {order_id}.")
    return Order.model_validate(dict(row))


async def read_verdicts(
    connection: AsyncConnection, bot_id: str, cycles: tuple[int, int]
) -> list[Verdict]:
    """Give the verdicts of cycles, first and last included, in the order they were passed in."""
    query = (
        select(*VERDICT)
        .where(risk_verdicts.c.bot_id == bot_id, risk_verdicts.c.cycle.between(*cycles))
        .order_by(risk_verdicts.c.cycle, risk_verdicts.c.number)
    )
    rows = (await connection.execute(query)).mappings()
    return [Verdict.model_validate(dict(row)) for row in rows]


async def must_exist(connection: AsyncConnection, bot_id: str) -> None:
    """Make sure that there is a bot.

    Raises:
        NotFound: There is none of this id.
    """
    if await connection.scalar(select(bots.c.id).where(bots.c.id == bot_id)) is None:
        raise no_bot(bot_id)


def order_row(order: Order) -> dict[str, object]:
    """Give an order as its row has it."""
    return {
        **order.model_dump(exclude={"expires_ms", "fence_ms", "resting", "crossed_ms"}),
        "expires_at": order.expires_ms,
        "fence_at": order.fence_ms,
        "resting_price": order.resting,
        "crossed_at": order.crossed_ms,
    }


async def add_event(
    connection: AsyncConnection,
    bot_id: str,
    key: str,
    told: tuple[str, str],
    figures: Mapping[str, str] | None = None,
) -> None:
    """Tell of something once: an event of the same key is left as it is.

    `told` is the kind and the text.
    """
    kind, text = told
    row = {"bot_id": bot_id, "key": key, "kind": kind, "text": text, "figures": figures or {}}
    await connection.execute(_TELL, row)


async def reserved_cash(connection: AsyncConnection, bot_id: str) -> Notional:
    """Sum what the entries under way may cost: quantity at limit price."""
    query = select(orders.c.quantity, orders.c.limit_price).where(is_entry_of(bot_id))
    rows = await connection.execute(query)
    return sum((may_cost(row.limit_price, row.quantity) for row in rows), Notional(0))


def is_entry_of(bot_id: str | BindParameter[str]) -> ColumnElement[bool]:
    """Say which orders are a bot's entries under way."""
    return and_(
        orders.c.bot_id == bot_id,
        orders.c.purpose == Purpose.ENTRY,
        orders.c.state.not_in(FINAL_STATES),
    )


def may_cost(limit_price: Price, quantity: Quantity) -> Notional:
    """Compute what an entry may cost at most."""
    return to_scale(limit_price * quantity)
