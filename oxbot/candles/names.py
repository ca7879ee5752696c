"""What a candle file is called, and what its name says is in it."""

import re
from pathlib import Path
from typing import Final

from oxbot.domain.errors import InputError
from oxbot.domain.market import QUOTE_CURRENCY

BAR_MS: Final = {"1m": 60_000, "5m": 300_000, "1h": 3_600_000, "4h": 14_400_000}
"""The candle lengths that files hold, in ms; every candle opens on a multiple of its length."""

SUFFIX: Final = ".parquet"

_NAME: Final = re.compile(
    r"(?P<symbol>[A-Z0-9]+(?:[-_][A-Z0-9]+)?)-(?P<bar>\d+[a-zA-Z]+)(?:[-.].*)?"
)
"""BTC-USDT-5m.csv.gz, BTC_USDT-5m.csv, BTCUSDT-1m-2025-01.zip."""


def length_of(bar: str) -> int:
    """Give the length of a candle in ms.

    Raises:
        InputError: No file holds candles of that length.
    """
    if bar not in BAR_MS:
        raise InputError(f"Candles are {', '.join(BAR_MS)} long, not {bar!r}.")
    return BAR_MS[bar]


def file_name(symbol: str, bar: str) -> str:
    """Name the file of a symbol and a candle length: BTC-USDT-5m.parquet."""
    return f"{symbol.replace('/', '-')}-{bar}{SUFFIX}"


def named(path: Path) -> tuple[str, str] | None:
    """Read symbol (BTC/USDT) and candle length (5m) off a file's name, if it tells them."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None
    symbol, bar = _symbol(match["symbol"]), match["bar"].lower()
    # Elsewhere 1M is a month, not a minute.
    return (symbol, bar) if symbol and bar in BAR_MS and match["bar"] != "1M" else None


def _symbol(text: str) -> str | None:
    base, _, quote = text.replace("_", "-").partition("-")
    if quote:
        return f"{base}/{quote}"
    coin = base.removesuffix(QUOTE_CURRENCY)
    return f"{coin}/{QUOTE_CURRENCY}" if coin and coin != base else None
