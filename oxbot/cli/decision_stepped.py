"""`oxbot decisions replay --stepped`: what a bot would have earned, beside others."""

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Final

from oxbot.adapters.models.reply_files import ReplyFiles
from oxbot.app.bots import Desk
from oxbot.app.decision_replay import Variant, changed, keep_recorded
from oxbot.app.earnings import Compared
from oxbot.app.replay_report import ReplayReport, Run
from oxbot.app.seen_cycle import SeenCycle
from oxbot.bootstrap.record import open_seen_cycles, open_statements
from oxbot.cli import decision_stepped_pages, output
from oxbot.cli.at_rest import on_record
from oxbot.cli.config_sources import load_settings
from oxbot.cli.counted import counted
from oxbot.cli.decision_compare import SECOND_MS, Driven, Told, compared
from oxbot.cli.replay_bots import PlannedBot
from oxbot.cli.replay_end import SourceCandles, must_agree, summed_up
from oxbot.cli.replay_inputs import FILE, Inputs, Stretch, open_market
from oxbot.cli.replay_run import drive, own_settings, start_over
from oxbot.domain.bot import BotSettings
from oxbot.domain.errors import InputError, NotFound
from oxbot.domain.models import BASELINE, ModelChoice, check_provider
from oxbot.domain.schedule import offset_ms
from oxbot.embedded.apps import SimulatorOptions
from oxbot.embedded.paths import DataDirectory, read_json_object
from oxbot.logs import configure_logs
from oxbot.settings import Settings
from oxbot.simulator.candles import CandleSource
from oxbot.simulator.defaults import DEFAULT_SEED, DEFAULT_TIMEFRAME
from oxbot.simulator.venue_time import iso

LEAST_BUDGET: Final = Decimal("0.000001")
"""USD; a budget of 0 is none at all."""

LEAST_CANDLES: Final = 2
"""One to buy at, and one to hold until."""

FAR_OFF: Final = Decimal("0.02")
"""A price that differs so much from the candle of its time is another market's."""


@dataclass(frozen=True)
class MarketWishes:
    """Which candles are driven again; None where nothing was said."""

    candles: Path | None = None
    timeframe: str | None = None
    seed: int | None = None
    name: str | None = None
    fresh: bool = False

    def among(self, kept: dict[str, object]) -> "MarketWishes":
        """Fill in what the record's own replay was made of, or the defaults."""
        timeframe = self.timeframe or str(kept.get("timeframe") or DEFAULT_TIMEFRAME)
        seed = kept.get("seed", DEFAULT_SEED) if self.seed is None else self.seed
        return MarketWishes(self.candles, timeframe, int(str(seed)), self.name, self.fresh)

    def source(self) -> CandleSource:
        """Open the candles; InputError where that cannot be."""
        return open_market(self.candles, self.timeframe or DEFAULT_TIMEFRAME, self.seed or 0)

    def simulator(self, start_ms: int) -> SimulatorOptions:
        """How the venue begins: at a moment, standing still."""
        return SimulatorOptions(
            candles=self.candles.absolute() if self.candles else None,
            timeframe=self.timeframe,
            seed=self.seed,
            start=iso(start_ms),
            mode="stepped",
            rate_limits=False,
            quick=True,
        )


def run(
    which: tuple[str, range | None, int],
    variant: Variant,
    market: MarketWishes,
    budget_usd: Decimal,
    *,
    as_json: bool,
) -> None:
    """Drive the market again with the variant and the baseline, and compare what they earned.

    Args:
        which: The bot, which of its cycles (None: the newest), and how many at most.
        variant: What is to be different.
        market: Its candles.
        budget_usd: What models may cost; those of replies that were kept count as well.
        as_json: Write one JSON document.

    Raises:
        InputError: Wishes that cannot be, or candles of another market.
        NotFound: There is no such bot, or no such cycles.
        As `oxbot replay` does.
    """
    settings = load_settings()
    configure_logs(settings.log_format, "warning")
    told = asyncio.run(_read(settings, *which))
    wishes = market.among(read_json_object(DataDirectory.of(settings.home).root / FILE))
    found = _compare(settings, told, variant, wishes, budget_usd)
    if as_json:
        output.write_json(decision_stepped_pages.document(found))
    else:
        decision_stepped_pages.write(output.console(), found)


async def _read(settings: Settings, bot_id: str, cycles: range | None, last: int) -> Told:
    async with (
        on_record(settings) as known,
        open_seen_cycles(known) as read,
        open_statements(known) as statements,
    ):
        numbers = await read.asked(bot_id, cycles, last)
        if not numbers:
            raise NotFound(f"No model was asked in these cycles of bot {bot_id}.")
        replies = ReplyFiles(settings.model_replies or DataDirectory.of(settings.home).replies)
        with counted("cycles on record", len(numbers)) as advance:
            for number in numbers:
                await keep_recorded(await read.seen(bot_id, number), replies)
                advance(1)
        return Told(
            bot_id=bot_id,
            lived=await read.lived(bot_id, numbers[0], numbers[-1]),
            books=await statements.statement(bot_id),
            first=await read.seen(bot_id, numbers[0]),
        )


