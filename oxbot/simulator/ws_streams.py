"""Streams: what a channel pushes about one instrument as the venue's time goes on.

A stream remembers what it pushed last, so that it knows what has changed since. It is read
once for all who follow it; all of its rows are those of the HTTP side at the same venue time.
"""

from collections.abc import Callable
from typing import Protocol, cast

from oxbot.simulator.answers import CandlePage, book_row, candle_rows
from oxbot.simulator.market import Market
from oxbot.simulator.timeframes import Timeframe
from oxbot.simulator.ws_messages import Arg, pushed

CATCH_UP = 300
"""Candles that one push makes up for after a long step of the clock, the newest ones."""

BOOK_DEPTH = 400
"""Levels on each side of the channel `books`."""

Level = list[str]
Rows = list[dict[str, str]]


class Stream(Protocol):
    """One subscription's data, the same for all who follow it."""

    def advance(self, now_ms: int) -> str | None:
        """Go on to a venue time (ms UTC); the message for followers, None if nothing changed."""

    def current(self) -> str | None:
        """The message for a newcomer: where the stream stands; None while there is no data."""

    def unchanged(self, now_ms: int) -> str | None:
        """What followers hear when nothing has changed for a long time; None for silence."""


class RowStream:
    """Whole rows whenever anything but their time has changed.

    Args:
        arg: The subscription.
        make: The rows at a venue time in ms UTC.
        repeats: Whether rows that have not changed for long are pushed again.
    """

    def __init__(self, arg: Arg, make: Callable[[int], Rows], *, repeats: bool = False) -> None:
        self._arg = arg
        self._make = make
        self._repeats = repeats
        self._rows: Rows = []

    def advance(self, now_ms: int) -> str | None:
        """See `Stream`."""
        rows = self._make(now_ms)
        if [_timeless(row) for row in rows] == [_timeless(row) for row in self._rows]:
            return None
        self._rows = rows
        return self.current()

    def current(self) -> str | None:
        """See `Stream`."""
        return pushed(self._arg, self._rows) if self._rows else None

    def unchanged(self, now_ms: int) -> str | None:
        """See `Stream`."""
        if not self._repeats:
            return None
        self._rows = self._make(now_ms)
        return self.current()


class CandleStream:
    """The unfinished candle as it moves, and each finished one once.

    A push holds every candle that has changed since the last one, oldest first.

    Args:
        arg: The subscription.
        market: Whose candles.
        symbol: The instId.
        frame: Their length.
    """

    def __init__(self, arg: Arg, market: Market, symbol: str, frame: Timeframe) -> None:
        self._arg = arg
        self._market = market
        self._symbol = symbol
        self._frame = frame
        self._latest: list[str] = []

    def advance(self, now_ms: int) -> str | None:
        """See `Stream`."""
        before, limit = (int(self._latest[0]) - 1, CATCH_UP) if self._latest else (None, 1)
        page = CandlePage(self._frame, before, after=None, limit=limit, recent=False)
        rows = candle_rows(self._market, self._symbol, page, now_ms)[::-1]
        changed = [row for row in rows if row != self._latest]
        if not changed:
            return None
        self._latest = changed[-1]
        return pushed(self._arg, changed)

    def current(self) -> str | None:
        """See `Stream`."""
        return pushed(self._arg, [self._latest]) if self._latest else None

    def unchanged(self, _: int) -> None:
        """A candle that does not change is not repeated."""


class TopStream:
    """The best levels of a book, whole, whenever they have changed.

    Args:
        arg: The subscription.
        market: Whose book.
        symbol: The instId.
        depth: Levels on each side.
    """

    def __init__(self, arg: Arg, market: Market, symbol: str, depth: int) -> None:
        self._arg = arg
        self._market = market
        self._symbol = symbol
        self._depth = depth
        self._sides: tuple[list[Level], list[Level]] = ([], [])
        self._at_ms = -1

    def advance(self, now_ms: int) -> str | None:
        """See `Stream`."""
        sides = sides_at(self._market, self._symbol, self._depth, now_ms)
        if sides == self._sides:
            return None
        self._sides, self._at_ms = sides, now_ms
        return self.current()

    def current(self) -> str | None:
        """See `Stream`."""
        asks, bids = self._sides
        row = {"asks": asks, "bids": bids, "instId": self._symbol}
        return pushed(self._arg, [{**row, "ts": str(self._at_ms), "seqId": self._at_ms}])

    def unchanged(self, _: int) -> None:
        """Only the channel `books` is repeated."""


class BookStream:
    """A deep book: a snapshot for newcomers, for followers the levels that have changed.

    A level that is gone has size "0". The sequence number is the venue's time in ms at which
    the book took its shape: it always rises, and it names the moment at which market/books
    shows the same. The checksum is 0, as OKX sends it since June 2026.

    Args:
        arg: The subscription.
        market: Whose book.
        symbol: The instId.
    """

    def __init__(self, arg: Arg, market: Market, symbol: str) -> None:
        self._arg = arg
        self._market = market
        self._symbol = symbol
        self._sides: tuple[list[Level], list[Level]] = ([], [])
        self._seq_id = -1

    def advance(self, now_ms: int) -> str | None:
        """See `Stream`."""
        sides = sides_at(self._market, self._symbol, BOOK_DEPTH, now_ms)
        if sides == self._sides:
            return None
        before, self._sides = self._sides, sides
        previous, self._seq_id = self._seq_id, now_ms
        asks, bids = (changes(old, new) for old, new in zip(before, sides, strict=True))
        return self._message("update", asks, bids, previous, now_ms)

    def current(self) -> str | None:
        """See `Stream`."""
        return self._message("snapshot", *self._sides, -1, self._seq_id)

    def unchanged(self, now_ms: int) -> str | None:
        """An update without levels whose two sequence numbers are the same."""
        return self._message("update", [], [], self._seq_id, now_ms)

    def _message(
        self, action: str, asks: list[Level], bids: list[Level], previous: int, ts: int
    ) -> str:
        row = {"asks": asks, "bids": bids, "ts": str(ts), "checksum": 0}
        numbers = {"seqId": self._seq_id, "prevSeqId": previous}
        return pushed(self._arg, [{**row, **numbers}], action=action)


def sides_at(
    market: Market, symbol: str, depth: int, now_ms: int
) -> tuple[list[Level], list[Level]]:
    """Asks and bids of the HTTP side's book, best level first."""
    row = book_row(market, symbol, depth, now_ms)
    return cast("list[Level]", row["asks"]), cast("list[Level]", row["bids"])


def changes(before: list[Level], now: list[Level]) -> list[Level]:
    """What turns one side of a book into another: levels that are new or other, then the gone."""
    known = {level[0]: level for level in before}
    there = {level[0] for level in now}
    fresh = [level for level in now if known.get(level[0]) != level]
    gone = [[price, "0", "0", "0"] for price in known if price not in there]
    return fresh + gone


def _timeless(row: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in row.items() if name != "ts"}
