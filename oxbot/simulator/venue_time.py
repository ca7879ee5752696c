"""Times as text: ISO 8601 in UTC for people, whole ms since the epoch for everything else."""

from datetime import UTC, datetime, timedelta

from oxbot.domain.errors import InputError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso(ms: int) -> str:
    """A moment in ms UTC as text, to the second (2025-01-01T00:00:00Z)."""
    return f"{(EPOCH + timedelta(milliseconds=ms)).strftime('%Y-%m-%dT%H:%M:%S')}Z"


def parse_iso(text: str) -> int:
    """A moment as text, in ms UTC; without a zone it is UTC.

    Raises:
        InputError: The text is no such moment.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{text!r} is not a time: write it as 2025-01-01T00:00:00Z.") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - EPOCH) // timedelta(milliseconds=1)
