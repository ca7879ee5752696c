"""From what somebody asked for to a venue that is ready to be served."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from oxbot.domain.errors import InputError
from oxbot.simulator.book import BookShape
from oxbot.simulator.candles import CandleSource
from oxbot.simulator.clock import ClockState, Mode, VenueClock, check_rate, wall_ms
from oxbot.simulator.defaults import (
    DEFAULT_BOOK_GROWTH,
    DEFAULT_BOOK_SPREAD,
    DEFAULT_BOOK_USDT,
    DEFAULT_MODE,
    DEFAULT_OVERALL_LIMIT,
    DEFAULT_PORT,
    DEFAULT_RATE,
    DEFAULT_SEED,
    DEFAULT_TIMEFRAME,
)
from oxbot.simulator.fault_store import open_faults
from oxbot.simulator.files import read_folder
from oxbot.simulator.generator import GeneratedMarket
from oxbot.simulator.made_up import made_up_pairs
from oxbot.simulator.market import Market
from oxbot.simulator.private.journal import Journal
from oxbot.simulator.rate_limits import RateLimits
from oxbot.simulator.state import load_state, save_state
from oxbot.simulator.timeframes import DAY_MS
from oxbot.simulator.venue import Venue
from oxbot.simulator.venue_time import iso, parse_iso

HISTORY_MS = 30 * DAY_MS
"""What a generated market has of history before the earliest start."""


@dataclass(frozen=True, slots=True)
class Options:
    """What somebody asked for; text is checked by `open_venue`.

    Attributes:
        port: Where to listen on 127.0.0.1; 0 takes a free one.
        candles: A folder of candle files; None for the generated market.
        timeframe: The files' candle length, 1m or 5m.
        seed: Of the generated market, and of the way inside each candle.
        start: Where the clock starts, ISO 8601; None for the market's default.
        mode: speed or stepped.
        rate: Venue seconds in a second.
        state: Where the clock remembers its time, faults and accounts beside it; None to forget.
        fresh: Start anew, whatever the state file says.
        quick: Do not wait for the disk; only a crash of the machine loses the clock's time.
        json: Say where it listens as a JSON object.
        faults: A file of fault rules to begin with.
        listed: So many made-up pairs are listed beside the market's.
        book_usdt: Worth of the best level of each side of a book, in USDT.
        book_growth: How much each level is worth more than the one before, in percent.
        book_spread: From the best bid to the best ask, in ticks.
        rate_limits: Refuse clients that ask more often than OKX lets them.
        overall_limit: Requests in two seconds of one client over all endpoints, with rate_limits.
    """

    port: int = DEFAULT_PORT
    candles: Path | None = None
    timeframe: str = DEFAULT_TIMEFRAME
    seed: int = DEFAULT_SEED
    start: str | None = None
    mode: str = DEFAULT_MODE
    rate: str = DEFAULT_RATE
    state: Path | None = None
    fresh: bool = False
    quick: bool = False
    json: bool = False
    faults: Path | None = None
    listed: int = 0
    book_usdt: str = DEFAULT_BOOK_USDT
    book_growth: str = DEFAULT_BOOK_GROWTH
    book_spread: int = DEFAULT_BOOK_SPREAD
    rate_limits: bool = False
    overall_limit: int = DEFAULT_OVERALL_LIMIT


def open_venue(options: Options, wall: Callable[[], int] = wall_ms) -> Venue:
    """The venue that the options describe, going on where its state file says.

    Nothing is written: the venue is to be kept once it is sure that it is served.

    Args:
        options: What somebody asked for.
        wall: This machine's time in ms UTC.

    Raises:
        InputError: An option that cannot be, a bad file, or another market's state.
    """
    source = _source(options)
    market_name = f"{source.name}, seed {options.seed}"
    state = _first_state(options, source, market_name, wall)
    if options.state is not None and not options.fresh:
        state = load_state(options.state, market_name, source.first_ms) or state
    clock = VenueClock(state, source.end_ms, _keeper(options.state, quick=options.quick), wall)
    venue = Venue(
        market=Market(source, options.seed, _book_shape(options)),
        clock=clock,
        faults=open_faults(options.faults, options.state, clock.now(), fresh=options.fresh),
        made_up=made_up_pairs(options.listed),
        limits=RateLimits(options.overall_limit) if options.rate_limits else None,
        journal=_journal(options),
    )
    for symbol in source.symbols:
        venue.market.price(symbol, clock.now())
    return venue


def _journal(options: Options) -> Journal:
    """The log of accounts, beside the clock's state."""
    path = None if options.state is None else options.state.with_suffix(".log.jsonl")
    return Journal(path, quick=options.quick, fresh=options.fresh)


def _source(options: Options) -> CandleSource:
    if options.seed < 0:
        raise InputError(f"A seed is zero or more, not {options.seed}.")
    if options.candles is not None:
        return read_folder(options.candles, options.timeframe)
    if options.timeframe != DEFAULT_TIMEFRAME:
        raise InputError(f"The generated market has {DEFAULT_TIMEFRAME} candles only.")
    return GeneratedMarket(options.seed)


def _book_shape(options: Options) -> BookShape:
    return BookShape(
        level_usdt=_number(options.book_usdt, "A book's best level"),
        growth_percent=_number(options.book_growth, "A book's growth"),
        spread_ticks=options.book_spread,
    )


def _number(text: str, what: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise InputError(f"{what} is a number, not {text!r}.") from error


def _first_state(
    options: Options, source: CandleSource, market_name: str, wall: Callable[[], int]
) -> ClockState:
    """Where a clock without a past begins."""
    if options.mode not in tuple(Mode):
        raise InputError(f"The mode is speed or stepped, not {options.mode!r}.")
    rate = check_rate(_number(options.rate, "The rate"))
    start_ms = source.default_start_ms if options.start is None else parse_iso(options.start)
    _check_start(start_ms, source, 0 if options.candles else HISTORY_MS)
    return ClockState(market_name, Mode(options.mode), rate, start_ms, wall())


def _check_start(start_ms: int, source: CandleSource, history_ms: int) -> None:
    """The start lies in the market, with so much history before it."""
    first, last = source.first_ms + history_ms, source.end_ms - source.step_ms
    if not first <= start_ms <= last:
        raise InputError(
            f"The start {iso(start_ms)} lies outside this market: "
            f"choose one from {iso(first)} to {iso(last)}."
        )


def _keeper(path: Path | None, *, quick: bool) -> Callable[[ClockState], None]:
    """What the clock calls to be remembered."""

    def keep(state: ClockState) -> None:
        if path is not None:
            save_state(path, state, quick=quick)

    return keep
