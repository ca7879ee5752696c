"""The end of a replay: what it came to, and whether it is as it should be."""

from dataclasses import dataclass
from functools import partial

from oxbot.app.bots import Desk
from oxbot.app.replay import patiently
from oxbot.app.replay_report import Record, ReplayReport, Run, report
from oxbot.bootstrap.record import open_statements
from oxbot.cli.replay_inputs import Inputs
from oxbot.domain.errors import LedgerBroken
from oxbot.domain.market import Candle
from oxbot.domain.money import Price, Quantity
from oxbot.settings import Settings
from oxbot.simulator.candles import CandleSource


@dataclass(frozen=True)
class SourceCandles:
    """`oxbot.app.crossings.PastCandles` of a simulator's source, in its ticks."""

    source: CandleSource

    @property
    def length_ms(self) -> int:
        """Their length in ms."""
        return self.source.step_ms

    def candles(self, symbol: str, from_ms: int, to_ms: int) -> list[Candle]:
        """Give those that open in [from_ms, to_ms), in venue ms, oldest first."""
        inst_id = symbol.replace("/", "-")
        rows = self.source.bars(inst_id, from_ms, to_ms).candles(inst_id)
        return [
            Candle(
                open_ms=row.ts,
                open=Price(row.open),
                high=Price(row.high),
                low=Price(row.low),
                close=Price(row.close),
                volume=Quantity(row.volume),
            )
            for row in rows
        ]


async def summed_up(
    settings: Settings, desk: Desk, inputs: Inputs, run: Run, source: CandleSource
) -> ReplayReport:
    """Sum up a replay, patiently: its servers may just be restarting.

    Args:
        settings: Of the replay.
        desk: Where its record is.
        inputs: What it was made of.
        run: What this run drove.
        source: Its market.
    """
    bot_ids = tuple(planned.id for planned in inputs.bots)
    stretch = range(inputs.from_ms, inputs.to_ms)
    async with open_statements(settings) as statements:
        record = Record(desk, statements, SourceCandles(source))
        return await patiently(partial(report, record, bot_ids, settings.home.name, run, stretch))


def must_agree(found: ReplayReport, *, late: bool) -> None:
    """Refuse books that do not agree to the last digit, and exits that the candles contradict.

    Args:
        found: The replay.
        late: Whether exits may be late, since the venue did not always give prices.

    Raises:
        LedgerBroken: They do not, or are.
    """
    if found.drift or found.unbalanced:
        raise LedgerBroken(
            f"The books do not agree: recomputed from the fills they differ by {found.drift}, and "
            f"{found.unbalanced} postings do not balance."
        )
    if not found.crossings.agree(late=late):
        raise LedgerBroken(
            f"Exits do not agree with the candles, which met {found.crossings.expected} stops, "
            f"targets and trailing stops: {found.crossings.filled_in_their_candle} were filled in "
            f"their candle, {found.crossings.late} later, and {found.crossings.others} exits "
            f"have no candle. `--json` lists each under crossings.doubts."
        )
