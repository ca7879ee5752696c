"""The log's file: one line for each request or moment, with all that happened in it.

A line is written before what is in it is answered, as a whole or not at all: what a killed
process left unfinished at the end was answered to nobody, and is taken away.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from oxbot.domain.errors import InputError, SetupError
from oxbot.simulator.private.events import (
    Event,
    events_of,
    line_of,
)


class Journal:
    """All that happened, in order.

    Args:
        path: Its file; None to keep it in memory alone.
        quick: Do not wait for the disk; only a crash of the machine, not of a process, loses it.
        fresh: Forget what the file says.

    Attributes:
        events: All events.

    Raises:
        InputError: The file is no log.
    """

    def __init__(
        self, path: Path | None = None, *, quick: bool = False, fresh: bool = False
    ) -> None:
        self._path = path
        self._quick = quick
        self.events: list[Event] = []
        self._whole = 0
        self._opened = False
        if path is not None and not fresh:
            self._load(path)

    def append(self, events: Sequence[Event]) -> None:
        """Write down what happened.

        Raises:
            SetupError: The file cannot be written.
        """
        if self._path is not None:
            self._write(self._path, line_of(events))
        self.events += events

    def keep(self) -> None:
        """Make the file what is known; called before it is served."""
        if self._path is not None:
            self._write(self._path, b"")

    def _load(self, path: Path) -> None:
        if not path.exists():
            return
        try:
            content = path.read_bytes()
            self._whole = content.rfind(b"\n") + 1
            for line in content[: self._whole].splitlines():
                self.events += events_of(line)
        except (OSError, ValidationError) as error:
            raise InputError(
                f"{path} does not hold the log of an earlier run. Begin anew with --fresh."
            ) from error

    def _write(self, path: Path, line: bytes) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("r+b" if path.exists() else "w+b") as file:
                if not self._opened:
                    file.truncate(self._whole)
                file.seek(0, os.SEEK_END)
                file.write(line)
                file.flush()
                if not self._quick:
                    os.fsync(file.fileno())
        except OSError as error:
            raise SetupError(
                f"The log cannot be written to {path}: {error.strerror}. "
                "Without it a restart would lose orders."
            ) from error
        self._opened = True
