"""Bots at a glance, from the record alone: it answers while workflows are away."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from oxbot.domain.bot import Bot
from oxbot.domain.errors import NotFound
from oxbot.domain.market import Quote
from oxbot.domain.money import Notional, Price, Quantity
from oxbot.domain.portfolio import Portfolio, Position
from oxbot.domain.values import Value
from oxbot.ports import Store
from oxbot.ports.reading import Reading
from oxbot.records import CycleRow
from oxbot.records.reading import BotState, Page, Part, page_text

_AT_ONCE: Final = 500
"""Bots that are read at a time."""

_KEPT: Final = 1_024
"""Lines that are kept as they were written: one changes with a cycle, and is asked for often."""


class HeldCoin(Value):
    """A position as recorded: quantity in coins, prices and amounts in USDT.

    `bid` and `unrealised` are by the price that the last cycle saw, None where it saw none, or
    by a newer one (`at_market`); `price_ms` (venue ms) tells how old that is.
    """

    symbol: str
    quantity: Quantity
    cost: Notional
    average_price: Price
    stop_price: Price
    target_price: Price
    opened_ms: int
    bid: Price | None
    unrealised: Notional | None
    price_ms: int | None


class BotLine(Value):
    """One bot with its last cycle and what it holds; cash in USDT.

    `last` is the newest cycle, which may be under way; None before the first. `quotes` are the
    prices that it saw (in a list, of what is held), or newer ones (`at_market`). `equity` is as
    of the newest cycle that was recorded whole; before that, cash and what was paid for the
    positions.
    """

    bot: Bot
    last: CycleRow | None
    equity: Notional
    cash: Notional
    positions: tuple[HeldCoin, ...]
    quotes: dict[str, Quote]


async def lines(
    reading: Reading, owner: str | None, part: Part, *, archived: bool = False
) -> Page[BotLine]:
    """Give a line for each bot, the last made first; of one owner, or of all."""
    page = await reading.bots_written(owner, part, archived=archived)
    return Page(items=tuple(map(_line, page.items)), next=page.next)


async def lines_written(
    reading: Reading, owner: str | None, part: Part, *, archived: bool = False
) -> str:
    """Give the page that `lines` gives, as JSON."""
    page = await reading.bots_written(owner, part, archived=archived)
    return page_text(map(_line_written, page.items), page.next)


async def all_lines(reading: Reading, *, archived: bool = False) -> list[BotLine]:
    """Give a line for each bot of everybody's, oldest first."""
    found: list[BotLine] = []
    part = Part(limit=_AT_ONCE)
    while True:
        page = await lines(reading, None, part, archived=archived)
        found += page.items
        if page.next is None:
            return found[::-1]
        part = Part(limit=_AT_ONCE, cursor=page.next)


@lru_cache(maxsize=_KEPT)
def _line_written(text: str) -> str:
    return _line(text).model_dump_json()


def _line(text: str) -> BotLine:
    state = BotState.model_validate_json(text)
    return BotLine.model_construct(
        bot=state.bot,
        last=state.last,
        equity=_at_cost(state) if state.equity is None else state.equity,
        cash=state.cash,
        positions=tuple(_held(p, state.quotes.get(p.symbol)) for p in state.positions),
        quotes=state.quotes,
    )


async def line_of(store: Store, bot: Bot) -> BotLine:
    """Give one bot's line."""
    portfolio = await store.portfolio(bot.id)
    rows = await store.cycles(bot.id, 1)
    quotes = await _seen(store, bot.id, rows[0].cycle) if rows else {}
    recorded = await store.equity(bot.id)
    return BotLine(
        bot=bot,
        last=rows[0] if rows else None,
        equity=portfolio.equity({}) if recorded is None else recorded,
        cash=portfolio.cash,
        positions=tuple(
            _held(position, quotes.get(symbol))
            for symbol, position in sorted(portfolio.positions.items())
        ),
        quotes=quotes,
    )


def _at_cost(state: BotState) -> Notional:
    held = {position.symbol: position for position in state.positions}
    return Portfolio(cash=state.cash, positions=held).equity({})


def at_market(line: BotLine, prices: Mapping[str, Quote]) -> BotLine:
    """Value what a bot holds at newer prices than its last cycle saw, where there are any."""
    newer = {s: q for s, q in prices.items() if s not in line.quotes or _is_newer(line, q)}
    return line.model_copy(
        update={
            "quotes": {**line.quotes, **newer},
            "positions": tuple(_revalued(held, newer.get(held.symbol)) for held in line.positions),
        }
    )


def _is_newer(line: BotLine, quote: Quote) -> bool:
    return quote.exchange_ms >= line.quotes[quote.symbol].exchange_ms


def _revalued(held: HeldCoin, quote: Quote | None) -> HeldCoin:
    if quote is None:
        return held
    gained = quote.worth(held.quantity) - held.cost
    return held.model_copy(
        update={"bid": quote.bid, "unrealised": gained, "price_ms": quote.exchange_ms}
    )


async def _seen(store: Store, bot_id: str, cycle: int) -> dict[str, Quote]:
    try:
        return (await store.cycle(bot_id, cycle)).quotes
    except NotFound:  # a cycle that got no look at the market
        return {}


def _held(position: Position, quote: Quote | None) -> HeldCoin:
    value = quote.worth(position.quantity) if quote else None
    return HeldCoin.model_construct(  # each of its type, and there may be hundreds
        symbol=position.symbol,
        quantity=position.quantity,
        cost=position.cost,
        average_price=position.average_price,
        stop_price=position.stop_price,
        target_price=position.target_price,
        opened_ms=position.opened_ms,
        bid=quote.bid if quote else None,
        unrealised=None if value is None else value - position.cost,
        price_ms=quote.exchange_ms if quote else None,
    )
