"""What goes on and on says its troubles once, not every second."""

import structlog

from oxbot.domain.errors import OxbotError

log = structlog.get_logger(__name__)


class Troubles:
    """Logs when a part gets into trouble, into another kind of it, and out again.

    Args:
        whose: Named in each line.
    """

    def __init__(self, whose: str) -> None:
        self._whose = whose
        self._known: dict[str, str] = {}

    def has(self, part: str, error: OxbotError) -> None:
        """A part has this trouble."""
        kind = type(error).__name__
        if self._known.get(part) != kind:
            self._known[part] = kind
            log.warning("trouble", whose=self._whose, part=part, error=str(error))

    def has_none(self, part: str) -> None:
        """A part does its work."""
        if self._known.pop(part, None):
            log.info("trouble is over", whose=self._whose, part=part)
