"""PostgreSQL as a child process, on a unix socket only."""

import asyncio
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil

from oxbot.domain.errors import SetupError
from oxbot.embedded import binaries, logs
from oxbot.embedded.child import Program, run_to_end
from oxbot.embedded.paths import DataDirectory, full_disk
from oxbot.embedded.processes import end_processes

NAME = "postgres"
"""Name of the program and its log."""

DATABASE = "oxbot"
"""Name of the database, and of the user who owns it."""

QUICK = ("-c", "fsync=off")
"""Commits do not wait for the disk. A killed process loses nothing, since each commit is still
handed to the system, pages whole; a crash of the machine may cost the database."""

START_WITHIN_S = 60
"""After a crash the log is replayed first, which may take a while."""


def url(sockets: Path) -> str:
    """The database of the server on a socket directory, as DATABASE_URL has it."""
    return f"postgresql://{DATABASE}@/{DATABASE}?host={quote(str(sockets), safe='/')}"


@dataclass(frozen=True)
class Postgres:
    """One PostgreSQL server.

    Args:
        home: The system's data directory.
        sockets: Directory of the unix socket, this user's alone: it is the access control.
        bin: Directory of PostgreSQL's programs.
        prefix: Put before them (see `binaries.rootless_prefix`).
        quick: As fast as can be; only a crash of the machine, not of a process, loses data.
    """

    home: DataDirectory
    sockets: Path
    bin: Path
    prefix: tuple[str, ...]
    quick: bool = False

    @classmethod
    def found(cls, home: DataDirectory, sockets: Path, *, quick: bool = False) -> "Postgres":
        """With the programs of this installation.

        Raises:
            SetupError: They are missing or cannot be run by this user.
        """
        return cls(home, sockets, binaries.postgres_binaries(), binaries.rootless_prefix(), quick)

    @property
    def data(self) -> Path:
        """PostgreSQL's own data directory."""
        return self.home.root / "postgres"

    def program(self) -> Program:
        """How it is run; SIGINT is PostgreSQL's fast shutdown."""
        return Program(
            name=NAME,
            command=(
                *(str(self.bin / "postgres"), "-D", str(self.data)),
                *("-h", "", "-k", str(self.sockets)),
                *(QUICK if self.quick else ()),
            ),
            log=self.home.log(NAME),
            prefix=self.prefix,
            prepare=self._prepare,
            ready=self._is_ready,
            start_within_s=START_WITHIN_S,
            stop_signal=signal.SIGINT,
            grace_s=4,
        )

    async def _prepare(self) -> None:
        """Make the data directory at the first start, and clear the way at any other."""
        version = self.data / "PG_VERSION"
        if not version.exists():
            await self._create()
        self._check_version(version.read_text(encoding="ascii").strip())
        await asyncio.to_thread(self._end_leftovers)

    def _check_version(self, written_by: str) -> None:
        if written_by != str(binaries.POSTGRES_MAJOR):
            raise SetupError(
                f"{self.data} was made by PostgreSQL {written_by}, and this version of 0xBot "
                f"brings PostgreSQL {binaries.POSTGRES_MAJOR}, which cannot read it. Use the "
                f"version of 0xBot that made it, or another directory with OXBOT_HOME."
            )

    async def _create(self) -> None:
        """Make a data directory aside and put it in place when it is whole."""
        if self.data.exists() and any(self.data.iterdir()):
            raise SetupError(
                f"{self.data} is not empty, and not PostgreSQL's either. Move it away, or use "
                f"another directory with OXBOT_HOME."
            )
        fresh = self.home.root / ".postgres-new"
        await asyncio.to_thread(shutil.rmtree, fresh, ignore_errors=True)
        options = ("--locale=C", "--encoding=UTF8", "--auth=trust", "--username", DATABASE)
        await self._run("initdb", "-D", str(fresh), *options)
        create = f"CREATE DATABASE {DATABASE}\n"
        await self._run("postgres", "--single", "-D", str(fresh), "postgres", stdin=create)
        fresh.replace(self.data)

    async def _run(self, program: str, *arguments: str, stdin: str = "") -> None:
        """Run one of PostgreSQL's programs to its end."""
        command = (str(self.bin / program), *arguments)
        code, said = await run_to_end(command, prefix=self.prefix, stdin=stdin)
        if code != 0 or "FATAL:" in said or "ERROR:" in said:
            raise SetupError(self._why_not_created(program, said))

    def _why_not_created(self, program: str, said: str) -> str:
        if "no space left on device" in said.lower():
            return full_disk(self.data)
        words = logs.telling_line(said.splitlines()) or "it said nothing"
        return f"PostgreSQL's data directory {self.data} could not be made. {program}: {words}"

    def _end_leftovers(self) -> None:
        """End servers that a killed supervisor left on this data directory.

        Their file of the server's pid is not enough: after a restart of the machine or the
        container the pid in it is somebody else's, and PostgreSQL would refuse to start.
        """
        left = [process for process in psutil.process_iter(["name"]) if self._is_ours(process)]
        end_processes(left, signal.SIGINT, grace_s=8)
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        (self.sockets / ".s.PGSQL.5432.lock").unlink(missing_ok=True)

    def _is_ours(self, process: psutil.Process) -> bool:
        """A server and its helpers have the data directory as their working directory."""
        try:
            return process.name() == "postgres" and Path(process.cwd()) == self.data.resolve()
        except psutil.Error:
            return False

    async def _is_ready(self) -> bool:
        status = self.data / "postmaster.pid"
        lines = status.read_text(encoding="utf-8", errors="replace").splitlines()
        return len(lines) >= STATUS_LINE and lines[STATUS_LINE - 1].strip() == "ready"


STATUS_LINE = 8
"""The line of postmaster.pid that says `ready`, as pg_ctl reads it (utils/pidfile.h)."""
