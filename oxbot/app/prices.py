"""Prices of now: from the board while they are current, else by one request for everybody."""

from collections.abc import Sequence
from functools import partial
from typing import Final

import structlog

from oxbot.app.asking import asking
from oxbot.app.ports import Ports
from oxbot.app.shared import Answer
from oxbot.domain.errors import StoreUnavailable, Unavailable, Unusable, VenueUnavailable
from oxbot.domain.market import ClockReading, Quote

CURRENT_MS: Final = 3_000
"""Real ms since its receipt for which a price is current; scaled by the venue's rate."""

LONGEST_WAIT_MS: Final = 30_000
"""Real ms for which somebody may have waited with a reading of the clock in hand. A price that
is further ahead is from before the venue's time was set back."""

log = structlog.get_logger(__name__)

Quotes = dict[str, Quote]


async def current_quotes(
    ports: Ports, symbols: Sequence[str], clock: ClockReading, limit_s: int
) -> Quotes:
    """Give the prices of symbols: those on the board while current, else the exchange's.

    While the exchange is away the last prices known serve, but not for longer than a price is
    trusted; after that the question has failed, and the step that needs it is tried again. In
    a stepped venue none but those of this moment serve: whether a question failed must not
    decide what a cycle sees. Without the board each process asks for itself.

    Args:
        ports: Where prices are looked for.
        symbols: Of which.
        clock: Now.
        limit_s: For how long after its receipt a price is trusted, in real seconds.

    Raises:
        Unusable: The exchange answered and gave no price of some symbol; it is named.
        Unavailable: There was no answer, and the last prices are too old, or there are none.
    """
    known = await known_quotes(ports, symbols, clock)
    if _suffice(known, symbols, clock) or _asked_now(ports, clock):
        return _all_of(symbols, known)
    moment = clock.venue_ms if clock.stepped else None
    try:
        await ports.shared.once(
            ("prices", ports.feed.venue, moment), partial(_fetch, ports, symbols, clock)
        )
    except Unavailable as error:
        known = await known_quotes(ports, symbols, clock)  # others may have asked meanwhile
        if _suffice(known, symbols, clock, limit_s * 1000):
            _tell_away(known, clock, error)
            return known
        raise _without(symbols, known, clock, error) from error
    return _all_of(symbols, await known_quotes(ports, symbols, clock))


async def known_quotes(ports: Ports, symbols: Sequence[str], clock: ClockReading) -> Quotes:
    """Give the newest prices known without asking the exchange; symbols without one are left out.

    Where the venue is stepped, prices of the stream are not among them: how far it came within
    a moment is this machine's affair, and no cycle may depend on it.
    """
    on_board = await _on_board(ports, _shelf(ports, stepped=clock.stepped), symbols)
    return _newest(symbols, _own(ports), on_board)


async def last_quotes(ports: Ports, symbols: Sequence[str]) -> Quotes:
    """Give the newest prices known from whatever source, to value what is held."""
    asked = await _on_board(ports, _shelf(ports, stepped=True), symbols)
    streamed = await _on_board(ports, _shelf(ports, stepped=False), symbols)
    return _newest(symbols, _own(ports), asked, streamed)


def is_current(quote: Quote, clock: ClockReading, for_ms: int = CURRENT_MS) -> bool:
    """Whether a price was received so lately (real ms); in a stepped venue, at this moment."""
    if clock.stepped:
        return clock.venue_ms in (quote.exchange_ms, quote.received_ms)
    return _is_now(quote.received_ms, clock, for_ms)


async def _fetch(ports: Ports, symbols: Sequence[str], clock: ClockReading) -> None:
    """Ask for all prices and share them, unless another process has done so meanwhile."""
    async with ports.flight.alone(f"prices:{ports.feed.venue}"):
        if _suffice(await known_quotes(ports, symbols, clock), symbols, clock):
            return
        async with asking(ports, clock):
            quotes = await ports.feed.all_quotes(clock)
        ports.shared.answers[ports.feed.venue] = Answer(
            asked_ms=clock.venue_ms, quotes={quote.symbol: quote for quote in quotes}
        )
        await _to_board(ports, quotes, clock)


async def _to_board(ports: Ports, quotes: Sequence[Quote], clock: ClockReading) -> None:
    try:
        for stepped in {False, clock.stepped}:
            await ports.board.put(_shelf(ports, stepped=stepped), quotes)
    except StoreUnavailable as error:
        ports.shared.note_redis(error)


async def _on_board(ports: Ports, shelf: str, symbols: Sequence[str]) -> Quotes:
    try:
        known = await ports.board.get(shelf, symbols)
    except StoreUnavailable as error:
        ports.shared.note_redis(error)
        return {}
    ports.shared.note_redis(None)
    return known


def _shelf(ports: Ports, *, stepped: bool) -> str:
    """Name the board's part: with prices from all sources, or with those asked for in steps."""
    return f"{ports.feed.venue}:steps" if stepped else ports.feed.venue


def _own(ports: Ports) -> Quotes:
    """Give what this process was answered last, which serves while the board is away."""
    answer = ports.shared.answers.get(ports.feed.venue)
    return answer.quotes if answer else {}


def _asked_now(ports: Ports, clock: ClockReading) -> bool:
    """Whether this process has just asked: what the answer lacked is not asked for again."""
    answer = ports.shared.answers.get(ports.feed.venue)
    if answer is None:
        return False
    return answer.asked_ms == clock.venue_ms if clock.stepped else _is_now(answer.asked_ms, clock)


def _is_now(at_ms: int, clock: ClockReading, for_ms: int = CURRENT_MS) -> bool:
    """Whether it was so lately; others may have been quicker than a reading that has waited."""
    age_ms = clock.venue_ms - at_ms
    return -clock.scaled_ms(LONGEST_WAIT_MS) <= age_ms <= clock.scaled_ms(for_ms)


def _suffice(
    known: Quotes, symbols: Sequence[str], clock: ClockReading, for_ms: int = CURRENT_MS
) -> bool:
    return all(symbol in known and is_current(known[symbol], clock, for_ms) for symbol in symbols)


def _newest(symbols: Sequence[str], *sources: Quotes) -> Quotes:
    """Of each symbol the newest price by the exchange's time; the first source wins a tie."""
    known = {symbol: [s[symbol] for s in sources if symbol in s] for symbol in symbols}
    return {
        symbol: max(quotes, key=lambda quote: (quote.exchange_ms, quote.received_ms))
        for symbol, quotes in known.items()
        if quotes
    }


def _tell_away(known: Quotes, clock: ClockReading, cause: Unavailable) -> None:
    ages = {symbol: quote.age_ms(clock.venue_ms) for symbol, quote in known.items()}
    log.warning("the exchange is away; the last prices serve", ages_ms=ages, cause=str(cause))


def _all_of(symbols: Sequence[str], known: Quotes) -> Quotes:
    """Give the prices if every symbol has one."""
    missing = ", ".join(symbol for symbol in symbols if symbol not in known)
    if missing:
        raise Unusable(f"The exchange gave no price of {missing}, and no earlier one is known.")
    return known


def _without(
    symbols: Sequence[str], known: Quotes, clock: ClockReading, cause: Unavailable
) -> Unavailable:
    """Say that no answer came and what was known; an error that says more stays itself."""
    if type(cause) is not VenueUnavailable:
        return cause
    told = ", ".join(
        f"{symbol} {known[symbol].age_ms(clock.venue_ms) // 1000} s" if symbol in known else symbol
        for symbol in symbols
    )
    return VenueUnavailable(f"{cause} The last prices are too old to serve, or unknown: {told}.")