def _compare(
    settings: Settings, told: Told, variant: Variant, wishes: MarketWishes, budget_usd: Decimal
) -> Compared:
    source = wishes.source()
    past = SourceCandles(source)
    _must_be_long_enough(told, past)
    _must_be_its_market(told.first, past)
    planned_inputs = _inputs(settings, told, variant, wishes, source)
    own = own_settings(settings, wishes.name or planned_inputs.name)
    if wishes.fresh:
        start_over(own)
    planned_inputs.keep(own.home)

    async def read(desk: Desk, driven: Run) -> tuple[ReplayReport, list[Driven]]:
        report = await summed_up(own, desk, planned_inputs, driven, source)
        return report, [await _driven(own, desk, bot.id) for bot in planned_inputs.bots]

    budget = {"OXBOT_MODEL_BUDGET_USD": str(max(budget_usd, LEAST_BUDGET))}
    report, (mine, plain) = drive(
        own, wishes.simulator(planned_inputs.from_ms), planned_inputs, read, budget
    )
    must_agree(report, late=False)
    return compared(told, (mine, plain), past, settings)


def _inputs(
    settings: Settings, told: Told, variant: Variant, wishes: MarketWishes, source: CandleSource
) -> Inputs:
    """Say what the replay is made of.

    Raises:
        InputError: A stretch that these candles do not have, or a model that is not set up.
    """
    stretch = Stretch.of(source, iso(told.stretch.start), iso(told.stretch.stop))
    chosen = varied(told.lived.settings, variant)
    for choice in chosen.choices:
        check_provider(choice.provider, settings.model_providers)
    return Inputs(
        market_sha256=stretch.sha256(),
        timeframe=wishes.timeframe or DEFAULT_TIMEFRAME,
        seed=wishes.seed or 0,
        from_ms=stretch.from_ms,
        to_ms=stretch.to_ms,
        bots=_planned(told.bot_id, chosen),
    )


def _planned(bot_id: str, chosen: BotSettings) -> tuple[PlannedBot, ...]:
    """Plan the variant and the baseline: each an owner of its own, so that neither limits both."""
    baseline = chosen.model_copy(
        update={**_decided_by(ModelChoice()), "owner": BASELINE, "gate_bp": None}
    )
    twin = twin_of(bot_id, chosen.interval_s * SECOND_MS)
    return PlannedBot(id=bot_id, settings=chosen), PlannedBot(id=twin, settings=baseline)


def twin_of(bot_id: str, interval_ms: int) -> str:
    """Name a bot whose ticks are due at the same moments: what both see differs in nothing."""
    offset = offset_ms(bot_id, interval_ms)
    names = (f"{BASELINE}-{number}" for number in count(1))
    return next(n for n in names if n != bot_id and offset_ms(n, interval_ms) == offset)


def varied(settings: BotSettings, variant: Variant) -> BotSettings:
    """Give a bot's settings with what is to be different.

    Raises:
        InputError: Limits that contradict each other.
    """
    first, *others = settings.choices
    choice = variant.model.of(first)
    news = {
        **_decided_by(choice),
        "fallbacks": tuple(others) if choice == first else (),
        "limits": changed(settings.limits, variant.limits),
        "prompt_version": variant.prompt_version or settings.prompt_version,
        "budget_usd": None,  # it is of a day, and the replay has one of its own
    }
    return settings.model_copy(update=news)


def _decided_by(choice: ModelChoice) -> dict[str, object]:
    return {**choice.model_dump(), "fallbacks": ()}


async def _driven(own: Settings, desk: Desk, bot_id: str) -> Driven:
    last = (await desk.store.cycles(bot_id, 1))[0].cycle
    async with open_seen_cycles(own) as read, open_statements(own) as statements:
        return Driven(
            books=await statements.statement(bot_id),
            portfolio=await desk.store.portfolio(bot_id),
            lived=await read.lived(bot_id, 1, last),
            unasked=(await desk.store.decision_counts(0, bot_id)).unasked,
        )


def _must_be_long_enough(told: Told, past: SourceCandles) -> None:
    """Refuse a stretch in which no candle begins and ends: nothing could be compared.

    Raises:
        InputError: It is too short.
    """
    candles = told.stretch.stop // past.length_ms - told.stretch.start // past.length_ms
    if candles < LEAST_CANDLES:
        raise InputError(
            f"These cycles span {candles} candles; comparing what is earned takes "
            f"{LEAST_CANDLES} at least. Name more with --cycles."
        )


def _must_be_its_market(first: SeenCycle, past: SourceCandles) -> None:
    """Refuse candles that are not those of the market that the bot saw.

    Raises:
        InputError: They are not; says what differs.
    """
    for symbol, quote in sorted(first.quotes.items()):
        begin = quote.exchange_ms // past.length_ms * past.length_ms
        for candle in past.candles(symbol, begin, begin + 1):
            off = abs(quote.last / candle.close - 1)
            if off > FAR_OFF:
                raise InputError(
                    f"These candles are not of the market that the bot saw: {symbol} stood at "
                    f"{quote.last} at {iso(quote.exchange_ms)}, and they have {candle.close}. Name "
                    "the right ones with --candles (see `oxbot candles fetch`), or the generated "
                    "market's --seed."
                )
