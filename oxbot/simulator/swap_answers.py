"""OKX's rows about swaps: funding now and before, open interest, mark prices."""

from dataclasses import dataclass

from oxbot.simulator.answers import Row
from oxbot.simulator.instruments import SWAP, Instrument, plain
from oxbot.simulator.market import Market
from oxbot.simulator.swaps import PERIOD_MS, funding_rate, open_interest_lots
from oxbot.simulator.waves import GRID_MS

CAP = "0.00375"
"""The funding rate that OKX never lets be exceeded, either way; ours stays well within it."""


@dataclass(frozen=True, slots=True)
class FundingPage:
    """Which settlements are wanted.

    Attributes:
        before: Only later ones than this, ms UTC; None for no bound.
        after: Only earlier ones than this, ms UTC; None for no bound.
        limit: At most so many, the newest of those within the bounds.
    """

    before: int | None
    after: int | None
    limit: int


def funding_row(market: Market, swap: Instrument, now_ms: int) -> Row:
    """The funding of the period under way: its rate so far, and when it is settled."""
    due = _settlement_after(now_ms)
    rate = plain(funding_rate(market.seed, swap.coin, due, now_ms))
    settled = plain(funding_rate(market.seed, swap.coin, due - PERIOD_MS, now_ms))
    return {
        "instType": SWAP,
        "instId": swap.id,
        "method": "current_period",
        "formulaType": "noRate",
        "fundingRate": rate,
        "fundingTime": str(due),
        "nextFundingRate": "",
        "nextFundingTime": str(due + PERIOD_MS),
        "minFundingRate": f"-{CAP}",
        "maxFundingRate": CAP,
        "interestRate": "0",
        "impactValue": "",
        "premium": rate,
        "settState": "settled",
        "settFundingRate": settled,
        "ts": str(now_ms),
    }


def funding_history_rows(
    market: Market, swap: Instrument, page: FundingPage, now_ms: int
) -> list[Row]:
    """Settled periods, newest first."""
    newest = _settlement_after(now_ms) - PERIOD_MS
    if page.after is not None:
        newest = min(newest, _settlement_after(page.after - 1 - PERIOD_MS))
    oldest = _settlement_after(market.source.first_ms + PERIOD_MS - 1)
    if page.before is not None:
        oldest = max(oldest, _settlement_after(page.before))
    times = range(newest, oldest - 1, -PERIOD_MS)[: page.limit]
    return [_settled_row(market, swap, due) for due in times]


def open_interest_row(market: Market, swap: Instrument, now_ms: int) -> Row:
    """Open interest in contracts, coins and USDT, as of the last full five minutes."""
    as_of = max(now_ms - now_ms % GRID_MS, market.source.first_ms)
    lots = open_interest_lots(market.seed, swap, as_of)
    price = swap.price(market.price(swap.id, as_of))
    return {
        "instType": SWAP,
        "instId": swap.id,
        "oi": plain(swap.size(lots)),
        "oiCcy": plain(swap.coins(lots)),
        "oiUsd": plain(swap.coins(lots) * price),
        "ts": str(as_of),
    }


def mark_price_row(market: Market, listed: Instrument, now_ms: int) -> Row:
    """The mark price: the last price, since there are no other markets to weigh it against.

    A spot pair's is that of margin positions, as OKX calls them.
    """
    price = plain(listed.price(market.price(listed.id, now_ms)))
    kind = SWAP if listed.kind == SWAP else "MARGIN"
    return {"instType": kind, "instId": listed.id, "markPx": price, "ts": str(now_ms)}


def _settled_row(market: Market, swap: Instrument, due_ms: int) -> Row:
    rate = plain(funding_rate(market.seed, swap.coin, due_ms, due_ms))
    return {
        "instType": SWAP,
        "instId": swap.id,
        "method": "current_period",
        "formulaType": "noRate",
        "fundingRate": rate,
        "realizedRate": rate,
        "fundingTime": str(due_ms),
    }


def _settlement_after(at_ms: int) -> int:
    """The first settlement later than a moment, ms UTC."""
    return at_ms - at_ms % PERIOD_MS + PERIOD_MS
