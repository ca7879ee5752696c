"""Whether each exit that a price set off came in the candle that did, by the candles alone."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from oxbot.app.statement import FillLine, Statement
from oxbot.domain.bot import Mode
from oxbot.domain.market import Candle
from oxbot.domain.oracle import Finding, Judgement, Round, judge
from oxbot.domain.orders import Purpose
from oxbot.domain.portfolio import Position
from oxbot.domain.values import Value


class PastCandles(Protocol):
    """The candles of a stretch that is over."""

    @property
    def length_ms(self) -> int:
        """Their length in ms."""
        ...

    def candles(self, symbol: str, from_ms: int, to_ms: int) -> Sequence[Candle]:
        """Give those that open in [from_ms, to_ms), in venue ms, oldest first."""
        ...


class Crossings(Value):
    """What the candles say of all positions of a replay.

    `expected` counts the stops, targets and trailing stops that candles met;
    `filled_in_their_candle` those that ended the position in that candle, of which `ambiguous`
    in one that may have met a stop and the target; `late` those that did so in a later one.
    `others` are exits on record that no candle asked for. `doubts` are the findings that are
    not as they should be.
    """

    candle_ms: int
    expected: int = 0
    filled_in_their_candle: int = 0
    ambiguous: int = 0
    late: int = 0
    others: int = 0
    doubts: tuple[Finding, ...] = ()

    def agree(self, *, late: bool) -> bool:
        """Tell whether each was filled where it was met, and none else.

        Args:
            late: Whether one may be late, since the venue did not always give prices.
        """
        filled = self.filled_in_their_candle + (self.late if late else 0)
        return self.expected == filled and not self.others


def rounds_of(
    statement: Statement, positions: Mapping[str, Position], mode: Mode
) -> Iterator[Round]:
    """Give all positions that a bot had, and those that it has.

    Args:
        statement: Its books.
        positions: What it holds, by symbol.
        mode: Whether their stops were at the exchange.
    """
    for trade in statement.trades:
        entry = _entry(statement.fills[: trade.fill], trade.symbol)
        if entry.stop is None or entry.target is None:
            continue
        yield Round(
            bot_id=statement.bot_id,
            symbol=trade.symbol,
            entry_price=trade.entry_price,
            limit_price=entry.limit_price if mode is Mode.LIVE else None,
            stop=entry.stop,
            target=entry.target,
            trail=entry.trail,
            opened_ms=trade.opened_ms,
            closed_ms=trade.closed_ms,
            exit=Purpose(trade.exit),
        )
    for position in positions.values():
        yield Round(
            bot_id=statement.bot_id,
            symbol=position.symbol,
            entry_price=position.average_price,
            stop=position.stop,
            target=position.target,
            trail=position.trail,
            opened_ms=position.opened_ms,
        )


def _entry(fills: Sequence[FillLine], symbol: str) -> FillLine:
    """Give the last entry in a coin: no coin is bought again before it is sold."""
    entries = (f for f in reversed(fills) if f.symbol == symbol and f.purpose == Purpose.ENTRY)
    return next(entries)


def crossings(rounds: Iterable[Round], past: PastCandles, end_ms: int) -> Crossings:
    """Hold all positions against the candles.

    Args:
        rounds: The positions.
        past: The candles that the market was made of.
        end_ms: The replay's end, in venue ms.
    """
    findings = [found for held in rounds if (found := _judged(held, past, end_ms))]
    count = Counter(finding.judgement for finding in findings)
    filled = count[Judgement.MET]
    return Crossings(
        candle_ms=past.length_ms,
        expected=len(findings) - count[Judgement.UNFOUNDED],
        filled_in_their_candle=filled,
        ambiguous=sum(_is_ambiguous(finding) for finding in findings),
        late=count[Judgement.LATE],
        others=count[Judgement.UNFOUNDED],
        doubts=tuple(f for f in findings if f.judgement is not Judgement.MET),
    )


def _judged(held: Round, past: PastCandles, end_ms: int) -> Finding | None:
    last_ms = end_ms if held.closed_ms is None else held.closed_ms
    begin_ms = held.opened_ms // past.length_ms * past.length_ms
    return judge(held, past.candles(held.symbol, begin_ms, last_ms + 1), past.length_ms, end_ms)


def _is_ambiguous(finding: Finding) -> bool:
    met = finding.judgement is Judgement.MET
    return met and Purpose.TARGET in finding.guards and len(finding.guards) > 1
