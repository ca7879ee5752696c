"""What is still to be run, and by which way, as far as the runs before have shown."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from chaos_matrix.injection import Injection
from chaos_matrix.verdict import Outcome

TRIES = 2
"""How often a way is tried before the next one is."""


@dataclass
class Plan:
    """What is still to be run.

    Args:
        injections: All of them.
        runs: How many in all.
        done: What has been run before.
        width: How many bots a shared injection strikes.
        until_hit: Whether it is over when each injection was hit.
    """

    injections: Sequence[Injection]
    runs: int
    done: Sequence[Outcome]
    width: int
    until_hit: bool = False
    _tries: Counter[str] = field(default_factory=Counter)
    _hits: Counter[str] = field(default_factory=Counter)
    _missed: Counter[str] = field(default_factory=Counter)
    _led: dict[str, int] = field(default_factory=dict)
    _under_way: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        for outcome in self.done:
            self._tries[outcome.injection] += 1
            self._learn(outcome)
        self._number = len(self.done)

    def batches(self) -> Iterator[list[tuple[int, Injection]]]:
        """Give run number and injection: one by one, or those of a shared one.

        The one that was hit least comes next; what is under way counts as if it were.
        """
        while self._number < self.runs:
            injection = min(self.injections, key=self._weight)
            if self.until_hit and self._weight(injection)[0]:
                return
            left = self.runs - self._number
            yield [self._next(injection) for _ in range(self._wide(injection, left))]

    @property
    def left(self) -> int:
        """How many runs may still come."""
        return max(0, self.runs - self._number)

    def way_of(self, injection: Injection) -> int:
        """Give the number of the way to try: the first that has led there, or each in turn."""
        led = self._led.get(injection.name)
        if led is not None:
            return led
        return self._missed[injection.name] // TRIES % len(injection.ways)

    def note(self, outcome: Outcome) -> None:
        """Take note of a run that is over."""
        self._under_way[outcome.injection] -= 1
        self._learn(outcome)

    def _learn(self, outcome: Outcome) -> None:
        if outcome.hit:
            self._hits[outcome.injection] += 1
            self._led.setdefault(outcome.injection, outcome.way)
        else:
            self._missed[outcome.injection] += 1

    def _weight(self, injection: Injection) -> tuple[int, bool, int]:
        hits = self._hits[injection.name] + self._under_way[injection.name]
        tries = self._tries[injection.name]
        wide = self.width if injection.shared else 1
        return -(-hits // wide), injection.shared, tries

    def _wide(self, injection: Injection, left: int) -> int:
        return min(self.width, left) if injection.shared else 1

    def _next(self, injection: Injection) -> tuple[int, Injection]:
        self._number += 1
        self._tries[injection.name] += 1
        self._under_way[injection.name] += 1
        return self._number, injection
