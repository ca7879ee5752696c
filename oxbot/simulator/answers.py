"""OKX's rows: instruments, tickers, candles and books as the lists and objects it sends.

Every number is a string. All of them are made from what may be seen at one venue time.
"""

from dataclasses import dataclass
from functools import lru_cache

from oxbot.simulator.book import Book, BookShape, book_around
from oxbot.simulator.candles import VOLUME
from oxbot.simulator.day import day_of
from oxbot.simulator.finished import Cells, FinishedRows
from oxbot.simulator.instruments import TRADED, Instrument, plain
from oxbot.simulator.made_up import MOST, made_up_ticks, made_up_volume
from oxbot.simulator.market import Market
from oxbot.simulator.timeframes import Timeframe, aggregate, turnovers

Row = dict[str, str]

KEPT_SERIES = 30
"""Series whose finished candles are kept: three lengths of ten instruments, about 15 MB."""

RECENT = 1440
"""market/candles shows no more than so many candles, as OKX; older ones are history."""


@dataclass(frozen=True, slots=True)
class CandlePage:
    """Which candles are wanted.

    Attributes:
        frame: Their length.
        before: Only candles that open later than this, ms UTC; None for no bound.
        after: Only candles that open earlier than this, ms UTC; None for no bound.
        limit: At most so many, the newest of those within the bounds.
        recent: Only among the newest RECENT candles.
    """

    frame: Timeframe
    before: int | None
    after: int | None
    limit: int
    recent: bool


def instrument_row(listed: Instrument, list_ms: int) -> Row:
    """One instrument of public/instruments.

    Args:
        listed: Which one.
        list_ms: Since when it is traded, ms UTC.
    """
    blank = ("alias", "expTime", "lever", "optType", "stk")
    return {
        **dict.fromkeys(blank, ""),
        **_contract_fields(listed),
        "instType": listed.kind,
        "instId": listed.id,
        "tickSz": plain(listed.tick),
        "lotSz": plain(listed.lot),
        "minSz": plain(listed.minimum),
        "maxLmtSz": "9999999999" if listed.contract is None else "100000000",
        "maxMktSz": "1000000" if listed.contract is None else "100000",
        "maxLmtAmt": "20000000",
        "maxMktAmt": "1000000" if listed.contract is None else "",
        "listTime": str(list_ms),
        "state": "live",
        "ruleType": "normal",
        "category": "1",
    }


def _contract_fields(listed: Instrument) -> Row:
    """What a spot pair and a swap say differently."""
    if listed.contract is None:
        blank = ("ctMult", "ctType", "ctVal", "ctValCcy", "instFamily", "settleCcy", "uly")
        return {**dict.fromkeys(blank, ""), "baseCcy": listed.coin, "quoteCcy": "USDT"}
    return {
        **dict.fromkeys(("baseCcy", "quoteCcy"), ""),
        "ctMult": "1",
        "ctType": "linear",
        "ctVal": plain(listed.contract),
        "ctValCcy": listed.coin,
        "instFamily": listed.pair,
        "lever": "100",
        "settleCcy": "USDT",
        "uly": listed.pair,
    }


def ticker_row(market: Market, symbol: str, now_ms: int) -> Row:
    """One ticker: the last price, the best of the book, and the last 24 hours.

    The hours begin with the base candle in which the moment 24 hours ago lies. Of a swap
    vol24h is in contracts and volCcy24h in coins, as at OKX.
    """
    listed, day = TRADED[symbol], day_of(market, symbol, now_ms)
    usdt = day.turnover * listed.tick * listed.coins(1)
    return {
        **_best_of_book(listed, book_around(listed, day.last, 1, market.shape)),
        "last": plain(listed.price(day.last)),
        "open24h": plain(listed.price(day.open)),
        "high24h": plain(listed.price(day.high)),
        "low24h": plain(listed.price(day.low)),
        "vol24h": plain(listed.size(day.lots)),
        "volCcy24h": plain(usdt if listed.contract is None else listed.coins(day.lots)),
        "sodUtc0": plain(listed.price(day.utc0)),
        "sodUtc8": plain(listed.price(day.utc8)),
        "ts": str(now_ms),
    }


def made_up_ticker_row(market: Market, listed: Instrument, now_ms: int) -> Row:
    """The ticker of a made-up pair: its price has been the same all day."""
    ticks = made_up_ticks(market.seed, listed, now_ms)
    return {**_made_up_fields(listed, ticks, market.shape), "ts": str(now_ms)}


