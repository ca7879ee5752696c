"""The tables of the books: orders, fills, positions, trades, ledger, equity and events."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from oxbot.adapters.postgres.columns import Milliseconds, Money
from oxbot.adapters.postgres.schema.base import among, metadata, now, of_bot, one_of
from oxbot.domain.losses import AGREES, DIFFERS
from oxbot.domain.money import Notional, Price, Quantity
from oxbot.domain.orders import ORDERED, OrderState, Purpose, Side
from oxbot.domain.portfolio import Direction
from oxbot.domain.resting import StopState

FINAL_STATES: Final = tuple(state for state in OrderState if state.is_final)
ONE_ORDER_UNDER_WAY: Final = "uq_orders_under_way"
"""The index that allows one order under way per bot and coin."""

OF_ACCOUNT: Final = f"kind IN ('{DIFFERS}', '{AGREES}')"
"""Which events tell of record and account; the condition of an index."""

ONE_STOP_RESTS: Final = "uq_resting_stops_alive"
"""The index that allows one stop that may rest per bot and coin."""

orders: Final = Table(
    "orders",
    metadata,
    Column("id", Text, primary_key=True),
    Column("number", BigInteger, Identity(always=True), nullable=False),
    of_bot(),
    Column("incarnation", Integer, nullable=False),
    # No foreign key: a protection may act between cycles.
    Column("cycle", BigInteger, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("quantity", Money(Quantity), nullable=False, comment="coins"),
    Column("limit_price", Money(Price), comment="USDT"),
    Column("expires_at", Milliseconds, comment="venue time"),
    Column("stop", Money, comment="fraction of the average fill"),
    Column("target", Money, comment="fraction of the average fill"),
    Column("trail", Money, comment="fraction of the best bid"),
    Column("resting_price", Money, comment="USDT at which it filled while nobody watched"),
    Column("crossed_at", Milliseconds, comment="venue time of the price that called for it"),
    Column("epoch", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    now("intended_at"),
    Column("sent_at", Milliseconds),
    Column("fence_at", Milliseconds, comment="venue time at which its request expires"),
    Column("finished_at", Milliseconds),
    among("side", Side),
    among("purpose", ORDERED),
    among("state", OrderState),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint(
        "purpose <> 'entry' OR (limit_price IS NOT NULL AND expires_at IS NOT NULL"
        " AND stop IS NOT NULL AND target IS NOT NULL)",
        name="entries_are_bounded",
    ),
    Index("ix_orders_bot_id_number", "bot_id", "number"),
    Index(
        ONE_ORDER_UNDER_WAY,
        "bot_id",
        "symbol",
        unique=True,
        postgresql_where=text(f"NOT ({one_of('state', FINAL_STATES)})"),
    ),
)

fills: Final = Table(
    "fills",
    metadata,
    # Numbers are given under the bot's row lock: their order is the order of settlement.
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    of_bot(),
    Column("order_id", ForeignKey("orders.id"), nullable=False, index=True),
    Column("venue", Text, nullable=False, comment="mode:venue, such as paper:okx"),
    Column("trade_id", Text, nullable=False, comment="the venue's"),
    Column("symbol", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("quantity", Money(Quantity), nullable=False, comment="coins"),
    Column("price", Money(Price), nullable=False, comment="USDT"),
    Column("fee", Money, nullable=False, comment="in fee_currency"),
    Column("fee_currency", Text, nullable=False),
    Column("at", Milliseconds, nullable=False, comment="venue time"),
    Column("last", Boolean, nullable=False, comment="of the order's fills booked together"),
    # With the steps it was settled under this decides what became dust; an audit replays it.
    Column("tick", Money(Price), nullable=False),
    Column("lot", Money(Quantity), nullable=False),
    Column("minimum", Money(Quantity), nullable=False),
    now("booked_at"),
    among("side", Side),
    CheckConstraint("quantity > 0 AND price > 0 AND fee >= 0", name="amounts"),
    # Exchanges number trades per instrument, and both sides of a trade carry one number.
    UniqueConstraint("venue", "symbol", "side", "trade_id"),
    Index("ix_fills_bot_id_at", "bot_id", "at"),
    Index("ix_fills_bot_id_id", "bot_id", "id"),
)

positions: Final = Table(
    "positions",
    metadata,
    of_bot(primary=True),
    Column("symbol", Text, primary_key=True),
    Column(
        "quantity", Money(Quantity), nullable=False, comment="coins, after fees; negative: short"
    ),
    Column("cost", Money(Notional), nullable=False, comment="USDT, of the quantity's sign"),
    Column("entry_quantity", Money(Quantity), nullable=False, comment="coins"),
    Column("entry_notional", Money(Notional), nullable=False, comment="USDT"),
    Column("exit_quantity", Money(Quantity), nullable=False, comment="coins"),
    Column("exit_notional", Money(Notional), nullable=False, comment="USDT"),
    Column("paid", Money(Notional), nullable=False, comment="USDT"),
    Column("received", Money(Notional), nullable=False, comment="USDT"),
    Column("fees", Money(Notional), nullable=False, comment="USDT"),
    Column("opened_at", Milliseconds, nullable=False, comment="venue time"),
    Column("stop", Money, nullable=False, comment="fraction of the average fill"),
    Column("target", Money, nullable=False, comment="fraction of the average fill"),
    Column("trail", Money, comment="fraction of the best bid"),
    Column("best", Money, comment="USDT, the highest bid since it was opened"),
    Column("version", Integer, nullable=False),
    CheckConstraint("quantity <> 0 AND quantity * cost >= 0", name="amounts"),
)

resting_stops: Final = Table(
    "resting_stops",
    metadata,
    Column("id", Text, primary_key=True, comment="the exchange's client id"),
    of_bot(),
    Column("symbol", Text, nullable=False),
    Column("opened_at", Milliseconds, nullable=False, comment="of the position; venue time"),
    Column("number", Integer, nullable=False, comment="of the position's resting stops"),
    Column("quantity", Money(Quantity), nullable=False, comment="coins"),
    Column("stop_price", Money(Price), nullable=False, comment="USDT"),
    Column("target_price", Money(Price), nullable=False, comment="USDT"),
    Column("fence_at", Milliseconds, nullable=False, comment="venue time"),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    now("written_at"),
    among("state", StopState),
    CheckConstraint("quantity > 0 AND stop_price > 0 AND target_price > 0", name="amounts"),
    UniqueConstraint("bot_id", "symbol", "opened_at", "number"),
    Index(
        ONE_STOP_RESTS,
        "bot_id",
        "symbol",
        unique=True,
        postgresql_where=text(f"NOT ({one_of('state', [StopState.ENDED])})"),
    ),
)

dust: Final = Table(
    "dust",
    metadata,
    of_bot(primary=True),
    Column("symbol", Text, primary_key=True),
    Column("quantity", Money(Quantity), nullable=False, comment="coins too few to trade"),
)

trades: Final = Table(
    "trades",
    metadata,
    # Where it was not that which closed it, but a loss, no other trade can have it.
    Column("fill_id", ForeignKey("fills.id"), primary_key=True, comment="its last fill"),
    of_bot(),
    Column("symbol", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("quantity", Money(Quantity), nullable=False, comment="coins"),
    Column("entry_price", Money(Price), nullable=False, comment="USDT"),
    Column("exit_price", Money(Price), nullable=False, comment="USDT"),
    Column("fees", Money(Notional), nullable=False, comment="USDT"),
    Column("net_pnl", Money(Notional), nullable=False, comment="USDT"),
    Column("opened_at", Milliseconds, nullable=False, comment="venue time"),
    Column("closed_at", Milliseconds, nullable=False, comment="venue time"),
    Column("exit", Text, nullable=False),
    among("direction", Direction),
    among("exit", Purpose),
    Index("ix_trades_bot_id_fill_id", "bot_id", "fill_id"),
    # The last exit of each coin.
    Index("ix_trades_bot_id_symbol_closed_at", "bot_id", "symbol", "closed_at"),
)

ledger_entries: Final = Table(
    "ledger_entries",
    metadata,
    of_bot(primary=True),
    Column("posting", Text, primary_key=True, comment="deposit:1, fill:<id>, write_off:<id>"),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("account", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("amount", Money, nullable=False, comment="debits are positive"),
    now("booked_at"),
    # In the order of booking, for lists.
    Column("id", BigInteger, Identity(always=True), nullable=False),
    CheckConstraint("amount <> 0", name="amount"),
    Index("ix_ledger_entries_bot_id_id", "bot_id", "id"),
)

write_offs: Final = Table(
    "write_offs",
    metadata,
    # As of fills: the order of numbers is that of booking.
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    of_bot(),
    Column("wish", Text, nullable=False, comment="what a person confirmed at once, by its id"),
    Column("currency", Text, nullable=False),
    Column("amount", Money, nullable=False, comment="in currency"),
    Column("cost", Money(Notional), nullable=False, comment="USDT"),
    Column("after_fill", BigInteger, nullable=False, comment="number of the bot's last one then"),
    # With the steps of the coin's last fill it decides what became dust; an audit replays it.
    Column("symbol", Text, comment="null for USDT, as the steps"),
    Column("tick", Money(Price)),
    Column("lot", Money(Quantity)),
    Column("minimum", Money(Quantity)),
    Column("at", Milliseconds, nullable=False, comment="venue time"),
    now("booked_at"),
    CheckConstraint("amount > 0", name="amount"),
    CheckConstraint("(symbol IS NULL) = (minimum IS NULL)", name="steps"),
    UniqueConstraint("bot_id", "wish", "currency"),
)

equity_points: Final = Table(
    "equity_points",
    metadata,
    of_bot(primary=True),
    Column("cycle", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Milliseconds, nullable=False, comment="venue time at which the cycle was due"),
    Column("equity", Money(Notional), nullable=False, comment="USDT"),
    Column("cash", Money(Notional), nullable=False, comment="USDT"),
    Column("fresh", Boolean, nullable=False, comment="whether all prices were young enough"),
    Index("ix_equity_points_bot_id_at", "bot_id", "at"),
)

events: Final = Table(
    "events",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    of_bot(),
    Column("key", Text, nullable=False, comment="what it tells of; told once"),
    Column("kind", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("figures", JSONB, nullable=False),
    now("at"),
    # Numbers are given before a transaction is over: a stream that went by them alone would pass
    # over those that come to light late.
    Column(
        "transaction",
        BigInteger,
        nullable=False,
        server_default=text("((pg_current_xact_id())::text)::bigint"),
        comment="that told of it; those that are over come in their order",
    ),
    UniqueConstraint("bot_id", "key"),
    Index("ix_events_transaction_id", "transaction", "id"),
    Index("ix_events_bot_id_id", "bot_id", "id"),
    # Outages are few, and looked for at each start of an alarm.
    Index("ix_events_unprotected", "bot_id", postgresql_where=text("kind = 'unprotected'")),
    # So are differences, and each live cycle asks which there are.
    Index("ix_events_of_account", "bot_id", "id", postgresql_where=text(OF_ACCOUNT)),
)
