"""Files that programs write their output to."""

import shutil
from pathlib import Path

from oxbot.embedded.paths import full_disk

TAIL_BYTES = 20_000
"""How much of a log's end is read to find out why its program ended."""

LARGEST_LOG_BYTES = 50_000_000
"""A log that grows beyond this while its program runs is set aside and begun anew."""


def previous(log: Path) -> Path:
    """Where the log before this one is kept."""
    return log.with_name(f"{log.stem}.previous{log.suffix}")


def rotate(directory: Path) -> None:
    """At a start: keep the last run's logs aside, begin new ones."""
    for log in directory.glob("*.log"):
        if not log.stem.endswith(".previous"):
            log.replace(previous(log))


def trim(log: Path) -> None:
    """Set a log that has grown too large aside.

    Its program goes on writing to the same open file, so that the content is copied and
    the file cut; it is open for appending, so that the next line lands at its start.
    """
    if log.exists() and log.stat().st_size > LARGEST_LOG_BYTES:
        shutil.copyfile(log, previous(log))
        with log.open("r+b") as file:
            file.truncate(0)


def tail(log: Path, lines: int) -> list[str]:
    """The last lines with something in them."""
    if not log.exists():
        return []
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL_BYTES))
        text = file.read().decode(errors="replace")
    return [line.rstrip() for line in text.splitlines() if line.strip()][-lines:]


def cause(log: Path) -> str:
    """Why a program ended, in as few words as its log allows, and where to read more."""
    lines = tail(log, 15)
    if any("no space left on device" in line.lower() for line in lines):
        return full_disk(log.parent)
    said = telling_line(lines)
    return f"It said: {said} (log: {log})" if said else f"(log: {log})"


def telling_line(lines: list[str]) -> str | None:
    """The line that says most: the last fatal one, since others may follow, else the last."""
    fatal = [line for line in lines if any(word in line for word in FATAL_WORDS)]
    spoken = fatal or [line for line in lines if line.strip()]
    return spoken[-1].strip() if spoken else None


FATAL_WORDS = ("FATAL:", "PANIC:", "Fatal error", "FATAL ERROR", "initdb: error:")
"""What PostgreSQL and Redis write before the reason for ending."""
