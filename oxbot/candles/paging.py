"""Through an exchange's history of candles, page by page, from the newest backwards.

An answer counts only if it joins on to the last one: each page begins with the oldest candle of
the page before it. So an answer that lost its rows is never taken for the end of history, and a
gap is one only when the exchange shows it twice.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple, Protocol

from oxbot.candles.names import length_of
from oxbot.candles.rows import Row
from oxbot.candles.spans import Span
from oxbot.candles.times import iso
from oxbot.domain.errors import NotFound, VenueUnavailable

PAGE: Final = 300
"""Most candles that are asked for at once, the one that joins pages included."""


class CandleArchive(Protocol):
    """Where candles come from: an exchange's history."""

    @property
    def venue(self) -> str:
        """Name of the venue."""

    async def page(self, symbol: str, bar: str, before_ms: int, count: int) -> list[Row]:
        """Give up to `count` closed candles that opened before a time (ms UTC), newest first.

        Raises:
            VenueUnavailable: No usable answer.
        """


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be fetched; the span begins and ends where candles open."""

    symbol: str
    bar: str
    span: Span


class Piece(NamedTuple):
    """One answer: its candles, oldest first, and the span that it settles."""

    rows: list[Row]
    span: Span


async def backwards(
    archive: CandleArchive, wanted: Wanted, span: Span, known_ms: int | None
) -> AsyncIterator[Piece]:
    """Go through a span from its end to its begin.

    Args:
        archive: Who is asked.
        wanted: Whose candles, and of which length.
        span: Which of them; nothing is known of it yet.
        known_ms: Open time of the first candle behind the span that is known; None without one.

    Yields:
        Pieces that follow each other backwards without a hole.
    """
    length_ms = length_of(wanted.bar)
    end_ms = span.to_ms
    if known_ms is None:
        newest = await _newest(archive, wanted, end_ms)
        known_ms = end_ms = newest.open_ms
        if known_ms >= span.from_ms:
            yield Piece([newest], Span(known_ms, known_ms + length_ms))
    while end_ms > span.from_ms:
        count = min(PAGE, (known_ms - span.from_ms) // length_ms + 1)
        older = await _older(archive, wanted, known_ms, max(count, 2))
        known_ms = older[0].open_ms if older else span.from_ms
        start_ms = max(min(known_ms, end_ms), span.from_ms)
        rows = [row for row in older if start_ms <= row.open_ms < end_ms]
        yield Piece(rows, Span(start_ms, end_ms))
        end_ms = start_ms


async def _newest(archive: CandleArchive, wanted: Wanted, before_ms: int) -> Row:
    """Give the newest candle before a time, from which to go backwards."""
    page = await _page(archive, wanted, before_ms, 2)
    if not page:
        raise NotFound(
            f"{archive.venue} gave no {wanted.bar} candle of {wanted.symbol} before "
            f"{iso(before_ms)}: either it was listed later, or the answer was lost. Choose a later "
            "--to, or try again."
        )
    return page[0]


async def _older(archive: CandleArchive, wanted: Wanted, known_ms: int, count: int) -> list[Row]:
    """Give the candles right before a known one, oldest first; none if there is none older.

    Raises:
        VenueUnavailable: The answer does not join on to the known candle, is out of order, or
            has a gap that the venue does not show again.
    """
    page = await _joining(archive, wanted, known_ms, count)
    for newer, older in pairwise(page):
        if newer.open_ms - older.open_ms > length_of(wanted.bar):
            again = await _joining(archive, wanted, newer.open_ms, 2)
            if [row.open_ms for row in again] != [newer.open_ms, older.open_ms]:
                raise _unusable(
                    archive, wanted, f"the candle before {iso(newer.open_ms)} came only once"
                )
    return page[:0:-1]


async def _joining(archive: CandleArchive, wanted: Wanted, known_ms: int, count: int) -> list[Row]:
    """Ask for a page that begins with a known candle; newest first."""
    page = await _page(archive, wanted, known_ms + 1, count)
    if not page or page[0].open_ms != known_ms:
        raise _unusable(archive, wanted, f"the candle of {iso(known_ms)}, known before, is missing")
    return page


async def _page(archive: CandleArchive, wanted: Wanted, before_ms: int, count: int) -> list[Row]:
    """Ask for a page and see that its candles are on the grid, each before the last."""
    page = await archive.page(wanted.symbol, wanted.bar, before_ms, count)
    times = [before_ms, *(row.open_ms for row in page)]
    if any(newer <= older for newer, older in pairwise(times)):
        raise _unusable(archive, wanted, f"candles before {iso(before_ms)} are out of order")
    odd = next((ms for ms in times[1:] if ms % length_of(wanted.bar)), None)
    if odd is not None:
        raise _unusable(archive, wanted, f"no candle opens at {odd}")
    return page


def _unusable(archive: CandleArchive, wanted: Wanted, why: str) -> VenueUnavailable:
    return VenueUnavailable(
        f"{archive.venue}'s answer for {wanted.bar} candles of {wanted.symbol} cannot be used: "
        f"{why}. Nothing was guessed in its place."
    )
