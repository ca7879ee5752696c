"""Temporal's time-skipping test server: found, downloaded, or put together by Maven.

In this order: the path in TEMPORAL_TEST_SERVER, the user's cache (kept for all checkouts),
the SDK's download, Maven. Run as `python -m tests.support.time_skipping` it fetches the
server and prints where it is.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import platformdirs
from temporalio.testing import WorkflowEnvironment

from oxbot.embedded.lock import try_lock
from tests.support import class_archive

VERSION = "1.38.0"
"""Of the server, which is released with Temporal's Java SDK."""

SLF4J_VERSION = "2.0.17"
"""Of the logging that says nothing."""

KEPT_AS = f"{VERSION}-2"
"""Where it is kept; another number when it is put together in another way."""

PATH_VARIABLE = "TEMPORAL_TEST_SERVER"

BEGIN_WITHIN_S = 20
"""A download of which nothing has arrived by then is given up."""

MODULE = "tests.support.time_skipping"
"""This module, by the name under which another process finds it."""

DOWNLOAD_WITHIN_S = 600
MAVEN_WITHIN_S = 600

POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>oxbot</groupId>
  <artifactId>test-server</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>io.temporal</groupId>
      <artifactId>temporal-test-server</artifactId>
      <version>{VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-nop</artifactId>
      <version>{SLF4J_VERSION}</version>
    </dependency>
  </dependencies>
</project>
"""

LAUNCHER = f"""#!/bin/sh
# Temporal's time-skipping test server; a small heap, one compiler and classes that were
# loaded before start fastest.
here=$(dirname "$(readlink -f "$0")")
exec java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx512m \\
  "${{{class_archive.VARIABLE}:--XX:SharedArchiveFile=$here/classes}}" -Xlog:disable \\
  -cp "$here/jars/*" io.temporal.testserver.TestServer "$@"
"""


class NoTestServerError(Exception):
    """No way led to the server; the message names each and what to do."""


class NotThisWayError(Exception):
    """One way did not lead there; the text says why."""


def announce(text: str) -> None:
    """Tell the person who waits, past pytest's capture."""
    if sys.__stderr__ is not None:
        sys.__stderr__.write(f"{text}\n")
        sys.__stderr__.flush()


def cached() -> Path:
    """Where the server is kept for all of the user's checkouts."""
    return platformdirs.user_cache_path("oxbot") / "temporal-test-server" / KEPT_AS / "server"


def obtain() -> Path:
    """Give the path of a program that starts the server.

    Raises:
        NoTestServerError: No way led to it.
    """
    if named := os.environ.get(PATH_VARIABLE):
        return _named(Path(named))
    if cached().exists():
        return cached() / "start"
    cached().parent.mkdir(parents=True, exist_ok=True)
    with _only_one(cached().with_name("lock")):
        if not cached().exists():
            _fetch()
    return cached() / "start"


def _named(path: Path) -> Path:
    if not os.access(path, os.X_OK):
        raise NoTestServerError(f"{PATH_VARIABLE} is {path}, which is not a program.")
    return path


@contextlib.contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    """Let one test run of this user fetch at a time; the others wait for what it brings."""
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not try_lock(handle):
            announce("Another test run fetches Temporal's test server: waiting for it")
        while not try_lock(handle):
            time.sleep(0.5)
        yield
    finally:
        os.close(handle)


def _fetch() -> None:
    """Try each way, and put what one brought in its place whole."""
    failures = []
    for way in (_download, _maven):
        scratch = cached().with_name("fetching")
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        try:
            way(scratch)
            scratch.rename(cached())
            class_archive.make(cached())
        except NotThisWayError as error:
            failures.append(str(error))
        else:
            return
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    raise NoTestServerError(
        "The workflow tests need Temporal's time-skipping test server, and no way led to it: "
        f"{'; '.join(failures)}. Let this machine reach the SDK's download, or install Java 17 "
        f"and Maven, or set {PATH_VARIABLE} to the program."
    )


def _download(scratch: Path) -> None:
    """Let Temporal's SDK download it, in a process of its own that can be given up."""
    announce("Downloading Temporal's time-skipping test server (needed once)")
    code = f"import asyncio, {MODULE} as m; asyncio.run(m.download_into({str(scratch)!r}))"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(process, lambda: any(scratch.iterdir()))
    finally:
        process.kill()
        process.wait()
    programs = [path for path in scratch.rglob("*") if path.is_file()]
    if process.returncode != 0 or len(programs) != 1:
        raise NotThisWayError("it cannot be downloaded from here")
    programs[0].rename(scratch / "start")


def _wait_for(process: subprocess.Popen[bytes], has_begun: Callable[[], bool]) -> None:
    """Wait for the download's end, but not for one that brings nothing."""
    begun_at = time.monotonic()
    while process.poll() is None:
        waited_s = time.monotonic() - begun_at
        if waited_s > (DOWNLOAD_WITHIN_S if has_begun() else BEGIN_WITHIN_S):
            raise NotThisWayError(f"its download brought nothing within {waited_s:.0f} s")
        time.sleep(0.1)


async def download_into(directory: str) -> None:
    """Leave the program in the directory: the SDK downloads only in order to start it."""
    environment = await WorkflowEnvironment.start_time_skipping(download_dest_dir=directory)
    await environment.shutdown()


def _maven(scratch: Path) -> None:
    """Let Maven bring the server's jars, and put a launcher beside them."""
    missing = [tool for tool in ("java", "mvn") if shutil.which(tool) is None]
    if missing:
        raise NotThisWayError(f"Maven cannot bring it without {' and '.join(missing)}")
    announce(f"Fetching Temporal's test server {VERSION} by Maven (needed once, about 40 MB)")
    (scratch / "pom.xml").write_text(POM, encoding="utf-8")
    goal = ("dependency:copy-dependencies", "-DincludeScope=runtime")
    command = ["mvn", "-q", "-B", "-f", str(scratch), *goal, f"-DoutputDirectory={scratch}/jars"]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=MAVEN_WITHIN_S)
    except subprocess.CalledProcessError as error:
        said = error.stdout.decode(errors="replace").strip().splitlines()[:1]
        raise NotThisWayError(f"Maven could not bring it ({' '.join(said)})") from error
    except subprocess.TimeoutExpired as error:
        raise NotThisWayError(f"Maven did not end within {MAVEN_WITHIN_S} s") from error
    launcher = scratch / "start"
    launcher.write_text(LAUNCHER, encoding="utf-8")
    launcher.chmod(0o755)


if __name__ == "__main__":
    print(obtain())  # noqa: T201 - the answer
