"""Two ways to fetch Temporal's program: the SDK's download, and Go."""

import asyncio
import os
import shutil
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections.abc import Callable
from pathlib import Path

from oxbot.embedded import processes
from oxbot.embedded.child import tethered

VERSION = "1.5.1"
"""Of the Temporal CLI, with server 1.29.1: the last that `go install` can build."""

DOWNLOADS = "https://temporal.download"
"""Where the SDK downloads from."""

GO_PACKAGE = f"github.com/temporalio/cli/cmd/temporal@v{VERSION}"
"""What Go builds."""

GO_LINKER_FLAGS = f"-s -w -X github.com/temporalio/cli/temporalcli.Version={VERSION}"
"""No symbol tables, and the version that a release would carry."""

SILENCE_S = 60.0
"""A download that brings nothing for so long has failed, in seconds."""

REPORT_EVERY_S = 15.0
"""Between two lines of progress, in seconds."""

Announce = Callable[[str], None]


class NotThisWay(Exception):  # noqa: N818 - part of a sentence: why this way did not lead there
    """One way failed; the text is a part of the sentence that names all of them."""


async def download(scratch: Path, announce: Announce) -> Path:
    """Let Temporal's SDK download the program into `scratch`.

    Raises:
        NotThisWay: It could not, or brought nothing for a minute.
    """
    announce(f"Downloading Temporal {VERSION} (needed once, about 60 MB)")
    command = (sys.executable, "-m", "oxbot.embedded.sdk_download", str(scratch), f"v{VERSION}")
    process = await _start(command, {})
    output = asyncio.create_task(_read(process))
    try:
        await _watch_growth(process, scratch, announce)
        said = await output
    finally:
        await _end(process)
        output.cancel()
    if process.returncode != 0:
        reason = said[-1] if said else "no reason given"
        raise NotThisWay(f"it cannot be downloaded ({reason})")
    return _only_file(scratch)


async def _watch_growth(process: Process, scratch: Path, announce: Announce) -> None:
    """Wait for the end of a download as long as it brings something."""
    loop = asyncio.get_running_loop()
    size, grown_at, told_at = 0, loop.time(), loop.time()
    while process.returncode is None:
        await asyncio.wait({asyncio.create_task(process.wait())}, timeout=1)
        now, before = loop.time(), size
        size = _bytes_in(scratch)
        grown_at = now if size > before else grown_at
        if now - grown_at > SILENCE_S:
            raise NotThisWay(f"the download brought nothing for {SILENCE_S:g} s")
        if size and now - told_at > REPORT_EVERY_S:
            announce(f"Downloading Temporal: {size // 1_000_000} MB")
            told_at = now


def _bytes_in(directory: Path) -> int:
    return sum(path.lstat().st_size for path in directory.rglob("*"))


def _only_file(scratch: Path) -> Path:
    files = [path for path in scratch.rglob("*") if path.is_file() and os.access(path, os.X_OK)]
    if len(files) != 1:
        raise NotThisWay(f"the download left {len(files)} programs instead of one")
    return files[0]


async def go_install(scratch: Path, announce: Announce) -> Path:
    """Let Go fetch the sources and build the program into `scratch`.

    Raises:
        NotThisWay: Go is not there, or could not build it.
    """
    go = shutil.which("go")
    if go is None:
        raise NotThisWay("Go, which could build it, is not installed")
    announce(f"Building Temporal {VERSION} with Go (needed once, about 3 minutes)")
    command = (go, "install", "-v", "-trimpath", f"-ldflags={GO_LINKER_FLAGS}", GO_PACKAGE)
    process = await _start(command, {"CGO_ENABLED": "0", "GOBIN": str(scratch)})
    try:
        said = await _read(process, lambda lines, s: announce(_go_progress(lines, s)))
        await process.wait()
    finally:
        await _end(process)
    if process.returncode != 0:
        raise NotThisWay(f"Go could not build it ({' '.join(said[-2:]) or 'it said nothing'})")
    return scratch / "temporal"


def _go_progress(lines: list[str], seconds: float) -> str:
    fetched = sum(line.startswith("go: downloading") for line in lines)
    return (
        f"Building Temporal: {int(seconds // 60)} min {int(seconds % 60):02} s, "
        f"{fetched} modules fetched, {len(lines) - fetched} packages compiled"
    )


async def _start(command: tuple[str, ...], environment: dict[str, str]) -> Process:
    """Start in a group of its own, so that it and its helpers can be ended together."""
    return await asyncio.create_subprocess_exec(
        *tethered(command, death_signal=signal.SIGTERM),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        env={**os.environ, **environment},
        start_new_session=True,
    )


async def _read(
    process: Process, report: Callable[[list[str], float], None] | None = None
) -> list[str]:
    """All lines of its output; `report` gets those so far and the seconds since the start."""
    if process.stdout is None:
        raise RuntimeError("started without a pipe")
    loop = asyncio.get_running_loop()
    started = told_at = loop.time()
    lines: list[str] = []
    async for line in process.stdout:
        lines.append(line.decode(errors="replace").strip())
        if report and loop.time() - told_at > REPORT_EVERY_S:
            told_at = loop.time()
            report(lines, told_at - started)
    return [line for line in lines if line]


async def _end(process: Process) -> None:
    """End it and its helpers if something else ended the wait."""
    if process.returncode is None:
        family = processes.descendants(process.pid)
        processes.signal_group(process.pid, signal.SIGKILL)
        processes.kill(family)
        await process.wait()
