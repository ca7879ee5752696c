"""Circuit breakers in memory, in the plainest words: also the model of the real ones."""

from dataclasses import dataclass

from oxbot.domain.circuit import COOLS_MS, OPENS_AFTER, Admission, Circuit, Phase
from oxbot.domain.market import ClockReading


@dataclass
class _Known:
    failures: int = 0
    reason: str = ""
    opened: ClockReading | None = None
    probe_ms: int | None = None
    failed_ms: int | None = None


class FakeBreaker:
    """Keeps the port's promises for one process."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    async def admit(self, target: str, now: ClockReading) -> Admission:
        """Let pass while closed, and one probe once it has cooled."""
        known = self._known.get(target, _Known())
        if known.opened is None:
            return Admission(admitted=True, circuit=_circuit(target, known))
        being_probed = known.probe_ms is not None and abs(now.wall_ms - known.probe_ms) < COOLS_MS
        may_probe = _has_cooled(known.opened, now) and not being_probed
        if may_probe:
            known.probe_ms = now.wall_ms
        return Admission(admitted=may_probe, circuit=_circuit(target, known))

    async def succeeded(self, target: str) -> None:
        """Forget everything that is held against the target."""
        self._known.pop(target, None)

    async def failed(self, target: str, now: ClockReading, reason: str, began_ms: int) -> None:
        """Count; open at the limit, or again when the probe failed."""
        known = self._known.setdefault(target, _Known())
        if known.probe_ms is None and _is_of_the_same_failure(known.failed_ms, began_ms, now):
            return
        known.failures += 1
        known.reason, known.failed_ms = reason, now.wall_ms
        if known.probe_ms is not None or (known.opened is None and known.failures >= OPENS_AFTER):
            known.opened, known.probe_ms = now, None

    async def states(self) -> list[Circuit]:
        """Give what is known."""
        return [_circuit(target, known) for target, known in sorted(self._known.items())]


def _is_of_the_same_failure(failed_ms: int | None, began_ms: int, now: ClockReading) -> bool:
    return failed_ms is not None and began_ms < failed_ms <= now.wall_ms


def _has_cooled(opened: ClockReading, now: ClockReading) -> bool:
    by_venue = abs(now.venue_ms - opened.venue_ms) >= COOLS_MS
    by_wall = abs(now.wall_ms - opened.wall_ms) >= COOLS_MS
    return by_venue or (by_wall and not now.stepped)


def _circuit(target: str, known: _Known) -> Circuit:
    opened = known.opened
    if opened is None:
        return Circuit(target=target, failures=known.failures, reason=known.reason)
    return Circuit(
        target=target,
        phase=Phase.OPEN if known.probe_ms is None else Phase.HALF_OPEN,
        failures=known.failures,
        reason=known.reason,
        opened_ms=opened.wall_ms,
        retry_ms=(known.probe_ms or opened.wall_ms) + COOLS_MS,
        venue_retry_ms=opened.venue_ms + COOLS_MS,
        stepped=opened.stepped,
    )
