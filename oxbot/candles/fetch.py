"""Candles from an exchange into a candle file, from the newest backwards.

The file remembers for which times the exchange was asked, so a fetch that was killed goes on
where the file ends. See `paging` for what is believed of an exchange's answers.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pyarrow as pa

from oxbot.candles.faults import Gap
from oxbot.candles.names import file_name, length_of
from oxbot.candles.paging import CandleArchive, Piece, Wanted, backwards
from oxbot.candles.parquet import read_series, write_series
from oxbot.candles.series import Series, joined, table_of
from oxbot.candles.spans import Span, holds, united, without
from oxbot.domain.errors import Conflict, VenueUnavailable

PAGES_BETWEEN_SAVES: Final = 20
"""What a kill costs at most."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was fetched.

    Attributes:
        path: The candle file.
        series: What it holds now.
        added: How many candles are new in it.
        gaps: Where the venue has no candles inside the wanted span.
    """

    path: Path
    series: Series
    added: int
    gaps: list[Gap]


Tell = Callable[[int, int], None]
"""Is told how many candles of how many are done."""


async def fetch(
    archive: CandleArchive, wanted: Wanted, folder: Path, tell: Tell = lambda _done, _all: None
) -> Fetched:
    """Fetch what the candle file does not have yet.

    Raises:
        Conflict: The file holds another venue's candles.
        NotFound: The venue has no candle before the wanted span's end.
        VenueUnavailable: The venue failed; what came before is in the file.
    """
    filling = _Filling(archive.venue, wanted, folder, tell)
    try:
        for span in reversed(filling.missing):
            async for piece in backwards(archive, wanted, span, filling.known_after(span)):
                filling.take(piece)
    except VenueUnavailable as error:
        filling.save()
        raise VenueUnavailable(f"{error} {filling.told()}") from error
    finally:
        filling.save()
    return filling.result()


class _Filling:
    """A candle file that is being filled.

    Attributes:
        held: What the file holds.
        missing: What is wanted and not in it, oldest first.
    """

    def __init__(self, venue: str, wanted: Wanted, folder: Path, tell: Tell) -> None:
        self._wanted, self._folder, self._tell = wanted, folder, tell
        self.path = folder / file_name(wanted.symbol, wanted.bar)
        self.held = _held(self.path, venue, wanted)
        self.missing = without(wanted.span, self.held.covered)
        self._before = len(self.held)
        self._tables: list[pa.Table] = []
        self._spans: list[Span] = []
        self._todo = self._candles(self.missing)
        self._done = 0
        self._tell(0, self._todo)

    def known_after(self, span: Span) -> int | None:
        """Give the open time of the candle that follows a missing span, if that is known."""
        first_ms = self.held.first_at(span.to_ms)
        if first_ms is None or not holds(self.held.covered, Span(span.to_ms, first_ms + 1)):
            return None
        return first_ms

    def take(self, piece: Piece) -> None:
        """Take an answer, and save now and then."""
        self._tables.append(table_of(piece.rows))
        self._spans.append(piece.span)
        self._done += self._candles([piece.span])
        self._tell(self._done, self._todo)
        if len(self._spans) >= PAGES_BETWEEN_SAVES:
            self.save()

    def save(self) -> None:
        """Put what was taken into the file."""
        if self._spans:
            table = joined([self.held.table, *self._tables])
            covered = united([*self.held.covered, *self._spans])
            held = replace(self.held, table=table, covered=covered)
            write_series(self._folder, held)
            self.held, self._tables, self._spans = held, [], []

    def told(self) -> str:
        """Say how far it came."""
        wanted = self._wanted
        return (
            f"{wanted.symbol} {wanted.bar}: {self._done:,} of {self._todo:,} candles were fetched "
            f"and are in {self.path}; the same command goes on from there."
        )

    def result(self) -> Fetched:
        """Say what came of it."""
        span = self._wanted.span
        gaps = [
            gap
            for gap in self.held.gaps()
            if gap.asked and gap.from_ms < span.to_ms and gap.to_ms > span.from_ms
        ]
        return Fetched(self.path, self.held, len(self.held) - self._before, gaps)

    def _candles(self, spans: Iterable[Span]) -> int:
        return sum(span.length_ms for span in spans) // length_of(self._wanted.bar)


def _held(path: Path, venue: str, wanted: Wanted) -> Series:
    """Read what an earlier fetch left."""
    if not path.exists():
        return Series(venue, wanted.symbol, wanted.bar, (), joined([]))
    held = read_series(path)
    if held.venue != venue:
        raise Conflict(
            f"{path} holds candles of {held.venue}, and these are of {venue}: they are not mixed. "
            "Choose another folder."
        )
    return held
