"""When a bot's ticks are due: aligned to its interval, at an offset of its own."""

import hashlib


def offset_ms(bot_id: str, interval_ms: int) -> int:
    """Give a bot's stable offset within its interval, in whole seconds of ms.

    Bots of one interval are spread over it, so that a thousand do not start at once.
    """
    digest = hashlib.sha256(bot_id.encode()).digest()
    return int.from_bytes(digest[:8], "big") % (interval_ms // 1000) * 1000


def next_due(after_ms: int, interval_ms: int, offset: int) -> int:
    """Give the first aligned time later than `after_ms`."""
    return ((after_ms - offset) // interval_ms + 1) * interval_ms + offset


def latest_due(now_ms: int, interval_ms: int, offset: int) -> int:
    """Give the last aligned time that is not later than `now_ms`."""
    return (now_ms - offset) // interval_ms * interval_ms + offset


def ticks_missed(due_ms: int, now_ms: int, interval_ms: int, offset: int) -> int:
    """Count the ticks from `due_ms` on that were overtaken by a later one already due."""
    return max(0, (latest_due(now_ms, interval_ms, offset) - due_ms) // interval_ms)
