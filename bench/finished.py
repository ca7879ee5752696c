"""Runs that are over, kept in a file: whoever begins again with it goes on behind them."""

import shutil
import subprocess
from pathlib import Path
from typing import Final, Generic, TypeVar

from oxbot.domain.values import Value

Run = TypeVar("Run", bound=Value)

HERE: Final = Path(__file__).parent
UNKNOWN: Final = "unknown"
"""The commit of a tree that is none of git's."""


class Head(Value):
    """What runs are of: the code's commit, a seed, and what was broken in the code."""

    commit: str
    seed: int
    mutant: str = ""


def head_of(seed: int, mutant: str = "") -> Head:
    """Say what runs are of that begin now; a tree that differs from its commit is told as dirty."""
    said = ""
    if git := shutil.which("git"):
        command = [git, "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=HERE, check=False)
        said = done.stdout.strip()
    return Head(commit=said or UNKNOWN, seed=seed, mutant=mutant)


class Finished(Generic[Run]):
    """Finished runs, one a line after what they are of; an unfinished line is left out.

    Args:
        head: What its runs are of.
        kind: Of value that a run is.
        file: Where; None keeps nothing.

    Raises:
        ValueError: The runs in the file are of something else.
    """

    def __init__(self, head: Head, kind: type[Run], file: Path | None = None) -> None:
        self.head = head
        self._file = file
        lines = _lines(file) if file and file.exists() else []
        if lines and lines[0] != head.model_dump_json():
            raise ValueError(
                f"The runs in {file} are of {lines[0]}, and these would be of "
                f"{head.model_dump_json()}. Give another file, or go back to that."
            )
        self.done = [kind.model_validate_json(line) for line in lines[1:]]
        if not lines:
            self._write(head)

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
