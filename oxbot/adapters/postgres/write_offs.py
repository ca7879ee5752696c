"""What is gone from an account: taken off a bot's books in one transaction, once."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from sqlalchemy import RowMapping, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from oxbot.adapters.postgres import locks
from oxbot.adapters.postgres.claims import read_claims
from oxbot.adapters.postgres.columns import Money
from oxbot.adapters.postgres.holdings import add_dust, add_trade, keep_position
from oxbot.adapters.postgres.portfolios import read_portfolio
from oxbot.adapters.postgres.postings import post
from oxbot.adapters.postgres.rows import Records, add_event, lock_bot
from oxbot.adapters.postgres.schema import (
    FINAL_STATES,
    bots,
    fills,
    ledger_entries,
    orders,
    write_offs,
)
from oxbot.domain.errors import Conflict
from oxbot.domain.ledger import lost_cash_entries
from oxbot.domain.losses import CoinBooks, lacks_of, lose_coins, losses_of
from oxbot.domain.market import QUOTE_CURRENCY, Instrument, base_of
from oxbot.domain.money import Notional, Quantity, plain
from oxbot.domain.portfolio import Portfolio
from oxbot.records import SeenAccount, WriteOff

WRITTEN_OFF: Final = "written_off"
"""The kind of event that tells of it."""


class WriteOffs(Records):
    """The part of the store that takes off a bot's books what its account has no more."""

    async def write_off(self, wish: WriteOff, seen: SeenAccount) -> None:
        """Take what is gone from the account off a bot's books, and tell it; once for each wish.

        What is missing is computed again under the bot's row lock.

        Raises:
            Conflict: It is not, or no longer, what is missing and the bot has; or anything of the
                account has changed since it was seen; or an order of the bot is under way.
                Nothing was written.
            NotFound: There is no such bot.
        """
        async with self._transaction() as connection:
            bot = await lock_bot(connection, wish.bot_id)
            if await _losses(connection, wish.bot_id, wish.id):
                return
            await locks.hold(connection, locks.WRITING_OFF)
            books = await read_portfolio(connection, wish.bot_id)
            await _must_be_missing(connection, bot, books, (wish, seen))
            costs = {
                currency: await _lose(connection, wish, books, (currency, amount))
                for currency, amount in sorted(wish.losses.items())
            }
            await _tell(connection, wish, costs)

    async def written_off(self, bot_id: str, wish_id: str) -> dict[str, Decimal]:
        """Give what a wish has taken off, by currency; nothing where it has not."""
        async with self._statements() as connection:
            return await _losses(connection, bot_id, wish_id)


async def _losses(connection: AsyncConnection, bot_id: str, wish_id: str) -> dict[str, Decimal]:
    query = (
        select(write_offs.c.currency, write_offs.c.amount)
        .where(write_offs.c.bot_id == bot_id, write_offs.c.wish == wish_id)
        .order_by(write_offs.c.currency)
    )
    return {row.currency: row.amount for row in await connection.execute(query)}


async def _must_be_missing(
    connection: AsyncConnection,
    bot: RowMapping,
    books: Portfolio,
    asked: tuple[WriteOff, SeenAccount],
) -> None:
    """Refuse what is not exactly what is missing now."""
    wish, seen = asked
    under_way = select(func.min(orders.c.symbol)).where(
        orders.c.bot_id == wish.bot_id, orders.c.state.not_in(FINAL_STATES)
    )
    symbol = await connection.scalar(under_way)
    if symbol is not None:
        raise Conflict(
            f"Nothing was written off: an order of bot {wish.bot_id} for {symbol} is under way. "
            "Try again when it is done."
        )
    claims = await read_claims(connection, bot["settings"]["venue"])
    if claims != seen.claims:
        raise Conflict(
            "Nothing was written off: what live bots of the account have changed while it was "
            "looked at. Try again in some seconds."
        )
    now = losses_of(lacks_of(claims.by_currency(), seen.has), books.owned())
    if now != wish.losses:
        raise Conflict(
            f"Nothing was written off: {_listed(wish.losses)} were to be, and what is missing and "
            f"can be written off bot {wish.bot_id} is now {_listed(now)}. Look again."
        )


def _listed(losses: Mapping[str, Decimal]) -> str:
    told = (f"{plain(amount)} {currency}" for currency, amount in sorted(losses.items()))
    return ", ".join(told) or "nothing"


