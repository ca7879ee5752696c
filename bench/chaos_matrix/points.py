"""Points of a worker, what happens there, and the marks by which it is known that it did."""

import json
import os
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final

from oxbot.domain.values import Value
from oxbot.messages import Protect

BEFORE, AFTER = "before", "after"
ENTRY, EXIT = "entry", "exit"

MOMENTS: Final = (BEFORE, AFTER)


class Deed(StrEnum):
    """What happens to a worker at a point.

    `kill` is SIGKILL, `suspend` SIGSTOP; at `hold` it waits until it is told to go on, while
    something happens around it.
    """

    KILL = "kill"
    SUSPEND = "suspend"
    HOLD = "hold"


class Point(Value):
    """A place in the code: before or after an activity, or a method that an activity awaits."""

    moment: str
    activity: str
    method: str = ""

    def __str__(self) -> str:
        return f"{self.moment}:{self.activity}{'.' if self.method else ''}{self.method}"


class Step(Value):
    """What is to happen at a point, once; `kind` is entry, exit or, for either, nothing.

    `soon` says of a worker that is suspended that it wakes before others have done its work.
    """

    deed: Deed
    point: Point
    kind: str = ""
    soon: bool = False


class Struck(Value):
    """That a step has happened: in which process, to what kind of order, in which protection."""

    pid: int
    kind: str = ""
    protect: Protect | None = None


class Marks:
    """One file for each step that has happened: they outlive the process that they struck.

    Args:
        directory: Of one bot.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._known: dict[int, Struck] = {}

    @property
    def directory(self) -> Path:
        """Where they are."""
        return self._directory

    def make(self) -> None:
        """Make the directory."""
        self._directory.mkdir(parents=True)

    def strike(self, number: int, kind: str, protect: Protect | None) -> None:
        """Note that a step happens now, to this process, before it does."""
        found = Struck(pid=os.getpid(), kind=kind, protect=protect)
        aside = self._directory / f".{number}"
        aside.write_text(found.model_dump_json())
        aside.replace(self._directory / str(number))

    def struck(self, number: int) -> Struck | None:
        """Tell whether a step has happened."""
        file = self._directory / str(number)
        if number not in self._known and file.exists():
            self._known[number] = Struck.model_validate_json(file.read_text())
        return self._known.get(number)

    def first_open(self, steps: Iterable[Step]) -> int | None:
        """Give the number of the first step that has not happened."""
        return next(self._open(steps), None)

    def let_go(self, number: int) -> None:
        """Tell a process that holds to go on."""
        (self._directory / f"{number}.go").touch()

    def may_go(self, number: int) -> bool:
        """Whether a process that holds may go on."""
        return (self._directory / f"{number}.go").exists()

    def _open(self, steps: Iterable[Step]) -> Iterator[int]:
        return (number for number, _ in enumerate(steps) if self.struck(number) is None)


class Spec(Value):
    """What a worker is started with.

    `environment` are its settings; `skew_ms` is by how much its venue's clock is off; `style` says
    how its bot decides; `mutant` is what is broken in it.
    """

    name: str
    environment: dict[str, str]
    log: str
    marks: str = ""
    steps: tuple[Step, ...] = ()
    skew_ms: int = 0
    style: str = ""
    mutant: str = ""

    def line(self) -> bytes:
        """Write it as one line."""
        return json.dumps(self.model_dump(mode="json")).encode() + b"\n"
