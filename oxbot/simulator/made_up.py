"""Made-up pairs (X0001-USDT, ...): as many as a client shall have to load.

They have an instrument and a ticker, both out of nothing but a seed and the time; they
have no candles and no book, so nothing can be traded there.
"""

from decimal import ROUND_DOWN, Decimal
from functools import lru_cache
from hashlib import blake2b

from oxbot.domain.errors import InputError
from oxbot.simulator.instruments import Instrument
from oxbot.simulator.timeframes import DAY_MS
from oxbot.simulator.waves import Wave

MOST = 5000
"""So many made-up pairs at most; OKX itself lists under a thousand."""

LOWEST_TICKS, HIGHEST_TICKS = 10_000, 1_000_000
MILLION = 10**6


def made_up_pairs(count: int) -> dict[str, Instrument]:
    """So many pairs, by instId.

    Raises:
        InputError: Fewer than none, or too many.
    """
    if not 0 <= count <= MOST:
        raise InputError(f"From 0 to {MOST} made-up pairs can be listed, not {count}.")
    pairs = (_pair(number) for number in range(1, count + 1))
    return {pair.id: pair for pair in pairs}


def made_up_ticks(seed: int, listed: Instrument, now_ms: int) -> int:
    """The price of a made-up pair at a moment, in ticks; the same for five minutes."""
    height = Wave(f"price {listed.coin}", DAY_MS, 900_000, 1_100_000).at(seed, now_ms)
    return _about(seed, listed.coin) * height // MILLION


def made_up_volume(listed: Instrument, ticks: int) -> Decimal:
    """Coins of the last 24 hours: always worth five million USDT."""
    coins = Decimal(5 * MILLION) / listed.price(ticks)
    return coins.quantize(listed.lot, rounding=ROUND_DOWN)


def _pair(number: int) -> Instrument:
    tick = Decimal(1).scaleb(-2 - number % 5)
    return Instrument(f"X{number:04}", tick, Decimal("0.0001"), Decimal("0.01"))


@lru_cache(maxsize=MOST)
def _about(seed: int, coin: str) -> int:
    """The price about which a pair moves, in ticks."""
    draw = blake2b(f"{seed}:{coin}".encode(), digest_size=4).digest()
    return LOWEST_TICKS + int.from_bytes(draw, "big") % (HIGHEST_TICKS - LOWEST_TICKS)