async def _lose(
    connection: AsyncConnection, wish: WriteOff, books: Portfolio, loss: tuple[str, Decimal]
) -> Notional:
    """Book what is lost of one currency; give what it had cost, in USDT."""
    currency, amount = loss
    if currency != QUOTE_CURRENCY:
        return await _lose_coins(connection, wish, books, (currency, Quantity(amount)))
    lost = Notional(amount)
    number = await _note(connection, wish, (currency, amount, lost), {})
    await post(connection, wish.bot_id, f"write_off:{number}", lost_cash_entries(lost))
    left = update(bots).where(bots.c.id == wish.bot_id).values(cash=books.cash - lost)
    await connection.execute(left)
    return lost


async def _lose_coins(
    connection: AsyncConnection, wish: WriteOff, books: Portfolio, loss: tuple[str, Quantity]
) -> Notional:
    coin, lost = loss
    symbol = f"{coin}/{QUOTE_CURRENCY}"
    fill_id, instrument = await _last_fill(connection, wish.bot_id, symbol)
    before = CoinBooks(
        position=books.positions.get(symbol),
        dust=books.dust.get(symbol, Quantity(0)),
        dust_cost=await _dust_cost(connection, wish.bot_id, symbol),
    )
    change = lose_coins(symbol, before, lost, instrument, wish.at_ms)
    steps = instrument.model_dump(include={"symbol", "tick", "lot", "minimum"})
    number = await _note(connection, wish, (coin, lost.number, change.cost), steps)
    await post(connection, wish.bot_id, f"write_off:{number}", change.entries)
    await keep_position(connection, (wish.bot_id, symbol), change.left.position)
    await add_dust(connection, (wish.bot_id, symbol), change.left.dust - before.dust)
    if change.trade:
        await add_trade(connection, wish.bot_id, fill_id, change.trade)
    return change.cost


async def _last_fill(
    connection: AsyncConnection, bot_id: str, symbol: str
) -> tuple[int, Instrument]:
    """Give the number of a coin's last fill, and what it was settled under.

    The exchange may not list the coin any more.
    """
    query = (
        select(fills.c.id, fills.c.symbol, fills.c.tick, fills.c.lot, fills.c.minimum)
        .where(fills.c.bot_id == bot_id, fills.c.symbol == symbol)
        .order_by(fills.c.id.desc())
        .limit(1)
    )
    row = (await connection.execute(query)).mappings().one()
    return row["id"], Instrument.model_validate({k: v for k, v in row.items() if k != "id"})


async def _dust_cost(connection: AsyncConnection, bot_id: str, symbol: str) -> Notional:
    """Sum what a coin's dust has cost: each posting is of one coin."""
    of_dust = (ledger_entries.c.bot_id == bot_id) & (ledger_entries.c.account == "dust")
    of_coin = select(ledger_entries.c.posting).where(
        of_dust, ledger_entries.c.currency == base_of(symbol)
    )
    cost = select(func.sum(ledger_entries.c.amount, type_=Money(Notional))).where(
        of_dust, ledger_entries.c.currency == QUOTE_CURRENCY, ledger_entries.c.posting.in_(of_coin)
    )
    return (await connection.scalar(cost)) or Notional(0)


async def _note(
    connection: AsyncConnection,
    wish: WriteOff,
    loss: tuple[str, Decimal, Notional],
    steps: Mapping[str, object],
) -> int:
    """Write down what is lost of a currency; give its number."""
    currency, amount, cost = loss
    last = select(func.coalesce(func.max(fills.c.id), 0)).where(fills.c.bot_id == wish.bot_id)
    row = {
        "bot_id": wish.bot_id,
        "wish": wish.id,
        "currency": currency,
        "amount": amount,
        "cost": cost,
        "after_fill": await connection.scalar(last),
        "at": wish.at_ms,
        **steps,
    }
    new = insert(write_offs).values(row).returning(write_offs.c.id)
    return int((await connection.execute(new)).scalar_one())


async def _tell(connection: AsyncConnection, wish: WriteOff, costs: Mapping[str, Notional]) -> None:
    lost = [
        f"{plain(amount)} {currency}"
        + ("" if currency == QUOTE_CURRENCY else f", which had cost {plain(costs[currency])} USDT")
        for currency, amount in sorted(wish.losses.items())
    ]
    because = f": {wish.reason}" if wish.reason else ""
    told = f"Written off by {wish.by}{because}. Gone from the account: {'; '.join(lost)}."
    figures = {"by": wish.by, "reason": wish.reason, "wish": wish.id}
    figures |= {currency: plain(amount) for currency, amount in wish.losses.items()}
    figures |= {f"cost_{currency}": plain(cost) for currency, cost in costs.items()}
    key = f"{WRITTEN_OFF}:{wish.id}"
    await add_event(connection, wish.bot_id, key, (WRITTEN_OFF, told), figures)
