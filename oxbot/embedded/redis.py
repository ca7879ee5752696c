"""Redis as a child process, on a unix socket only, every write in its append-only file."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from oxbot.embedded import binaries
from oxbot.embedded.child import Program
from oxbot.embedded.paths import DataDirectory

NAME = "redis"
"""Name of the program and its log."""


def url(sockets: Path) -> str:
    """The server on a socket directory, as REDIS_URL has it."""
    return f"unix://{quote(str(_socket(sockets)), safe='/')}?db=0"


def _socket(sockets: Path) -> Path:
    return sockets / "redis.sock"


@dataclass(frozen=True)
class Redis:
    """One Redis server.

    Args:
        home: The system's data directory.
        sockets: Directory of the unix socket, this user's alone.
        binary: The server's program.
    """

    home: DataDirectory
    sockets: Path
    binary: Path

    @classmethod
    def found(cls, home: DataDirectory, sockets: Path) -> "Redis":
        """With the program on PATH, else the bundled one.

        Raises:
            SetupError: There is none.
        """
        return cls(home, sockets, binaries.redis_binary().path)

    def program(self) -> Program:
        """How it is run."""
        return Program(
            name=NAME,
            command=(
                *(str(self.binary), "--port", "0"),
                *("--unixsocket", str(_socket(self.sockets)), "--unixsocketperm", "700"),
                *("--dir", str(self.home.root / "redis"), "--daemonize", "no"),
                *("--appendonly", "yes", "--save", ""),
            ),
            log=self.home.log(NAME),
            prepare=self._prepare,
            ready=self._is_ready,
            grace_s=4,
        )

    async def _prepare(self) -> None:
        (self.home.root / "redis").mkdir(mode=0o700, exist_ok=True)
        _socket(self.sockets).unlink(missing_ok=True)

    async def _is_ready(self) -> bool:
        """It answers PONG; while it loads its file it answers something else."""
        reader, writer = await asyncio.open_unix_connection(_socket(self.sockets))
        try:
            writer.write(b"PING\r\n")
            return await reader.readline() == b"+PONG\r\n"
        finally:
            writer.close()
            await writer.wait_closed()
