"""Times in candle files: ms UTC inside, whatever people wrote outside."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER: Final = re.compile(r"([0-9]{10}|[0-9]{13}|[0-9]{16}|[0-9]{19})(?:\.0*)?")
_MICROSECOND_DIGITS: Final = 16
_MS_PER_S: Final = 1000


def iso(ms: int) -> str:
    """Write a moment in ms UTC as text, to the second (2025-01-01T00:00:00Z)."""
    return f"{(_EPOCH + timedelta(milliseconds=ms)).strftime('%Y-%m-%dT%H:%M:%S')}Z"


def time_ms(text: str) -> int:
    """Read a moment in ms UTC.

    Numbers are told apart by their digits: 10 are seconds since the epoch, 13 ms, 16 us and
    19 ns, each of which holds from 2001 to 2286. Everything else is ISO 8601, in UTC where no
    zone stands in it.

    Raises:
        ValueError: It is no time, or not a whole ms; the message is a sentence's end.
    """
    text = text.strip()
    if match := _NUMBER.fullmatch(text):
        return _whole_ms(match.group(1), text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a time") from None
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH
    ms, rest = divmod(since, timedelta(milliseconds=1))
    if rest:
        raise ValueError(f"{text!r} is not a whole millisecond")
    return ms


def _whole_ms(digits: str, text: str) -> int:
    """Read a number of s, ms, us or ns."""
    if len(digits) < _MICROSECOND_DIGITS:
        return int(digits) * (_MS_PER_S if len(digits) == 10 else 1)  # noqa: PLR2004 - seconds
    ms, rest = divmod(int(digits), _MS_PER_S if len(digits) == _MICROSECOND_DIGITS else 10**6)
    if rest:
        raise ValueError(f"{text!r} is not a whole millisecond")
    return ms
