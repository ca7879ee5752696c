"""Texts and numbers as a prompt may carry them: one line, cut short, and no more digits than tell.

Each digit and, of a text that a tokenizer does not know, each byte may be a token.
"""

from decimal import Decimal
from typing import Final

from oxbot.domain.money import Amount, plain

REASON: Final = 48
"""Bytes of a reason that a model is told again."""

INVALIDATION: Final = 96
"""Bytes of an invalidation condition: it is what a position is held by."""

RULE: Final = 160
"""Bytes of a verdict's reason; longer than any that a rule gives."""

UNFILLED: Final = 64
"""Bytes of why an entry was not filled."""

FIGURE: Final = 24
"""Bytes of a figure that is words: two or three coins."""

MOST_ZEROS: Final = 18


def cut(text: str, most: int) -> str:
    """Give a text as one line of at most so many bytes; an ellipsis says that there was more."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    line = " ".join(shown.split()).encode()
    if len(line) <= most:
        return line.decode()
    return line[: most - len("…".encode())].decode(errors="ignore").rstrip() + "…"


def quoted(text: str, most: int) -> str:
    """Quote what a model wrote, so that it reads as data: it cannot end the quotation itself."""
    return f'"{cut(text.replace(chr(34), chr(39)), most)}"'


def minutes(ms: int) -> str:
    """Write a length of venue time in whole minutes."""
    return f"{ms // 60_000} min"


def short(number: Decimal | Amount, digits: int = 6) -> str:
    """Write a number to so many significant digits: an average has twelve decimals.

    One that is far from any price keeps its exponent, which is shorter than its zeros.
    """
    rounded = Decimal(f"{number:.{digits}g}")
    return plain(rounded) if abs(rounded.adjusted()) <= MOST_ZEROS else f"{rounded:g}"
