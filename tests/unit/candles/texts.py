"""Candles as texts, in the forms that people have."""

import gzip
import zipfile
from decimal import Decimal
from pathlib import Path

from hypothesis import strategies as st

from oxbot.candles.rows import Row

T0 = 1_735_689_600_000
"""2025-01-01T00:00:00Z."""
M5 = 300_000
HEADER = "ts,open,high,low,close,volume"


def line(number: int, prices: str = "100.5,101,100,100.7", volume: str = "12.5") -> str:
    return f"{T0 + number * M5},{prices},{volume}"


def write(folder: Path, lines: list[str], name: str = "BTC-USDT-5m.csv") -> Path:
    """Write a text, packed as its name says."""
    path, text = folder / name, "\n".join(lines) + "\n"
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    elif name.endswith(".zip"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name.replace(".zip", ".csv"), text)
    else:
        path.write_text(text)
    return path


NUMBERS = st.builds(
    lambda digits, places: Decimal(digits).scaleb(-places),
    st.integers(1, 10**18 - 1),
    st.integers(0, 18),
)
"""Whatever a price can be: up to 18 digits, up to 18 of them behind the point."""


@st.composite
def candle_rows(draw: st.DrawFn, most: int = 30) -> list[Row]:
    """Possible candles of five minutes, oldest first, with gaps."""
    steps = draw(st.lists(st.integers(1, 3), min_size=1, max_size=most))
    rows = []
    open_ms = T0
    for step in steps:
        low, opened, close, high = draw(candle_prices())
        volume = draw(NUMBERS | st.just(Decimal(0)))
        rows.append(Row(open_ms, opened, high, low, close, volume))
        open_ms += step * M5
    return rows


@st.composite
def candle_prices(draw: st.DrawFn) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """Low, open, close, high."""
    low, one, other, high = sorted(draw(st.lists(NUMBERS, min_size=4, max_size=4)))
    return (low, one, other, high) if draw(st.booleans()) else (low, other, one, high)
