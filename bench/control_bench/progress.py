"""How far the benchmark of control is."""

import random
from pathlib import Path

from finished import Finished, Head

from oxbot.domain.values import Value


class Run(Value):
    """A run that is over: why the pause did not hold, empty where it did; how long it took."""

    number: int
    why_not: str
    seconds: float


class Progress(Finished[Run]):
    """Finished runs, and which are left."""

    def __init__(self, head: Head, file: Path | None = None) -> None:
        super().__init__(head, Run, file)

    def left(self, runs: int) -> list[int]:
        """Give the numbers of the runs that are not over, from 1 on."""
        over = {run.number for run in self.done}
        return [number for number in range(1, runs + 1) if number not in over]

    def moment(self, number: int) -> float:
        """Give the part of a tick after which a run's pause is asked for: the same each time."""
        return random.Random(f"{self.head.seed}:{number}").random()  # noqa: S311 - no secret
