"""Runs that are over, kept in a file: whoever begins again with it goes on behind them."""

import random
from pathlib import Path

from chaos_matrix.report import Head

from oxbot.domain.values import Value


class Run(Value):
    """A run that is over: why the pause did not hold, empty where it did; how long it took."""

    number: int
    why_not: str
    seconds: float


class Progress:
    """Finished runs, one a line after what they are of; an unfinished line is left out.

    Args:
        head: What its runs are of.
        file: Where; None keeps nothing.

    Raises:
        ValueError: The runs in the file are of something else.
    """

    def __init__(self, head: Head, file: Path | None = None) -> None:
        self._head = head
        self._file = file
        lines = _lines(file) if file and file.exists() else []
        if lines and lines[0] != head.model_dump_json():
            raise ValueError(
                f"The runs in {file} are of {lines[0]}, and these would be of "
                f"{head.model_dump_json()}. Give another file, or go back to that."
            )
        self.done = [Run.model_validate_json(line) for line in lines[1:]]
        if not lines:
            self._write(head)

    def left(self, runs: int) -> list[int]:
        """Give the numbers of the runs that are not over, from 1 on."""
        over = {run.number for run in self.done}
        return [number for number in range(1, runs + 1) if number not in over]

    def moment(self, number: int) -> float:
        """Give the part of a tick after which a run's pause is asked for: the same each time."""
        return random.Random(f"{self._head.seed}:{number}").random()  # noqa: S311 - no secret

    def keep(self, run: Run) -> None:
        """Add a run that is over."""
        self.done.append(run)
        self._write(run)

    def _write(self, value: Value) -> None:
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(value.model_dump_json() + "\n")


def _lines(file: Path) -> list[str]:
    """Read what was finished, and take what was not out of the file."""
    whole = file.read_text(encoding="utf-8").rpartition("\n")[0]
    file.write_text(whole + "\n" if whole else "", encoding="utf-8")
    return whole.splitlines()
