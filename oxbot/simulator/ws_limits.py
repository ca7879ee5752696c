"""How often something may happen within a time, counted as it happens."""

from collections import deque


class Window:
    """At most so many events within a sliding time.

    Args:
        most: How many.
        within_ms: The time, in ms.
    """

    def __init__(self, most: int, within_ms: int) -> None:
        self._within_ms = within_ms
        self._times: deque[int] = deque(maxlen=most)

    def allows(self, now_ms: int) -> bool:
        """Whether one more may happen now; if so, it is counted."""
        if len(self._times) == self._times.maxlen and not self._over(self._times[0], now_ms):
            return False
        self._times.append(now_ms)
        return True

    def idle(self, now_ms: int) -> bool:
        """Whether nothing has happened within the time; such a window can be forgotten."""
        return not self._times or self._over(self._times[-1], now_ms)

    def _over(self, then_ms: int, now_ms: int) -> bool:
        return now_ms - then_ms >= self._within_ms
