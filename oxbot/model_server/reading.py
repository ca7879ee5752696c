"""What a prompt says of each coin: read from its text, as a model has to."""

import re
from typing import Final, NamedTuple

NUMBER: Final = r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
SYMBOL: Final = r"[A-Z0-9]{1,15}/USDT"

LARGEST: Final = 1e12
"""What is not below it is no price."""

_SECTION: Final = re.compile(rf"^\W*({SYMBOL})\b", re.MULTILINE)


class Coin(NamedTuple):
    """What a prompt says of one coin; 0 stands for an ATR that it does not tell."""

    symbol: str
    close: float
    ema20: float
    ema50: float
    atr14: float
    held: bool


def coins_in(prompt: str) -> list[Coin]:
    """Give the coins whose averages a prompt tells, in its order."""
    starts = list(_SECTION.finditer(prompt))
    ends = [*(start.start() for start in starts[1:]), len(prompt)]
    found = (
        _coin(start.group(1), prompt[start.end() : end], prompt)
        for start, end in zip(starts, ends, strict=False)  # without a start there is an end
    )
    return list({coin.symbol: coin for coin in found if coin is not None}.values())


def _coin(symbol: str, told: str, prompt: str) -> Coin | None:
    close, ema20, ema50 = (_newest(name, told) for name in ("close", "EMA20", "EMA50"))
    if close is None or ema20 is None or ema50 is None:
        return None
    held = re.search(rf"\bposition\w*\W+{re.escape(symbol)}", prompt, re.IGNORECASE)
    return Coin(symbol, close, ema20, ema50, _newest("ATR14", told) or 0.0, held is not None)


def _newest(name: str, told: str) -> float | None:
    """Read a name's first figure, or the last one of a row, which runs from old to new.

    None where there is none that could be a price.
    """
    row = re.search(rf"\b{name}\b\W{{0,3}}?({NUMBER}(?:[,\s]+{NUMBER}\b)*)", told)
    newest = float(re.findall(NUMBER, row.group(1))[-1]) if row else 0.0
    return newest if 0 < newest < LARGEST else None