@lru_cache(maxsize=2 * MOST)
def _made_up_fields(listed: Instrument, ticks: int, shape: BookShape) -> Row:
    """All but the time, kept since hundreds of them are asked for at once."""
    last, volume = listed.price(ticks), made_up_volume(listed, ticks)
    same = ("last", "open24h", "high24h", "low24h", "sodUtc0", "sodUtc8")
    return {
        **_best_of_book(listed, book_around(listed, ticks, 1, shape)),
        **dict.fromkeys(same, plain(last)),
        "vol24h": plain(volume),
        "volCcy24h": plain(volume * last),
    }


def _best_of_book(listed: Instrument, book: Book) -> Row:
    """The part of a ticker that its book tells."""
    return {
        "instType": listed.kind,
        "instId": listed.id,
        "lastSz": plain(listed.minimum),
        "askPx": plain(book.asks[0].price),
        "askSz": plain(book.asks[0].size),
        "bidPx": plain(book.bids[0].price),
        "bidSz": plain(book.bids[0].size),
    }


def candle_rows(market: Market, symbol: str, page: CandlePage, now_ms: int) -> list[list[str]]:
    """Candles, newest first: ts, open, high, low, close, coins, USDT, USDT, confirm.

    A swap's three volumes are contracts, coins, USDT.
    """
    frame = page.frame
    newest, oldest = _bounds(market, page, now_ms)
    ended = min(newest, frame.opens(now_ms) - frame.length_ms)
    finished = _finished(market, symbol, frame).between(oldest, ended)
    moving = _rows(market, symbol, frame, max(oldest, ended + frame.length_ms), newest, now_ms)
    return [list(row) for row in (*reversed(moving), *reversed(finished))]


@lru_cache(maxsize=KEPT_SERIES)
def _finished(market: Market, symbol: str, frame: Timeframe) -> FinishedRows:
    """The finished candles of one series, which do not depend on when they are asked for."""

    def make(first: int, last: int) -> list[Cells]:
        return _rows(market, symbol, frame, first, last, now_ms=last + frame.length_ms)

    return FinishedRows(make, frame.length_ms)


def _rows(
    market: Market, symbol: str, frame: Timeframe, first: int, last: int, now_ms: int
) -> list[Cells]:
    """The candles that open from one time to another, oldest first; none if that is no way."""
    if first > last:
        return []
    listed = TRADED[symbol]
    base = market.seen(symbol, first, last + frame.length_ms, now_ms)
    bars = aggregate(base, frame)
    sums = turnovers(base, frame.length_ms // base.step_ms)
    rows = []
    for index, (ticks, turned) in enumerate(zip(bars.rows.tolist(), sums, strict=True)):
        ts = bars.ts(index)
        turnover = plain(turned * listed.tick * listed.coins(1))
        prices = [plain(listed.price(price)) for price in ticks[:VOLUME]]
        confirm = "1" if ts + frame.length_ms <= now_ms else "0"
        size, coins = plain(listed.size(ticks[VOLUME])), plain(listed.coins(ticks[VOLUME]))
        second = turnover if listed.contract is None else coins
        rows.append((str(ts), *prices, size, second, turnover, confirm))
    return rows


def book_row(
    market: Market, symbol: str, depth: int, now_ms: int
) -> dict[str, str | list[list[str]]]:
    """The one row of market/books; a level is price, size, "0", number of orders."""
    book = market.book(symbol, depth, now_ms)
    asks = [[plain(level.price), plain(level.size), "0", "1"] for level in book.asks]
    bids = [[plain(level.price), plain(level.size), "0", "1"] for level in book.bids]
    return {"asks": asks, "bids": bids, "ts": str(now_ms)}


def _bounds(market: Market, page: CandlePage, now_ms: int) -> tuple[int, int]:
    """Open times of the newest and the oldest candle of a page; the older may be the newer."""
    frame = page.frame
    current = frame.opens(market.newest_ms(now_ms))
    newest = current if page.after is None else min(current, frame.opens(page.after - 1))
    oldest = max(
        newest - (page.limit - 1) * frame.length_ms,
        frame.first_whole(market.source.first_ms),
    )
    if page.before is not None:
        oldest = max(oldest, frame.first_whole(page.before + 1))
    if page.recent:
        oldest = max(oldest, current - (RECENT - 1) * frame.length_ms)
    return newest, oldest
